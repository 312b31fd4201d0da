"""What the picture is worth: the same network, with the page's picture and without it, on pages that it did not learn.
`python -m docpipe.vlm.training.judge runs/network/last.pt runs/examples/aside*`

In: a checkpoint that learnt with and without the picture (`train` leaves it out of most steps), and folders of
examples. Out: per folder how many values of single fields begin and end at the right words, and how many fields that
are not on the page are answered as absent; once with the picture, once blind.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from docpipe.vlm import spans
from docpipe.vlm.encode import MAX_WORDS, load_tokenizer
from docpipe.vlm.model import DocumentNetwork
from docpipe.vlm.training.batches import Batches
from docpipe.vlm.training.examples import ExampleSet, Span
from docpipe.vlm.training.start import load_network, pretrained_folder

ABSENT = 0.5  # probability of absence from which nothing is answered


@dataclass
class Tally:
    """Fields whose value is on the page, and fields that are known to be absent."""

    printed: int = 0
    found: int = 0
    absent: int = 0
    left_out: int = 0

    def add(self, right: Sequence[Span], answer: Span | None) -> None:
        if right:
            self.printed += 1
            self.found += answer is not None and any((s[0], s[-1]) == (answer[0], answer[-1]) for s in right)
        else:
            self.absent += 1
            self.left_out += answer is None

    def __str__(self) -> str:
        found, left_out = self.found / max(1, self.printed), self.left_out / max(1, self.absent)
        return f"{found:.3f} of {self.printed} values, {left_out:.3f} of {self.absent} absences"


def judge(network: DocumentNetwork, examples: ExampleSet, *, blind: bool) -> Tally:
    """Pages that fit one window, asked in the schema's own words."""
    batches = Batches([examples], load_tokenizer(pretrained_folder() / "tokenizer.json"), spoilt=False)
    tally = Tally()
    for number, example in enumerate(examples):
        if len(example.words) > MAX_WORDS or not example.labels:
            continue
        batch = batches.batch([(0, number)], np.random.default_rng(0))
        with torch.no_grad():
            logits, absent, _ = network(batch.fields, batch.words, None if blind else batch.picture)
        lines = [word.line for word in example.words]
        for row, path in enumerate(sorted(example.labels)):
            if "[]" not in path:
                choices, missing = spans.single(logits[0, row].numpy(), float(absent[0, row]), lines)
                tally.add(example.labels[path], choices[0].words if choices and missing < ABSENT else None)
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("examples", type=Path, nargs="+", help="folders that were kept aside")
    given = parser.parse_args()
    network = load_network(given.checkpoint)
    for folder in given.examples:
        examples = ExampleSet(folder)
        if len(examples):
            print(f"{folder.name}, {len(examples)} pages")  # noqa: T201 - the command's result
            for name, blind in (("with the picture", False), ("blind", True)):
                print(f"  {name}: {judge(network, examples, blind=blind)}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
