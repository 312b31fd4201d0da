"""What the tests of local models share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.tiny_models import save_tiny_model


@pytest.fixture(scope="module")
def llava_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model, as a hub has it. Nobody changes it."""
    return save_tiny_model("llava", tmp_path_factory.mktemp("models"))
