"""The network itself, small: what it promises to training, export and the shipped extractor."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from docpipe.data import Box, Word  # noqa: E402 - needs torch
from docpipe.extractors.embedded import weights_folder  # noqa: E402
from docpipe.vlm.encode import CANVAS_HEIGHT, CANVAS_WIDTH, load_tokenizer  # noqa: E402
from docpipe.vlm.network import DocumentNetwork, NetworkConfig  # noqa: E402
from docpipe.vlm.training.ablate import Tally, judge, without_captions  # noqa: E402
from docpipe.vlm.training.augment.entities import Names, swapped  # noqa: E402
from docpipe.vlm.training.augment.noise import jitter, spoil  # noqa: E402
from docpipe.vlm.training.average import average  # noqa: E402
from docpipe.vlm.training.batches import UNKNOWN, Batches, _carried  # noqa: E402
from docpipe.vlm.training.checkpoint import begin_from  # noqa: E402
from docpipe.vlm.training.data.examples import Example, ExampleSet, write_examples  # noqa: E402
from docpipe.vlm.training.data.split import part_of  # noqa: E402
from docpipe.vlm.training.export import (  # noqa: E402
    INPUTS,
    export_onnx,
    grouped,
    pack,
    sample_inputs,
)
from docpipe.vlm.training.loss import whole_loss  # noqa: E402
from docpipe.vlm.training.plot import plot, read_log  # noqa: E402

SMALL = NetworkConfig(width=48, heads=4, layers=2, dropout=0.0)


@pytest.fixture(scope="module")
def network() -> DocumentNetwork:
    torch.manual_seed(3)
    return DocumentNetwork(SMALL).eval()


def answer(network: DocumentNetwork, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    with torch.no_grad():
        return network(*grouped(inputs))


def receipt(shop: str, total: str) -> Example:
    texts = [[shop], ["Tea", "3.10"], ["Total", total], ["Thank", "you"]]
    words = tuple(
        Word(text, Box(0.1 + 0.3 * place, 0.1 * line, 0.3 + 0.3 * place, 0.1 * line + 0.05), 0.99, "ocr", line)
        for line, row in enumerate(texts)
        for place, text in enumerate(row)
    )
    items = {"items[].description": [(1,)], "items[].amount": [(2,)]}
    labels = {"merchant_name": [(0,)], "total": [(4,)], "tax": [], **items}
    rows = dict.fromkeys(items, (0,))
    return Example("test", shop, "receipt", 1.6, words, labels, kinds={"merchant_name": "name"}, rows=rows)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> ExampleSet:
    folder = tmp_path_factory.mktemp("examples")
    picture = np.zeros((CANVAS_HEIGHT, CANVAS_WIDTH), np.float32)
    shops = [("Blauwal", "8.20"), ("Northwind", "19.99"), ("Kaktus", "7.05"), ("Harbour", "4.40")]
    assert write_examples(folder, [(receipt(*shop), picture) for shop in shops]) == 4
    return ExampleSet(folder)


def test_every_field_gets_a_number_for_every_word(network: DocumentNetwork) -> None:
    logits, absent, together = answer(network, sample_inputs(7, 40))
    assert logits.shape == (1, 7, 3, 40)
    assert absent.shape == (1, 7)
    assert together.shape == (1, 40, 40)
    assert torch.allclose(together, together.transpose(1, 2), atol=1e-5)


def test_padding_changes_nothing(network: DocumentNetwork) -> None:
    inputs = list(sample_inputs(4, 30))
    alone, *_ = answer(network, tuple(inputs))
    for place in range(INPUTS.index("pieces"), INPUTS.index("picture")):
        filler = torch.zeros(1, 12, *inputs[place].shape[2:], dtype=inputs[place].dtype)
        inputs[place] = torch.cat([inputs[place], filler], dim=1)
    padded, *_ = answer(network, tuple(inputs))
    assert torch.allclose(alone, padded[..., :30], atol=1e-4)


def test_the_picture_changes_the_answer(network: DocumentNetwork) -> None:
    inputs = list(sample_inputs(4, 30))
    seen, *_ = answer(network, tuple(inputs))
    inputs[-1] = torch.zeros_like(inputs[-1])
    blank, *_ = answer(network, tuple(inputs))
    assert not torch.allclose(seen, blank, atol=1e-4)


def test_training_learns_where_the_values_stand(examples: ExampleSet) -> None:
    torch.manual_seed(3)
    network = DocumentNetwork(SMALL).train()
    batches = Batches([examples], load_tokenizer(weights_folder() / "tokenizer.json"), spoilt=False)
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3)
    losses = []
    for epoch in range(40):
        for batch in batches.epoch(epoch, 4):
            loss = whole_loss(*network(batch.fields, batch.words, batch.picture), batch)
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


def test_the_exported_network_in_int8_answers_like_the_trained_one(tmp_path: Path) -> None:
    import onnxruntime

    wide = replace(SMALL, width=96)  # wide enough for the weights to outweigh the graph around them
    network, small = DocumentNetwork(wide).eval(), DocumentNetwork(wide).eval()
    export_onnx(network, tmp_path / "float.onnx")
    small.load_state_dict(network.state_dict())
    pack(small)
    export_onnx(small, tmp_path / "small.onnx")
    inputs = sample_inputs(6, 50)
    session = onnxruntime.InferenceSession(str(tmp_path / "small.onnx"), providers=["CPUExecutionProvider"])
    exported = session.run(None, dict(zip(INPUTS, (i.numpy() for i in inputs), strict=True)))[0]
    trained = answer(network, inputs)[0].numpy()
    assert np.abs(1 / (1 + np.exp(-exported)) - 1 / (1 + np.exp(-trained))).max() < 0.02
    assert (tmp_path / "small.onnx").stat().st_size < (tmp_path / "float.onnx").stat().st_size / 3


def test_training_can_begin_from_the_network_that_ships(tmp_path: Path) -> None:
    torch.manual_seed(5)
    trained, other = DocumentNetwork(SMALL), DocumentNetwork(SMALL)
    small = DocumentNetwork(SMALL)
    small.load_state_dict(trained.state_dict())
    pack(small)
    export_onnx(small, tmp_path / "network.onnx")
    begin_from(other, tmp_path / "network.onnx")
    other.eval()
    inputs = sample_inputs(4, 30)
    for mine, theirs in zip(answer(other, inputs), answer(trained.eval(), inputs), strict=True):
        assert torch.allclose(mine.sigmoid(), theirs.sigmoid(), atol=0.02)


def test_the_mean_of_two_networks_lies_between_them() -> None:
    torch.manual_seed(5)
    before, after = DocumentNetwork(SMALL).eval(), DocumentNetwork(SMALL).eval()
    middle = average(before, after).state_dict()
    for name, tensor in after.state_dict().items():
        if tensor.is_floating_point():
            assert torch.allclose(middle[name], (before.state_dict()[name] + tensor) / 2, atol=1e-6), name
    same = average(before, before).eval()
    inputs = sample_inputs(3, 20)
    assert torch.allclose(answer(same, inputs)[0], answer(before, inputs)[0], atol=1e-5)


def test_cells_of_one_row_are_told_apart_from_those_of_another(examples: ExampleSet) -> None:
    batches = Batches([examples], load_tokenizer(weights_folder() / "tokenizer.json"), spoilt=False)
    together = batches.batch([(0, 0)], np.random.default_rng(0)).together[0]
    assert int(together[1, 2]) == int(together[2, 1]) == 1
    assert int((together != UNKNOWN).sum()) == 2


def test_what_the_picture_is_worth_is_counted_over_all_single_fields(
    network: DocumentNetwork, examples: ExampleSet
) -> None:
    seen, blind = (judge(network, examples, blind=blind)["receipt"] for blind in (False, True))
    assert (seen.printed, seen.absent) == (blind.printed, blind.absent) == (2 * len(examples), len(examples))
    tally = Tally()
    tally.add([(3, 4)], (3, 4))
    tally.add([(3, 4)], (3,))
    tally.add([], None)
    assert (tally.found, tally.left_out) == (1, 1)


def test_a_network_without_captions_answers_otherwise_and_leaves_the_first_as_it_was() -> None:
    network = DocumentNetwork(SMALL).eval()
    torch.nn.init.normal_(network.captions.word.weight)
    inputs = sample_inputs(4, 30)
    whole = answer(network, inputs)[0]
    assert not torch.allclose(whole, answer(without_captions(network), inputs)[0], atol=1e-3)
    assert torch.equal(whole, answer(network, inputs)[0])


def test_spoilt_words_keep_their_labels() -> None:
    example = receipt("Blauwal", "8.20")
    for seed in range(30):
        spoilt = _carried(example, *spoil(example.words, np.random.default_rng(seed)))
        words, labels = jitter(spoilt.words, np.random.default_rng(seed)), spoilt.labels
        assert all(len(spoilt.rows[path]) == len(labels[path]) for path in example.rows)
        assert all(0 <= index < len(words) for spans in labels.values() for span in spans for index in span)
        assert all(0.0 <= w.box.left <= w.box.right <= 1.0 for w in words)
        if labels["total"] and len(words) == len(example.words):
            assert words[labels["total"][0][0]].line == 2


def test_swapped_documents_keep_their_layout_and_get_other_names_and_amounts() -> None:
    names = Names([receipt("Blauwal", "8.20"), receipt("Rotkehl", "8.20"), receipt("Grünfink", "8.20")])
    example = receipt("Blauwal", "8.20")
    texts = set()
    for seed in range(30):
        words = swapped(example, names, np.random.default_rng(seed))
        assert [(w.box, w.line) for w in words] == [(w.box, w.line) for w in example.words]
        amounts = [w.text for w, before in zip(words, example.words, strict=True) if before.text == "8.20"]
        assert len(set(amounts)) == 1
        assert amounts[0][1] == "." and amounts[0][3] == "0"
        texts.add(words[example.labels["merchant_name"][0][0]].text)
    assert texts == {"Blauwal", "Rotkehl", "Grünfink"}


def test_the_course_of_training_becomes_a_picture(tmp_path: Path) -> None:
    rows = [
        {"step": 25, "loss": 9.0},
        {"step": 50, "loss": 5.0},
        {"step": 50, "loss": 4.0},
        {"step": 50, "loss_aside": 6.0},
    ]
    (tmp_path / "log.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    assert read_log(tmp_path) == ([(25, 9.0), (50, 4.0)], [(50, 6.0)])
    plot(tmp_path, tmp_path / "training.png")
    with Image.open(tmp_path / "training.png") as picture:
        assert len(np.unique(np.asarray(picture.convert("L")))) > 20


def test_a_seller_is_on_one_side_of_the_split_only() -> None:
    sellers = [f"seller {number}" for number in range(400)]
    aside = [s for s in sellers if part_of(s, "any document") == "seller"]
    assert 30 < len(aside) < 90
    assert all(part_of(s, f"document {n}") == "seller" for s in aside for n in range(20))


def test_an_example_may_be_written_as_one_line(tmp_path: Path) -> None:
    example = replace(receipt("Blauwal", "8.20"), prompts={"total": "what was paid"})
    write_examples(tmp_path, [(example, np.zeros((CANVAS_HEIGHT, CANVAS_WIDTH), np.float32))])
    rows = (tmp_path / "examples.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(rows[0])["prompts"] == {"total": "what was paid"}
