"""The network itself, small: what it promises to training, export and the shipped extractor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from docpipe.vlm.inputs import PAGE_SPECS, NetworkInputs, NetworkOutputs, PageInputs  # noqa: E402 - needs torch
from docpipe.vlm.network import DocumentNetwork, NetworkConfig  # noqa: E402
from docpipe.vlm.predict import NETWORK, weights_folder  # noqa: E402
from docpipe.vlm.training.ablate import without_label_matcher  # noqa: E402
from docpipe.vlm.training.average import average  # noqa: E402
from docpipe.vlm.training.checkpoint import load_network, start_from  # noqa: E402
from docpipe.vlm.training.export import export_onnx, pack, random_inputs  # noqa: E402

SMALL = NetworkConfig(width=48, heads=4, layers=2, dropout=0.0)


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Each test has the same random weights and inputs in any order."""
    torch.manual_seed(5)


@pytest.fixture
def network(seeded: None) -> DocumentNetwork:
    return DocumentNetwork(SMALL).eval()


def outputs_of(network: DocumentNetwork, inputs: NetworkInputs[torch.Tensor]) -> NetworkOutputs[torch.Tensor]:
    with torch.no_grad():
        return network(inputs)


def exported_outputs(path: Path, inputs: NetworkInputs[torch.Tensor]) -> NetworkOutputs[np.ndarray]:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return NetworkOutputs.ordered(session.run(None, inputs.map(torch.Tensor.numpy).by_onnx_name()))


def test_every_field_gets_a_number_for_every_word(network: DocumentNetwork) -> None:
    outputs = outputs_of(network, random_inputs(7, 40))
    assert outputs.span_logits.shape == (1, 7, 3, 40)
    assert outputs.no_answer_logits.shape == (1, 7)
    assert outputs.same_row_logits.shape == (1, 40, 40)
    assert torch.allclose(outputs.same_row_logits, outputs.same_row_logits.transpose(1, 2), atol=1e-5)


def test_padding_changes_nothing(network: DocumentNetwork) -> None:
    inputs = random_inputs(4, 30)
    alone = outputs_of(network, inputs).span_logits
    longer = {
        name: torch.cat([array, torch.zeros(1, 12, *array.shape[2:], dtype=array.dtype)], dim=1)
        for name, spec in PAGE_SPECS.items()
        for array in [getattr(inputs.page, name)]
        if "words" in spec.axes
    }
    page = PageInputs(**longer, picture=inputs.page.picture)
    padded = outputs_of(network, replace(inputs, page=page)).span_logits
    assert torch.allclose(alone, padded[..., :30], atol=1e-4)


def test_the_picture_changes_the_answer(network: DocumentNetwork) -> None:
    inputs = random_inputs(4, 30)
    blank = replace(inputs, page=replace(inputs.page, picture=torch.zeros_like(inputs.page.picture)))
    with_picture, without = (outputs_of(network, each).span_logits for each in (inputs, blank))
    assert not torch.allclose(with_picture, without, atol=1e-4)


def test_the_exported_network_in_int8_answers_like_the_trained_one(tmp_path: Path) -> None:
    wide = replace(SMALL, width=96)  # wide enough for the weights to outweigh the graph around them
    network, packed = DocumentNetwork(wide).eval(), DocumentNetwork(wide).eval()
    export_onnx(network, tmp_path / "float.onnx")
    packed.load_state_dict(network.state_dict())
    pack(packed)
    export_onnx(packed, tmp_path / "packed.onnx")
    inputs = random_inputs(6, 50)
    exported = exported_outputs(tmp_path / "packed.onnx", inputs).span_logits
    trained = outputs_of(network, inputs).span_logits.numpy()
    assert np.abs(1 / (1 + np.exp(-exported)) - 1 / (1 + np.exp(-trained))).max() < 0.02
    assert (tmp_path / "packed.onnx").stat().st_size < (tmp_path / "float.onnx").stat().st_size / 3


def test_training_can_start_from_an_exported_network(tmp_path: Path) -> None:
    trained, other, packed = (DocumentNetwork(SMALL) for _ in range(3))
    packed.load_state_dict(trained.state_dict())
    pack(packed)
    export_onnx(packed, tmp_path / "network.onnx")
    start_from(other, tmp_path / "network.onnx")
    inputs = random_inputs(4, 30)
    outputs = [outputs_of(network.eval(), inputs).in_order() for network in (other, trained)]
    for from_export, before in zip(*outputs, strict=True):
        assert torch.allclose(from_export.sigmoid(), before.sigmoid(), atol=0.02)


def test_training_can_start_from_the_network_that_ships() -> None:
    """Its modules had other names when it was exported: every weight still finds its place."""
    inputs = random_inputs(6, 50)
    shipped = exported_outputs(weights_folder() / NETWORK, inputs)
    loaded = outputs_of(load_network(weights_folder() / NETWORK), inputs)
    for from_onnx, from_torch in zip(shipped.in_order(), loaded.in_order(), strict=True):
        assert from_torch.numpy() == pytest.approx(from_onnx, abs=1e-3, rel=1e-4)


def test_the_mean_of_two_networks_lies_between_them() -> None:
    before, after = DocumentNetwork(SMALL).eval(), DocumentNetwork(SMALL).eval()
    middle = average(before, after).state_dict()
    for name, tensor in after.state_dict().items():
        if tensor.is_floating_point():
            assert torch.allclose(middle[name], (before.state_dict()[name] + tensor) / 2, atol=1e-6), name
    same = average(before, before).eval()
    inputs = random_inputs(3, 20)
    assert torch.allclose(outputs_of(same, inputs).span_logits, outputs_of(before, inputs).span_logits, atol=1e-5)


def test_a_network_without_printed_labels_answers_otherwise_and_leaves_the_first_as_it_was() -> None:
    network = DocumentNetwork(SMALL).eval()
    torch.nn.init.normal_(network.label_matcher.word_weights.weight)
    inputs = random_inputs(4, 30)
    whole = outputs_of(network, inputs).span_logits
    assert not torch.allclose(whole, outputs_of(without_label_matcher(network), inputs).span_logits, atol=1e-3)
    assert torch.equal(whole, outputs_of(network, inputs).span_logits)
