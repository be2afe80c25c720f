"""Mathematics that nobody can do is given up by what is written, and what is long by its work."""

# SPDX-License-Identifier: Apache-2.0

import signal
import threading
import time

import pytest

from mgptn.protocols.answers.effort import EnoughError, bounded_work, too_much
from mgptn.protocols.answers.matching import MATCHES

TOO_MUCH = {
    "9**9**9**9": "a power of a power",
    "9^{9^{9^9}}": "a power of a power",
    "(9^9)^{999}": "a power of a power",
    "((2^{99})^{99})": "a power of a power",
    "2^(3^(4))": "a power of a power",
    "10^{100000}": "an exponent above",
    "2**123456": "an exponent above",
    "1" * 301: "a number of more than 300 digits",
    "100000!": "a factorial",
    "(5!)!": "a factorial",
    "3!!": "a factorial",
    r"\frac{1}{" * 21 + "2" + "}" * 21: "brackets 21 deep",
    "(" * 500 + "1" + ")" * 500: "brackets 500 deep",
    "x+" * 1001 + "1": "2003 characters",
}
FINE = [
    "1/2", r"\frac{1}{2}", "x^2 + 3x^{10} - 1", "2^{64}", r"\sqrt{x^2+y^2}", "(x+1)^2(x-1)^3",
    "10^{-3}", "5!", "[0, 1)", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"e^{i\pi}", "-3.25",
    r"\left(\frac{1}{2}\right)^{n}", "x^{2n+1}", "x^2y^2", "a^{b}c^{d}", "10^9+7",
    r"2^{10}\cdot 3^{5}",
]  # fmt: skip


@pytest.mark.parametrize("text", TOO_MUCH, ids=lambda text: text[:20])
def test_what_cannot_be_done_is_known_by_the_text(text):
    assert TOO_MUCH[text] in (too_much(text) or "")


@pytest.mark.parametrize("text", FINE)
def test_what_people_write_is_read(text):
    assert too_much(text) is None


def test_work_is_counted_by_the_processor_and_not_by_the_clock():
    before = signal.getsignal(signal.SIGPROF)
    with bounded_work(0.3):
        time.sleep(0.6)
    with pytest.raises(EnoughError), bounded_work(0.2):
        sum(iter(lambda: 1, 0))  # has no end
    assert signal.getsignal(signal.SIGPROF) is before
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["main thread", "another"])
def test_what_is_given_up_is_the_same_only_as_text_and_at_once(elsewhere):
    pytest.importorskip("math_verify")
    same, found = MATCHES["math"](), []

    def ask():
        found.extend(same("2", text) for text in TOO_MUCH)
        found.extend(not same(text, f" {text}") for text in TOO_MUCH)

    began = time.process_time()
    if elsewhere:
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    else:
        ask()
    assert found == [False] * (2 * len(TOO_MUCH))
    assert time.process_time() - began < 5
    assert same("1/2", r"\frac{1}{2}")
