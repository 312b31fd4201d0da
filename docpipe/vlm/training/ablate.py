"""What the parts of the network are worth: whole, without the page's picture and without captions, on pages that it did
not learn. `python -m docpipe.vlm.training.ablate docpipe/vlm/weights/network.onnx runs/examples/aside*`

In: a checkpoint or an exported network that learnt with and without the picture (`train` leaves it out of most steps),
and folders of examples. Out: per folder and sort of document how many values of single fields begin and end at the
right words, and how many fields that are not on the page are answered as absent.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from docpipe.paths import FieldPath
from docpipe.vlm import spans
from docpipe.vlm.encode import MAX_WORDS, load_tokenizer
from docpipe.vlm.network import DocumentNetwork
from docpipe.vlm.training.batches import Batches
from docpipe.vlm.training.checkpoint import load_network, pretrained_folder
from docpipe.vlm.training.data.examples import ExampleSet, Span

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


def judge(network: DocumentNetwork, examples: ExampleSet, *, blind: bool = False) -> dict[str, Tally]:
    """By sort of document: pages that fit one window, asked in the schema's own words."""
    batches = Batches([examples], load_tokenizer(pretrained_folder() / "tokenizer.json"), spoilt=False)
    tallies: dict[str, Tally] = {}
    for number, example in enumerate(examples):
        if len(example.words) > MAX_WORDS or not example.labels:
            continue
        batch = batches.batch([(0, number)], np.random.default_rng(0))
        with torch.no_grad():
            logits, absent, _ = network(batch.fields, batch.words, None if blind else batch.picture)
        lines = [word.line for word in example.words]
        tally = tallies.setdefault(example.schema, Tally())
        for row, path in enumerate(sorted(example.labels)):
            if not FieldPath.parse(path).is_cell:
                choices, missing = spans.single(logits[0, row].numpy(), float(absent[0, row]), lines)
                tally.add(example.labels[path], choices[0].words if choices and missing < ABSENT else None)
    return tallies


def without_captions(network: DocumentNetwork) -> DocumentNetwork:
    """A copy that is told nothing of captions."""
    deprived = deepcopy(network)
    for part in (deprived.captions.word, deprived.captions.absent):
        torch.nn.init.zeros_(part.weight)
        torch.nn.init.zeros_(part.bias)
    return deprived


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", type=Path, help="a checkpoint, or a network.onnx")
    parser.add_argument("examples", type=Path, nargs="+", help="folders that were kept aside")
    given = parser.parse_args()
    network = load_network(given.network)
    deprived = without_captions(network)
    for folder in given.examples:
        examples = ExampleSet(folder)
        print(f"{folder.name}, {len(examples)} pages")  # noqa: T201 - the command's result
        for name, asked, blind in (
            ("whole", network, False), ("without picture", network, True), ("without captions", deprived, False),
        ):  # fmt: skip
            for schema, tally in judge(asked, examples, blind=blind).items():
                print(f"  {name}, {schema}: {tally}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
