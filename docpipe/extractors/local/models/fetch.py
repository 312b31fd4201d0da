"""A model's files on this machine: from its folder, from the hub's cache, or from the hub.

In: a `ModelSource`. Out: a folder. What can be refused is refused before gigabytes are downloaded.
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
from docpipe.extractors.local.models.memory_estimate import in_gib
from docpipe.extractors.local.models.source import SMALL_FILES, ModelSource
from docpipe.extractors.local.models.weight_files import (
    WEIGHTS_FILE,
    WEIGHTS_INDEX,
    WeightSizes,
    read_weight_sizes,
    weight_files,
)

HUB_TIMEOUT_SECONDS = 10.0
"""For the first word from the hub. A hub that is there answers within one; without a network a worker should say so
soon, not after five tries."""


def fetch_config(source: ModelSource) -> Path:
    """The folder with the model's configuration, tokenizer and processor; its weights may still be missing. Raises
    ModelError."""
    folder = source.folder or _cached_folder(source)
    if folder is None:
        folder = _download(source, SMALL_FILES)
    if not (folder / "config.json").exists():
        raise _no_model_error(folder)
    return folder


def weight_sizes(source: ModelSource, folder: Path) -> WeightSizes:
    """How many parameters the model has, asked of the hub where its weights are not here yet. Raises ModelError."""
    if source.folder is not None or _has_weights(folder):
        if not weight_files(folder):
            raise _no_weights_error(source, folder)
        return read_weight_sizes(folder)
    with _translate_hub_errors(source):
        info = HfApi().model_info(
            source.repository, revision=source.revision, timeout=HUB_TIMEOUT_SECONDS, files_metadata=True
        )
    needed_files = _files_to_load(folder, [file.rfilename for file in info.siblings or []])
    stored_bytes = sum(file.size or 0 for file in info.siblings or [] if file.rfilename in needed_files)
    if not needed_files:
        raise _no_weights_error(source, folder)
    return WeightSizes(info.safetensors.total if info.safetensors else stored_bytes // 2, stored_bytes)


def fetch_weights(source: ModelSource, folder: Path, stored_bytes: int) -> Path:
    """The same folder with the weights, which take so many bytes. Raises ModelError."""
    if source.folder is not None or _has_weights(folder):
        return folder
    free = shutil.disk_usage(folder).free
    if free < stored_bytes:
        disk = f"the disk of {constants.HF_HUB_CACHE}, which has {in_gib(free)}"
        raise ModelError(
            f"{source.name} needs {in_gib(stored_bytes)} on {disk}",
            hint="Make room, or set HF_HOME to a folder on a larger disk.",
        )
    return _download(source, (*SMALL_FILES, *(file.name for file in weight_files(folder)), WEIGHTS_FILE))


def is_available_offline(source: ModelSource) -> bool:
    """Whether the model can be loaded without a network."""
    folder = source.folder or _cached_folder(source)
    return folder is not None and _has_weights(folder)


def _files_to_load(folder: Path, names: list[str]) -> set[str]:
    """transformers prefers the single file; formats of other programs in the same repository are left there."""
    if WEIGHTS_FILE in names:
        return {WEIGHTS_FILE}
    return {file.name for file in weight_files(folder)} if WEIGHTS_INDEX in names else set()


def _has_weights(folder: Path) -> bool:
    files = weight_files(folder)
    return bool(files) and all(file.exists() for file in files)


def _cached_folder(source: ModelSource) -> Path | None:
    try:
        folder = Path(snapshot_download(source.repository, revision=source.revision, local_files_only=True))
    except LocalEntryNotFoundError as error:
        partial = getattr(error, "snapshot_path", None)  # where files that nobody asked for, a README, are not here
        if not partial:
            return None
        folder = Path(partial)
    return folder if (folder / "config.json").exists() else None


def _download(source: ModelSource, patterns: tuple[str, ...]) -> Path:
    with _translate_hub_errors(source):
        if constants.HF_HUB_OFFLINE:
            raise OfflineModeIsEnabled("HF_HUB_OFFLINE is set")
        HfApi().model_info(source.repository, revision=source.revision, timeout=HUB_TIMEOUT_SECONDS)
        return Path(snapshot_download(source.repository, revision=source.revision, allow_patterns=list(patterns)))


@contextmanager
def _translate_hub_errors(source: ModelSource) -> Iterator[None]:
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
        is_offline = isinstance(error, OfflineModeIsEnabled)
        reason = "HF_HUB_OFFLINE is set" if is_offline else f"the hub does not answer ({error})"
        raise ModelError(
            f"{source.name} is not in {constants.HF_HUB_CACHE}, and {reason}",
            hint=f"Where there is a network: `hf download {source.repository} --revision {source.revision}`, then copy"
            " the cache to this machine and set HF_HOME to it.",
        ) from error


def _no_model_error(folder: Path) -> ModelError:
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


def _no_weights_error(source: ModelSource, folder: Path) -> ModelError:
    shown = folder if source.folder is not None else source.repository
    return ModelError(
        f"{shown} has no weights as safetensors; other formats can run code when they are opened, and are refused",
        hint="Look for a revision or a copy with model.safetensors; docs/models.md says how to convert weights.",
    )
