"""The tokenizers of models trained here read and write what transformers' do."""

# SPDX-License-Identifier: Apache-2.0

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from mgptn.agents.checkpoints import bundled_models, find_checkpoint
from mgptn.agents.tokens.bare import bare_tokenizer

FOLDER = find_checkpoint("gpt-1").folder
BARE, WHOLE = bare_tokenizer(FOLDER), AutoTokenizer.from_pretrained(FOLDER)


@pytest.mark.parametrize("name", bundled_models())
def test_every_bundled_tokenizer_is_the_one_that_is_tried_here(name: str) -> None:
    folder = find_checkpoint(name).folder
    for file in ("tokenizer.json", "tokenizer_config.json"):
        assert json.loads((folder / file).read_text(encoding="utf-8")) == json.loads(
            (FOLDER / file).read_text(encoding="utf-8")
        )


def test_what_stands_still_is_the_same() -> None:
    assert BARE is not None
    assert WHOLE.backend_tokenizer.to_str() == BARE.backend_tokenizer.to_str()
    for name in ("chat_template", "bos_token_id", "eos_token_id"):
        assert getattr(BARE, name) == getattr(WHOLE, name)
    assert BARE.get_vocab() == WHOLE.get_vocab()
    ours, theirs = BARE.added_tokens_decoder, WHOLE.added_tokens_decoder
    assert {i: (t.content, t.special) for i, t in ours.items()} == {
        i: (t.content, t.special) for i, t in theirs.items()
    }


@given(st.lists(st.integers(0, 40), max_size=30), st.booleans())
def test_tokens_are_written_alike(ids: list[int], skip: bool) -> None:
    assert BARE is not None
    assert BARE.decode(ids, skip_special_tokens=skip) == WHOLE.decode(
        ids, skip_special_tokens=skip, clean_up_tokenization_spaces=False
    )
    assert BARE.convert_ids_to_tokens(ids) == WHOLE.convert_ids_to_tokens(ids)


@pytest.mark.parametrize(
    "change",
    [{"backend": "sentencepiece"}, {"chat_template": "x"}, {"eos_token": "?"}, {"more": 1}],
)
def test_what_only_transformers_knows_is_left_to_it(change: dict[str, object], tmp_path: Path):
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(FOLDER / file, tmp_path)
    assert bare_tokenizer(tmp_path) is not None
    said = json.loads((FOLDER / "tokenizer_config.json").read_text(encoding="utf-8"))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(said | change), encoding="utf-8")
    assert bare_tokenizer(tmp_path) is None


def test_setting_the_stage_of_a_bundled_model_imports_neither_torch_nor_transformers() -> None:
    """Nor does what begins a run, what only its report needs, nor distributions for a quantile."""
    code = """
import sys
from pathlib import Path
from mgptn.experiments.config.run_config import load_config
from mgptn.experiments.setting.stage import Stage
Stage(load_config(Path("quickstart"), ()))
print(sorted(sys.modules.keys() & {"torch", "transformers", "ray", "matplotlib", "polars"}))
import mgptn.experiments.running.run
print(sorted(sys.modules.keys() & {"torch", "transformers", "ray", "matplotlib", "scipy.stats"}))
"""
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100
    )
    assert said.stdout.split() == ["[]", "[]"]
