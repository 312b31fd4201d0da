"""What a model needs and what fits: the estimates against what is there, and the catalogue against the docs."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
import transformers
from transformers import AutoModelForImageTextToText

from benchmarks.service.servers import START_SECONDS
from docpipe.extractors.local.models import catalogue, memory_estimate
from docpipe.extractors.local.models.load import load
from docpipe.extractors.local.models.memory_estimate import GIB, Device, ModelShape
from docpipe.extractors.local.models.weight_files import WeightSizes
from tests.support.repository import ROOT
from tests.support.tiny_models import save_tiny_model

SMALL_GPU = Device("cuda:0", "Tiny T1", 2 * GIB, 400 * 1024**2, (7, 5))
MODEL = ModelShape(8_000_000_000, 32, 8, 128, 4096, 14336)


def test_names_and_estimates_come_without_torch():
    code = (
        "import sys; from docpipe.extractors.local.models import catalogue, memory_estimate, source;"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=START_SECONDS)


def test_the_refusal_names_the_largest_model_that_fits_and_is_free_to_use():
    gpu = Device("cuda:0", "L4", 10 * GIB, 9 * GIB, (8, 9), has_bfloat16=True)
    smaller = catalogue.smaller_than(gpu, MODEL)
    assert smaller is not None
    assert smaller.repository == "ibm-granite/granite-vision-3.3-2b"
    assert catalogue.smaller_than(gpu, smaller.shape).shape.parameters < smaller.shape.parameters
    assert catalogue.smaller_than(SMALL_GPU, MODEL) is None


def test_the_card_with_most_free_memory_is_taken_and_the_processor_only_without_cards():
    cpu = Device("cpu", "EPYC", 900 * GIB, 900 * GIB)
    full = Device("cuda:0", "A", 80 * GIB, GIB, (9, 0), has_bfloat16=True)
    empty = Device("cuda:1", "B", 24 * GIB, 20 * GIB, (8, 6), has_bfloat16=True)
    assert memory_estimate.choose_device([full, empty, cpu]) == empty
    assert memory_estimate.choose_device([full, cpu]) == full
    assert memory_estimate.choose_device([cpu]) == cpu


@pytest.mark.parametrize(
    ("device", "parameters", "saved_dtype", "dtype"),
    [
        (Device("cuda:0", "H100", GIB, GIB, (9, 0), has_bfloat16=True), 10**9, "float32", "bfloat16"),
        (Device("cuda:0", "T4", GIB, GIB, (7, 5)), 10**9, "float16", "float16"),
        (Device("cuda:0", "T4", GIB, GIB, (7, 5)), 10**9, "bfloat16", "float32"),
        (Device("cpu", "new", 64 * GIB, 64 * GIB, has_bfloat16=True), 10**8, "bfloat16", "float32"),
        (Device("cpu", "new", 64 * GIB, 64 * GIB, has_bfloat16=True), 3 * 10**9, "bfloat16", "bfloat16"),
        (Device("cpu", "old", 64 * GIB, 64 * GIB), 3 * 10**9, "bfloat16", "float32"),
        (Device("cpu", "old", 10 * GIB, 10 * GIB), 3 * 10**9, "bfloat16", "bfloat16"),
    ],
)
def test_numbers_are_as_exact_as_the_hardware_allows_and_never_overflow(device, parameters, saved_dtype, dtype):
    assert memory_estimate.choose_dtype(device, ModelShape(parameters, 10, 2, 64, 512, 2048), saved_dtype) == dtype


def test_a_batch_is_as_large_as_the_memory_beside_the_weights():
    each = memory_estimate.PAGE_TOKENS * (MODEL.token_bytes(2))
    assert memory_estimate.batch_size(MODEL, "bfloat16", memory_estimate.RESERVE + 5 * each) == 5
    assert memory_estimate.batch_size(MODEL, "bfloat16", memory_estimate.RESERVE + 5 * each - 1) == 4
    twice = 2 * memory_estimate.PAGE_TOKENS
    assert memory_estimate.batch_size(MODEL, "bfloat16", memory_estimate.RESERVE + 5 * each, tokens=twice) == 2
    assert memory_estimate.batch_size(MODEL, "bfloat16", 0) == 1


def test_quantised_weights_count_as_they_are_stored():
    config = transformers.LlavaConfig(quantization_config={"quant_method": "gptq", "bits": 4})
    assert ModelShape.of(config, WeightSizes(7_000_000_000, 4_000_000_000)).weight_bytes(2) == 4_000_000_000


def test_the_catalogue_has_the_sizes_that_the_architecture_gives():
    """The published widths of Qwen3-VL-2B; the model is built without memory for its weights."""
    model = next(model for model in catalogue.CATALOGUE if model.repository == "Qwen/Qwen3-VL-2B-Instruct")
    config = transformers.Qwen3VLConfig(
        text_config={
            "hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 28, "num_attention_heads": 16,
            "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936, "tie_word_embeddings": True,
        },
        vision_config={
            "depth": 24, "hidden_size": 1024, "intermediate_size": 4096, "num_heads": 16, "out_hidden_size": 2048,
            "deepstack_visual_indexes": [5, 11, 17],
        },
        tie_word_embeddings=True,
    )  # fmt: skip
    with torch.device("meta"):
        weights = AutoModelForImageTextToText.from_config(config).parameters()
    assert model.shape == ModelShape.of(config, WeightSizes(sum(weight.numel() for weight in weights), 0))


def test_the_table_in_the_docs_is_the_catalogue():
    docs = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    assert "\n".join(catalogue.table()) in docs, "renew it: python -m docpipe.extractors.local.models.catalogue"


@pytest.mark.parametrize("family", ["llava", "gemma3"])
def test_the_estimate_counts_the_parameters_that_are_there(tmp_path, family):
    """Gemma shares the weights of its first and its last layer: they are there once."""
    loaded = load(str(save_tiny_model(family, tmp_path)), threads=1)
    weights = list(loaded.model.parameters())
    assert loaded.shape.parameters == sum(weight.numel() for weight in weights)
    assert loaded.shape.weight_bytes(4) == sum(weight.nbytes for weight in weights)


def test_the_estimate_of_the_cache_is_what_the_cache_takes(tmp_path):
    loaded = load(str(save_tiny_model("qwen2_5_vl", tmp_path)), threads=1)
    with torch.inference_mode():
        cache = loaded.model(input_ids=torch.full((1, 50), 9), use_cache=True).past_key_values
    cache_bytes = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
    assert cache_bytes == 50 * loaded.shape.cache_bytes(4)
