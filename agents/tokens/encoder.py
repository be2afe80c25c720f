"""Text to tokens and back for one model, on the driver's side, with its own tokenizer."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from mgptn.agents.checkpoints import Checkpoint, CheckpointError
from mgptn.agents.content import TOKENIZER, read_json
from mgptn.agents.requests import Tokens
from mgptn.agents.shards import listed
from mgptn.agents.tokens.bare import bare_tokenizer
from mgptn.agents.tokens.control import MARK, Control
from mgptn.agents.tokens.templates import CLOCK, ChatTemplate, template_of

NO_LIMIT = 2**31
"""Tokens from which a tokenizer warns; whether a prompt fits is checked before a run."""


class Encoder:
    """A checkpoint's tokenizer, remembered per text.

    Parameters
    ----------
    today
        The day that a chat template is told, if it asks; this one if not given.

    Raises
    ------
    CheckpointError
        If the folder has no tokenizer that transformers can load, or one with tokens that the
        model has no embeddings for.
    """

    def __init__(self, checkpoint: Checkpoint, today: date | None = None) -> None:
        folder = checkpoint.folder
        _check_files(folder)
        try:
            self._tokenizer = _loaded(checkpoint)
        except Exception as error:  # whatever is made of files that anybody wrote
            said = " ".join(str(error).split())[:500] or type(error).__name__
            raise CheckpointError(
                f"agents.model: expected a tokenizer in {folder}, got: {said}"
            ) from error
        self._tokenizer.model_max_length = NO_LIMIT
        self._check_rows(checkpoint)
        self._ends = checkpoint.ends
        self._where = checkpoint.name
        self._today = today or date.today()
        self._template = template_of(self._tokenizer, folder)
        self._control = Control(self._tokenizer, self._template)
        self.suffix = lru_cache(maxsize=1 << 16)(self._encode)
        self.prefix = lru_cache(maxsize=1 << 12)(self._encode_prefix)
        self.decode = lru_cache(maxsize=1 << 12)(self._decode)
        self.before = lru_cache(maxsize=1 << 16)(self._before)
        self._known: dict[tuple[Tokens, ...], tuple[Tokens, ...]] = {}  # equal options, one object
        self.stops = lru_cache(maxsize=None)(self._stops)
        self.endings = lru_cache(maxsize=None)(self._endings)

    def _check_rows(self, checkpoint: Checkpoint) -> None:
        """Every token must have an embedding; embeddings without a token are no hindrance."""
        rows = checkpoint.rows
        if rows is None:
            return
        beyond = {i: name for name, i in self._tokenizer.get_vocab().items() if i >= rows}
        if beyond:
            names = [f"{name!r} ({i})" for i, name in sorted(beyond.items())]
            raise CheckpointError(
                f"agents.model: expected tokens below {rows}, the rows of the embeddings of "
                f"{checkpoint.name!r} by its vocab_size, got {listed(names)} in its tokenizer; "
                "resize the model's embeddings, or take the tokenizer that it was trained with"
            )

    @property
    def vocabulary(self) -> Collection[str]:
        """Every token of the model, as text."""
        vocabulary: dict[str, int] = self._tokenizer.get_vocab()
        return vocabulary.keys()

    def _stops(self, texts: tuple[str, ...]) -> Tokens:
        """Tokens that end an answer: these texts', the tokenizer's own end of sequence, and what
        config.json and generation_config.json name as such.

        Raises
        ------
        CheckpointError
            If a text is not a single token and so cannot be waited for.
        """
        stops = []
        for text in texts:
            tokens = self._encode(text)
            if len(tokens) != 1:
                raise CheckpointError(
                    f"agents.model: expected {text!r}, which ends an answer, to be one token, "
                    f"got {len(tokens)}"
                )
            stops.append(tokens[0])
        if self._tokenizer.eos_token_id is not None:
            stops.append(int(self._tokenizer.eos_token_id))
        stops += self._ends
        return tuple(dict.fromkeys(stops))

    def _decode(self, tokens: Tokens) -> str:
        """The text of tokens; special tokens are left out."""
        text: str = self._tokenizer.decode(
            list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    def written(self, tokens: Tokens) -> str:
        """The text of tokens, special tokens included."""
        text: str = self._tokenizer.decode(
            list(tokens), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return text

    def plain(self, text: str) -> str:
        """A text as one that is read as text, and never as control tokens, by this encoder."""
        return self._control.plain(text)

    @property
    def chat(self) -> ChatTemplate | None:
        """The tokenizer's chat template, applied to messages; None where it has none."""
        if not self._template:
            return None
        return ChatTemplate(
            self._tokenizer, self._template, self.plain, self._today, repr(self._where)
        )

    @property
    def dated(self) -> bool:
        """Does the chat template ask what day it is?"""
        return CLOCK in self._template

    def _endings(self, texts: tuple[str, ...]) -> frozenset[int]:
        """Every token in whose text one of these stands.

        Empty where the tokenizer has none: what is generated then runs to its maximum length, and
        is cut at the ending as it is read.
        """
        vocabulary: dict[str, int] = self._tokenizer.get_vocab()
        found: set[int] = set()
        for text in texts:
            # As the vocabulary writes it: "Ċ" or "<0x0A>" for a newline, say.
            written = self._tokenizer.convert_ids_to_tokens(self._encode(text))[-1]
            candidates = [token for name, token in vocabulary.items() if written in name]
            found.update(token for token in candidates if text in self.decode((token,)))
        return frozenset(found)

    def _before(self, text: str, options: tuple[str, ...]) -> tuple[Tokens, tuple[Tokens, ...]]:
        """A suffix, and what each of some options adds to it, as the two are read in one go.

        Where a tokenizer joins the suffix's end to what follows, that end is the options'.
        """
        alone = tuple(self.suffix(option) for option in options)
        before = self.suffix(text)
        if self._apart:
            return before, self._known.setdefault(alone, alone)
        joint = [self._encode(text + option) for option in options]
        most = min(len(before), *(len(tokens) - 1 for tokens in joint))
        common = next((i for i in range(most) if len({tokens[i] for tokens in joint}) > 1), most)
        if not common:  # a suffix has at least a token
            return before, self._known.setdefault(alone, alone)
        found = tuple(tokens[common:] for tokens in joint)
        return joint[0][:common], self._known.setdefault(found, found)

    @cached_property
    def _apart(self) -> bool:
        """Is a text read letter by letter, so that nothing depends on what stands beside it?"""
        core = getattr(self._tokenizer, "backend_tokenizer", None)
        added = {token.content for token in self._tokenizer.added_tokens_decoder.values()}
        return (
            core is not None
            and core.normalizer is None
            and all(len(token) == 1 for token in self._tokenizer.get_vocab() if token not in added)
        )

    def _encode(self, text: str) -> Tokens:
        if MARK in text:
            return self._control.encode(text, self._encode)
        # Without the work that transformers does around a tokenizer at every call.
        core = getattr(self._tokenizer, "backend_tokenizer", None)
        if core is None:
            return tuple(self._tokenizer(text, add_special_tokens=False).input_ids)
        return tuple(core.encode(text, add_special_tokens=False).ids)

    def _encode_prefix(self, text: str) -> Tokens:
        tokens = self._encode(text) if text else ()
        start = self._tokenizer.bos_token_id
        if start is None or tokens[:1] == (start,):
            return tokens
        return (int(start), *tokens)


def _loaded(checkpoint: Checkpoint) -> Any:
    """A tokenizer, by transformers where it takes that."""
    bare = bare_tokenizer(checkpoint.folder) if checkpoint.own else None
    if bare is not None:
        return bare
    from transformers import AutoTokenizer  # only here: it is slow to import

    return AutoTokenizer.from_pretrained(
        checkpoint.folder, trust_remote_code=False, local_files_only=True
    )


def _check_files(folder: Path) -> None:
    """Refuse files of a tokenizer that are no JSON objects.

    Raises
    ------
    CheckpointError
        Naming the file.
    """
    for name in TOKENIZER:
        path = folder / name
        if path.suffix == ".json" and path.exists():
            read_json(path)
