"""The files that hold a model's weights, and what their headers say; numbers are not read.

In: a folder as a hub has it. Out: the names of its safetensors files, how many parameters they hold, and their bytes.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docpipe.errors import ModelError

WEIGHTS_FILE, WEIGHTS_INDEX = "model.safetensors", "model.safetensors.index.json"
MAX_HEADER_BYTES = 100_000_000  # the format's own limit


@dataclass(frozen=True, slots=True)
class WeightSizes:
    """How many numbers the weights are, and their bytes in the files."""

    parameters: int
    stored_bytes: int


def read_weight_sizes(folder: Path) -> WeightSizes:
    """Read from the files' headers alone. Raises ModelError when there are none, or one is damaged or incomplete."""
    files = weight_files(folder)
    missing = [file.name for file in files if not file.exists()]
    if missing:
        raise ModelError(
            f"{folder} lacks {', '.join(missing)}", hint="Download the model again, or copy all its files."
        )
    parameters = stored_bytes = 0
    for file in files:
        for entry in read_header(file).values():
            count = 1
            for size in entry["shape"]:
                count *= size
            parameters += count if "F" in entry["dtype"] else 0  # tables of whole numbers are no parameters
            stored_bytes += entry["data_offsets"][1] - entry["data_offsets"][0]
    return WeightSizes(parameters, stored_bytes)


def weight_files(folder: Path) -> list[Path]:
    """The files that transformers will read, whether they are there or not; none when the folder has no safetensors."""
    if (folder / WEIGHTS_FILE).exists():
        return [folder / WEIGHTS_FILE]
    try:
        index = json.loads((folder / WEIGHTS_INDEX).read_text(encoding="utf-8"))
        return [folder / name for name in sorted(set(index["weight_map"].values()))]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, AttributeError) as error:
        message = f"{folder / WEIGHTS_INDEX} cannot be read: {error}"
        raise ModelError(message, hint="Download the model again.") from error


def read_header(file: Path) -> Mapping[str, Any]:
    """The tensors of a safetensors file, by name. Raises ModelError when it is no such file or has been cut off."""
    try:
        with file.open("rb") as opened:
            (length,) = struct.unpack("<Q", opened.read(8))
            if length > MAX_HEADER_BYTES:
                raise ValueError("its header is too long")
            header: dict[str, Any] = json.loads(opened.read(length))
        header.pop("__metadata__", None)
        end = 8 + length + max((entry["data_offsets"][1] for entry in header.values()), default=0)
        if file.stat().st_size != end:
            raise ValueError(f"it has {file.stat().st_size:,} bytes and should have {end:,}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise ModelError(
            f"the weights in {file} are damaged: {error}", hint="Delete the file and download the model again."
        ) from error
    return header
