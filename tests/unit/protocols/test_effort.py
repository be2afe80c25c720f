"""Mathematics that nobody can do is given up by what is written, and what is long by its work."""

# SPDX-License-Identifier: Apache-2.0

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from mgptn.protocols.answers.effort import EnoughError, bounded_work, too_much
from mgptn.protocols.answers.matching import MATCHES

ELSEWHERE = pytest.mark.parametrize("elsewhere", [False, True], ids=["main thread", "another"])

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


def in_a_thread(work: Callable[[], None], elsewhere: bool) -> None:
    """Do it in this thread, or in another; what it asserts is asserted here."""
    if elsewhere:
        with ThreadPoolExecutor(1) as threads:
            threads.submit(work).result()
    else:
        work()


def work_until(moment):
    while time.thread_time() < moment:
        pass


@ELSEWHERE
def test_work_is_counted_by_the_processor_and_not_by_the_clock(elsewhere):
    def ask():
        with bounded_work(0.3):
            time.sleep(0.6)
        with pytest.raises(EnoughError), bounded_work(0.2):
            sum(iter(lambda: 1, 0))  # has no end

    in_a_thread(ask, elsewhere)


@ELSEWHERE
def test_who_catches_that_it_is_enough_is_told_again(elsewhere):
    caught = []

    def deaf():
        while len(caught) < 2:
            try:
                sum(iter(lambda: 1, 0))
            except BaseException as error:  # noqa: BLE001
                caught.append(error)
        raise caught[-1]

    def ask():
        with pytest.raises(EnoughError), bounded_work(0.1):
            deaf()

    in_a_thread(ask, elsewhere)


def test_threads_are_bounded_each_by_its_own_work():
    """Two work side by side: the one that has less to do is not ended for the other."""
    ended, together = [], threading.Barrier(2)

    def much():
        together.wait()
        with pytest.raises(EnoughError), bounded_work(0.3):
            sum(iter(lambda: 1, 0))
        ended.append("much")

    def little():
        together.wait()
        with bounded_work(0.3):
            work_until(time.thread_time() + 0.2)
        ended.append("little")

    with ThreadPoolExecutor(2) as threads:
        for one in [threads.submit(much), threads.submit(little)]:
            one.result()
    assert sorted(ended) == ["little", "much"]


def test_nothing_comes_after_the_work_has_ended():
    """However close to the bound it ends: 200 times, from well within to beyond."""
    outcomes = set()
    for place in range(200):
        until = time.thread_time() + 0.01 + 0.0001 * place
        try:
            with bounded_work(0.02):
                work_until(until)
            outcomes.add("ended")
        except EnoughError:
            outcomes.add("enough")
        sum(range(2000))
    assert "ended" in outcomes


@ELSEWHERE
def test_of_what_is_given_up_nothing_is_known_but_the_same_text_and_at_once(elsewhere):
    pytest.importorskip("math_verify")
    same, found = MATCHES["math"](), []

    def ask():
        found.extend(same("2", text) for text in TOO_MUCH)
        found.extend(None if same(text, f" {text}") else False for text in TOO_MUCH)

    began = time.process_time()
    in_a_thread(ask, elsewhere)
    assert found == [None] * (2 * len(TOO_MUCH))
    assert time.process_time() - began < 5
    assert same("1/2", r"\frac{1}{2}")
