"""What stands after `hf:` in a model's name: a repository of the Hugging Face hub at one commit, or a folder.

In: `ORG/NAME@REVISION` or a path. Out: a `ModelSource`, whose name says exactly which weights they are.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from docpipe.errors import ModelError, install_hint
from docpipe.extractors.local.models.weight_files import weight_files

REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
COMMIT = re.compile(r"[0-9a-f]{40}")
SMALL_FILES = ("*.json", "*.txt", "*.jinja", "*.model")
"""The configuration, the tokenizer and the processor of a model; some repositories name them freely."""

SAMPLES, SAMPLE_BYTES = 64, 64 * 1024
"""Of each file of weights so many samples of so many bytes, evenly spread, go into a folder's digest, with its header
and its size: 4 MiB instead of gigabytes. Weights that were trained further differ nearly everywhere; a change of a few
numbers by hand may go unseen."""

REQUIRED_PACKAGES = ("torch", "transformers", "llguidance")


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Either `folder` is set, or `repository` and `revision`."""

    repository: str = ""
    revision: str = ""
    folder: Path | None = None

    @property
    def name(self) -> str:
        """`hf:ORG/NAME@REVISION`, or `hf:FOLDER@DIGEST` with the folder's own name."""
        if self.folder is None:
            return f"hf:{self.repository}@{self.revision}"
        return f"hf:{self.folder.resolve().name}@{folder_digest(self.folder)[:12]}"


def check_installed(packages: tuple[str, ...] = REQUIRED_PACKAGES) -> None:
    """Raises ModelError when something that local models need is missing. Imports nothing."""
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise ModelError(f"local models need {', '.join(missing)}", hint=install_hint("gpu"))


def parse_source(weights: str) -> ModelSource:
    """A folder that exists is a folder. Raises ModelError for everything that does not say exactly which weights."""
    folder = Path(os.path.expanduser(weights))
    if weights and folder.is_dir():
        return ModelSource(folder=folder)
    repository, _, revision = weights.partition("@")
    if not weights or weights[0] in "./~" or not REPOSITORY.fullmatch(repository):
        raise ModelError(
            f"hf:{weights} is neither a folder that is there nor a repository",
            hint="Write --model hf:ORG/NAME@REVISION, or hf: and the path of a folder with the model's files.",
        )
    if not COMMIT.fullmatch(revision.lower()):
        reason = f"{revision!r} in hf:{weights} is no commit hash" if revision else f"hf:{weights} names no revision"
        raise ModelError(
            f"{reason}; names such as main move, and results must be reproducible",
            hint=f"`git ls-remote https://huggingface.co/{repository} HEAD` prints the hash (40 digits) of the newest"
            f" commit: write hf:{repository}@HASH.",
        )
    return ModelSource(repository, revision.lower())


def folder_digest(folder: Path) -> str:
    """Of everything that decides what the model answers: its small files whole, of its weights the headers, the sizes
    and samples."""
    digest = hashlib.sha256()
    small = sorted({file for pattern in SMALL_FILES for file in folder.glob(pattern) if file.is_file()})
    for file in small:
        digest.update(f"{file.name}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    for file in weight_files(folder):
        digest.update(f"{file.name}\0".encode() + _weights_digest(file))
    return digest.hexdigest()


def _weights_digest(file: Path) -> bytes:
    digest = hashlib.sha256()
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            header_length = int.from_bytes(opened.read(8), "little")
            opened.seek(0)
            digest.update(f"{size}\0".encode() + opened.read(min(size, 8 + header_length)))
            for number in range(SAMPLES):
                opened.seek(max(0, size - SAMPLE_BYTES) * number // (SAMPLES - 1))
                digest.update(opened.read(SAMPLE_BYTES))
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error}", hint="Copy all files of the model.") from error
    return digest.digest()
