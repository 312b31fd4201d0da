"""The choice of the backend for a local model. In: what stands after `hf:`. Out: a `Backend`.

Families that the engine was tested with fill all fields side by side; encoder-decoders write the tags that they were
trained on; every other model goes through transformers' own `generate`, a field group at a time.
"""

from __future__ import annotations

from docpipe.extractors.generative.backend import Backend
from docpipe.extractors.local.donut.backend import DonutBackend
from docpipe.extractors.local.engine.backend import EngineBackend
from docpipe.extractors.local.generate.backend import GenerateBackend
from docpipe.extractors.local.models.family import engine_supports
from docpipe.extractors.local.models.load import load


def local_backend(weights: str, *, threads: int) -> Backend:
    """Raises ModelError."""
    loaded = load(weights, threads=threads)
    if loaded.model.config.model_type == "vision-encoder-decoder":  # Donut
        return DonutBackend(loaded.name, loaded.model, loaded.processor)
    if engine_supports(loaded.model.config):
        return EngineBackend(loaded.name, loaded.model, loaded.processor, documents_that_fit=loaded.batch_size)
    return GenerateBackend(loaded.name, loaded.model, loaded.processor)
