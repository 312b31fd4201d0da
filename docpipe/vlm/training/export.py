"""A trained checkpoint becomes the file that ships: ONNX, weights in int8, compared with what was trained.

`python -m docpipe.vlm.training.export runs/network/best.pt docpipe/vlm/weights`
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from docpipe.vlm.encode import CANVAS_HEIGHT, CANVAS_WIDTH, CONTEXT, NEAR, PIECES_PER_WORD
from docpipe.vlm.network import DocumentNetwork
from docpipe.vlm.training.checkpoint import load_network, pretrained_folder

INPUTS = (
    "prompts", "which", "group", "repeated",
    "pieces", "shape", "boxes", "context", "places", "seen", "near", "picture",
)  # fmt: skip
OUTPUTS = ("logits", "absent", "together")
OPSET = 18
LARGE = 1000  # rows from which an embedding is packed


class PackedEmbedding(nn.Module):
    """An embedding in int8 with one scale per row: a quarter of the size, unpacked where it is looked up."""

    def __init__(self, source: nn.Embedding) -> None:
        super().__init__()
        small, scale = packed(source.weight)
        self.register_buffer("small", small)  # [V, D]
        self.register_buffer("scale", scale)  # [V, 1]

    def forward(self, ids: Tensor) -> Tensor:
        return self.small[ids].float() * self.scale[ids]  # type: ignore[index]


class PackedLinear(nn.Module):
    """A linear layer whose weights are kept in int8 with one scale per output; onnxruntime unpacks them once, when it
    loads. Activations stay in float: in int8 they moved probabilities by up to .2, for a quarter of the time."""

    def __init__(self, source: nn.Linear) -> None:
        super().__init__()
        small, scale = packed(source.weight)
        self.register_buffer("small", small)  # [out, in]
        self.register_buffer("scale", scale)  # [out, 1]
        self.bias = source.bias

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.small.float() * self.scale, self.bias)  # type: ignore[operator]


def packed(weight: Tensor) -> tuple[Tensor, Tensor]:
    """int8 values and one scale per row: weight = values * scale, to within half a step."""
    scale = weight.detach().abs().amax(1, keepdim=True).clamp(min=1e-8) / 127.0
    return (weight.detach() / scale).round().to(torch.int8), scale


def pack(module: nn.Module) -> None:
    """Replace, in place, all linear layers and the large embeddings."""
    for name, child in module.named_children():
        if isinstance(child, nn.Linear):
            setattr(module, name, PackedLinear(child))
        elif isinstance(child, nn.Embedding) and child.num_embeddings > LARGE:
            setattr(module, name, PackedEmbedding(child))
        else:
            pack(child)


class Flat(nn.Module):
    """The network with its inputs in a row, as ONNX wants them."""

    def __init__(self, network: DocumentNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        result: tuple[Tensor, Tensor, Tensor] = self.network(*grouped(inputs))
        return result


def grouped(inputs: Sequence[Tensor]) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...], Tensor]:
    """INPUTS as the network takes them: fields, words, picture."""
    return tuple(inputs[:4]), tuple(inputs[4:11]), inputs[11]


def sample_inputs(fields: int, words: int) -> tuple[Tensor, ...]:
    """Random arrays of the right shapes and ranges."""
    return (
        torch.randint(1000, 20000, (fields, 9)),
        torch.arange(fields)[None],
        torch.randint(0, 8, (1, fields)),
        torch.randint(0, 2, (1, fields)),
        torch.randint(1000, 20000, (1, words, PIECES_PER_WORD)),
        torch.randint(0, 2000, (1, words)),
        torch.rand(1, words, 4),
        torch.rand(1, words, CONTEXT).round(),
        torch.rand(1, words, 4),
        torch.rand(1, words, 4),
        torch.randint(-1, words, (1, words, NEAR)),
        torch.rand(1, CANVAS_HEIGHT, CANVAS_WIDTH),
    )


def export_onnx(network: DocumentNetwork, path: Path) -> None:
    axes = {
        "prompts": {0: "descriptions", 1: "prompt_pieces"},
        "which": {1: "fields"}, "group": {1: "fields"}, "repeated": {1: "fields"},
        **{name: {1: "words"} for name in ("pieces", "shape", "boxes", "context", "places", "seen", "near")},
        "logits": {1: "fields", 3: "words"}, "absent": {1: "fields"}, "together": {1: "words", 2: "words"},
    }  # fmt: skip
    with torch.no_grad(), warnings.catch_warnings():
        # the newer exporter unrolls the shared encoder into separate weights; the older one is said to be legacy
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Flat(network).eval(), sample_inputs(5, 40), str(path),
            input_names=list(INPUTS), output_names=list(OUTPUTS), dynamic_axes=axes, opset_version=OPSET, dynamo=False,
            do_constant_folding=False,  # or the exporter would unpack the weights
        )  # fmt: skip


def largest_difference(network: DocumentNetwork, path: Path, *, words: int = 120, fields: int = 12) -> float:
    """Between the trained and the exported network, in probability of begin, end and inside, on random arrays."""
    import onnxruntime  # heavy: native library

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    inputs = sample_inputs(fields, words)
    with torch.no_grad():
        expected = torch.sigmoid(network(*grouped(inputs))[0]).numpy()
    logits = session.run(None, dict(zip(INPUTS, (i.numpy() for i in inputs), strict=True)))[0]
    return float(np.abs(1.0 / (1.0 + np.exp(-logits)) - expected).max())


def export(checkpoint: Path, folder: Path) -> dict[str, float]:
    """Writes network.onnx and tokenizer.json, and takes away the calibration of the weights that were there before.
    Returns the differences and the size in megabytes."""
    network = load_network(checkpoint)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as workplace:
        exact = Path(workplace) / "float.onnx"
        export_onnx(network, exact)
        report = {"float_difference": largest_difference(network, exact)}
    small = load_network(checkpoint)
    pack(small)
    export_onnx(small, folder / "network.onnx")
    (folder / "calibration.json").unlink(missing_ok=True)
    shutil.copy(pretrained_folder() / "tokenizer.json", folder / "tokenizer.json")
    report["int8_difference"] = largest_difference(network, folder / "network.onnx")
    report["megabytes"] = (folder / "network.onnx").stat().st_size / 1e6
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    for name, value in export(given.checkpoint, given.folder).items():
        print(f"{name}: {value:.4f}")  # noqa: T201 - the command's result


if __name__ == "__main__":
    main()
