"""A trained checkpoint becomes the file that ships: ONNX, weights in int8, compared with what was trained.

`python -m docpipe.vlm.training.export runs/network/best.pt docpipe/vlm/weights`
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from docpipe.onnx_runtime import load_onnxruntime
from docpipe.vlm.inputs import INPUT_SPECS, OUTPUT_SPECS, ArraySpec, NetworkInputs, NetworkOutputs, padded_shape
from docpipe.vlm.network import DocumentNetwork
from docpipe.vlm.training.checkpoint import load_network, pretrained_folder

OPSET = 18
MIN_PACKED_ROWS = 1000  # of an embedding; smaller ones stay float


class PackedEmbedding(nn.Module):
    """An embedding in int8 with one scale per row: a quarter of the size, unpacked where it is looked up."""

    def __init__(self, source: nn.Embedding) -> None:
        super().__init__()
        small, scale = quantised(source.weight)
        self.register_buffer("small", small)  # [V, D]
        self.register_buffer("scale", scale)  # [V, 1]

    def forward(self, ids: Tensor) -> Tensor:
        return self.small[ids].float() * self.scale[ids]  # type: ignore[index]


class PackedLinear(nn.Module):
    """A linear layer whose weights are kept in int8 with one scale per output; onnxruntime unpacks them once, when it
    loads. Activations stay in float: in int8 they moved probabilities by up to .2, for a quarter of the time."""

    def __init__(self, source: nn.Linear) -> None:
        super().__init__()
        small, scale = quantised(source.weight)
        self.register_buffer("small", small)  # [out, in]
        self.register_buffer("scale", scale)  # [out, 1]
        self.bias = source.bias

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.small.float() * self.scale, self.bias)  # type: ignore[operator]


def quantised(weight: Tensor) -> tuple[Tensor, Tensor]:
    """int8 values and one scale per row: weight = values * scale, to within half a step."""
    scale = weight.detach().abs().amax(1, keepdim=True).clamp(min=1e-8) / 127.0
    return (weight.detach() / scale).round().to(torch.int8), scale


def pack(module: nn.Module) -> None:
    """Replace, in place, all linear layers and the large embeddings."""
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, PackedLinear(child))
        elif isinstance(child, nn.Embedding) and child.num_embeddings > MIN_PACKED_ROWS:
            setattr(module, name, PackedEmbedding(child))
        else:
            pack(child)


class OnnxNetwork(nn.Module):
    """The network with its arrays in a row, as ONNX wants them."""

    def __init__(self, network: DocumentNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, *arrays: Tensor) -> tuple[Tensor, ...]:
        outputs: NetworkOutputs[Tensor] = self.network(NetworkInputs.ordered(arrays))
        return outputs.in_order()


def random_inputs(fields: int, words: int) -> NetworkInputs[Tensor]:
    """Random arrays of the right shapes and ranges, of one page."""
    lengths = {"descriptions": fields, "prompt_pieces": 9, "fields": fields, "words": words}
    inputs = NetworkInputs.ordered([_random_array(spec, lengths) for spec in INPUT_SPECS])
    rounded_features = inputs.page.word_features.round()  # among them whether a word is the first of its line
    return replace(inputs, page=replace(inputs.page, word_features=rounded_features))


def _random_array(spec: ArraySpec, lengths: Mapping[str, int]) -> Tensor:
    shape = padded_shape(spec, lengths) if spec.per_batch else (1, *padded_shape(spec, lengths))
    if spec.dtype == "float32":
        return torch.rand(shape)
    return torch.randint(spec.lowest, lengths[spec.below] if isinstance(spec.below, str) else spec.below, shape)


def export_onnx(network: DocumentNetwork, path: Path) -> None:
    outputs = tuple(OUTPUT_SPECS.values())
    with torch.no_grad(), warnings.catch_warnings():
        # the newer exporter unrolls the shared encoder into separate weights; the older one is said to be legacy
        warnings.simplefilter("ignore")
        torch.onnx.export(
            OnnxNetwork(network).eval(),
            tuple(random_inputs(5, 40).by_onnx_name().values()),
            str(path),
            input_names=[spec.onnx_name for spec in INPUT_SPECS],
            output_names=[spec.onnx_name for spec in outputs],
            dynamic_axes={spec.onnx_name: spec.dynamic_axes for spec in (*INPUT_SPECS, *outputs)},
            opset_version=OPSET,
            dynamo=False,
            do_constant_folding=False,  # or the exporter would unpack the weights
        )


def largest_difference(network: DocumentNetwork, path: Path, *, words: int = 120, fields: int = 12) -> float:
    """Between the trained and the exported network, in probability of start, end and inside, on random arrays."""
    session = load_onnxruntime().InferenceSession(str(path), providers=["CPUExecutionProvider"])
    inputs = random_inputs(fields, words)
    with torch.no_grad():
        trained = torch.sigmoid(network(inputs).span_logits).numpy()
    exported = NetworkOutputs.ordered(session.run(None, inputs.map(Tensor.numpy).by_onnx_name()))
    return float(np.abs(1.0 / (1.0 + np.exp(-exported.span_logits)) - trained).max())


def export(checkpoint: Path, folder: Path) -> dict[str, float]:
    """Writes network.onnx and tokenizer.json, and takes away the calibration of the weights that were there before.
    Returns the differences and the size in megabytes."""
    network = load_network(checkpoint)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        float_file = Path(temporary) / "float.onnx"
        export_onnx(network, float_file)
        report = {"float_difference": largest_difference(network, float_file)}
    packed = load_network(checkpoint)
    pack(packed)
    export_onnx(packed, folder / "network.onnx")
    (folder / "calibration.json").unlink(missing_ok=True)
    shutil.copy(pretrained_folder() / "tokenizer.json", folder / "tokenizer.json")
    report["int8_difference"] = largest_difference(network, folder / "network.onnx")
    report["megabytes"] = (folder / "network.onnx").stat().st_size / 1e6
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    for name, value in export(options.checkpoint, options.folder).items():
        print(f"{name}: {value:.4f}")  # noqa: T201 - the command's result


if __name__ == "__main__":
    main()
