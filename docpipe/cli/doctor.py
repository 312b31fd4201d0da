"""`docpipe doctor`: what is installed, what is missing, and what that costs.

In: this computer and the settings. Out: one line per finding; an exit code other than 0 when `docpipe run` cannot work.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import click

from docpipe.api import choose_extractor
from docpipe.capacity import default_jobs, usable_cores, usable_memory
from docpipe.config import PREFIX, Settings, load_settings, readable
from docpipe.errors import DocpipeError, ModelError, StoreError
from docpipe.render.renderer import poppler_is_installed

GIB = 1024**3
CHECKSUM_DIGITS = 12
WITH_PASSWORD = re.compile(r"(://[^:/@]*:)[^@]*(@)")  # of a URL: redis://user:password@host

NEEDED = ("numpy", "onnxruntime", "rapidocr", "tokenizers", "pypdfium2", "pillow", "pydantic", "sqlalchemy")
OPTIONAL = {
    "pi-heif": "HEIC photos are refused",
    "psycopg": "no PostgreSQL: pip install 'docpipe-extract[postgres]'",
    "torch": "no local vision-language model, no training: pip install 'docpipe-extract[gpu]'",
    "transformers": "no local vision-language model: pip install 'docpipe-extract[gpu]'",
    "celery": "no task queue: pip install 'docpipe-extract[serve]'",
    "fastapi": "no HTTP service: pip install 'docpipe-extract[serve]'",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """`cost` says what does not work (empty: nothing); `exit_code` is 0 unless the main job cannot run without it."""

    what: str
    detail: str
    cost: str = ""
    exit_code: int = 0


@click.command()
def doctor() -> int:
    """Say what is installed, what is missing, and what that costs.

    The exit code is 0 unless `docpipe run` cannot work here.
    """
    settings = load_settings()
    topics: dict[str, Callable[[], Iterator[Finding]]] = {
        "This computer": _computer,
        "Packages": _packages,
        "Programs": _programs,
        "Models": lambda: _models(settings),
        "Database": lambda: _database(settings),
        "Settings in force (environment, else default)": lambda: _settings(settings),
    }
    worst = 0
    for topic, look in topics.items():
        click.secho(topic, bold=True)
        for finding in look():
            worst = worst or finding.exit_code
            mark = "ok     " if not finding.cost else "MISSING" if finding.exit_code else "missing"
            cost = f" ({finding.cost})" if finding.cost else ""
            click.echo(f"  {mark}  {finding.what:<24} {finding.detail}{cost}")
    click.echo("The main job can run." if not worst else "`docpipe run` cannot work before what is MISSING is there.")
    return worst


def _computer() -> Iterator[Finding]:
    yield Finding("docpipe", _version("docpipe-extract") or "from a checkout")
    yield Finding("Python", f"{platform.python_version()} ({sys.executable})")
    yield Finding("system", platform.platform())
    yield Finding("cores", str(usable_cores()))
    memory = usable_memory()
    yield Finding("free memory", "unknown" if memory is None else f"{memory / GIB:.1f} GiB")
    yield Finding("default for --jobs", str(default_jobs()))


def _packages() -> Iterator[Finding]:
    for package in NEEDED:
        found = _version(package)
        cost = "" if found else "reinstall docpipe: pip install --force-reinstall docpipe-extract"
        yield Finding(package, found or "not installed", cost, 0 if found else ModelError.exit_code)
    for package, cost in OPTIONAL.items():
        found = _version(package)
        yield Finding(package, found or "not installed", "" if found else cost)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _programs() -> Iterator[Finding]:
    poppler = shutil.which("pdftoppm") if poppler_is_installed() else None
    cost = "" if poppler else "PDFs that PDFium refuses are reported as corrupt"
    yield Finding("Poppler", poppler or "not found", cost)


def _models(settings: Settings) -> Iterator[Finding]:
    try:
        name, broken = choose_extractor(settings.model, threads=1).name, ""
    except DocpipeError as error:
        name, broken = error.message, error.hint
    yield Finding(settings.model, name, broken, ModelError.exit_code if broken else 0)
    for file in _model_files():
        digest = hashlib.sha256(file.read_bytes()).hexdigest()[:CHECKSUM_DIGITS]
        yield Finding(file.stem, f"{file.stat().st_size / 1e6:.1f} MB, sha256 {digest}…, {file}")
    yield _graphics_card()


def _model_files() -> Iterator[Path]:
    from docpipe.extractors.embedded import weights_folder  # heavy: numpy and the network's code
    from docpipe.read.models import DETECTOR, RECOGNISER

    yield from sorted(file for file in weights_folder().glob("*") if file.suffix in (".onnx", ".json"))
    rapidocr = find_spec("rapidocr")
    if rapidocr is not None and rapidocr.origin is not None:
        yield from (Path(rapidocr.origin).parent / "models" / name for name in (DETECTOR, RECOGNISER))


def _graphics_card() -> Finding:
    cost = "vision-language models would run on the CPU: slow; the embedded network needs no card"
    if _version("torch") is None:
        return Finding("graphics card", "not looked for without torch", cost)
    import torch  # heavy: two seconds; the only way to know whether torch can use the card

    if not torch.cuda.is_available():
        return Finding("graphics card", "none that torch can use", cost)
    card = torch.cuda.get_device_properties(0)
    return Finding("graphics card", f"{card.name}, {card.total_memory / GIB:.0f} GiB")


def _database(settings: Settings) -> Iterator[Finding]:
    from docpipe.store.connect import parse_url
    from docpipe.store.sql import SqlStore  # heavy: SQLAlchemy

    try:
        url = parse_url(settings.database_url)
        shown = url.render_as_string(hide_password=True)
        new = url.get_backend_name() == "sqlite" and not Path(url.database or "").exists()
        if new and os.access(Path(url.database or "").absolute().parent, os.W_OK):
            yield Finding("database", f"{shown}, will be made by the first run")
            return
        SqlStore(settings.database_url, create=False).close()
        yield Finding("database", f"{shown}, reachable")
    except DocpipeError as error:
        yield Finding("database", error.message, error.hint, StoreError.exit_code)


def _settings(settings: Settings) -> Iterator[Finding]:
    for name, field in Settings.model_fields.items():
        shown = WITH_PASSWORD.sub(r"\1***\2", readable(getattr(settings, name)))
        source = "environment" if PREFIX + name.upper() in os.environ else "default"
        yield Finding(PREFIX + name.upper(), f"{shown} ({source}): {field.description}")
