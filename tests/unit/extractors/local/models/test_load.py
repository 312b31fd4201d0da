"""Loading of local models: what is loaded, and what is refused and why."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from docpipe.errors import ModelError
from docpipe.extractors.local.models.load import load
from docpipe.extractors.local.models.memory_estimate import GIB, Device
from docpipe.extractors.local.models.source import check_installed, parse_source
from docpipe.extractors.local.models.weight_files import WEIGHTS_FILE, WEIGHTS_INDEX
from tests.support.model_loading import load_refusal
from tests.support.tiny_donut import save_tiny_donut
from tests.support.tiny_models import save_tiny_model, tiny_model
from tests.support.tiny_writers import save_tiny_writer

SMALL_GPU = Device("cuda:0", "Tiny T1", 2 * GIB, 400 * 1024**2, (7, 5))


@pytest.fixture
def folder(llava_folder, tmp_path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(llava_folder, tmp_path / "reader"))


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
    original = tiny_model("llava")[0].state_dict()
    assert all(torch.equal(original[name], weight) for name, weight in loaded.model.state_dict().items())


def test_a_path_may_be_relative_or_begin_at_home(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder.parent))
    names = {parse_source(path).name for path in ("reader", "./reader", "~/reader", str(folder))}
    assert names == {parse_source(str(folder)).name}


def test_a_model_that_reads_videos_too_needs_nothing_for_them(tmp_path):
    loaded = load(str(save_tiny_model("qwen2_5_vl", tmp_path)), threads=1)
    assert "Qwen2_5_VL" in type(loaded.model).__name__
    assert loaded.processor.image_processor is not None


def test_a_model_without_eyes_is_loaded_with_its_tokenizer(tmp_path):
    loaded = load(str(save_tiny_writer("text_qwen2", tmp_path)), threads=1)
    assert isinstance(loaded.model, transformers.Qwen2ForCausalLM)
    assert loaded.processor.image_processor is None
    assert loaded.processor.tokenizer.decode(loaded.processor.tokenizer("Betrag").input_ids) == "Betrag"


def test_an_encoder_with_a_decoder_is_loaded(tmp_path):
    """Donut: a Swin that sees, a BART that writes."""
    loaded = load(str(save_tiny_donut(tmp_path)), threads=1)
    assert isinstance(loaded.model, transformers.VisionEncoderDecoderModel)
    assert isinstance(loaded.processor, transformers.DonutProcessor)
    decoder = loaded.model.config.decoder
    assert (loaded.shape.layers, loaded.shape.kv_heads) == (decoder.decoder_layers, decoder.decoder_attention_heads)
    assert loaded.shape.parameters == sum(weight.numel() for weight in loaded.model.parameters())


def test_the_name_of_a_folder_follows_what_is_in_it(folder, tmp_path):
    before = parse_source(str(folder)).name
    moved = Path(shutil.copytree(folder, tmp_path / "elsewhere" / "reader"))
    assert parse_source(str(moved)).name == before
    (moved / "README.md").write_text("Read me.")
    assert parse_source(str(moved)).name == before
    weights = {name: weight + 0.001 for name, weight in load_file(folder / WEIGHTS_FILE).items()}
    save_file(weights, folder / WEIGHTS_FILE, metadata={"format": "pt"})
    trained = parse_source(str(folder)).name
    write_config(moved, image_seq_length=17)
    assert len({before, trained, parse_source(str(moved)).name}) == 3


@pytest.mark.parametrize("revision", ["", "@main", "@v1.0", "@0123abc", "@" + "g" * 40])
def test_a_repository_without_a_commit_is_refused_with_the_command_that_prints_it(revision):
    refusal = load_refusal(f"acme/reader{revision}")
    assert "reproducible" in refusal
    assert "git ls-remote https://huggingface.co/acme/reader HEAD" in refusal


@pytest.mark.parametrize("weights", ["", "./no/folder", "/no/folder", "~no-such-user/x", "reader", "a/b/c@" + "0" * 40])
def test_what_is_neither_folder_nor_repository_is_refused(weights):
    assert "neither a folder" in load_refusal(weights)


def damage_folder(folder: Path, damage: str) -> None:
    if damage == "cut off":
        content = (folder / WEIGHTS_FILE).read_bytes()
        (folder / WEIGHTS_FILE).write_bytes(content[:-100])
    elif damage == "no weights":
        (folder / WEIGHTS_FILE).rename(folder / "pytorch_model.bin")
    elif damage == "a shard lacks":
        (folder / WEIGHTS_FILE).unlink()
        (folder / WEIGHTS_INDEX).write_text(json.dumps({"weight_map": {"a": "model-00001-of-00002.safetensors"}}))
    elif damage == "parts lack":
        weights = load_file(folder / WEIGHTS_FILE)
        kept = {name: weight for name, weight in weights.items() if "projector" not in name}
        save_file(kept, folder / WEIGHTS_FILE, metadata={"format": "pt"})
    elif damage == "no config":
        (folder / "config.json").unlink()
    elif damage == "adapter":
        (folder / "config.json").rename(folder / "adapter_config.json")
    elif damage == "gguf":
        (folder / "config.json").rename(folder / "reader.gguf")
    elif damage == "broken config":
        (folder / "config.json").write_text("{")
    elif damage == "unknown type":
        write_config(folder, model_type="clairvoyant")
    elif damage == "own code":
        write_config(folder, model_type="clairvoyant", auto_map={"AutoConfig": "evil.Config"})
    elif damage == "writes nothing":
        write_config(folder, model_type="vit", architectures=["ViTForImageClassification"])
    elif damage == "no processor":
        for file in ("preprocessor_config.json", "processor_config.json"):
            (folder / file).unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("damage", "reason", "advice"),
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
        ("writes nothing", "ViTForImageClassification, not a model that writes", "text-generation"),
        ("no processor", "processor", "image processor's files"),
    ],
)
def test_what_cannot_be_loaded_is_refused_with_the_reason(folder, damage, reason, advice):
    damage_folder(folder, damage)
    refusal = load_refusal(folder)
    assert reason in refusal
    assert advice in refusal


def test_what_is_not_installed_is_named_with_the_extra():
    check_installed(("json",))
    with pytest.raises(ModelError, match="no_such_torch") as caught:
        check_installed(("json", "no_such_torch"))
    assert "pip install '.[gpu]'" in caught.value.hint


def test_a_model_that_does_not_fit_is_refused_with_the_figures(folder):
    refusal = load_refusal(folder, devices=[SMALL_GPU])
    assert "needs 0.5 GiB in float32" in refusal
    assert "0.4 GiB of 2.0 GiB are free on the card Tiny T1" in refusal
    assert "CUDA_VISIBLE_DEVICES" in refusal
