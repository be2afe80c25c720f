"""The rungs of the bundled ladder: GPT-1 … GPT-N as shapes of a Llama-architecture model."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgptn.protocols.interfaces.markers import END, MARKERS, PAD, START, VOCABULARY

if TYPE_CHECKING:
    from transformers import LlamaConfig, PreTrainedTokenizerFast

CONTEXT_TOKENS = 256
"""Tokens of a training document, and so the longest prompt a bundled model has seen."""

HEAD_WIDTH = 32


@dataclass(frozen=True, slots=True)
class Rung:
    """Shape of one rung: layers and width, with a feed-forward layer four times as wide.

    `steps` is how long it is trained unless a recipe says otherwise.
    """

    layers: int
    width: int
    steps: int


RUNGS: dict[str, Rung] = {
    "gpt-1": Rung(layers=2, width=64, steps=12_000),
    "gpt-2": Rung(layers=3, width=96, steps=16_000),
    "gpt-3": Rung(layers=4, width=128, steps=16_000),
    "gpt-4": Rung(layers=6, width=192, steps=16_000),
    "gpt-5": Rung(layers=8, width=256, steps=16_000),
}


def llama_config(rung: Rung) -> LlamaConfig:
    """The configuration of a rung's model, over the ladder's vocabulary."""
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=rung.width,
        intermediate_size=4 * rung.width,
        num_hidden_layers=rung.layers,
        num_attention_heads=rung.width // HEAD_WIDTH,
        num_key_value_heads=rung.width // HEAD_WIDTH,
        max_position_embeddings=CONTEXT_TOKENS,
        tie_word_embeddings=True,
        pad_token_id=VOCABULARY.index(PAD),
        bos_token_id=VOCABULARY.index(START),
        eos_token_id=VOCABULARY.index(END),
    )


def ladder_tokenizer() -> PreTrainedTokenizerFast:
    """The ladder's tokenizer: one token a character, one a marker, one a survey level."""
    return character_tokenizer(VOCABULARY, MARKERS, CONTEXT_TOKENS)


def character_tokenizer(
    vocabulary: Sequence[str], markers: Sequence[str], length: int
) -> PreTrainedTokenizerFast:
    """A tokenizer of one token a character, and one a marker.

    Markers are special tokens, so that decoding an answer never yields the text of a grade.

    Parameters
    ----------
    vocabulary
        Every token, in id order.
    length
        Tokens of the longest text.
    """
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(
        WordLevel({token: index for index, token in enumerate(vocabulary)}, unk_token=PAD)
    )
    core.pre_tokenizer = pre_tokenizers.Split(Regex("."), behavior="isolated")
    core.decoder = decoders.Fuse()
    core.add_special_tokens([AddedToken(marker, normalized=False) for marker in markers])
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token=START,
        eos_token=END,
        pad_token=PAD,
        model_max_length=length,
        clean_up_tokenization_spaces=False,
    )
