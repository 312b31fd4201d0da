"""Loads a model that writes, with eyes or without, and its processor onto the card at hand, or says with figures why
that cannot be.

In: what stands after `hf:`. Out: a `LoadedModel`, in evaluation mode. Only safetensors are read and no code of a
repository is ever run.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText, AutoProcessor
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
)
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

from docpipe.errors import ModelError
from docpipe.extractors.local.models import fetch
from docpipe.extractors.local.models.catalogue import smaller_than
from docpipe.extractors.local.models.devices import find_devices
from docpipe.extractors.local.models.memory_estimate import (
    PAGE_TOKENS,
    Device,
    ModelShape,
    batch_size,
    choose_device,
    choose_dtype,
    in_gib,
    required_memory,
)
from docpipe.extractors.local.models.processors import text_processor, without_video_processor
from docpipe.extractors.local.models.source import ModelSource, check_installed, parse_source

ATTENTION_IMPLEMENTATIONS = ("sdpa", "eager")
"""In this order. The engine gives each output sequence its own mask, which flash-attention 2 cannot take; PyTorch's own
does. Eager is for the few parts of models that have nothing else (Donut's Swin)."""

log = logging.getLogger(__name__)
_transformers_logging: Any = transformers.utils.logging
_transformers_logging.disable_progress_bar()  # of the seconds in which weights are read; those of a download are shown


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """`name` is `hf:ORG/NAME@REVISION`; `device` has the free memory before the weights came."""

    name: str
    model: Any
    processor: Any
    device: Device
    dtype: torch.dtype
    shape: ModelShape

    @property
    def torch_device(self) -> torch.device:
        return torch.device(self.device.id)

    @property
    def free_memory(self) -> int:
        """Bytes that are free beside the model now."""
        if self.device.is_gpu:
            unused = torch.cuda.memory_reserved(self.torch_device) - torch.cuda.memory_allocated(self.torch_device)
            return int(torch.cuda.mem_get_info(self.torch_device)[0]) + unused
        return self.device.free_memory - self.shape.weight_bytes(self.dtype.itemsize)

    def batch_size(self, tokens: int = PAGE_TOKENS) -> int:
        """How many documents of so many tokens can go through at once; at least one."""
        return batch_size(self.shape, _dtype_name(self.dtype), self.free_memory, tokens)


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """How a model would be loaded. `stored_bytes` of its files."""

    source: ModelSource
    name: str
    folder: Path
    config: Any
    shape: ModelShape
    stored_bytes: int
    device: Device
    dtype: str


def plan_load(weights: str, devices: Sequence[Device] | None = None) -> LoadPlan:
    """Everything that can be known without the weights; of a repository that is not here only its small files are
    downloaded. Raises ModelError when it cannot be loaded or does not fit."""
    check_installed()
    source = parse_source(weights)
    folder = fetch.fetch_config(source)
    config = _read_config(f"hf:{weights}", folder)
    sizes = fetch.weight_sizes(source, folder)
    name = source.name  # after the weights were looked at: a folder's name is a digest of them
    shape = ModelShape.of(config, sizes)
    device = choose_device(find_devices() if devices is None else devices)
    dtype = choose_dtype(device, shape, _dtype_name(config.dtype))
    if required_memory(shape, dtype) > device.free_memory:
        raise _too_large_error(name, device, shape, dtype)
    return LoadPlan(source, name, folder, config, shape, sizes.stored_bytes, device, dtype)


def load(weights: str, *, threads: int, devices: Sequence[Device] | None = None) -> LoadedModel:
    """`devices` stand for those of this machine, where they are not to be looked for. Raises ModelError."""
    plan = plan_load(weights, devices)
    if plan.device.is_gpu and plan.dtype == "float32" and _dtype_name(plan.config.dtype) == "bfloat16":
        log.warning("%s has no bfloat16: %s runs in float32, with twice the memory", plan.device.name, plan.name)
    folder = fetch.fetch_weights(plan.source, plan.folder, plan.stored_bytes)
    if not plan.device.is_gpu:
        torch.set_num_threads(threads)
    model = _load_model(plan.name, folder, plan.config, plan.dtype)
    processor = _load_processor(plan.name, folder, plan.config)
    try:
        model = model.to(plan.device.id)
    except torch.OutOfMemoryError as error:
        raise _too_large_error(plan.name, plan.device, plan.shape, plan.dtype) from error
    return LoadedModel(plan.name, model, processor, plan.device, getattr(torch, plan.dtype), plan.shape)


def _read_config(name: str, folder: Path) -> Any:
    """transformers' configuration of a model that writes text."""
    try:
        settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        model_type = settings["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{folder / 'config.json'} cannot be read: {error}", hint="Download the model again."
        ) from error
    if model_type not in CONFIG_MAPPING:
        if "auto_map" in settings:
            raise ModelError(
                f"{name} ({model_type}) comes with code of its own, which docpipe does not run",
                hint="Take a model that transformers knows: docs/models.md lists some.",
            )
        raise ModelError(
            f"transformers {transformers.__version__} does not know models of type {model_type!r} ({name})",
            hint="pip install --upgrade transformers, or take a model of docs/models.md.",
        )
    if not _sees_pictures(model_type) and model_type not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        architectures = ", ".join(settings.get("architectures") or [model_type])
        raise ModelError(
            f"{name} is a {architectures}, not a model that writes text",
            hint="Take one that the hub calls image-text-to-text or text-generation; docs/models.md lists some.",
        )
    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:
        raise ModelError(
            f"the configuration of {name} is not understood: {error}", hint="Try another model."
        ) from error


def _sees_pictures(model_type: str) -> bool:
    return model_type in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES


def _too_large_error(name: str, device: Device, shape: ModelShape, dtype: str) -> ModelError:
    smaller = smaller_than(device, shape)
    advice = f"{smaller.repository} fits ({smaller.licence})" if smaller else "No model of docs/models.md fits here"
    on_cpu = " To run it on the processor, slowly: CUDA_VISIBLE_DEVICES= (empty)." if device.is_gpu else ""
    where = f"the card {device.name}" if device.is_gpu else "this machine"
    free = f"{in_gib(device.free_memory)} of {in_gib(device.total_memory)} are free on {where}"
    return ModelError(
        f"{name} needs {in_gib(required_memory(shape, dtype))} in {dtype} with one page, and {free}",
        hint=f"{advice}; `docpipe doctor` says what else does. End other programs that use it.{on_cpu}",
    )


def _load_model(name: str, folder: Path, config: Any, dtype: str) -> Any:
    auto_model: Any = AutoModelForImageTextToText if _sees_pictures(config.model_type) else AutoModelForCausalLM
    for attention in ATTENTION_IMPLEMENTATIONS:
        try:
            model, report = auto_model.from_pretrained(
                folder,
                config=config,
                dtype=getattr(torch, dtype),
                attn_implementation=attention,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
                output_loading_info=True,
            )
        except Exception as error:
            if attention != ATTENTION_IMPLEMENTATIONS[-1] and "scaled_dot_product_attention" in str(error):
                continue
            raise ModelError(
                f"{name} cannot be loaded: {error}",
                hint="Its files may be damaged or may need a package that is not installed: download it again, or take"
                " another model.",
            ) from error
        break
    missing = sorted(report["missing_keys"])
    if missing:
        raise ModelError(
            f"the weights of {name} are not whole: {len(missing)} parts are missing, such as {missing[0]}",
            hint="It was saved as another kind of model, or not all of it. Take another revision.",
        )
    return model.eval().requires_grad_(False)


def _load_processor(name: str, folder: Path, config: Any) -> Any:
    """Pictures are prepared by PIL where torchvision is not installed; transformers sees to that by itself. Only the
    part that reads videos insists on it, and nobody asks for that."""
    try:
        if not _sees_pictures(config.model_type):
            return text_processor(folder)
        own_class: Any = PROCESSOR_MAPPING.get(type(config), None)
        has_videos = own_class and "video_processor" in own_class.get_attributes()
        processor_class: Any = without_video_processor(own_class) if has_videos else AutoProcessor
        processor = processor_class.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:
        raise ModelError(
            f"the processor of {name} cannot be loaded: {error}",
            hint="The folder must hold the tokenizer's and the image processor's files too."
            " If the reason names torchvision: pip install torchvision.",
        ) from error
    if getattr(processor, "image_processor", None) is None or getattr(processor, "tokenizer", None) is None:
        raise ModelError(
            f"{name} says nothing about how pictures become its input",
            hint="The folder must hold preprocessor_config.json and the tokenizer's files.",
        )
    return processor


def _dtype_name(dtype: Any) -> str:
    """`torch.bfloat16` as bfloat16; a configuration may say nothing, or a word."""
    return str(dtype).removeprefix("torch.")
