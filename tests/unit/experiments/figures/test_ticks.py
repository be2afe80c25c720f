"""Names stand in figures as they are, and numbers beside axes in letters."""

# SPDX-License-Identifier: Apache-2.0

import re

import pytest

from mgptn.experiments.figures.style import canvas, styled, write_figure
from mgptn.experiments.figures.ticks import plainly


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (r"$\mathdefault{10^{-2}}$", "10⁻²"),
        (r"$\mathdefault{2^{10}}$", "2¹⁰"),
        (r"$\mathdefault{6\times10^{0}}$", "6·10⁰"),
        (r"$\mathdefault{1-10^{-3}}$", "1−10⁻³"),
        (r"$\mathdefault{\frac{1}{2}}$", "1/2"),
        ("", ""),
        ("0.25", "0.25"),
    ],
)
def test_what_matplotlib_writes_as_mathematics_is_said_in_letters(written, told):
    assert plainly(written) == told


@pytest.mark.parametrize("scale", ["log", "logit", "linear"])
def test_nothing_in_a_figure_is_mathematics(scale, tmp_path):
    with styled():
        figure, axes = canvas(4.0)
        axes.plot([0.001, 0.1, 0.9], [0.004, 0.5, 0.95], label="my$model$")
        axes.set_xscale(scale)
        axes.set_yscale(scale)
        axes.legend()
        write_figure(figure, tmp_path / "figure.svg")
    said = re.findall(r"<text[^>]*>(.*?)</text>", (tmp_path / "figure.svg").read_text("utf-8"))
    assert "my$model$" in said
    assert not [text for text in said if "\\" in text or "mathdefault" in text]
    if scale != "linear":
        assert any("10⁻" in text for text in said)
