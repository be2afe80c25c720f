"""Chat templates are programs of other people: they see nothing, and take no more than they may."""

# SPDX-License-Identifier: Apache-2.0

import time
from datetime import date, datetime

import psutil
import pytest

from mgptn.agents.tokens.rendering import MOST_CHARACTERS, Renderer, TemplateFault
from mgptn.agents.tokens.templates import dated
from tests.chat_families import FAMILIES, save_tokenizer

ASKED = [{"role": "user", "content": "2+2?"}]


def render(template, messages=ASKED, **values):
    return Renderer(template)(messages, values)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_text_is_the_one_that_transformers_makes(family, tmp_path):
    tokenizer = save_tokenizer(tmp_path, FAMILIES[family])
    renderer = Renderer(dated(tokenizer.chat_template, date(2024, 2, 29), ""))
    today = datetime.now().strftime("%d %b %Y")
    for asked in (ASKED, [*ASKED, {"role": "assistant", "content": "4 é\ud800"}, *ASKED]):
        for adding in (True, False):
            values = {"tools": None, "documents": None, "add_generation_prompt": adding}
            found = renderer(asked, {**values, **tokenizer.special_tokens_map})
            expected = tokenizer.apply_chat_template(
                asked, tokenize=False, add_generation_prompt=adding
            )
            assert found == expected.replace(today, "29 Feb 2024")


def test_what_transformers_gives_templates_beside_jinja_is_there():
    said = render(
        "{% generation %}{{ messages | tojson }}{% endgeneration %}"
        "{% for i in range(9) %}{% if i > 1 %}{% break %}{% endif %}{{ i }}{% endfor %}"
        "{{ dict(a=1).a }}{{ dict.fromkeys([1]) }}{% set n = namespace(x=2) %}{{ n.x }}{{ bos }}",
        bos="<s>",
    )
    assert said == '[{"role": "user", "content": "2+2?"}]011{1: None}2<s>'


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ raise_exception('no such role') }}", "no such role"),
        ("{% for %}", "xpected"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "unsafe"),
        ("{{ messages.append(1) }}", "unsafe"),
        ("{% include '/etc/passwd' %}", "no loader"),
        ("{{ dict.__init__.__globals__ }}", "unsafe"),
        ("{{ nothing.more }}", "undefined"),
        ("{{ 'a' * 10**11 }}", "more than 1024 MiB"),
        ("{{ range(10**9) | list }}", "Range too big"),
        (f"{{{{ 'a' * {MOST_CHARACTERS + 1} }}}}", "more than 1,048,576"),
        ("x" * (MOST_CHARACTERS + 1), "more than 1,048,576 characters of template"),
        ("{% set n = namespace(s='ab') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}"
         "{% endfor %}{{ n.s }}", "more than 1024 MiB"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "recursion"),
    ],
)  # fmt: skip
def test_what_a_template_may_not_do_is_what_it_says(template, says):
    with pytest.raises(TemplateFault, match=says):
        render(template)


@pytest.mark.parametrize(
    "template",
    [
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{{ 7 ** (9 ** 9) }}",
    ],
)
def test_an_endless_template_is_ended_by_the_work_that_it_does(template):
    began, renderer = time.monotonic(), Renderer(template, seconds=0.5)
    with pytest.raises(TemplateFault, match=r"nothing within 0\.5 s of CPU time"):
        renderer(ASKED, {})
    assert time.monotonic() - began < 120
    assert renderer._process is None


def test_one_text_that_is_too_much_does_not_end_the_next():
    renderer = Renderer("{{ 'a' * messages[0].content | int }}")
    with pytest.raises(TemplateFault):
        renderer([{"role": "user", "content": str(10**11)}], {})
    assert renderer([{"role": "user", "content": "3"}], {}) == "aaa"
    renderer._process.kill()
    renderer._process.wait()
    assert renderer([{"role": "user", "content": "2"}], {}) == "aa"


def test_the_process_knows_nothing_of_this_one_and_ends_with_it(monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "secret")
    renderer = Renderer("{{ messages[0].content }}")
    assert renderer(ASKED, {}) == "2+2?"
    process = psutil.Process(renderer._process.pid)
    assert "SOME_API_KEY" not in process.environ()
    assert process.memory_info().rss < 200 * 2**20
    del renderer
    assert not process.is_running()
