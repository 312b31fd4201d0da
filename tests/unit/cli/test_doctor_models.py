"""What `docpipe doctor` says about cards and local models."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from docpipe.cli import invoke
from docpipe.cli.doctor import Finding, local_models
from docpipe.extractors.local.models.catalogue import CATALOGUE
from docpipe.extractors.local.models.memory_estimate import GIB, Device
from tests.support.hub import COMMIT, Hub, fake_hub, use_hub
from tests.support.tiny_models import save_tiny_model

L4 = Device("cuda:0", "NVIDIA L4", 23 * GIB, 22 * GIB, (8, 9), has_bfloat16=True)
T4 = Device("cuda:1", "Tesla T4", 15 * GIB, 14 * GIB, (7, 5))
CPU = Device("cpu", "EPYC", 64 * GIB, 60 * GIB)


def finding_about(findings: list[Finding], text: str) -> Finding:
    return next(finding for finding in findings if text in f"{finding.subject} {finding.detail}")


def test_doctor_says_for_each_card_what_it_has_and_calculates_in():
    findings = list(local_models([L4, T4, CPU]))
    card = finding_about(findings, "cuda:0")
    assert "NVIDIA L4, 22.0 GiB of 23.0 GiB free, compute capability 8.9, bfloat16" in card.detail
    assert "float32 (no bfloat16)" in finding_about(findings, "cuda:1").detail
    assert "float32" in finding_about(findings, "EPYC, 60.0 GiB").detail
    assert not any(finding.exit_code for finding in findings)


def test_doctor_says_of_each_recommended_model_whether_it_fits_the_emptiest_card():
    findings = list(local_models([T4, L4, CPU]))
    assert {finding_about(findings, model.repository).label for model in CATALOGUE} == {"fits", "too big"}
    assert finding_about(findings, "Qwen/Qwen3-VL-8B-Instruct").label == "fits"
    large = finding_about(findings, "google/gemma-3-12b-it")
    assert large.label == "too big"
    assert "27.1 GiB in bfloat16" in large.subject
    assert "NVIDIA L4" in findings[-1].detail


def test_an_older_card_needs_twice_the_memory():
    findings = list(local_models([T4, CPU]))
    assert finding_about(findings, "Qwen/Qwen3-VL-2B-Instruct").subject.endswith("in float32")
    assert finding_about(findings, "Qwen/Qwen3-VL-4B-Instruct").label == "too big"


def test_without_a_card_doctor_says_what_that_costs():
    findings = list(local_models([CPU]))
    assert "slow" in finding_about(findings, "graphics card").consequence
    assert finding_about(findings, "Qwen/Qwen3-VL-2B-Instruct").label == "fits"


def test_doctor_works_without_torch(tmp_path):
    """A Python in which nothing of the extra can be imported, nor found by its metadata."""
    code = (
        "import sys, importlib.metadata as known\n"
        "hidden = {'torch', 'transformers', 'llguidance', 'huggingface_hub'}\n"
        "for name in hidden: sys.modules[name] = None\n"
        "real = known.version\n"
        "def version(name):\n"
        "    if name in hidden: raise known.PackageNotFoundError(name)\n"
        "    return real(name)\n"
        "known.version = version\n"
        "from docpipe.cli import invoke\n"
        "sys.exit(invoke(['doctor']))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "not looked for without torch" in done.stdout
    assert done.stdout.count("pip install '.[gpu]'") == 3


@pytest.fixture
def quiet_folder(tmp_path, monkeypatch) -> Path:
    """Where doctor finds no database."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def doctor_output(model: str, monkeypatch, capsys) -> tuple[int, str]:
    monkeypatch.setenv("DOCPIPE_MODEL", model)
    code = invoke(["doctor"])
    return code, " ".join(capsys.readouterr().out.split())


def test_doctor_says_how_the_chosen_model_would_run(quiet_folder, monkeypatch, capsys):
    folder = save_tiny_model("llava", quiet_folder)
    code, output = doctor_output(f"embedded,hf:{folder}", monkeypatch, capsys)
    assert code == 0
    assert "ok embedded embedded:" in output
    assert "hf:llava@" in output and "in float32 on" in output


def test_doctor_says_why_the_chosen_model_cannot_run(quiet_folder, monkeypatch, capsys):
    code, output = doctor_output("hf:acme/reader@main", monkeypatch, capsys)
    assert code == 5
    assert "MISSING hf:acme/reader@main" in output
    assert "git ls-remote" in output


def test_doctor_does_not_download_the_chosen_model(quiet_folder, monkeypatch, capsys):
    with fake_hub(save_tiny_model("llava", quiet_folder)) as hub:
        use_hub(hub.url, quiet_folder / "cache", monkeypatch)
        code, output = doctor_output(f"hf:acme/reader@{COMMIT}", monkeypatch, capsys)
        assert_untouched(hub)
    assert code == 0
    assert "not downloaded yet" in output


def assert_untouched(hub: Hub) -> None:
    assert hub.requested_paths == []
