"""The tokenizers of models that are trained here, without the time that transformers takes."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tokenizers import AddedToken, Tokenizer

from mgptn.agents.content import read_json

TOLD: Final[Mapping[str, Any]] = {
    "backend": "tokenizers",
    "clean_up_tokenization_spaces": False,
    "tokenizer_class": "TokenizersBackend",
}
NAMED: Final = ("bos_token", "eos_token", "pad_token")
FREE: Final = ("model_max_length",)


class BareTokenizer:
    """What transformers' fast tokenizer is to an encoder, where its file says all of it.

    Attributes
    ----------
    backend_tokenizer
        Which does the work.
    chat_template
        None: it has none.
    bos_token_id, eos_token_id
        Of the first token of a text, and of the last.
    model_max_length
        Tokens of the longest text.
    """

    chat_template: None = None

    def __init__(self, core: Tokenizer, start: int, end: int) -> None:
        self.backend_tokenizer = core
        self.bos_token_id, self.eos_token_id = start, end
        self.model_max_length = 0

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        """Id → token beside the vocabulary of texts."""
        return self.backend_tokenizer.get_added_tokens_decoder()

    def get_vocab(self) -> dict[str, int]:
        """Token → id."""
        return self.backend_tokenizer.get_vocab()

    def convert_ids_to_tokens(self, ids: Sequence[int]) -> list[str | None]:
        """Tokens, as the vocabulary writes them."""
        return [self.backend_tokenizer.id_to_token(i) for i in ids]

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool, **_: Any) -> str:
        """The text of tokens; nothing is ever cleaned up."""
        return self.backend_tokenizer.decode(list(ids), skip_special_tokens=skip_special_tokens)


def bare_tokenizer(folder: Path) -> BareTokenizer | None:
    """A checkpoint's tokenizer, if nothing is said of it that only transformers knows."""
    said_in, file = folder / "tokenizer_config.json", folder / "tokenizer.json"
    if not said_in.is_file() or not file.is_file() or (folder / "chat_template.jinja").exists():
        return None
    said = read_json(said_in)
    if set(said) != {*TOLD, *NAMED, *FREE} or any(said[key] != TOLD[key] for key in TOLD):
        return None
    core = Tokenizer.from_file(str(file))
    special = {t.content: i for i, t in core.get_added_tokens_decoder().items() if t.special}
    if any(said[name] not in special for name in NAMED):
        return None
    return BareTokenizer(core, special[said["bos_token"]], special[said["eos_token"]])
