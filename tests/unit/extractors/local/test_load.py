"""Loading of local models: what is loaded, what is refused and why, and whether it fits."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageTextToText

from docpipe.errors import ModelError
from docpipe.extractors.local.models import catalogue, memory_estimate
from docpipe.extractors.local.models.load import load, plan
from docpipe.extractors.local.models.memory_estimate import GIB, Place, Shape, Weights
from docpipe.extractors.local.models.source import check_installed, parse
from tests.support import tiny_donut
from tests.support.hub import COMMIT, Hub, point_at, serving
from tests.support.repository import ROOT
from tests.support.tiny_models import built, tiny

SMALL_CARD = Place("cuda:0", "Tiny T1", 2 * GIB, 400 * 1024**2, (7, 5))
MODEL = Shape(8_000_000_000, 32, 8, 128, 4096, 14336)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    return tiny("llava", tmp_path_factory.mktemp("models"))


@pytest.fixture
def folder(made, tmp_path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(made, tmp_path / "reader"))


def refusal(weights: object, **kwargs) -> str:
    """The message and the hint with which a model is refused."""
    with pytest.raises(ModelError) as caught:
        load(str(weights), threads=1, **kwargs)
    return f"{caught.value.message} | {caught.value.hint}"


def write_config(folder: Path, **changes) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_a_folder_is_loaded_ready_to_read(folder):
    loaded = load(str(folder), threads=1)
    assert isinstance(loaded.model, transformers.LlavaForConditionalGeneration)
    assert loaded.name.startswith("hf:reader@") and len(loaded.name) == len("hf:reader@") + 12
    assert not loaded.model.training and not any(weight.requires_grad for weight in loaded.model.parameters())
    assert {weight.dtype for weight in loaded.model.parameters()} == {loaded.dtype}
    assert loaded.model.config.get_text_config()._attn_implementation == "sdpa"
    assert loaded.processor.tokenizer.decode(loaded.processor.tokenizer("Betrag").input_ids) == "Betrag"
    original = built("llava")[0].state_dict()
    assert all(torch.equal(original[name], weight) for name, weight in loaded.model.state_dict().items())


def test_a_path_may_be_relative_or_begin_at_home(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder.parent))
    assert {parse(path).name for path in ("reader", "./reader", "~/reader", str(folder))} == {parse(str(folder)).name}


def test_a_model_that_reads_videos_too_needs_nothing_for_them(tmp_path):
    loaded = load(str(tiny("qwen2_5_vl", tmp_path)), threads=1)
    assert "Qwen2_5_VL" in type(loaded.model).__name__
    assert loaded.processor.image_processor is not None


def test_an_encoder_with_a_decoder_is_loaded(tmp_path):
    """Donut: a Swin that sees, a BART that writes."""
    loaded = load(str(tiny_donut.tiny(tmp_path)), threads=1)
    assert isinstance(loaded.model, transformers.VisionEncoderDecoderModel)
    assert isinstance(loaded.processor, transformers.DonutProcessor)
    writes = loaded.model.config.decoder
    assert (loaded.shape.layers, loaded.shape.key_heads) == (writes.decoder_layers, writes.decoder_attention_heads)
    assert loaded.shape.parameters == sum(weight.numel() for weight in loaded.model.parameters())


def test_the_name_of_a_folder_follows_what_is_in_it(folder, tmp_path):
    before = parse(str(folder)).name
    moved = Path(shutil.copytree(folder, tmp_path / "elsewhere" / "reader"))
    assert parse(str(moved)).name == before
    (moved / "README.md").write_text("Read me.")
    assert parse(str(moved)).name == before
    weights = {name: weight + 0.001 for name, weight in load_file(folder / memory_estimate.SINGLE).items()}
    save_file(weights, folder / memory_estimate.SINGLE, metadata={"format": "pt"})
    trained = parse(str(folder)).name
    write_config(moved, image_seq_length=17)
    assert len({before, trained, parse(str(moved)).name}) == 3


@pytest.mark.parametrize("revision", ["", "@main", "@v1.0", "@0123abc", "@" + "g" * 40])
def test_a_repository_without_a_commit_is_refused_with_the_command_that_prints_it(revision):
    said = refusal(f"acme/reader{revision}")
    assert "reproducible" in said
    assert "git ls-remote https://huggingface.co/acme/reader HEAD" in said


@pytest.mark.parametrize("weights", ["", "./no/folder", "/no/folder", "~nobody/x", "reader", "a/b/c@" + "0" * 40])
def test_what_is_neither_folder_nor_repository_is_refused(weights):
    assert "neither a folder" in refusal(weights)


def damaged(folder: Path, how: str) -> None:
    if how == "cut off":
        content = (folder / memory_estimate.SINGLE).read_bytes()
        (folder / memory_estimate.SINGLE).write_bytes(content[:-100])
    elif how == "no weights":
        (folder / memory_estimate.SINGLE).rename(folder / "pytorch_model.bin")
    elif how == "a shard lacks":
        (folder / memory_estimate.SINGLE).unlink()
        (folder / memory_estimate.INDEX).write_text(
            json.dumps({"weight_map": {"a": "model-00001-of-00002.safetensors"}})
        )
    elif how == "parts lack":
        weights = load_file(folder / memory_estimate.SINGLE)
        kept = {name: weight for name, weight in weights.items() if "projector" not in name}
        save_file(kept, folder / memory_estimate.SINGLE, metadata={"format": "pt"})
    elif how == "no config":
        (folder / "config.json").unlink()
    elif how == "adapter":
        (folder / "config.json").rename(folder / "adapter_config.json")
    elif how == "gguf":
        (folder / "config.json").rename(folder / "reader.gguf")
    elif how == "broken config":
        (folder / "config.json").write_text("{")
    elif how == "unknown type":
        write_config(folder, model_type="clairvoyant")
    elif how == "own code":
        write_config(folder, model_type="clairvoyant", auto_map={"AutoConfig": "evil.Config"})
    elif how == "text only":
        write_config(folder, model_type="llama", architectures=["LlamaForCausalLM"])
    elif how == "no processor":
        for file in ("preprocessor_config.json", "processor_config.json"):
            (folder / file).unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("how", "why", "advice"),
    [
        ("cut off", "damaged", "download the model again"),
        ("no weights", "no weights as safetensors", "docs/models.md"),
        ("a shard lacks", "lacks model-00001-of-00002.safetensors", "copy all its files"),
        ("parts lack", "not whole: 4 parts are missing", "another revision"),
        ("no config", "no config.json", "folder that holds it"),
        ("adapter", "an adapter, not a model", "merge_and_unload"),
        ("gguf", "GGUF", "docs/hosted.md"),
        ("broken config", "cannot be read", "Download the model again"),
        ("unknown type", "does not know models of type 'clairvoyant'", "pip install --upgrade transformers"),
        ("own code", "code of its own, which docpipe does not run", "docs/models.md"),
        ("text only", "LlamaForCausalLM, not a model that reads pictures", "image-text-to-text"),
        ("no processor", "processor", "image processor's files"),
    ],
)
def test_what_cannot_be_loaded_is_refused_with_the_reason(folder, how, why, advice):
    damaged(folder, how)
    said = refusal(folder)
    assert why in said
    assert advice in said


def test_what_is_not_installed_is_named_with_the_extra():
    check_installed(("json",))
    with pytest.raises(ModelError, match="no_such_torch") as caught:
        check_installed(("json", "no_such_torch"))
    assert "pip install '.[gpu]'" in caught.value.hint


def test_names_and_estimates_come_without_torch():
    code = (
        "import sys; from docpipe.extractors.local import catalogue, fit, source;"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("family", ["llava", "gemma3"])
def test_the_estimate_counts_the_parameters_that_are_there(tmp_path, family):
    """Gemma shares the weights of its first and its last layer: they are there once."""
    loaded = load(str(tiny(family, tmp_path)), threads=1)
    weights = list(loaded.model.parameters())
    assert loaded.shape.parameters == sum(weight.numel() for weight in weights)
    assert loaded.shape.weights(4) == sum(weight.nbytes for weight in weights)


def test_the_estimate_of_the_cache_is_what_the_cache_takes(tmp_path):
    loaded = load(str(tiny("qwen2_5_vl", tmp_path)), threads=1)
    with torch.inference_mode():
        cache = loaded.model(input_ids=torch.full((1, 50), 9), use_cache=True).past_key_values
    kept = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
    assert kept == 50 * loaded.shape.cache(4)


def test_a_model_that_does_not_fit_is_refused_with_the_figures(folder):
    said = refusal(folder, places=[SMALL_CARD])
    assert "needs 0.5 GiB in float32" in said
    assert "0.4 GiB of 2.0 GiB are free on the card Tiny T1" in said
    assert "CUDA_VISIBLE_DEVICES" in said


def test_the_refusal_names_the_largest_model_that_fits_and_is_free_to_use():
    card = Place("cuda:0", "L4", 10 * GIB, 9 * GIB, (8, 9), fast_bfloat16=True)
    smaller = catalogue.smaller_than(card, MODEL)
    assert smaller is not None
    assert smaller.repository == "ibm-granite/granite-vision-3.3-2b"
    assert catalogue.smaller_than(card, smaller.shape).shape.parameters < smaller.shape.parameters
    assert catalogue.smaller_than(SMALL_CARD, MODEL) is None


def test_the_card_with_most_free_memory_is_taken_and_the_processor_only_without_cards():
    processor = Place("cpu", "EPYC", 900 * GIB, 900 * GIB)
    full = Place("cuda:0", "A", 80 * GIB, GIB, (9, 0), fast_bfloat16=True)
    empty = Place("cuda:1", "B", 24 * GIB, 20 * GIB, (8, 6), fast_bfloat16=True)
    assert memory_estimate.choose_place([full, empty, processor]) == empty
    assert memory_estimate.choose_place([full, processor]) == full
    assert memory_estimate.choose_place([processor]) == processor


@pytest.mark.parametrize(
    ("place", "parameters", "stated", "dtype"),
    [
        (Place("cuda:0", "H100", GIB, GIB, (9, 0), fast_bfloat16=True), 10**9, "float32", "bfloat16"),
        (Place("cuda:0", "T4", GIB, GIB, (7, 5)), 10**9, "float16", "float16"),
        (Place("cuda:0", "T4", GIB, GIB, (7, 5)), 10**9, "bfloat16", "float32"),
        (Place("cpu", "new", 64 * GIB, 64 * GIB, fast_bfloat16=True), 10**8, "bfloat16", "float32"),
        (Place("cpu", "new", 64 * GIB, 64 * GIB, fast_bfloat16=True), 3 * 10**9, "bfloat16", "bfloat16"),
        (Place("cpu", "old", 64 * GIB, 64 * GIB), 3 * 10**9, "bfloat16", "float32"),
        (Place("cpu", "old", 10 * GIB, 10 * GIB), 3 * 10**9, "bfloat16", "bfloat16"),
    ],
)
def test_numbers_are_as_exact_as_the_hardware_allows_and_never_overflow(place, parameters, stated, dtype):
    assert memory_estimate.dtype_for(place, Shape(parameters, 10, 2, 64, 512, 2048), stated) == dtype


def test_a_batch_is_as_large_as_the_memory_beside_the_weights():
    each = memory_estimate.PAGE_TOKENS * (MODEL.cache(2) + MODEL.working(2))
    assert memory_estimate.batch_that_fits(MODEL, "bfloat16", memory_estimate.RESERVE + 5 * each) == 5
    assert memory_estimate.batch_that_fits(MODEL, "bfloat16", memory_estimate.RESERVE + 5 * each - 1) == 4
    assert (
        memory_estimate.batch_that_fits(
            MODEL, "bfloat16", memory_estimate.RESERVE + 5 * each, tokens=2 * memory_estimate.PAGE_TOKENS
        )
        == 2
    )
    assert memory_estimate.batch_that_fits(MODEL, "bfloat16", 0) == 1


def test_quantised_weights_count_as_they_are_stored():
    config = transformers.LlavaConfig(quantization_config={"quant_method": "gptq", "bits": 4})
    assert Shape.of(config, Weights(7_000_000_000, 4_000_000_000)).weights(2) == 4_000_000_000


def test_the_catalogue_has_the_sizes_that_the_architecture_gives():
    """The published widths of Qwen3-VL-2B; the model is built without memory for its weights."""
    model = next(one for one in catalogue.CATALOGUE if one.repository == "Qwen/Qwen3-VL-2B-Instruct")
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
    assert model.shape == Shape.of(config, Weights(sum(weight.numel() for weight in weights), 0))


def test_the_table_in_the_docs_is_the_catalogue():
    docs = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    assert "\n".join(catalogue.table()) in docs, "renew it: python -m docpipe.extractors.local.models.catalogue"


@pytest.fixture
def hub(made, tmp_path, monkeypatch):
    with serving(made) as hub:
        point_at(hub.url, tmp_path / "cache", monkeypatch)
        yield hub


def test_a_repository_is_downloaded_once_and_then_needs_no_network(hub: Hub, monkeypatch):
    (hub.folder / "README.md").write_text("A model.")
    loaded = load(hub.name, threads=1)
    assert loaded.name == f"hf:acme/reader@{COMMIT}"
    assert not any("README" in path for path in hub.asked)
    hub.asked.clear()
    assert load(hub.name, threads=1).name == loaded.name
    assert hub.asked == []


def test_a_model_that_does_not_fit_is_refused_before_its_weights_are_downloaded(hub: Hub):
    hub.sizes[memory_estimate.SINGLE] = 40 * 10**9
    card = Place("cuda:0", "L4", 24 * GIB, 22 * GIB, (8, 9), fast_bfloat16=True)
    assert "needs 39.6 GiB in bfloat16" in refusal(hub.name, places=[card])
    assert not any(path.endswith(".safetensors") for path in hub.asked)


def test_a_disk_that_is_too_small_is_named_before_the_download(hub: Hub):
    hub.sizes[memory_estimate.SINGLE] = 10**15
    roomy = Place("cuda:0", "Giant", 10**16, 10**16, (9, 0), fast_bfloat16=True)
    said = refusal(hub.name, places=[roomy])
    assert "on the disk" in said and "HF_HOME" in said


@pytest.mark.parametrize(
    ("refused", "why", "advice"),
    [
        ((404, "RepoNotFound"), "no repository acme/reader", "private"),
        ((404, "RevisionNotFound"), f"no revision {COMMIT}", "git ls-remote"),
        ((403, "GatedRepo"), "accepted its terms", "HF_TOKEN"),
        ((500, "Broken"), "hub refused", "later"),
    ],
)
def test_what_the_hub_says_is_passed_on_with_advice(hub: Hub, refused, why, advice):
    hub.refusal = refused
    said = refusal(hub.name)
    assert why in said
    assert advice in said


def test_without_a_network_the_command_that_downloads_is_named_at_once(tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    point_at(f"http://127.0.0.1:{port}", tmp_path, monkeypatch)
    said = refusal(f"acme/reader@{COMMIT}")
    assert "the hub does not answer" in said
    assert f"hf download acme/reader --revision {COMMIT}" in said and "HF_HOME" in said


def test_offline_means_that_nobody_is_asked(hub: Hub, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE is set" in refusal(hub.name)
    assert hub.asked == []


def test_a_plan_says_how_a_model_would_run_without_its_weights(hub: Hub):
    known = plan(hub.name)
    assert (known.place.device, known.dtype) == ("cpu", "float32") or known.place.is_card
    assert not any(path.endswith(".safetensors") for path in hub.asked)
