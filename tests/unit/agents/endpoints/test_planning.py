"""Requests in tokens and in text as one plan."""

# SPDX-License-Identifier: Apache-2.0

from mgptn.agents.endpoints.planning import plan_any
from mgptn.agents.requests import AnyRequest, Score, TileReply
from mgptn.agents.texts import Said, Weigh, Weighed
from mgptn.agents.tiles import Model

HERE: Model = ("here", None)
THERE: Model = ("there", None)
OTHER: Model = ("other", None)


def test_every_request_gets_its_own_reply_and_equal_texts_are_asked_once():
    tokens = [Score((1,), (2, n), ((3,), (4,))) for n in range(5)]
    texts = [Weigh(Said(str(n)), ("a", "b")) for n in range(3)]
    asked: list[tuple[Model, AnyRequest]] = [
        (THERE, texts[0]), (HERE, tokens[3]), (THERE, texts[1]), (HERE, tokens[0]),
        (THERE, texts[0]), (OTHER, texts[0]), (HERE, tokens[4]), (THERE, texts[2]),
    ]  # fmt: skip
    planned = plan_any(asked, slots=4)
    remote = [tile for tile in planned.tiles if tile.weights != "here"]
    assert len(remote) == 4
    assert all(len(tile.requests) == 1 for tile in remote)
    named = {(tile.weights, one): str(one) for tile in planned.tiles for one in tile.requests}
    assert len(named) == 3 + 4
    # Each reply says, in a number, which request of which model it is to.
    numbers = {key: float(i) for i, key in enumerate(named)}
    replies = [
        TileReply(tuple(Weighed((numbers[tile.weights, one],)) for one in tile.requests))  # type: ignore[arg-type]
        for tile in planned.tiles
    ]
    found = [reply.log_probabilities[0] for reply in planned.collect(replies)]
    assert found == [numbers[model[0], one] for model, one in asked]  # type: ignore[index]


def test_without_endpoints_the_plan_is_the_hosts_alone():
    assert plan_any([], slots=4).tiles == ()
