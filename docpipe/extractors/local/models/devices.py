"""The processors of this machine that torch can use.

In: what torch sees; CUDA_VISIBLE_DEVICES is respected. Out: a `Device` for each graphics card and one for the CPU.
"""

from __future__ import annotations

import platform

import torch

from docpipe.capacity import usable_memory
from docpipe.errors import ModelError
from docpipe.extractors.local.models.memory_estimate import Device

BFLOAT16_CAPABILITY = (8, 0)
"""The compute capability from which on NVIDIA's cards calculate in bfloat16 (Ampere); older ones imitate it, slowly."""


def find_devices() -> list[Device]:
    """The CPU comes last. Apple's graphics (MPS) are passed over: the engine's masks were never tried there, and a
    device that may answer wrongly is not chosen for anybody."""
    return [*find_gpus(), cpu_device()]


def find_gpus() -> list[Device]:
    gpus = []
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        properties = torch.cuda.get_device_properties(number)
        free, total = torch.cuda.mem_get_info(number)
        capability = (properties.major, properties.minor)
        has_bfloat16 = capability >= BFLOAT16_CAPABILITY or torch.version.hip is not None
        gpus.append(Device(f"cuda:{number}", properties.name, total, free, capability, has_bfloat16))
    return gpus


def cpu_device() -> Device:
    """Where the system does not say how much memory is free nothing is refused for want of it."""
    free = usable_memory()
    memory = 2**62 if free is None else free
    return Device("cpu", platform.processor() or platform.machine(), memory, memory, None, _cpu_has_bfloat16())


def raise_if_device_failed(error: RuntimeError) -> None:
    """Raises ModelError for an error that a card has from now on, whatever the document: it is free again when the
    process has been started anew."""
    if isinstance(error, getattr(torch, "AcceleratorError", ())) or str(error).startswith("CUDA error"):
        message = f"the graphics card has failed: {str(error).partition(chr(10))[0]}"
        raise ModelError(
            message, hint="Start the worker again; `docpipe doctor` says which cards are there."
        ) from error


def _cpu_has_bfloat16() -> bool:
    """Whether oneDNN has kernels for it on this CPU (AVX512-BF16, AMX, or ARM's BF16)."""
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16", "arm_bf16"))
