"""What the parts of the network are worth: whole, without the page's picture and without printed labels, on pages that
it did not learn. `python -m docpipe.vlm.training.ablate docpipe/vlm/weights/network.onnx runs/examples/holdout*`

In: a checkpoint or an exported network that learnt with and without the picture (`train` leaves it out of some steps),
and folders of examples. Out: per folder and sort of document how many values of single fields start and end at the
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
from torch import Tensor

from docpipe.paths import FieldPath
from docpipe.vlm import spans
from docpipe.vlm.encode import MAX_WORDS, load_tokenizer
from docpipe.vlm.inputs import NetworkOutputs
from docpipe.vlm.network import DocumentNetwork
from docpipe.vlm.training.batches import BatchLoader, ExampleIndex
from docpipe.vlm.training.checkpoint import load_network, pretrained_folder
from docpipe.vlm.training.data.examples import ExampleSet, Span

NO_ANSWER = 0.5  # probability from which nothing is answered


@dataclass
class SpanAccuracy:
    """Fields whose value is on the page, and fields that are known to be absent."""

    printed: int = 0
    printed_right: int = 0
    absent: int = 0
    absent_right: int = 0

    def add(self, labels: Sequence[Span], answer: Span | None) -> None:
        if labels:
            self.printed += 1
            self.printed_right += answer is not None and any(_edges(label) == _edges(answer) for label in labels)
        else:
            self.absent += 1
            self.absent_right += answer is None

    def __str__(self) -> str:
        printed, absent = self.printed_right / max(1, self.printed), self.absent_right / max(1, self.absent)
        return f"{printed:.3f} of {self.printed} values, {absent:.3f} of {self.absent} absences"


def _edges(span: Span) -> tuple[int, int]:
    return span[0], span[-1]


def span_accuracy(
    network: DocumentNetwork, examples: ExampleSet, *, with_picture: bool = True
) -> dict[str, SpanAccuracy]:
    """By sort of document: pages that fit one window, asked in the schema's own words."""
    loader = BatchLoader([examples], load_tokenizer(pretrained_folder() / "tokenizer.json"), augment=False)
    accuracies: dict[str, SpanAccuracy] = {}
    for number, example in enumerate(examples):
        if len(example.words) > MAX_WORDS or not example.labels:
            continue
        batch = loader.batch([ExampleIndex(0, number)], np.random.default_rng(0))
        with torch.no_grad():
            outputs: NetworkOutputs[Tensor] = network(batch.inputs, with_picture=with_picture)
        lines = [word.line for word in example.words]
        accuracy = accuracies.setdefault(example.schema, SpanAccuracy())
        for row, path in enumerate(sorted(example.labels)):
            if not FieldPath.parse(path).is_cell:
                span_logits, no_answer_logit = outputs.span_logits[0, row], outputs.no_answer_logits[0, row]
                decoded = spans.decode_field(span_logits.numpy(), float(no_answer_logit), lines)
                answered = decoded.spans and decoded.no_answer < NO_ANSWER
                accuracy.add(example.labels[path], decoded.spans[0].words if answered else None)
    return accuracies


def without_label_matcher(network: DocumentNetwork) -> DocumentNetwork:
    """A copy that ignores printed labels."""
    ablated = deepcopy(network)
    for part in (ablated.label_matcher.word_weights, ablated.label_matcher.no_answer):
        torch.nn.init.zeros_(part.weight)
        torch.nn.init.zeros_(part.bias)
    return ablated


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", type=Path, help="a checkpoint, or a network.onnx")
    parser.add_argument("examples", type=Path, nargs="+", help="folders that were held out")
    options = parser.parse_args()
    network = load_network(options.network)
    ablated = without_label_matcher(network)
    for folder in options.examples:
        examples = ExampleSet(folder)
        print(f"{folder.name}, {len(examples)} pages")  # noqa: T201 - the command's result
        for name, variant, with_picture in (
            ("whole", network, True), ("without picture", network, False), ("without printed labels", ablated, True),
        ):  # fmt: skip
            for schema, accuracy in span_accuracy(variant, examples, with_picture=with_picture).items():
                print(f"  {name}, {schema}: {accuracy}", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
