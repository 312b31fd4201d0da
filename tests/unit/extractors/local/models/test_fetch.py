"""A model's files from the hub: what is downloaded, what is refused before that, and what happens without a network."""

from __future__ import annotations

import pytest

from docpipe.extractors.local.models.load import load, plan_load
from docpipe.extractors.local.models.memory_estimate import GIB, Device
from docpipe.extractors.local.models.weight_files import WEIGHTS_FILE
from tests.support.hub import COMMIT, Hub, Refusal, fake_hub, use_hub
from tests.support.model_loading import load_refusal
from tests.support.ports import closed_port


@pytest.fixture
def hub(llava_folder, tmp_path, monkeypatch):
    with fake_hub(llava_folder) as hub:
        use_hub(hub.url, tmp_path / "cache", monkeypatch)
        yield hub


def test_a_repository_is_downloaded_once_and_then_needs_no_network(hub: Hub, monkeypatch):
    (hub.folder / "README.md").write_text("A model.")
    loaded = load(hub.name, threads=1)
    assert loaded.name == f"hf:acme/reader@{COMMIT}"
    assert not any("README" in path for path in hub.requested_paths)
    hub.requested_paths.clear()
    assert load(hub.name, threads=1).name == loaded.name
    assert hub.requested_paths == []


def test_a_model_that_does_not_fit_is_refused_before_its_weights_are_downloaded(hub: Hub):
    hub.sizes[WEIGHTS_FILE] = 40 * 10**9
    gpu = Device("cuda:0", "L4", 24 * GIB, 22 * GIB, (8, 9), has_bfloat16=True)
    assert "needs 39.6 GiB in bfloat16" in load_refusal(hub.name, devices=[gpu])
    assert not any(path.endswith(".safetensors") for path in hub.requested_paths)


def test_a_disk_that_is_too_small_is_named_before_the_download(hub: Hub):
    hub.sizes[WEIGHTS_FILE] = 10**15
    roomy = Device("cuda:0", "Giant", 10**16, 10**16, (9, 0), has_bfloat16=True)
    refusal = load_refusal(hub.name, devices=[roomy])
    assert "on the disk" in refusal and "HF_HOME" in refusal


@pytest.mark.parametrize(
    ("answer", "reason", "advice"),
    [
        ((404, "RepoNotFound"), "no repository acme/reader", "private"),
        ((404, "RevisionNotFound"), f"no revision {COMMIT}", "git ls-remote"),
        ((403, "GatedRepo"), "accepted its terms", "HF_TOKEN"),
        ((500, "Broken"), "hub refused", "later"),
    ],
)
def test_what_the_hub_says_is_passed_on_with_advice(hub: Hub, answer, reason, advice):
    hub.refusal = Refusal(*answer)
    refusal = load_refusal(hub.name)
    assert reason in refusal
    assert advice in refusal


def test_without_a_network_the_command_that_downloads_is_named_at_once(tmp_path, monkeypatch):
    with closed_port() as port:
        use_hub(f"http://127.0.0.1:{port}", tmp_path, monkeypatch)
        refusal = load_refusal(f"acme/reader@{COMMIT}")
    assert "the hub does not answer" in refusal
    assert f"hf download acme/reader --revision {COMMIT}" in refusal and "HF_HOME" in refusal


def test_offline_means_that_nobody_is_asked(hub: Hub, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE is set" in load_refusal(hub.name)
    assert hub.requested_paths == []


def test_a_plan_says_how_a_model_would_run_without_its_weights(hub: Hub):
    plan = plan_load(hub.name)
    assert (plan.device.id, plan.dtype) == ("cpu", "float32") or plan.device.is_gpu
    assert not any(path.endswith(".safetensors") for path in hub.requested_paths)
