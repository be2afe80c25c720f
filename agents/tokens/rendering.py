"""Chat templates in a process of their own: a sandbox, with so much work, memory and text.

Templates come with models, and are programs. `Renderer` is this side; the module run by itself is
the other, which lays texts out as transformers would and does nothing else. It ends with the first.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from typing import IO, Any

CPU_SECONDS = 5.0
"""Of one text, as the processor counts them: a busy machine does not make a template slower."""

MEMORY_BYTES = 2**30
"""Of the other process, as addresses."""

MOST_CHARACTERS = 2**20
"""Of a template, and of what it makes."""

_PASSED_ON = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "SYSTEMROOT")


class TemplateFault(ValueError):  # what the template says, not what went wrong here
    """A template that makes no text: what it says, or which bound it broke."""


class Renderer:
    """A template, ready to be filled in; its process is started with the first text.

    Parameters
    ----------
    seconds
        Of CPU time that a text may take.
    """

    def __init__(self, template: str, seconds: float = CPU_SECONDS) -> None:
        self._template = template
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def __call__(self, messages: Sequence[Mapping[str, str]], values: Mapping[str, Any]) -> str:
        """The text of messages.

        Parameters
        ----------
        values
            What else the template is told, by name; as plain data.

        Raises
        ------
        TemplateFault
            If the template makes none, or none within the bounds.
        """
        if len(self._template) > MOST_CHARACTERS:
            raise TemplateFault(f"more than {MOST_CHARACTERS:,} characters of template")
        with self._lock:
            answer = self._answer({"messages": list(messages), **values})
        if answer is None:
            raise TemplateFault(
                f"nothing within {self._seconds:g} s of CPU time and {MEMORY_BYTES >> 20} MiB"
            )
        if "fault" in answer:
            raise TemplateFault(answer["fault"])
        return str(answer["text"])

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        """What the other side says; None where it ended instead."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            _send(process.stdin, asked)
            answer: dict[str, Any] = _received(process.stdout)
        except (OSError, EOFError):
            self._process = None
            _end(process)
            return None
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={key: os.environ[key] for key in _PASSED_ON if key in os.environ},
                start_new_session=True,  # Ctrl-C is for this side
            )
            weakref.finalize(self, _end, self._process)
            assert self._process.stdin is not None
            _send(self._process.stdin, {"template": self._template, "seconds": self._seconds})
        return self._process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _send(pipe: IO[bytes], plain: Any) -> None:
    content = json.dumps(plain).encode()
    pipe.write(len(content).to_bytes(8, "little") + content)
    pipe.flush()


def _received(pipe: IO[bytes]) -> Any:
    head = pipe.read(8)
    length = int.from_bytes(head, "little")
    content = pipe.read(length)
    if len(head) < 8 or len(content) < length:
        raise EOFError
    return json.loads(content)


def serve(asked: IO[bytes], answers: IO[bytes]) -> None:
    """The other side: a template first, then texts until nobody asks."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    first = _received(asked)
    template, seconds = first["template"], first["seconds"]
    compiled = None
    while True:
        try:
            values = _received(asked)
        except EOFError:
            return
        # Nothing answers the signal: whatever is under way, the process ends.
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            compiled = compiled or _compiled(template)
            text = compiled.render(**values)
            if len(text) > MOST_CHARACTERS:
                raise ValueError(f"{len(text):,} characters, more than {MOST_CHARACTERS:,}")
            answer = {"text": text}
        except MemoryError:
            answer = {"fault": f"something that takes more than {MEMORY_BYTES >> 20} MiB"}
        except Exception as error:  # noqa: BLE001  # whatever a template raises is what it says
            said = " ".join(str(error).split())[:500]
            answer = {"fault": said or type(error).__name__}
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        _send(answers, answer)


def _compiled(source: str) -> Any:
    """A template as transformers compiles it."""
    import jinja2
    import jinja2.ext
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(jinja2.ext.Extension):
        """The tag around what the assistant says, which changes nothing of it."""

        tags = {"generation"}  # noqa: RUF012  # as jinja has it

        def parse(self, parser: Any) -> Any:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return jinja2.nodes.Scope(body, lineno=line)

    class Dicts:
        """What makes a dict, and can do nothing else."""

        def __call__(self, *several: Any, **named: Any) -> Any:
            return dict(*several, **named)

        def fromkeys(self, *several: Any) -> Any:
            return dict.fromkeys(*several)

    def raise_exception(message: str) -> None:
        raise jinja2.TemplateError(message)

    def tojson(
        value: Any,
        ensure_ascii: bool = False,
        indent: int | None = None,
        separators: Any = None,
        sort_keys: bool = False,
    ) -> str:
        return json.dumps(
            value,
            ensure_ascii=ensure_ascii,
            indent=indent,
            separators=separators,
            sort_keys=sort_keys,
        )

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["dict"] = Dicts()
    return environment.from_string(source)


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
