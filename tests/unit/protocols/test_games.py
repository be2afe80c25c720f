"""Nim by a plain search, careless play by its frequencies, and games as they are played out."""

# SPDX-License-Identifier: Apache-2.0

from functools import cache
from itertools import product

import numpy as np
import pytest
from scipy.stats import chisquare

from mgptn.experiments.config.run_config import ConfigError, check_config, load_config
from mgptn.population.draws.streams import stream
from mgptn.protocols.games.measures import greedy, log_loss, predictor_gap, regret
from mgptn.protocols.games.nim import Nim
from mgptn.protocols.games.positions import (
    draw_moves,
    legal,
    nim_sum,
    play_of_the_careless,
    winning,
)
from mgptn.protocols.messages import AUTHOR, AnswerReply, grader_seat
from mgptn.protocols.protocol import ProtocolOptions
from mgptn.protocols.scale import expected_level
from mgptn.protocols.self_play import self_play
from mgptn.protocols.tasks.bundled import text


@cache
def can_win(heaps):
    """By trying every move: is there one after which the other cannot win?"""
    return any(not can_win(after) for after in all_after(heaps))


def all_after(heaps):
    return [
        (*heaps[:i], stays, *heaps[i + 1 :])
        for i, stones in enumerate(heaps)
        for stays in range(stones)
    ]


def test_sprague_and_grundy_agree_with_a_plain_search():
    """Every position of three heaps of up to six stones, and every move from there."""
    for heaps in product(range(7), repeat=3):
        position = np.array([heaps])
        assert (nim_sum(position)[0] != 0) == can_win(heaps)
        wins = winning(position)[0].reshape(3, 9)
        for heap, stays in product(range(3), range(9)):
            after = (*heaps[:heap], stays, *heaps[heap + 1 :])
            assert wins[heap, stays] == (stays < heaps[heap] and not can_win(after))
            query = "a{}b{}c{}=".format(*heaps)
            said = Nim(3).verify(query, f"{'abc'[heap]}{stays}")
            assert said == wins[heap, stays]


def test_what_is_no_move_is_wrong_and_leads_nowhere():
    task = Nim(3)
    assert task.play("a3b5c7=", "b4") == "a3b4c7="
    assert task.verify("a3b5c7=", "b4")
    for wrong in ("", "b", "b5", "b9", "d1", "4b", "b44", "B4", "b٤", "b-", "b4 "):
        assert task.play("a3b5c7=", wrong) is None
        assert not task.verify("a3b5c7=", wrong)
    assert not task.verify("a3b5c6=", "b4")  # a lost position: nothing is right
    assert task.is_over("a0b0c0=")
    assert not task.is_over("a0b0c1=")


def test_a_corpus_is_of_careless_players():
    """χ² of the moves from one position against their chances: false-alarm probability 1e-6."""
    heaps = np.repeat([[3, 5, 7]], 6000, axis=0)
    chances = play_of_the_careless(heaps, 0.4)
    assert chances.sum(axis=1) == pytest.approx(1.0)
    drawn = draw_moves(stream(0, "careless"), chances)
    known = chances[0] > 0
    assert known.sum() == 15
    counts = np.bincount(drawn, minlength=27)
    assert counts[~known].sum() == 0
    assert chisquare(counts[known], 6000 * chances[0][known]).pvalue > 1e-6
    assert chances[0].max() == pytest.approx(0.6 / 3 + 0.4 / 15)  # three moves win
    lost = play_of_the_careless(np.array([[1, 2, 3]]), 0.4)[0]
    assert lost[lost > 0] == pytest.approx(1 / 6)


def test_no_document_of_a_corpus_has_a_position_that_is_held_out():
    task = Nim(3)
    said = task.corpus(stream(0, "corpus"), 3000, 0.5)
    assert not task.held_out(said.fields).any()
    assert legal(said.fields[:, :3])[np.arange(3000), said.fields[:, 3]].all()
    assert (nim_sum(said.fields[:, :3]) == 0).any()  # lost positions are played too
    for query, answer in zip(map(text, task.render(said.fields)), said.references, strict=True):
        assert task.play(query, text(answer)) is not None


def played(query, graders, moves):
    """A conversation to its end; `moves` maps seat and position to what is said."""
    conversation = self_play(query, ProtocolOptions(graders=graders))
    said, asked = None, []
    while True:
        try:
            requests = next(conversation) if said is None else conversation.send(said)
        except StopIteration as end:
            return asked, end.value
        asked += requests
        said = [AnswerReply(moves(r.seat, r.query), True, 2, -1.0) for r in requests]


def perfectly(seat, query):
    """The first winning move, or a stone of the first heap that there is."""
    task = Nim(len(query) // 2)
    heaps = np.array([task.heaps(query)])
    wins = winning(heaps)[0]
    move = int(wins.argmax()) if wins.any() else int(legal(heaps)[0].nonzero()[0][-1])
    return f"{'abcdefgh'[move // 9]}{move % 9}"


def badly(seat, query):
    """Any move that does not win, where there is one; the same whenever it is asked."""
    task = Nim(len(query) // 2)
    heaps = np.array([task.heaps(query)])
    may = legal(heaps)[0]
    bad = may & ~winning(heaps)[0]
    move = int((bad if bad.any() else may).nonzero()[0][0])
    return f"{'abcdefgh'[move // 9]}{move % 9}"


def test_who_plays_perfectly_from_a_won_position_wins_every_game():
    task = Nim(3)
    for _ in range(30):
        query = task.draw(stream(_, "won"), "held-out").query
        asked, transcript = played(query, 3, perfectly)
        assert transcript.answer.text == perfectly(AUTHOR, query)
        assert [expected_level(g.levels) for g in transcript.grades] == [1.0, 1.0, 1.0]
        assert len({(r.seat, r.draw) for r in asked}) == len(asked)


def test_a_game_is_lost_by_who_has_no_stone_left_or_makes_no_legal_move():
    one = "a1b0="
    assert played(one, 1, lambda seat, query: "a0")[1].grades[0].levels[-1] == 1.0
    assert played(one, 1, lambda seat, query: "b0")[1].grades[0].levels[-1] == 0.0
    assert played(one, 2, lambda seat, query: "junk")[1].grades[1].levels[-1] == 0.0
    two = "a2b1="
    lost = {AUTHOR: "a0", grader_seat(0): "b0", grader_seat(1): "b9"}
    said = played(two, 2, lambda seat, query: lost[seat])[1]
    assert [g.levels[-1] for g in said.grades] == [0.0, 1.0]  # the second opponent cannot read


def test_better_play_wins_more():
    task, wins = Nim(3), []
    for author, others in ((perfectly, badly), (badly, perfectly), (badly, badly)):
        said = [
            played(
                task.draw(stream(i, "better"), "held-out").query, 2,
                lambda seat, query, a=author, o=others: (a if seat == AUTHOR else o)(seat, query),
            )[1]
            for i in range(30)
        ]  # fmt: skip
        wins.append(np.mean([g.levels[-1] for one in said for g in one.grades]))
    assert wins[0] == 1.0
    assert wins[1] < wins[2] < wins[0]


def test_games_are_played_on_positions_alone():
    with pytest.raises(ValueError, match="query: expected a position of nim"):
        next(self_play("12+34=", ProtocolOptions(graders=1)))
    with pytest.raises(ConfigError, match=r"protocol.name: expected one for any task .* addition"):
        check_config({"name": "x", "protocol": {"name": "self-play"}})
    assert check_config({"name": "x", "task": "nim", "protocol": {"name": "self-play"}})


def test_regret_and_gap_of_players_that_are_known() -> None:
    """Exact play gives nothing away, careless play by its noise; nobody predicts it better."""
    heaps = np.array([[3, 5, 7], [0, 1, 0], [1, 2, 3]])
    wins, corpus = winning(heaps), play_of_the_careless(heaps, 0.4)
    assert regret(play_of_the_careless(heaps, 0.0), wins)[:2].tolist() == [0.0, 0.0]
    assert regret(corpus, wins)[:2] == pytest.approx([0.4 * 12 / 15, 0.0])
    assert np.isnan(regret(corpus, wins)[2])  # a lost position: nothing to give away
    assert regret(greedy(corpus), wins)[0] == 0.0
    assert regret(np.zeros((3, 27)), wins)[0] == 1.0  # no legal move at all
    assert predictor_gap(corpus, corpus) == pytest.approx(0.0)
    assert log_loss(corpus, corpus)[2] == pytest.approx(np.log(6))
    other = play_of_the_careless(heaps, 0.6)
    assert (predictor_gap(other, corpus)[[0]] > 0.001).all()
    assert predictor_gap(play_of_the_careless(heaps, 0.0), corpus)[0] == np.inf


def test_the_bundled_configuration_is_of_careless_teachers_and_self_play() -> None:
    config = load_config("closed_games")
    assert config.agents.founders is not None
    assert config.agents.founders.recipe.noise == 0.5
    assert (config.protocol.name, config.agents.learning.rehearsal) == ("self-play", 0.0)
