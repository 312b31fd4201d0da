"""A model's files on this machine: from its folder, from the hub's cache, or from the hub.

In: a `Source`. Out: a folder. What can be refused is refused before gigabytes are downloaded.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import HfApi, constants, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from docpipe.errors import ModelError
from docpipe.extractors.local.models.memory_estimate import INDEX, SINGLE, Weights, in_gib, weight_files, weights_in
from docpipe.extractors.local.models.source import SMALL_FILES, Source

ANSWER_SECONDS = 10.0
"""For the first word from the hub. A hub that is there answers within one; without a network a worker should say so
soon, not after five tries."""


def described(source: Source) -> Path:
    """The folder with the model's small files; its weights may still be missing. Raises ModelError."""
    folder = source.folder or _cached(source)
    if folder is None:
        folder = _download(source, SMALL_FILES)
    if not (folder / "config.json").exists():
        raise _no_model(folder)
    return folder


def weighed(source: Source, folder: Path) -> Weights:
    """How many parameters the model has, asked of the hub where its weights are not here yet. Raises ModelError."""
    if source.folder is not None or _complete(folder):
        if not weight_files(folder):
            raise _no_weights(source, folder)
        return weights_in(folder)
    with _translated(source):
        info = HfApi().model_info(
            source.repository, revision=source.revision, timeout=ANSWER_SECONDS, files_metadata=True
        )
    wanted = _wanted(folder, [file.rfilename for file in info.siblings or []])
    stored = sum(file.size or 0 for file in info.siblings or [] if file.rfilename in wanted)
    if not wanted:
        raise _no_weights(source, folder)
    return Weights(info.safetensors.total if info.safetensors else stored // 2, stored)


def complete(source: Source, folder: Path, size: int) -> Path:
    """The same folder with the weights, which have `size` bytes. Raises ModelError."""
    if source.folder is not None or _complete(folder):
        return folder
    free = shutil.disk_usage(folder).free
    if free < size:
        raise ModelError(
            f"{source.name} needs {in_gib(size)} on the disk of {constants.HF_HUB_CACHE}, which has {in_gib(free)}",
            hint="Make room, or set HF_HOME to a folder on a larger disk.",
        )
    return _download(source, (*SMALL_FILES, *(file.name for file in weight_files(folder)), SINGLE))


def is_here(source: Source) -> bool:
    """Whether the model can be loaded without a network."""
    folder = source.folder or _cached(source)
    return folder is not None and _complete(folder)


def _wanted(folder: Path, names: list[str]) -> set[str]:
    """transformers prefers the single file; formats of other programs in the same repository are left there."""
    if SINGLE in names:
        return {SINGLE}
    return {file.name for file in weight_files(folder)} if INDEX in names else set()


def _complete(folder: Path) -> bool:
    files = weight_files(folder)
    return bool(files) and all(file.exists() for file in files)


def _cached(source: Source) -> Path | None:
    try:
        folder = Path(snapshot_download(source.repository, revision=source.revision, local_files_only=True))
    except LocalEntryNotFoundError as error:
        partial = getattr(error, "snapshot_path", None)  # where files that nobody asked for, a README, are not here
        if not partial:
            return None
        folder = Path(partial)
    return folder if (folder / "config.json").exists() else None


def _download(source: Source, patterns: tuple[str, ...]) -> Path:
    with _translated(source):
        if constants.HF_HUB_OFFLINE:
            raise OfflineModeIsEnabled("HF_HUB_OFFLINE is set")
        HfApi().model_info(source.repository, revision=source.revision, timeout=ANSWER_SECONDS)
        return Path(snapshot_download(source.repository, revision=source.revision, allow_patterns=list(patterns)))


@contextmanager
def _translated(source: Source) -> Iterator[None]:
    """The hub's errors as ours, each with what can be done about it."""
    page = f"https://huggingface.co/{source.repository}"
    try:
        yield
    except GatedRepoError as error:
        raise ModelError(
            f"{source.repository} is open only to those who accepted its terms",
            hint=f"Accept them at {page}, then `hf auth login`, or set HF_TOKEN.",
        ) from error
    except RevisionNotFoundError as error:
        raise ModelError(
            f"{source.repository} has no revision {source.revision}",
            hint=f"`git ls-remote {page} HEAD` prints the newest.",
        ) from error
    except RepositoryNotFoundError as error:
        raise ModelError(
            f"there is no repository {source.repository}, or it is private",
            hint=f"Look at {page}; for a private one `hf auth login`, or set HF_TOKEN.",
        ) from error
    except HfHubHTTPError as error:
        raise ModelError(f"the hub refused {source.repository}: {error}", hint="Try again later.") from error
    except Exception as error:  # no network, a proxy, a name server: each of the hub's clients has its own errors
        why = (
            "HF_HUB_OFFLINE is set" if isinstance(error, OfflineModeIsEnabled) else f"the hub does not answer ({error})"
        )
        raise ModelError(
            f"{source.name} is not in {constants.HF_HUB_CACHE}, and {why}",
            hint=f"Where there is a network: `hf download {source.repository} --revision {source.revision}`, then copy"
            " the cache to this machine and set HF_HOME to it.",
        ) from error


def _no_model(folder: Path) -> ModelError:
    if (folder / "adapter_config.json").exists():
        return ModelError(
            f"{folder} holds an adapter, not a model", hint="Merge it into its model (peft: merge_and_unload) and save."
        )
    if any(folder.glob("*.gguf")):
        return ModelError(
            f"{folder} holds GGUF weights, which transformers does not run as they are",
            hint="Serve them with llama.cpp or Ollama and ask there: docs/hosted.md.",
        )
    return ModelError(f"{folder} has no config.json: it is no model's folder", hint="Name the folder that holds it.")


def _no_weights(source: Source, folder: Path) -> ModelError:
    shown = folder if source.folder is not None else source.repository
    return ModelError(
        f"{shown} has no weights as safetensors; other formats can run code when they are opened, and are refused",
        hint="Look for a revision or a copy with model.safetensors; docs/models.md says how to convert weights.",
    )
