"""How training went, as a picture: `python -m docpipe.vlm.training.plot runs/network --output training.png`.

In: the `log.jsonl` that `train` writes. Out: a PNG of the loss over the steps, and of the loss on what is kept aside.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def read_log(folder: Path) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
    """(step, loss) of what is learnt and of what is kept aside. A training that was resumed has some steps twice; the
    last counts."""
    learnt: dict[int, float] = {}
    aside: dict[int, float] = {}
    for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines():
        row: dict[str, Any] = json.loads(line)
        if "loss" in row:
            learnt[row["step"]] = row["loss"]
        if "loss_aside" in row:
            aside[row["step"]] = row["loss_aside"]
    return sorted(learnt.items()), sorted(aside.items())


def plot(folder: Path, output: Path) -> None:
    from matplotlib.figure import Figure  # heavy: a second to import

    learnt, aside = read_log(folder)
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(*zip(*learnt, strict=True), linewidth=1, label="learnt (spoilt, weighted)")
    if aside:
        axes.plot(*zip(*aside, strict=True), marker="o", label="kept aside (as read)")
    axes.set(xlabel="step of 8 pages", ylabel="loss", yscale="log")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(output, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="what `train` was given as --out")
    parser.add_argument("--output", type=Path, required=True)
    given = parser.parse_args()
    plot(given.folder, given.output)


if __name__ == "__main__":
    main()
