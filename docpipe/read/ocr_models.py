"""RapidOCR's bundled networks, run by onnxruntime.

In: the number of threads. Out: sessions that turn pixels into a text map (detector) and line crops into
character probabilities (recogniser), and the recogniser's alphabet. The files are those of the rapidocr wheel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from docpipe.errors import ModelError
from docpipe.onnx_runtime import load_onnxruntime

if TYPE_CHECKING:
    from numpy.typing import NDArray

DETECTOR = "PP-OCRv6_det_small.onnx"
RECOGNISER = "PP-OCRv6_rec_small.onnx"
CTC_BLANK = ""  # index 0 of the alphabet: "no new character in this column"


@dataclass
class OcrModels:
    """The two networks, loaded on first use; one instance serves any number of threads."""

    threads: int = 1

    def text_map(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """(1, 3, height, width) -> (height, width) probability of text; sides are multiples of 32."""
        probabilities: NDArray[np.float32] = self._detector.run(None, {"x": pixels}, _run_options())[0]
        text: NDArray[np.float32] = probabilities[0, 0]
        return text

    def characters(self, crops: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """(n, 3, 48, width) -> for each column of 8 pixels the best entry of the alphabet and its probability."""
        probabilities: NDArray[np.float32] = self._recogniser.run(None, {"x": crops})[0]
        best = probabilities.argmax(axis=2)
        return best, np.take_along_axis(probabilities, best[:, :, None], axis=2)[:, :, 0]

    @cached_property
    def alphabet(self) -> list[str]:
        """What the recogniser can print: blank first, then its characters, the space last."""
        characters = self._recogniser.get_modelmeta().custom_metadata_map["character"].splitlines()
        return [CTC_BLANK, *characters, " "]

    @cached_property
    def _detector(self) -> Any:
        return _session(DETECTOR, self.threads)

    @cached_property
    def _recogniser(self) -> Any:
        # one thread a call: line crops are small, and several are recognised at the same time instead
        return _session(RECOGNISER, 1)


def _session(file: str, threads: int) -> Any:
    onnxruntime = load_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only: the warnings are about the export of the model
    _share_arena()
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.enable_mem_pattern = False  # a pattern is one block for the whole run: a third more at the peak
    path = _folder() / file
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        hint = "Install it again: pip install --force-reinstall rapidocr"
        raise ModelError(f"The OCR model {path} cannot be loaded: {error}", hint=hint) from error


def _run_options() -> Any:
    """For the run that needs most by far: what it took goes back to the system, not to the next page's run."""
    options = load_onnxruntime().RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


@cache
def _share_arena() -> None:
    """One arena for both networks, which grows by what is asked for and not to the next power of two. With the
    sessions' own arenas a worker keeps 740 MB after a few pages, with this one 500 MB, for 5 % more time."""
    onnxruntime = load_onnxruntime()
    arena, default_memory = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, onnxruntime.OrtMemType.DEFAULT
    cpu = onnxruntime.OrtMemoryInfo("Cpu", arena, 0, default_memory)
    as_requested, default = 1, -1
    onnxruntime.create_and_register_allocator(cpu, onnxruntime.OrtArenaCfg(0, as_requested, default, default))


def _folder() -> Path:
    package = find_spec("rapidocr")
    if package is None or package.origin is None:
        raise ModelError("The OCR models are not installed.", hint="pip install rapidocr")
    return Path(package.origin).parent / "models"
