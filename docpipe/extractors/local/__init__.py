"""Models that run on this machine: loading them, and generating with them.

A model that is named is fetched from its hub, and nothing more is told to the hub: its client's telemetry is off unless
HF_HUB_DISABLE_TELEMETRY says otherwise. The client reads the variable when it is imported, by the modules below.
"""

import os

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
