"""What every extractor keeps to, whatever is behind it: one suite, over all of them, chosen as a user chooses them.

Models have tiny random weights, or are spoken by a server on this machine; what they say is nonsense, and still it has
to be an answer that fits the schema, and none of it may be believed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from docpipe.acceptance import AcceptancePolicy
from docpipe.components import ModelName, load_extractor
from docpipe.config import load_settings
from docpipe.data import Answer, Page, PreparedDocument
from docpipe.errors import DocpipeError, ModelError
from docpipe.ingest import ingest
from docpipe.paths import FieldPath
from docpipe.pipeline import prepare, understand, understand_many
from docpipe.ports import Extractor
from docpipe.rasterise import PageRasteriser
from docpipe.read import PageReader
from docpipe.render import Renderer
from docpipe.result import RunIdentity
from docpipe.samples import draw
from docpipe.schema import Schema, load_schema
from tests.support import tiny_donut
from tests.support.hosted_server import KEY, KINDS, VARIABLES, fake_server, success
from tests.support.page_images import KeptImage
from tests.support.tiny_models import FAMILIES, save_tiny_model

SEED = 7_000_000
SCHEMA = '''"""A small schema: in it a tiny model comes to an end in a second."""
import datetime as dt
from decimal import Decimal
from pydantic import BaseModel, Field

class Row(BaseModel):
    description: str | None = Field(None, description="what was sold")
    amount: Decimal | None = Field(None, description="its price")

class Slip(BaseModel):
    invoice_number: str | None = Field(None, description="number of the invoice")
    issue_date: dt.date | None = Field(None, description="its date")
    gross_total: Decimal | None = Field(None, description="total with tax")
'''
WITH_ROWS = '    line_items: list[Row] = Field(default_factory=list, description="the lines")\n'
VALUES = {"invoice_number": "R-17", "issue_date": None, "gross_total": "119,00", "line_items": [{"amount": "119,00"}]}
LOCAL = [f"hf:{family}" for family in FAMILIES]
MODELS = ["embedded", "scripted", *LOCAL, "hf:donut", *KINDS, "embedded,hf:qwen2_5_vl"]
FASTEST = ("embedded", "scripted", "hf:qwen2_5_vl", "hf:donut", "openai")  # for what does not depend on the family
SEEING = tuple(model for model in FASTEST if model != "scripted")  # a script says the same whatever it is shown


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("models")
    for extractor in _loaded.values():  # hosted ones keep their connections open
        close = getattr(getattr(extractor, "_backend", None), "close", None)
        if close is not None:
            close()
    _loaded.clear()


@pytest.fixture(scope="module")
def slip(folder: Path) -> Schema:
    (folder / "slip.py").write_text(SCHEMA + WITH_ROWS)
    return load_schema(f"{folder}/slip.py:Slip")


@pytest.fixture(scope="module")
def pages(folder: Path) -> list[Page]:
    """A real page: drawn, rasterised, read."""
    (folder / "bill.pdf").write_bytes(draw("invoice", SEED).pdf)
    with closing(Renderer()) as renderer:
        document = ingest(folder / "bill.pdf", renderer=renderer)
        read = prepare(document, rasteriser=PageRasteriser(renderer), reader=PageReader(renderer)).pages[:1]
        image = read[0].image.open(max_side=400)
    return [replace(read[0], image=KeptImage(image))]


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, str]]:
    """The environment in which three providers are on this machine."""
    text = json.dumps(VALUES)
    with ExitStack() as stack:
        running = [stack.enter_context(fake_server(kind, success(kind, text))) for kind in KINDS]
        keys = {VARIABLES[kind]: KEY for kind in KINDS}
        yield keys | {f"DOCPIPE_{server.kind.upper()}_URL": server.url for server in running}


@pytest.fixture
def extractor_for(folder: Path, servers: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Extractors by the names that tests give them; each is made once for the module."""
    for name, value in servers.items():
        monkeypatch.setenv(name, value)

    def make(model: str) -> Extractor:
        return loaded_once(folder, model)

    yield make


_loaded: dict[tuple[Path, str], Extractor] = {}


def loaded_once(folder: Path, model: str) -> Extractor:
    if (folder, model) not in _loaded:
        _loaded[folder, model] = load(reference(folder, model))
    return _loaded[folder, model]


def load(model: str) -> Extractor:
    """As a shell does, by the settings of the environment."""
    return load_extractor(ModelName.parse(model), load_settings(), threads=1)


def reference(folder: Path, model: str) -> str:
    """What a user writes for it."""
    if "," in model:
        return ",".join(reference(folder, member) for member in model.split(","))
    if model == "scripted":
        (folder / "script.json").write_text(json.dumps(VALUES))
        return f"scripted:{folder}/script.json"
    if model == "hf:donut":
        return f"hf:{tiny_donut.save_tiny_donut(folder / 'donut')}"
    if model.startswith("hf:"):
        return f"hf:{save_tiny_model(model.removeprefix('hf:'), folder)}"
    return f"{model}:some-model" if model in KINDS else model


def is_answer(answer: Answer | DocpipeError, schema: Schema) -> Answer:
    """What an answer has to be, under any schema."""
    assert isinstance(answer, Answer), answer
    known_paths = {spec.path for spec in schema.fields}
    assert {FieldPath.parse(candidate.path).template for candidate in answer.candidates} <= known_paths
    assert all(
        not FieldPath.parse(candidate.path).is_column and candidate.text.strip() for candidate in answer.candidates
    )
    assert all(0.0 <= candidate.score <= 1.0 for candidate in answer.candidates)
    assert all(0.0 <= signal <= 1.0 for candidate in answer.candidates for signal in candidate.signals.values())
    assert all(0.0 <= probability <= 1.0 for probability in answer.absent.values())
    assert {FieldPath.parse(path).template for path in answer.absent} <= known_paths | set(schema.lists())
    assert 0 <= answer.image_tokens <= answer.tokens_in
    assert answer.tokens_out >= 0
    assert answer.money >= 0.0
    return answer


@pytest.mark.parametrize("model", MODELS)
def test_it_answers_a_real_page_with_what_fits_the_schema(model, extractor_for, pages, slip):
    extractor = extractor_for(model)
    is_answer(extractor.extract(pages, slip), slip)
    assert [name.partition(":")[0] for name in extractor.name.split(",")] == [
        name.partition(":")[0] for name in model.split(",")
    ]


@pytest.mark.parametrize("model", FASTEST)
def test_its_name_is_the_same_in_another_process(model, extractor_for, folder):
    assert load(reference(folder, model)).name == extractor_for(model).name


@pytest.mark.parametrize("model", MODELS)
def test_documents_in_a_batch_are_answered_as_they_are_alone(model, extractor_for, pages, slip):
    extractor = extractor_for(model)
    without_words = [replace(pages[0], words=pages[0].words[:40])]
    alone = [extractor.extract(pages, slip), extractor.extract(without_words, slip)]
    together = extractor.extract_many([pages, without_words, pages], slip)
    for answer, expected in zip(together, [alone[0], alone[1], alone[0]], strict=True):
        assert values(is_answer(answer, slip)) == values(expected)


def values(answer: Answer) -> dict[str, str]:
    return {candidate.path: candidate.text for candidate in answer.candidates if candidate.score > 0}


@pytest.mark.parametrize("model", SEEING)
def test_a_part_of_a_schema_is_answered_alone(model, extractor_for, pages, slip):
    part = slip.only(["gross_total"])
    is_answer(extractor_for(model).extract(pages, part), part)


@pytest.mark.parametrize("model", SEEING)
def test_a_document_without_anything_to_see_has_no_values_and_says_why(model, extractor_for, pages, slip):
    blank = [replace(pages[0], words=(), image=None, blank=True)]
    answer = is_answer(extractor_for(model).extract(blank, slip), slip)
    assert answer.candidates == ()
    assert [issue.code for issue in answer.issues] == ["nothing_read"]


@pytest.mark.parametrize("model", FASTEST)
def test_a_page_without_a_picture_is_an_answer_or_a_clear_error(model, extractor_for, pages, slip):
    try:
        is_answer(extractor_for(model).extract([replace(pages[0], image=None)], slip), slip)
    except DocpipeError as error:
        assert error.hint


@pytest.mark.parametrize("model", MODELS)
def test_its_values_go_through_the_same_checks_and_none_is_believed_unseen(model, extractor_for, pages, slip):
    extractor = extractor_for(model)
    run = RunIdentity("0" * 64, extractor.name, "key")
    extraction = understand(
        PreparedDocument(pages), slip, extractor=extractor, run=run, policy=AcceptancePolicy.for_extractor(extractor)
    )
    assert all(field.evidence for field in extraction.fields if field.accepted)
    ungrounded = [field for field in extraction.fields if field.raw is not None and not field.evidence]
    assert all("no_evidence" in [issue.code for issue in field.issues] for field in ungrounded)
    if model not in ("embedded", "scripted"):
        assert extraction.cost["tokens_in"] > 0
        assert extraction.cost["tokens_out"] > 0
    (again,) = understand_many(
        [PreparedDocument(pages)],
        slip,
        extractor=extractor,
        runs=[run],
        policy=AcceptancePolicy.for_extractor(extractor),
    )
    assert [(field.path, field.raw) for field in again.fields] == [
        (field.path, field.raw) for field in extraction.fields
    ]


@pytest.mark.parametrize(
    "model", ["nonsense", "hf:/no/such/folder", "hf:ORG/NAME", "openai:", "a,b,c", "embedded,nonsense"]
)
def test_a_model_that_cannot_be_chosen_is_an_error_that_says_what_to_write(model, extractor_for):
    with pytest.raises(ModelError) as error:
        load(model)
    assert error.value.hint
