"""Text to tokens and back for one model, on the driver's side, with its own tokenizer."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Any

from mgptn.agents.checkpoints import Checkpoint, CheckpointError
from mgptn.agents.requests import Tokens

NO_LIMIT = 2**31
"""Tokens from which a tokenizer warns; whether a prompt fits is checked before a run."""


class Encoder:
    """A checkpoint's tokenizer, remembered per text.

    Raises
    ------
    CheckpointError
        If the folder has no tokenizer that transformers can load.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        from transformers import AutoTokenizer

        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(
                checkpoint.folder, trust_remote_code=False, local_files_only=True
            )
        except (OSError, ValueError, KeyError) as error:
            raise CheckpointError(
                f"agents.model: expected a tokenizer in {checkpoint.folder}, got: {error}"
            ) from error
        self._tokenizer.model_max_length = NO_LIMIT
        self.suffix = lru_cache(maxsize=1 << 16)(self._encode)
        self.prefix = lru_cache(maxsize=1 << 12)(self._encode_prefix)
        self.stops = lru_cache(maxsize=None)(self._stops)
        self.endings = lru_cache(maxsize=None)(self._endings)

    @property
    def vocabulary(self) -> Collection[str]:
        """Every token of the model, as text."""
        vocabulary: dict[str, int] = self._tokenizer.get_vocab()
        return vocabulary.keys()

    def _stops(self, texts: tuple[str, ...]) -> Tokens:
        """Tokens that end an answer: these texts', and the tokenizer's own end of sequence.

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
        return tuple(dict.fromkeys(stops))

    def decode(self, tokens: Tokens) -> str:
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

    @property
    def chat(self) -> Callable[[Sequence[dict[str, str]], bool], str] | None:
        """The tokenizer's chat template, applied to messages; None where it has none.

        With True, the text ends where the assistant's next turn begins. Models that can think
        aloud first are asked not to.
        """
        if not self._tokenizer.chat_template:
            return None

        def render(messages: Sequence[dict[str, str]], answering: bool) -> str:
            text: str = self._tokenizer.apply_chat_template(
                list(messages),
                tokenize=False,
                add_generation_prompt=answering,
                enable_thinking=False,
            )
            return text

        return render

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

    def _encode(self, text: str) -> Tokens:
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
