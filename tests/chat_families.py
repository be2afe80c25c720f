"""Tokenizers and chat templates as four families have them, made on the spot, letter by letter."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA = (
    "{{- bos_token }}{% set today = strftime_now('%d %b %Y') %}"
    "<|start_header_id|>system<|end_header_id|>\n\nToday Date: {{ today }}\n\n"
    "{% if messages[0].role == 'system' %}{{ messages[0].content | trim }}"
    "{% set messages = messages[1:] %}{% endif %}<|eot_id|>"
    "{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n"
    "{{ m.content | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
GEMMA = (
    "{{ bos_token }}{% if messages[0].role == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate') }}{% endif %}"
    "<start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n"
    "{{ m.content | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]"
    "{% elif m.role == 'assistant' %} {{ m.content }}{{ eos_token }}"
    "{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}"
    "{% endfor %}"
)


@dataclass(frozen=True)
class Family:
    """Control tokens, template, and how letters become tokens."""

    control: tuple[str, ...]
    template: str
    end: str
    start: str | None = None
    sentencepiece: bool = False


FAMILIES = {
    "chatml": Family(("<|endoftext|>", "<|im_start|>", "<|im_end|>"), CHATML, "<|im_end|>"),
    "llama-3": Family(
        ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        LLAMA,
        "<|eot_id|>",
        "<|begin_of_text|>",
    ),
    "gemma": Family(
        ("<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"), GEMMA, "<eos>", "<bos>", True
    ),
    "mistral": Family(("<s>", "</s>", "[INST]", "[/INST]"), MISTRAL, "</s>", "<s>", True),
}


def save_tokenizer(folder: Path, family: Family) -> Any:
    """A family's tokenizer in a folder, as transformers saves it."""
    core = _pieces(family) if family.sentencepiece else _bytes(family)
    core.add_special_tokens(list(family.control))
    made = transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token=family.start, eos_token=family.end
    )
    made.chat_template = family.template
    made.save_pretrained(folder)
    return made


def _bytes(family: Family) -> Tokenizer:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {word: i for i, word in enumerate((*family.control, *letters))}
    core = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    return core


def _pieces(family: Family) -> Tokenizer:
    """Bytes, and the piece that stands for a space, which also begins every text."""
    words = (*family.control, "▁", *(f"<0x{byte:02X}>" for byte in range(256)))
    vocabulary = {word: i for i, word in enumerate(words)}
    core = Tokenizer(models.BPE(vocab=vocabulary, merges=[], byte_fallback=True))
    core.normalizer = normalizers.Replace(" ", "▁")
    core.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return core
