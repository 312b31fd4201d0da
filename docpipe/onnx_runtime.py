"""onnxruntime, imported in the one place that keeps it from sending anything.

In: nothing. Out: the module. On Linux it asks for a host of its maker and writes into the home folder as soon as it is
imported, unless ORT_DISABLE_TELEMETRY is set before; `disable_telemetry_events()` alone comes too late
(docs/privacy.md). Whoever wants it on sets the variable to 0.
"""

from __future__ import annotations

import os
from typing import Any

TELEMETRY_SWITCH = "ORT_DISABLE_TELEMETRY"


def load_onnxruntime() -> Any:
    """The module. Takes 0.2 s the first time."""
    os.environ.setdefault(TELEMETRY_SWITCH, "1")
    import onnxruntime  # heavy: native library of 50 MB

    if os.environ[TELEMETRY_SWITCH] != "0":
        onnxruntime.disable_telemetry_events()  # where a program of the user's had imported it before
    return onnxruntime
