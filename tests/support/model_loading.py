"""Local models that are refused: the words that a user sees."""

from __future__ import annotations

from typing import Any

import pytest

from docpipe.errors import ModelError
from docpipe.extractors.local.models.load import load


def load_refusal(weights: object, **options: Any) -> str:
    """The message and the hint with which a model is refused."""
    with pytest.raises(ModelError) as caught:
        load(str(weights), threads=1, **options)
    return f"{caught.value.message} | {caught.value.hint}"
