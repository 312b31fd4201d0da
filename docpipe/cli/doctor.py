"""`docpipe doctor`: what is installed, what is missing, and what that costs.

In: this computer and the settings. Out: one line per finding; an exit code other than 0 when `docpipe run` cannot work.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from docpipe.capacity import default_jobs, usable_cores, usable_memory
from docpipe.cli.options import json_option
from docpipe.cli.terminal import print_record
from docpipe.cli.wording import printable_url, without_password
from docpipe.components import ModelName, load_extractor
from docpipe.config import PREFIX, Settings, config_file, load_settings, readable, settings_of_file
from docpipe.errors import DocpipeError, ModelError, StoreError, install_hint
from docpipe.own_files import CONFIG_NAME
from docpipe.private_files import readable_by_others
from docpipe.render.renderer import poppler_is_installed

if TYPE_CHECKING:
    from docpipe.extractors.local.models.memory_estimate import Device

GIB = 1024**3
CHECKSUM_DIGITS = 12

REQUIRED = ("numpy", "onnxruntime", "rapidocr", "tokenizers", "pypdfium2", "pillow", "pydantic", "sqlalchemy")
OPTIONAL = {
    "pi-heif": "HEIC photos are refused",
    "psycopg": f"no PostgreSQL. {install_hint('postgres')}",
    "torch": f"no local vision-language model, no training. {install_hint('gpu')}",
    "transformers": f"no local vision-language model. {install_hint('gpu')}",
    "llguidance": f"no local vision-language model. {install_hint('gpu')}",
    "openai": f"no model behind an OpenAI-compatible API. {install_hint('hosted')}",
    "anthropic": f"no model of Anthropic's. {install_hint('hosted')}",
    "google-genai": f"no Gemini. {install_hint('hosted')}",
    "celery": f"no task queue. {install_hint('serve')}",
    "fastapi": f"no HTTP service. {install_hint('serve')}",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """`consequence` says what does not work (empty: all works); `exit_code` is 0 unless the main job cannot run without
    it; `label` stands for `ok` and `missing`."""

    subject: str
    detail: str
    consequence: str = ""
    exit_code: int = 0
    label: str = ""


@click.command()
@json_option("Print one JSON object: each topic with its findings, and whether the main job can run.")
def doctor(as_json: bool) -> int:
    """Show what is installed, what is missing, and what does not work without it.

    The exit code is 0 unless `docpipe run` cannot work here.
    """
    settings = load_settings()
    topics: dict[str, Callable[[], Iterator[Finding]]] = {
        "This computer": _computer,
        "Packages": _packages,
        "Programs": _programs,
        "Models": lambda: _models(settings),
        "Local vision-language models (docs/models.md)": local_models,
        "Database": lambda: _database(settings),
        f"Settings in force (environment, {config_file() or CONFIG_NAME}, default)": lambda: _settings(settings),
    }
    if as_json:
        return _print_json({topic: list(find()) for topic, find in topics.items()})
    exit_code = 0
    for topic, find in topics.items():
        click.secho(topic, bold=True)
        for finding in find():
            exit_code = exit_code or finding.exit_code
            click.echo(f"  {_line(finding)}")
    is_ready = exit_code == 0
    click.echo("The main job can run." if is_ready else "`docpipe run` cannot work before what is MISSING is there.")
    return exit_code


def _print_json(findings: Mapping[str, Sequence[Finding]]) -> int:
    exit_code = next((finding.exit_code for each in findings.values() for finding in each if finding.exit_code), 0)
    topics = {
        topic: [
            {
                "subject": finding.subject, "detail": finding.detail, "ok": not finding.consequence,
                "consequence": finding.consequence or None,
            }
            for finding in each
        ]
        for topic, each in findings.items()
    }  # fmt: skip
    print_record({"ready": exit_code == 0, "topics": topics})
    return exit_code


def _line(finding: Finding) -> str:
    label = "ok" if not finding.consequence else "MISSING" if finding.exit_code else "missing"
    consequence = f" ({finding.consequence})" if finding.consequence else ""
    return f"{finding.label or label:<7}  {finding.subject:<24} {finding.detail}{consequence}"


def _computer() -> Iterator[Finding]:
    yield Finding("docpipe", _version("docpipe-extract") or "from a checkout")
    yield Finding("Python", f"{platform.python_version()} ({sys.executable})")
    yield Finding("system", platform.platform())
    yield Finding("cores", str(usable_cores()))
    memory = usable_memory()
    yield Finding("free memory", "unknown" if memory is None else f"{memory / GIB:.1f} GiB")
    yield Finding("default for --jobs", str(default_jobs()))


def _packages() -> Iterator[Finding]:
    for package in REQUIRED:
        installed = _version(package)
        if installed:
            yield Finding(package, installed)
        else:
            yield Finding(package, "not installed", install_hint(), ModelError.exit_code)
    for package, consequence in OPTIONAL.items():
        installed = _version(package)
        yield Finding(package, installed or "not installed", "" if installed else consequence)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _programs() -> Iterator[Finding]:
    poppler = shutil.which("pdftoppm") if poppler_is_installed() else None
    consequence = "" if poppler else "PDFs that PDFium refuses are reported as corrupt"
    yield Finding("Poppler", poppler or "not found", consequence)


def _models(settings: Settings) -> Iterator[Finding]:
    try:
        members = ModelName.parse(settings.model).members
    except ModelError as error:
        yield Finding(settings.model, error.message, error.hint, ModelError.exit_code)
        members = ()
    for model in members:
        yield _model_of_settings(model, settings)
    for file in _model_files():
        digest = hashlib.sha256(file.read_bytes()).hexdigest()[:CHECKSUM_DIGITS]
        yield Finding(file.stem, f"{file.stat().st_size / 1e6:.1f} MB, sha256 {digest}…, {file}")


def _model_of_settings(model: ModelName, settings: Settings) -> Finding:
    """The model of DOCPIPE_MODEL. One of gigabytes is not loaded for this, nor downloaded."""
    try:
        if model.is_local:
            return _local_model(str(model), model.weights)
        return Finding(str(model), load_extractor(model, settings, threads=1).name)
    except DocpipeError as error:
        return Finding(str(model), error.message, error.hint or "see above", ModelError.exit_code)


def _local_model(model: str, weights: str) -> Finding:
    from docpipe.extractors.local.models.source import (  # heavy: only who names such a model has them
        check_installed,
        parse_source,
    )

    check_installed()
    source = parse_source(weights)
    from docpipe.extractors.local.models.fetch import is_available_offline  # heavy: the hub's client

    if not is_available_offline(source):
        return Finding(model, "not downloaded yet: the first run does it, or `hf download` (docs/models.md)")
    from docpipe.extractors.local.models.load import plan_load  # heavy: transformers

    plan = plan_load(weights)
    return Finding(model, f"{plan.name}, in {plan.dtype} on {plan.device.name} ({plan.device.id})")


def _model_files() -> Iterator[Path]:
    from docpipe.read.ocr_models import DETECTOR, RECOGNISER
    from docpipe.vlm.predict import weights_folder  # heavy: numpy and the network's code

    yield from sorted(file for file in weights_folder().glob("*") if file.suffix in (".onnx", ".json"))
    rapidocr = find_spec("rapidocr")
    if rapidocr is not None and rapidocr.origin is not None:
        yield from (Path(rapidocr.origin).parent / "models" / name for name in (DETECTOR, RECOGNISER))


def local_models(devices: Sequence[Device] | None = None) -> Iterator[Finding]:
    """The cards, and which of the recommended models fit. `devices` stand for what torch finds here."""
    from docpipe.extractors.local.models import catalogue, memory_estimate  # heavy: only for this topic

    consequence = "vision-language models would run on the CPU: slow; the embedded network needs no card"
    if devices is None:
        if _version("torch") is None:
            yield Finding("graphics card", "not looked for without torch", consequence)
            return
        from docpipe.extractors.local.models.devices import (
            find_devices,  # heavy: torch, two seconds; it alone knows its cards
        )

        devices = find_devices()
    if not any(device.is_gpu for device in devices):
        yield Finding("graphics card", "none that torch can use", consequence)
    for device in devices:
        capability = f", compute capability {'.'.join(map(str, device.capability))}" if device.capability else ""
        memory = f"{memory_estimate.in_gib(device.free_memory)} of {memory_estimate.in_gib(device.total_memory)} free"
        yield Finding(device.id, f"{device.name}, {memory}{capability}, {_number_types(device)}")
    best = memory_estimate.choose_device(devices)
    for model in catalogue.CATALOGUE:
        dtype = memory_estimate.choose_dtype(best, model.shape, "bfloat16")
        need = f"{memory_estimate.in_gib(memory_estimate.required_memory(model.shape, dtype))} in {dtype}"
        label = "fits" if catalogue.fits(model, best) else "too big"
        yield Finding(need, f"{model.repository}: {model.licence}", label=label)
    yield Finding("", f"(with one page, on {best.id}, {best.name})", label=" ")


def _number_types(device: Device) -> str:
    """The numbers that models of today, which are saved in bfloat16, run in."""
    if device.is_gpu:
        return "bfloat16" if device.has_bfloat16 else "float32 (no bfloat16), float16 for models saved in it"
    return "float32, from a billion parameters bfloat16" if device.has_bfloat16 else "float32 (bfloat16 where it must)"


def _database(settings: Settings) -> Iterator[Finding]:
    from docpipe.store.connect import parse_url
    from docpipe.store.results.result_store import SqlStore  # heavy: SQLAlchemy

    try:
        url = parse_url(settings.database_url)
        name = printable_url(settings.database_url)
        is_new = url.get_backend_name() == "sqlite" and not Path(url.database or "").exists()
        if is_new and os.access(Path(url.database or "").absolute().parent, os.W_OK):
            yield Finding("database", f"{name}, will be made by the first run")
            return
        SqlStore(settings.database_url, create=False).close()
        yield Finding("database", f"{name}, reachable")
        if url.get_backend_name() == "sqlite" and readable_by_others(path := Path(url.database or "")):
            consequence = f"made by an older version, or on purpose; chmod 600 {shlex.quote(str(path))} makes it yours"
            yield Finding("", "other users of this machine can read it", consequence, label="look")
    except DocpipeError as error:
        yield Finding("database", error.message, error.hint, StoreError.exit_code)


def _settings(settings: Settings) -> Iterator[Finding]:
    of_file = settings_of_file()
    for name, field in Settings.model_fields.items():
        value = without_password(readable(getattr(settings, name)))
        source = "environment" if PREFIX + name.upper() in os.environ else "file" if name in of_file else "default"
        yield Finding(PREFIX + name.upper(), f"{value} ({source}): {field.description}")
