"""Training, small: from examples on disk to a network that has learnt them, and what is counted and drawn of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from docpipe.vlm.encode import blank_picture, load_tokenizer  # noqa: E402 - needs torch
from docpipe.vlm.inputs import CANVAS_HEIGHT, CANVAS_WIDTH  # noqa: E402
from docpipe.vlm.network import DocumentNetwork, NetworkConfig  # noqa: E402
from docpipe.vlm.training.ablate import SpanAccuracy, span_accuracy  # noqa: E402
from docpipe.vlm.training.batches import ROW_UNKNOWN, BatchLoader, ExampleIndex  # noqa: E402
from docpipe.vlm.training.checkpoint import pretrained_folder  # noqa: E402
from docpipe.vlm.training.data.examples import EXAMPLES, ExampleSet, PicturedExample, write_examples  # noqa: E402
from docpipe.vlm.training.loss import total_loss  # noqa: E402
from docpipe.vlm.training.plot import LossCurves, plot, read_log  # noqa: E402
from tests.support.training_examples import SHOPS, receipt  # noqa: E402

SMALL = NetworkConfig(width=48, heads=4, layers=2, dropout=0.0)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> ExampleSet:
    folder = tmp_path_factory.mktemp("examples")
    pictured = [PicturedExample(receipt(shop, total), blank_picture()) for shop, total in SHOPS.items()]
    assert write_examples(folder, pictured) == len(SHOPS)
    return ExampleSet(folder)


@pytest.fixture(scope="module")
def loader(examples: ExampleSet) -> BatchLoader:
    return BatchLoader([examples], load_tokenizer(pretrained_folder() / "tokenizer.json"), augment=False)


def test_training_learns_where_the_values_stand(loader: BatchLoader) -> None:
    torch.manual_seed(3)
    network = DocumentNetwork(SMALL).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3)
    losses = []
    for epoch in range(40):
        for batch in loader.epoch(epoch, 4):
            loss = total_loss(network(batch.inputs), batch)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] / 5


def test_examples_come_back_from_disk_as_they_were(examples: ExampleSet) -> None:
    first = examples.examples[0]
    assert first.labels == receipt("Blauwal", "8.20").labels
    assert [w.text for w in first.words] == [w.text for w in receipt("Blauwal", "8.20").words]
    assert examples.picture(0).shape == (CANVAS_HEIGHT, CANVAS_WIDTH)


def test_an_example_may_be_written_as_one_line(tmp_path: Path) -> None:
    example = replace(receipt("Blauwal", "8.20"), prompts={"total": "what was paid"})
    write_examples(tmp_path, [PicturedExample(example, blank_picture())])
    rows = (tmp_path / EXAMPLES).read_text(encoding="utf-8").splitlines()
    assert json.loads(rows[0])["prompts"] == {"total": "what was paid"}


def test_cells_of_one_row_are_told_apart_from_those_of_another(loader: BatchLoader) -> None:
    same_row = loader.batch([ExampleIndex(0, 0)], np.random.default_rng(0)).same_row[0]
    assert int(same_row[1, 2]) == int(same_row[2, 1]) == 1
    assert int((same_row != ROW_UNKNOWN).sum()) == 2


def test_what_the_picture_is_worth_is_counted_over_all_single_fields(examples: ExampleSet) -> None:
    torch.manual_seed(3)
    network = DocumentNetwork(SMALL).eval()
    whole, blind = (span_accuracy(network, examples, with_picture=way)["receipt"] for way in (True, False))
    assert (whole.printed, whole.absent) == (blind.printed, blind.absent) == (2 * len(examples), len(examples))
    accuracy = SpanAccuracy()
    accuracy.add([(3, 4)], (3, 4))
    accuracy.add([(3, 4)], (3,))
    accuracy.add([], None)
    assert (accuracy.printed_right, accuracy.absent_right) == (1, 1)


def test_the_course_of_training_becomes_a_picture(tmp_path: Path) -> None:
    rows = [
        {"step": 25, "loss": 9.0},
        {"step": 50, "loss": 5.0},
        {"step": 50, "loss": 4.0},
        {"step": 50, "loss_holdout": 6.0},
    ]
    (tmp_path / "log.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    assert read_log(tmp_path) == LossCurves(training=[(25, 9.0), (50, 4.0)], holdout=[(50, 6.0)])
    plot(tmp_path, tmp_path / "training.png")
    with Image.open(tmp_path / "training.png") as picture:
        assert len(np.unique(np.asarray(picture.convert("L")))) > 20
