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
SAID = {"invoice_number": "R-17", "issue_date": None, "gross_total": "119,00", "line_items": [{"amount": "119,00"}]}
LOCAL = [f"hf:{family}" for family in FAMILIES]
MODELS = ["embedded", "scripted", *LOCAL, "hf:donut", *KINDS, "embedded,hf:qwen2_5_vl"]
FASTEST = ("embedded", "scripted", "hf:qwen2_5_vl", "hf:donut", "openai")  # for what does not depend on the family
LOOKING = tuple(model for model in FASTEST if model != "scripted")  # a script says the same whatever it is shown


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("models")
    for extractor in _made.values():  # hosted ones keep their connections open
        close = getattr(getattr(extractor, "_backend", None), "close", None)
        if close is not None:
            close()
    _made.clear()


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
        picture = read[0].image.open(max_side=400)
    return [replace(read[0], image=KeptImage(picture))]


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, str]]:
    """The environment in which three providers are on this machine."""
    text = json.dumps(SAID)
    with ExitStack() as stack:
        found = [stack.enter_context(fake_server(kind, success(kind, text))) for kind in KINDS]
        keys = {VARIABLES[kind]: KEY for kind in KINDS}
        yield keys | {f"DOCPIPE_{one.kind.upper()}_URL": one.url for one in found}


@pytest.fixture
def chosen(folder: Path, servers: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Extractors by the names that tests give them; each is made once for the module."""
    for name, value in servers.items():
        monkeypatch.setenv(name, value)

    def make(model: str) -> Extractor:
        return made(folder, model)

    yield make


_made: dict[tuple[Path, str], Extractor] = {}


def made(folder: Path, model: str) -> Extractor:
    if (folder, model) not in _made:
        _made[folder, model] = load(reference(folder, model))
    return _made[folder, model]


def load(model: str) -> Extractor:
    """As a shell does, by the settings of the environment."""
    return load_extractor(ModelName.parse(model), load_settings(), threads=1)


def reference(folder: Path, model: str) -> str:
    """What a user writes for it."""
    if "," in model:
        return ",".join(reference(folder, one) for one in model.split(","))
    if model == "scripted":
        (folder / "script.json").write_text(json.dumps(SAID))
        return f"scripted:{folder}/script.json"
    if model == "hf:donut":
        return f"hf:{tiny_donut.save_tiny_donut(folder / 'donut')}"
    if model.startswith("hf:"):
        return f"hf:{save_tiny_model(model.removeprefix('hf:'), folder)}"
    return f"{model}:some-model" if model in KINDS else model


def is_answer(answer: Answer | DocpipeError, schema: Schema) -> Answer:
    """What an answer has to be, under any schema."""
    assert isinstance(answer, Answer), answer
    known = {spec.path for spec in schema.fields}
    assert {FieldPath.parse(one.path).template for one in answer.candidates} <= known
    assert all(not FieldPath.parse(one.path).is_column and one.text.strip() for one in answer.candidates)
    assert all(0.0 <= one.score <= 1.0 for one in answer.candidates)
    assert all(0.0 <= signal <= 1.0 for one in answer.candidates for signal in one.signals.values())
    assert all(0.0 <= probability <= 1.0 for probability in answer.absent.values())
    assert {FieldPath.parse(path).template for path in answer.absent} <= known | set(schema.lists())
    assert 0 <= answer.image_tokens <= answer.tokens_in
    assert answer.tokens_out >= 0
    assert answer.money >= 0.0
    return answer


@pytest.mark.parametrize("model", MODELS)
def test_it_answers_a_real_page_with_what_fits_the_schema(model, chosen, pages, slip):
    extractor = chosen(model)
    is_answer(extractor.extract(pages, slip), slip)
    assert [one.partition(":")[0] for one in extractor.name.split(",")] == [
        one.partition(":")[0] for one in model.split(",")
    ]


@pytest.mark.parametrize("model", FASTEST)
def test_its_name_is_the_same_in_another_process(model, chosen, folder):
    assert load(reference(folder, model)).name == chosen(model).name


@pytest.mark.parametrize("model", MODELS)
def test_documents_in_a_batch_are_answered_as_they_are_alone(model, chosen, pages, slip):
    extractor = chosen(model)
    without_words = [replace(pages[0], words=pages[0].words[:40])]
    alone = [extractor.extract(pages, slip), extractor.extract(without_words, slip)]
    together = extractor.extract_many([pages, without_words, pages], slip)
    for one, other in zip(together, [alone[0], alone[1], alone[0]], strict=True):
        assert values(is_answer(one, slip)) == values(other)


def values(answer: Answer) -> dict[str, str]:
    return {one.path: one.text for one in answer.candidates if one.score > 0}


@pytest.mark.parametrize("model", LOOKING)
def test_a_part_of_a_schema_is_answered_alone(model, chosen, pages, slip):
    wanted = slip.only(["gross_total"])
    is_answer(chosen(model).extract(pages, wanted), wanted)


@pytest.mark.parametrize("model", LOOKING)
def test_a_document_without_anything_to_see_has_no_values_and_says_why(model, chosen, pages, slip):
    blank = [replace(pages[0], words=(), image=None, blank=True)]
    answer = is_answer(chosen(model).extract(blank, slip), slip)
    assert answer.candidates == ()
    assert [issue.code for issue in answer.issues] == ["nothing_read"]


@pytest.mark.parametrize("model", FASTEST)
def test_a_page_without_a_picture_is_an_answer_or_a_clear_error(model, chosen, pages, slip):
    try:
        is_answer(chosen(model).extract([replace(pages[0], image=None)], slip), slip)
    except DocpipeError as error:
        assert error.hint


@pytest.mark.parametrize("model", MODELS)
def test_its_values_go_through_the_same_checks_and_none_is_believed_unseen(model, chosen, pages, slip):
    extractor = chosen(model)
    run = RunIdentity("0" * 64, extractor.name, "key")
    found = understand(
        PreparedDocument(pages), slip, extractor=extractor, run=run, policy=AcceptancePolicy.for_extractor(extractor)
    )
    assert all(one.evidence for one in found.fields if one.accepted)
    ungrounded = [one for one in found.fields if one.raw is not None and not one.evidence]
    assert all("no_evidence" in [issue.code for issue in one.issues] for one in ungrounded)
    if model not in ("embedded", "scripted"):
        assert found.cost["tokens_in"] > 0
        assert found.cost["tokens_out"] > 0
    (again,) = understand_many(
        [PreparedDocument(pages)],
        slip,
        extractor=extractor,
        runs=[run],
        policy=AcceptancePolicy.for_extractor(extractor),
    )
    assert [(one.path, one.raw) for one in again.fields] == [(one.path, one.raw) for one in found.fields]


@pytest.mark.parametrize(
    "model", ["nonsense", "hf:/no/such/folder", "hf:ORG/NAME", "openai:", "a,b,c", "embedded,nonsense"]
)
def test_a_model_that_cannot_be_chosen_is_an_error_that_says_what_to_write(model, chosen):
    with pytest.raises(ModelError) as error:
        load(model)
    assert error.value.hint
