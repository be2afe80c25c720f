"""Training founders, one after another, each into a folder that transformers can load."""

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.utils.logging import disable_progress_bar

from mgptn.agents.checkpoints import Checkpoint
from mgptn.agents.founding.recipe import FounderRecipe
from mgptn.agents.learning.documents import (
    Pages,
    judged_documents,
    lay_out,
    true_documents,
    with_last,
)
from mgptn.agents.learning.training import train
from mgptn.agents.tokens.encoder import Encoder
from mgptn.agents.training.rungs import character_tokenizer
from mgptn.population.draws.streams import philox_key, stream
from mgptn.protocols.interfaces.markers import END, MARKERS, START
from mgptn.protocols.interfaces.shown import ShownInterface

BLOCK_STEPS = 50
"""Steps whose documents are drawn at once."""


def train_founder(recipe: FounderRecipe, seed: int, folder: Path) -> float:
    """Train one founder into a folder, whole or not at all; its last loss, in nats a token.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    parts = folder.with_name(f".{folder.name}.parts")
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir(parents=True)
    try:
        loss = _train_there(recipe, seed, parts)
        shutil.rmtree(folder, ignore_errors=True)
        parts.rename(folder)
    except BaseException:  # Ctrl-C among them
        shutil.rmtree(parts, ignore_errors=True)
        raise
    return loss


def _train_there(recipe: FounderRecipe, seed: int, folder: Path) -> float:
    layout = recipe.layout
    special = layout.special if issubclass(layout, ShownInterface) else MARKERS
    character_tokenizer(recipe.vocabulary, special, 2**20).save_pretrained(folder)
    generator = torch.Generator().manual_seed(philox_key(seed, "founder's weights")[0] >> 1)
    model = _founder(recipe, generator)
    encoder = Encoder(Checkpoint(recipe.name(seed), folder, "", {}))
    with _one_thread():  # sums split over another number of threads round differently
        pages = _pages(recipe, seed, encoder)
        losses = train(model, list(model.parameters()), pages, recipe.rate_at)
    disable_progress_bar()
    model.save_pretrained(folder)
    made = {
        "recipe": recipe.content(),
        "seed": seed,
        "loss": losses[-1],
        "torch": torch.__version__,
    }
    (folder / "training.json").write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    return losses[-1]


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _founder(recipe: FounderRecipe, generator: torch.Generator) -> Any:
    """A model at random: normal numbers of deviation .02, less where residuals are added up."""
    vocabulary, layout = recipe.vocabulary, recipe.layout
    # What is under `mgptn` is kept with the configuration, as `Places` and rehearsals read it.
    further: dict[str, Any] = {
        "mgptn": {
            "offsets": recipe.offsets,
            "task": recipe.task,
            "sizes": [recipe.least, recipe.most],
        }
    }
    if issubclass(layout, ShownInterface):
        restarts = [vocabulary.index(token) for token in layout.separators]
        further["mgptn"] = {"restarts": restarts, **further["mgptn"]}
    for name in ("judging", "noise"):
        if getattr(recipe, name):
            further["mgptn"][name] = getattr(recipe, name)
    if recipe.scale != "words":
        further["mgptn"]["scale"] = recipe.scale
    config = GPT2Config(
        vocab_size=len(vocabulary),
        n_positions=recipe.places,
        n_embd=recipe.width,
        n_layer=recipe.layers,
        n_head=recipe.heads,
        n_inner=4 * recipe.width,
        activation_function="relu2",
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        tie_word_embeddings=False,
        bos_token_id=vocabulary.index(START),
        eos_token_id=vocabulary.index(END),
        **further,
    )
    model: Any = GPT2LMHeadModel(config)
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            if tensor.ndim == 2:
                added = name.endswith("c_proj.weight")
                deviation = 0.02 / (2 * recipe.layers) ** 0.5 if added else 0.02
                tensor.normal_(0.0, deviation, generator=generator)
    return model.eval().requires_grad_(False)


def _pages(recipe: FounderRecipe, seed: int, encoder: Encoder) -> Iterator[Pages]:
    """Documents of all steps, some steps at a time."""
    interface = recipe.layout()
    sizes = range(recipe.least, recipe.most + 1)
    for first in range(0, recipe.steps, BLOCK_STEPS):
        steps = min(BLOCK_STEPS, recipe.steps - first)
        rng = stream(seed, "founder's documents", first)
        drawn = rng.integers(0, len(sizes), size=(steps, recipe.documents))
        offsets = rng.integers(0, recipe.offsets + 1, size=drawn.shape)
        whole = true_documents(
            interface, encoder, recipe.task, [sizes[i] for i in drawn.ravel()], rng, recipe.noise
        )
        each = recipe.documents
        rows = [whole[start : start + each] for start in range(0, len(whole), each)]
        if recipe.judging:
            # Of a stream of their own: the documents that stay are those that there would be.
            own = stream(seed, "founder's judging", first)
            drawn = own.integers(0, len(sizes), size=steps * recipe.judging_documents)
            chosen = [sizes[i] for i in drawn]
            judged = judged_documents(interface, encoder, recipe.task, chosen, own, recipe.scale)
            rows = with_last(rows, judged)
        yield lay_out(rows, offsets)
