"""The choice of the way in which a local model writes. In: what stands after `hf:`. Out: a `Backend`.

Families that the engine was tested with fill all fields side by side; encoder-decoders write the tags that they were
trained on; every other model goes through transformers' own `generate`, a field group at a time.
"""

from __future__ import annotations

from docpipe.extractors.generative.backend import Backend
from docpipe.extractors.local.donut.backend import DonutBackend
from docpipe.extractors.local.engine.backend import LocalBackend
from docpipe.extractors.local.generate_backend import PlainBackend
from docpipe.extractors.local.models.family import is_fast
from docpipe.extractors.local.models.load import load


def local_backend(weights: str, *, threads: int) -> Backend:
    """Raises ModelError."""
    loaded = load(weights, threads=threads)
    if loaded.model.config.model_type == "vision-encoder-decoder":  # Donut
        return DonutBackend(loaded.name, loaded.model, loaded.processor)
    if is_fast(loaded.model.config):
        return LocalBackend(loaded.name, loaded.model, loaded.processor, fits=loaded.batch)
    return PlainBackend(loaded.name, loaded.model, loaded.processor)
