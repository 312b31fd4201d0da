"""How training went, as a picture: `python -m docpipe.vlm.training.plot runs/network --output training.png`.

In: the `log.jsonl` that `train` writes. Out: a PNG of the loss over the steps, and of the loss on what is held out.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class LossCurves:
    """Pairs of step and loss."""

    training: list[tuple[int, float]]
    holdout: list[tuple[int, float]]


def read_log(folder: Path) -> LossCurves:
    """A training that was resumed has some steps twice; the last counts."""
    training: dict[int, float] = {}
    holdout: dict[int, float] = {}
    for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines():
        row: dict[str, Any] = json.loads(line)
        if "loss" in row:
            training[row["step"]] = row["loss"]
        if "loss_holdout" in row:
            holdout[row["step"]] = row["loss_holdout"]
    return LossCurves(sorted(training.items()), sorted(holdout.items()))


def plot(folder: Path, output: Path) -> None:
    from matplotlib.figure import Figure  # heavy: a second to import

    curves = read_log(folder)
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(*zip(*curves.training, strict=True), linewidth=1, label="training (augmented, weighted)")
    if curves.holdout:
        axes.plot(*zip(*curves.holdout, strict=True), marker="o", label="held out (as read)")
    axes.set(xlabel="step of 8 pages", ylabel="loss", yscale="log")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(output, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="what `train` got as --out")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    plot(options.folder, options.output)


if __name__ == "__main__":
    main()
