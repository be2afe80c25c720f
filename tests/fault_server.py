"""An OpenAI-compatible server on loopback that plays faults: real HTTP, and a model of a few lines.

Its model answers sums, wrongly where a hash of what it is asked says so, and grades by another
hash. So what it says is a function of what it is asked, whatever came in between.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-a-key-that-nobody-may-see"

Faults = Callable[[int, dict[str, Any]], str | None]
"""From the number of a completion asked for, and its body, to what is to go wrong."""


Writes = Callable[[list[dict[str, str]], int], str]


@dataclass
class FaultServer:
    """Serves until `stop`; `start` again has it on the same port.

    Faults are ``429``, ``500``, ``half`` (of a JSON), ``drop`` (the connection), ``slow``,
    ``other`` (a reply that says it is another model's), ``400``, and ``dies``: it stops.

    Attributes
    ----------
    room
        Words of a prompt that are read; of a longer one the rest is cut off in silence if it
        `cuts`, and it is refused otherwise.
    asked
        Bodies of all completions asked for, those that went wrong too.
    answered
        Of those that were answered.
    at_once
        Most requests under way at one time.
    writes
        What is said, by the turns and the seed, where more than a word is asked for.
    """

    model: str = "adder"
    key: str = ""
    logprobs: bool = True
    system: bool = True
    continues: bool = True
    echoes: bool = False
    room: int | None = None
    cuts: bool = False
    retry_after: str = "0.05"
    about: dict[str, Any] = field(default_factory=dict)
    faults: Faults = lambda number, body: None
    asked: list[dict[str, Any]] = field(default_factory=list)
    answered: list[dict[str, Any]] = field(default_factory=list)
    looks: int = 0
    at_once: int = 0
    writes: Writes = lambda turns, seed: _sum(turns, seed)
    _under_way: int = 0
    _port: int = 0
    _server: ThreadingHTTPServer | None = None
    _lock: Any = field(default_factory=threading.Lock)

    def start(self) -> FaultServer:
        """Serve, in threads of this process."""
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.looks += 1
                if server.key and self.headers.get("Authorization") != f"Bearer {server.key}":
                    self.reply(401, {"error": {"message": f"no entry with {self.sent()}"}})
                else:
                    self.reply(200, {"data": [{"id": server.model, **server.about}]})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with server._lock:
                    number = len(server.asked)
                    server.asked.append(body)
                    server._under_way += 1
                    server.at_once = max(server.at_once, server._under_way)
                try:
                    self.answer(number, body)
                finally:
                    with server._lock:
                        server._under_way -= 1

            def answer(self, number: int, body: dict[str, Any]) -> None:
                fault = server.faults(number, body)
                if fault == "dies":
                    threading.Thread(target=server.stop, daemon=True).start()
                if fault in ("drop", "dies"):
                    self.close_connection = True
                    return
                if fault == "slow":
                    time.sleep(0.4)
                if fault in ("429", "500", "400"):
                    said = {"error": {"message": f"fault {fault} for {self.sent()}"}}
                    self.reply(int(fault), said, {"Retry-After": server.retry_after})
                    return
                roles = [turn["role"] for turn in body.get("messages", ())]
                if "system" in roles and not server.system:
                    self.reply(400, {"error": {"message": "System role not supported"}})
                    return
                said = server.said(body, fault == "other")
                if server.room is not None and said["usage"]["prompt_tokens"] > server.room:
                    if not server.cuts:
                        self.reply(400, {"error": {"message": "the context size is exceeded"}})
                        return
                    said["usage"]["prompt_tokens"] = server.room
                whole = json.dumps(said).encode()
                if fault == "half":
                    self.send(200, whole[: len(whole) // 2])
                    return
                if fault != "other":
                    with server._lock:
                        server.answered.append(body)
                self.send(200, whole)

            def sent(self) -> str:
                return str(self.headers.get("Authorization"))

            def reply(
                self, status: int, said: dict[str, Any], headers: dict[str, str] | None = None
            ) -> None:
                self.send(status, json.dumps(said).encode(), headers)

            def send(
                self, status: int, content: bytes, headers: dict[str, str] | None = None
            ) -> None:
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self._headers_buffer.append(b"\r\n" + content)
                self.flush_headers()  # in one packet, which nobody waits to acknowledge

            def log_message(self, *arguments: Any) -> None:
                pass

            def handle(self) -> None:
                with contextlib.suppress(ConnectionError):  # whoever asked has left
                    super().handle()

        ThreadingHTTPServer.allow_reuse_address = True
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Serve no more; the port stays this server's."""
        if self._server is not None:
            server, self._server = self._server, None
            server.shutdown()
            server.server_close()

    @property
    def url(self) -> str:
        """What stands before ``/models``."""
        return f"http://127.0.0.1:{self._port}/v1"

    def said(self, body: dict[str, Any], other: bool = False) -> dict[str, Any]:
        """A reply as OpenAI has it."""
        chat = "messages" in body
        turns = body["messages"] if chat else [{"role": "user", "content": body["prompt"]}]
        begun = turns[-1]["content"] if turns[-1]["role"] == "assistant" else ""
        goes_on = bool(begun) and self.continues
        prompt = sum(len(turn["content"].split()) + 4 for turn in turns) + 3
        choice: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
        short, seed = body["max_tokens"] == 1, body.get("seed", 0)
        text = " correct" if short else self.writes(turns, seed)
        shown = f"{begun}{text}" if goes_on and self.echoes else text
        if chat:
            choice["message"] = {"role": "assistant", "content": shown}
        else:
            choice["text"] = shown
        if self.logprobs and body.get("logprobs"):
            top = _judged(turns)
            choice["logprobs"] = (
                {"content": [{"token": " correct", "logprob": -0.5, "top_logprobs": top}]}
                if chat
                else {"top_logprobs": [{one["token"]: one["logprob"] for one in top}]}
            )
        return {
            "model": "another/model" if other else body["model"],
            "choices": [choice],
            "usage": {"prompt_tokens": prompt - 7 if goes_on else prompt, "completion_tokens": 2},
        }


def _share(*parts: object) -> float:
    """A number in [0, 1) by what it is of."""
    digest = hashlib.blake2b(json.dumps(parts).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 2**32


def _sum(turns: list[dict[str, str]], seed: int) -> str:
    """The sum that the last user's turn asks for, last digit first, now and then wrong."""
    asked = [turn["content"] for turn in turns if turn["role"] == "user"][-1]
    numbers = [int(number) for number in re.findall(r"\d+", asked)[-2:]]
    return f" {sum(numbers) + (_share(asked, seed) < 0.4):03d}"[:0:-1]


def _judged(turns: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Two options and something else, by all that was said."""
    right = -0.2 - 3.0 * _share(turns)
    return [
        {"token": " correct", "logprob": right},
        {"token": " incorrect", "logprob": -3.4 - right},
        {"token": " Correct", "logprob": -4.0},
        {"token": "The", "logprob": -4.5},
    ]
