"""Forward passes without the time that Python takes between their operations.

A function of tensors is recorded once, and the record is run from then on: on a CPU a trace, on a
GPU a CUDA graph. A record is trusted in a shape only after it has given the plain function's very
bits there; where it does not, or cannot be made, the plain function goes on.
"""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

Tensors = tuple[torch.Tensor, ...]
Function = Callable[..., Tensors]

_as_recorded: Any = torch.jit.optimized_execution  # type: ignore[attr-defined]

TRACES, SHAPES, GRAPHS = 32, 512, 64
"""Records that a function keeps: traces, shapes they are trusted in, and graphs, each of which
holds memory of a GPU. Beyond, those that were not used for longest go."""

_DATA_DEPENDENT = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}


class Traced:
    """A function of tensors, and traces of it.

    Parameters
    ----------
    function
        Without control flow that depends on tensors' values: where it has some, the plain
        function is called always. It may write to its arguments, the same each time.
    patience
        Times that a shape is computed plainly before a trace is held to it: that takes as long as
        some passes, which it must save first.
    """

    def __init__(self, function: Function, patience: int = 0) -> None:
        self._function = function
        self._patience = patience
        self._seen: OrderedDict[Any, int] = OrderedDict()
        self._traces: list[Function] = []
        self._trusted: OrderedDict[Any, Function] = OrderedDict()
        self._traceable = True

    def __call__(self, *tensors: torch.Tensor, key: Any = None) -> Tensors:
        """What the function returns.

        Parameters
        ----------
        key
            The shape that a trace is trusted for; arguments' shapes that are not in it must not
            reach the function's own Python.
        """
        known = self._trusted.get(key)
        if known is None:
            return self._unknown(key, tensors)
        self._trusted.move_to_end(key)
        with _as_recorded(False):
            return known(*tensors)

    def _unknown(self, key: Any, tensors: Tensors) -> Tensors:
        """The plain function's results, in a shape that may not come often."""
        times = self._seen.pop(key, 0)
        if times >= self._patience:
            return self._first(key, tensors)
        self._seen[key] = times + 1
        if len(self._seen) > SHAPES:
            self._seen.popitem(last=False)
        return self._function(*tensors)

    def _first(self, key: Any, tensors: Tensors) -> Tensors:
        """The plain function's results, to which a trace in this shape is held."""
        with _Watch() as watch:
            expected = self._function(*tensors)
        self._traceable &= not watch.data_dependent
        self._trusted[key] = self._function
        for trace in (*self._traces, None):
            made = trace if trace is not None else self._record(tensors)
            if made is not None and self._agrees(made, tensors, expected):
                self._trusted[key] = made
                if trace is None:
                    self._traces.append(made)
                break
        self._shrink()
        return expected

    def _shrink(self) -> None:
        """Let go of what is too much; a shape without a trace is recorded anew when it comes."""
        for gone in self._traces[:-TRACES]:
            for key in [key for key, trace in self._trusted.items() if trace is gone]:
                del self._trusted[key]
        del self._traces[:-TRACES]
        while len(self._trusted) > SHAPES:
            self._trusted.popitem(last=False)

    def _record(self, tensors: Tensors) -> Function | None:
        if not self._traceable:
            return None
        with warnings.catch_warnings():
            # Of decisions by shape, which are the same again for the same key.
            warnings.simplefilter("ignore")
            try:
                trace: Function = torch.jit.trace(self._function, tensors, check_trace=False)
            except RuntimeError:
                self._traceable = False
                return None
        return trace

    def _agrees(self, trace: Function, tensors: Tensors, expected: Tensors) -> bool:
        try:
            with _as_recorded(False):
                given = trace(*tensors)
        except RuntimeError:  # a trace of another shape
            return False
        return all(_same_bits(a, b) for a, b in zip(given, expected, strict=True))


class _Watch(TorchDispatchMode):
    """Sees whether a tensor's values decide what is computed."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.data_dependent = False

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Else torch imports its compiler, for seconds, to have it look away."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.data_dependent |= not _DATA_DEPENDENT.isdisjoint(func.tags)
        return func(*args, **(kwargs or {}))


class Graphed:
    """A function of tensors, and CUDA graphs of it, each for one shape and one set of buffers.

    What `function` returns is overwritten by its next call of the same shape.

    Parameters
    ----------
    varying
        How many arguments, the first ones, are copied. A graph works on the others' own memory,
        and serves only them.
    """

    def __init__(self, function: Function, varying: int) -> None:
        self._function = function
        self._varying = varying
        self._graphs: OrderedDict[Any, _Graph] = OrderedDict()

    def __call__(self, *tensors: torch.Tensor, key: Any = None) -> Tensors:
        """What the function returns."""
        varying, fixed = tensors[: self._varying], tensors[self._varying :]
        places = tuple((tensor.data_ptr(), tuple(tensor.shape)) for tensor in fixed)
        known = self._graphs.get((key, places))
        if known is None:
            while len(self._graphs) >= GRAPHS:
                self._graphs.popitem(last=False)
            known = self._graphs[key, places] = self._capture(varying, fixed)
        self._graphs.move_to_end((key, places))
        for place, tensor in zip(known.inputs, varying, strict=True):
            place.copy_(tensor)
        known.graph.replay()
        return known.outputs

    def forget(self, buffer: torch.Tensor) -> None:
        """Let go of every graph that works on a buffer."""
        address = buffer.data_ptr()
        for key in [k for k in self._graphs if address in (place for place, _ in k[1])]:
            del self._graphs[key]

    def _capture(self, varying: Tensors, fixed: Tensors) -> _Graph:
        inputs = tuple(tensor.clone() for tensor in varying)
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):  # libraries set themselves up outside of the graph
            for _ in range(2):
                self._function(*inputs, *fixed)
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            outputs = self._function(*inputs, *fixed)
        return _Graph(graph, inputs, outputs, fixed)


@dataclass(frozen=True, slots=True)
class _Graph:
    """A graph with the memory that it reads and writes, kept for as long as it may run."""

    graph: torch.cuda.CUDAGraph
    inputs: Tensors
    outputs: Tensors
    fixed: Tensors


def _same_bits(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Equal shapes and equal bytes: NaN equals itself, and 0 is not −0."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    left, right = (t.contiguous().view(torch.uint8) if t.dim() else t for t in (a, b))
    return torch.equal(left, right)
