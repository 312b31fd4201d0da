"""Files made to break things, through the service: each ends as it does on the command line, and the next is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from docpipe import pipeline
from docpipe.components import Components, ModelName, load_components
from docpipe.errors import DocpipeError
from docpipe.result import record
from docpipe.schema import load_schema
from tests.support.hostile_files import HOSTILE_FILES, LIMITS
from tests.support.serving import pdf, settings_in
from tests.support.web import Api, api_in

LIMITED = {"max_pages": LIMITS.max_pages, "seconds": LIMITS.seconds, "memory_bytes": LIMITS.memory_bytes}
SAME = ("status", "pages", "fields", "issues", "error")


@dataclass
class Both:
    api: Api
    components: Components

    def through_the_service(self, content: bytes) -> dict[str, Any]:
        """What a client gets in the end; a refusal at the door has the shape of a result."""
        sent = self.api.upload(content, name="hostile.pdf")
        assert sent.status_code < 500
        if sent.status_code != 202:
            return {"status": "failed", "pages": 0, "fields": {}, "issues": [], **sent.json()}
        ended = self.api.process(sent.json())
        assert ended["state"] in ("done", "failed"), ended
        result = self.api.get(ended["result_url"]).json()
        return {name: result[name] for name in SAME}

    def on_the_command_line(self, path: Path) -> dict[str, Any]:
        """As a worker of `docpipe run` does it."""
        schema = load_schema("invoice")
        try:
            extracted = pipeline.extract(
                self.components.open(path), schema, self.components.parts, self.components.policy
            )
        except DocpipeError as error:
            error_record = {"code": error.code, "message": error.message, "hint": error.hint}
            return {"status": "failed", "pages": 0, "fields": {}, "issues": [], "error": error_record}
        result_record = record(extracted, path.name, schema)
        return {name: result_record[name] for name in SAME}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("hostile")
    chosen = settings_in(folder, **LIMITED)
    components = load_components(ModelName.parse(chosen.model), chosen, threads=1)
    with api_in(folder, **LIMITED) as api:
        yield Both(api, components)
    components.close()


@pytest.mark.parametrize("name", HOSTILE_FILES)
def test_a_hostile_file_ends_as_on_the_command_line(tmp_path: Path, both: Both, name: str):
    content = HOSTILE_FILES[name].build()
    path = tmp_path / "hostile.pdf"
    path.write_bytes(content)
    of_command, of_service = both.on_the_command_line(path), both.through_the_service(content)
    for result in (of_command, of_service):
        if result["error"]:
            assert result["error"].pop("hint"), "what to do differs: a worker has no --password"
    assert of_service == of_command


def test_after_all_of_them_a_good_file_is_read(both: Both):
    result = both.through_the_service(pdf())
    assert result["error"] is None and result["fields"]["gross_total"]["value"] == "119.00"
    assert both.api.get("/health").status_code == 200
    assert set(both.api.service.view.counts()) <= {"done", "failed"}
