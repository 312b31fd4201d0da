"""Loads a vision-language model and its processor onto the card at hand, or says with figures why that cannot be.

In: what stands after `hf:`. Out: a `Loaded` model, in evaluation mode. Only safetensors are read and no code of a
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
from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING

from docpipe.errors import ModelError
from docpipe.extractors.local.models import fetch
from docpipe.extractors.local.models.catalogue import smaller_than
from docpipe.extractors.local.models.devices import find_places
from docpipe.extractors.local.models.family import without_videos
from docpipe.extractors.local.models.memory_estimate import (
    PAGE_TOKENS,
    Place,
    Shape,
    batch_that_fits,
    choose_place,
    dtype_for,
    in_gib,
    needed,
)
from docpipe.extractors.local.models.source import Source, check_installed, parse

ATTENTION = ("sdpa", "eager")
"""In this order. The engine gives each branch its own mask, which flash-attention 2 cannot take; PyTorch's own does.
Eager is for the few parts of models that have nothing else (Donut's Swin)."""

LOG = logging.getLogger(__name__)
quiet: Any = transformers.utils.logging
quiet.disable_progress_bar()  # of the seconds in which weights are read; those of a download are shown


@dataclass(frozen=True, slots=True)
class Loaded:
    """`name` is `hf:ORG/NAME@REVISION`; `place` has the free memory before the weights came."""

    name: str
    model: Any
    processor: Any
    place: Place
    dtype: torch.dtype
    shape: Shape

    @property
    def device(self) -> torch.device:
        return torch.device(self.place.device)

    @property
    def free(self) -> int:
        """Bytes that are free beside the model now."""
        if self.place.is_card:
            held = torch.cuda.memory_reserved(self.device) - torch.cuda.memory_allocated(self.device)
            return int(torch.cuda.mem_get_info(self.device)[0]) + held
        return self.place.free - self.shape.weights(self.dtype.itemsize)

    def batch(self, tokens: int = PAGE_TOKENS) -> int:
        """How many documents of so many tokens can go through at once; at least one."""
        return batch_that_fits(self.shape, _said(self.dtype), self.free, tokens)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model would be loaded. `stored`: bytes of its files."""

    source: Source
    name: str
    folder: Path
    config: Any
    shape: Shape
    stored: int
    place: Place
    dtype: str


def plan(weights: str, places: Sequence[Place] | None = None) -> Plan:
    """Everything that can be known without the weights; of a repository that is not here only its small files are
    downloaded. Raises ModelError when it cannot be loaded or does not fit."""
    check_installed()
    source = parse(weights)
    folder = fetch.described(source)
    config = _config(f"hf:{weights}", folder)
    weighed = fetch.weighed(source, folder)
    name = source.name  # after the weights were looked at: a folder's name is a digest of them
    shape = Shape.of(config, weighed)
    place = choose_place(find_places() if places is None else places)
    dtype = dtype_for(place, shape, _said(config.dtype))
    if needed(shape, dtype) > place.free:
        raise _too_large(name, place, shape, dtype)
    return Plan(source, name, folder, config, shape, weighed.stored, place, dtype)


def load(weights: str, *, threads: int, places: Sequence[Place] | None = None) -> Loaded:
    """`places` stand for the devices of this machine, where they are not to be looked for. Raises ModelError."""
    known = plan(weights, places)
    name, place, dtype = known.name, known.place, known.dtype
    if place.is_card and dtype == "float32" and _said(known.config.dtype) == "bfloat16":
        LOG.warning("%s has no bfloat16: %s runs in float32, with twice the memory", place.name, name)
    folder = fetch.complete(known.source, known.folder, known.stored)
    if not place.is_card:
        torch.set_num_threads(threads)
    model = _model(name, folder, known.config, dtype)
    processor = _processor(name, folder, known.config)
    try:
        model = model.to(place.device)
    except torch.OutOfMemoryError as error:
        raise _too_large(name, place, known.shape, dtype) from error
    return Loaded(name, model, processor, place, getattr(torch, dtype), known.shape)


def _config(name: str, folder: Path) -> Any:
    """transformers' configuration of a model that reads pictures and writes text."""
    try:
        said = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind = said["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{folder / 'config.json'} cannot be read: {error}", hint="Download the model again."
        ) from error
    if kind not in CONFIG_MAPPING:
        if "auto_map" in said:
            raise ModelError(
                f"{name} ({kind}) comes with code of its own, which docpipe does not run",
                hint="Take a model that transformers knows: docs/models.md lists some.",
            )
        raise ModelError(
            f"transformers {transformers.__version__} does not know models of type {kind!r} ({name})",
            hint="pip install --upgrade transformers, or take a model of docs/models.md.",
        )
    if kind not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        built = ", ".join(said.get("architectures") or [kind])
        raise ModelError(
            f"{name} is a {built}, not a model that reads pictures and writes text",
            hint="Take one that the hub calls image-text-to-text; docs/models.md lists some.",
        )
    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:
        raise ModelError(
            f"the configuration of {name} is not understood: {error}", hint="Try another model."
        ) from error


def _too_large(name: str, place: Place, shape: Shape, dtype: str) -> ModelError:
    smaller = smaller_than(place, shape)
    advice = f"{smaller.repository} fits ({smaller.licence})" if smaller else "No model of docs/models.md fits here"
    elsewhere = " To run it on the processor, slowly: CUDA_VISIBLE_DEVICES= (empty)." if place.is_card else ""
    where = f"the card {place.name}" if place.is_card else "this machine"
    return ModelError(
        f"{name} needs {in_gib(needed(shape, dtype))} in {dtype} with one page, and {in_gib(place.free)} of"
        f" {in_gib(place.total)} are free on {where}",
        hint=f"{advice}; `docpipe doctor` says what else does. End other programs that use it.{elsewhere}",
    )


def _model(name: str, folder: Path, config: Any, dtype: str) -> Any:
    anything: Any = AutoModelForImageTextToText
    for attention in ATTENTION:
        try:
            model, report = anything.from_pretrained(
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
            if attention != ATTENTION[-1] and "scaled_dot_product_attention" in str(error):
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


def _processor(name: str, folder: Path, config: Any) -> Any:
    """Pictures are prepared by PIL where torchvision is not installed; transformers sees to that by itself. Only the
    part that reads videos insists on it, and nobody asks for that."""
    try:
        known: Any = PROCESSOR_MAPPING.get(type(config), None)
        kind: Any = without_videos(known) if known and "video_processor" in known.get_attributes() else AutoProcessor
        processor = kind.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
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


def _said(dtype: Any) -> str:
    """`torch.bfloat16` as bfloat16; a configuration may say nothing, or a word."""
    return str(dtype).removeprefix("torch.")
