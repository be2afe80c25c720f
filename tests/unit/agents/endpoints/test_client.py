"""A client against a real server that plays faults."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from mgptn.agents.endpoints.budget import Budget, Limits
from mgptn.agents.endpoints.client import Client
from mgptn.agents.endpoints.endpoint import Endpoint, EndpointFault, LimitReached, Price, key_of
from mgptn.agents.endpoints.fleet import JointFleet
from mgptn.agents.endpoints.probing import Served, probe
from mgptn.agents.endpoints.uncommitted import Uncommitted
from mgptn.agents.hosts.fleet import NoFleet
from mgptn.agents.hosts.host import HostSettings
from mgptn.agents.requests import Tile, TileReply
from mgptn.agents.texts import Said, TextRequest, Usage, Weigh, Weighed, Write, Written
from tests.fault_server import KEY, FaultServer

ASKED = Write(Said(turns=(("user", "12+30="),)), (), 8, 1.0, (7, 1))
GRADED = Weigh(Said(turns=(("user", "Is 240 right?"),), begun="It is"), (" incorrect", " correct"))


@pytest.fixture
def server() -> Iterator[FaultServer]:
    made = FaultServer().start()
    yield made
    made.stop()


def endpoint_of(server: FaultServer, **further: Any) -> Endpoint:
    usual = {"retries": 2, "backoff_seconds": 0.01, "timeout_seconds": 5.0}
    return Endpoint("there", server.url, server.model, **{**usual, **further})


def served_by(endpoint: Endpoint) -> Served:
    async def look() -> Served:
        client = Client(endpoint, key_of(endpoint), None)
        try:
            return await probe(client)
        finally:
            await client.aclose()

    return asyncio.run(look())


def fleet_of(endpoint: Endpoint, limits: Limits | None = None) -> JointFleet:
    served = served_by(endpoint)
    inner = NoFleet(HostSettings("none", ""))
    return JointFleet(inner, {endpoint.weights: served}, Budget(limits or Limits()))


def ask(endpoint: Endpoint, *asked: TextRequest) -> list[TileReply]:
    return fleet_of(endpoint).run(tiles(endpoint, *asked))


def tiles(endpoint: Endpoint, *asked: TextRequest) -> list[Tile]:
    return [Tile(endpoint.weights, (), (one,), 1, 0) for one in asked]


def sums(count: int) -> list[TextRequest]:
    return [replace(ASKED, prompt=Said(turns=(("user", f"{n}+30="),))) for n in range(count)]


def test_texts_and_weights_of_options_come_back_in_order_with_their_usage(server: FaultServer):
    endpoint = endpoint_of(server, price=Price(prompt=1e6, completion=2e6))
    said, graded = ask(endpoint, ASKED, GRADED)
    assert isinstance(said.replies[0], Written)
    assert said.replies[0].finished
    assert said.replies[0].text in ("240", "340")
    assert isinstance(graded.replies[0], Weighed)
    assert all(-5 < log < 0 for log in graded.replies[0].log_probabilities)
    usage = said.work.usage
    assert usage is not None
    assert (usage.requests, usage.retries, usage.completion_tokens) == (1, 0, 2)
    assert usage.cost == usage.prompt_tokens + 2 * 2


@pytest.mark.parametrize("fault", ["429", "500", "half", "drop", "slow"])
def test_what_may_pass_is_asked_again(server: FaultServer, fault: str):
    endpoint = endpoint_of(server, timeout_seconds=0.2 if fault == "slow" else 5.0)
    fleet = fleet_of(endpoint)
    first = len(server.asked)
    server.faults = lambda number, body: fault if number == first else None
    (reply,) = fleet.run(tiles(endpoint, ASKED))
    assert reply.work.usage is not None
    assert reply.work.usage.retries == 1
    assert len(server.asked) == first + 2


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("429", "429: fault 429"),
        ("500", "500: fault 500"),
        ("half", "bytes that are no JSON"),
        ("drop", "a connection that failed"),
        ("dies", "a connection that failed"),
        ("400", "got 400: fault 400"),
        ("other", "expected replies of 'adder'"),
    ],
)
def test_what_does_not_pass_is_one_line_with_its_cause(server: FaultServer, fault: str, said: str):
    endpoint = endpoint_of(server)
    fleet = fleet_of(endpoint)
    server.faults = lambda number, body: fault
    with pytest.raises(EndpointFault) as caught:
        fleet.run(tiles(endpoint, ASKED, GRADED))
    assert said in str(caught.value)
    assert str(caught.value).startswith("there: expected ")
    assert "\n" not in str(caught.value)
    if fault not in ("400", "other"):
        assert str(caught.value).endswith("3 times")


@pytest.mark.parametrize("dated", [False, True])
def test_a_server_is_asked_again_when_it_says(server: FaultServer, dated: bool):
    endpoint = endpoint_of(server)
    fleet = fleet_of(endpoint)
    server.retry_after = "0.6"
    if dated:  # in whole seconds
        server.retry_after = format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)
    first = len(server.asked)
    server.faults = lambda number, body: "429" if number == first else None
    began = time.monotonic()
    fleet.run(tiles(endpoint, ASKED))
    assert time.monotonic() - began > 0.5


def test_a_server_that_wants_an_hour_is_left(server: FaultServer):
    endpoint = endpoint_of(server)
    fleet = fleet_of(endpoint)
    server.retry_after, server.faults = "3600", lambda number, body: "429"
    with pytest.raises(EndpointFault, match="wait for 3600 s"):
        fleet.run(tiles(endpoint, ASKED))


def test_no_more_are_under_way_than_may_be(server: FaultServer):
    endpoint = endpoint_of(server, concurrency=3)
    fleet = fleet_of(endpoint)
    server.faults = lambda number, body: "slow"
    fleet.run(tiles(endpoint, *sums(9)))
    assert server.at_once == 3


def test_a_server_that_comes_back_as_another_is_found_out(server: FaultServer):
    endpoint = endpoint_of(server)
    fleet = fleet_of(endpoint)

    def changes(number: int, body: dict[str, Any]) -> str:
        server.model = "another"
        return "drop"

    server.faults = changes
    with pytest.raises(EndpointFault, match="/models to list 'adder', got 'another'"):
        fleet.run(tiles(endpoint, ASKED))


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, {"logprobs": True, "continues": True, "echoes": False, "system": True}),
        ({"logprobs": False}, {"logprobs": False}),
        ({"continues": False}, {"continues": False}),
        ({"echoes": True}, {"continues": True, "echoes": True}),
        ({"system": False}, {"system": False}),
    ],
)
def test_what_a_server_can_do_is_found_out(
    server: FaultServer, changes: dict[str, Any], found: dict[str, Any]
):
    for name, value in changes.items():
        setattr(server, name, value)
    abilities = served_by(endpoint_of(server)).abilities
    assert {name: getattr(abilities, name) for name in found} == found


def test_what_is_begun_is_a_last_turn_that_goes_on(server: FaultServer):
    server.echoes = True
    (reply,) = ask(endpoint_of(server), replace(ASKED, prompt=replace(ASKED.prompt, begun="It is")))
    body = server.asked[-1]
    assert body["messages"][-1] == {"role": "assistant", "content": "It is"}
    assert body["continue_final_message"]
    assert reply.replies[0].text in ("240", "340")


def test_text_goes_as_it_is_laid_out_to_completions(server: FaultServer):
    endpoint = endpoint_of(server, api="completions", body='{"top_k": 0}')
    asked = replace(ASKED, prompt=Said("12+30="), stops=("\n",))
    weighed = Weigh(Said("Is 240 right? It is"), (" incorrect", " correct"))
    said, graded = ask(endpoint, asked, weighed)
    assert said.replies[0].text in ("240", "340")
    assert all(-5 < log < 0 for log in graded.replies[0].log_probabilities)
    body = next(one for one in server.asked if one.get("stop"))
    assert (body["prompt"], body["stop"], body["top_k"]) == ("12+30=", ["\n"], 0)


def test_the_key_is_in_no_error(server: FaultServer, monkeypatch: pytest.MonkeyPatch):
    server.key = "another one"
    monkeypatch.setenv("A_KEY", KEY)
    endpoint = endpoint_of(server, key_env="A_KEY")
    with pytest.raises(EndpointFault, match="got 401 with the key in A_KEY") as caught:
        served_by(endpoint)
    assert KEY not in str(caught.value)
    assert KEY not in repr(key_of(endpoint))
    monkeypatch.setenv("A_KEY", f"{KEY} and more")
    with pytest.raises(EndpointFault, match="printable ASCII") as caught:
        key_of(endpoint)
    assert KEY not in str(caught.value)
    monkeypatch.delenv("A_KEY")
    with pytest.raises(EndpointFault, match="environment variable A_KEY, got nothing"):
        key_of(endpoint)


def test_a_budget_stops_at_its_limit_and_what_was_answered_is_not_asked_again(
    server: FaultServer, tmp_path: Any
):
    endpoint = endpoint_of(server, concurrency=2)
    asked = tiles(endpoint, *sums(8))
    fleet = fleet_of(endpoint, Limits(requests=5))
    fleet.remember(tmp_path / "kept")
    before = len(server.asked)
    with pytest.raises(LimitReached, match=r"limits\.requests: expected at most 5"):
        fleet.run(asked)
    assert len(server.asked) == before + 5
    fleet.close()
    with (tmp_path / "kept").open("a") as file:
        file.write('{"of": "a line that was cut o')
    again = fleet_of(endpoint)
    again.remember(tmp_path / "kept")
    before = len(server.asked)
    replies = again.run(asked)
    assert len(server.asked) == before + 3
    assert [reply.replies[0].text for reply in replies] == [
        reply.replies[0].text for reply in fleet_of(endpoint).run(asked)
    ]
    again.committed()
    assert not (tmp_path / "kept").exists()


def test_replies_are_kept_as_they_were(tmp_path: Any):
    kept = Uncommitted(tmp_path / "kept")
    said = Written("a\ud800 “word”\n", False, 3), Usage(1, 2, 3, 4, 0.5)
    weighed = Weighed((-0.5, float("-inf"))), Usage(2)
    kept.add("w", ASKED, said)
    kept.add("w", GRADED, weighed)
    kept.close()
    again = Uncommitted(tmp_path / "kept")
    assert (again.get("w", ASKED), again.get("w", GRADED)) == (said, weighed)
    assert again.get("another", ASKED) is None


@pytest.mark.parametrize("name", ["tokens", "seconds", "cost"])
def test_every_limit_is_checked(name: str):
    budget = Budget(Limits(**{name: 1 if name == "tokens" else 0.001}))
    if name != "seconds":
        budget.check()
    budget.spend(Usage(1, 0, 1, 1, 0.01))
    time.sleep(0.002)
    with pytest.raises(LimitReached, match=f"limits.{name}: expected at most"):
        budget.check()
