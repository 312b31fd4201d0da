"""A second model is asked about what the first is not sure of, and nothing else; doubtful values are read again."""

from contextlib import closing
from dataclasses import dataclass, replace

import pytest
from PIL import Image

from docpipe.acceptance import AcceptancePolicy
from docpipe.cascade import ABSENT_SURE, Cascade, doubtful_regions, uncertain_paths
from docpipe.confidence import FEATURES, Calibration, Record, fit
from docpipe.data import Box, Field, PreparedDocument
from docpipe.errors import AnswerError, ModelError, TooLargeError
from docpipe.extractors.embedded import EmbeddedExtractor
from docpipe.extractors.generative.backend import BackendReply, Completion
from docpipe.extractors.generative.picture_extractor import PictureExtractor
from docpipe.extractors.scripted import ScriptedExtractor
from docpipe.ingest import ingest
from docpipe.page_images import CroppedImage
from docpipe.pipeline import prepare, understand, understand_many
from docpipe.rasterise import PageRasteriser
from docpipe.read import PageReader
from docpipe.render import Renderer
from docpipe.result import RunIdentity
from docpipe.samples import draw
from docpipe.schema import load_schema
from tests.support.fake_backend import FakeBackend, replying_with
from tests.support.page_images import with_blank_image
from tests.support.pages import page_of

LINES = ["Acme Ltd", "Date 25/12/2018", "Subtotal 70.00", "Tax 10.90", "Total 80.90", "Paid by VISA"]
RUN = RunIdentity("0" * 64, "a,b", "key")
CERTAIN = {"merchant_name": "Acme Ltd", "date": "25/12/2018", "total": "80.90"}
NULL_FIELDS = dict.fromkeys((
    "merchant_address", "merchant_phone", "time", "currency", "subtotal", "tax", "tip", "payment_method",
))  # fmt: skip


@pytest.fixture(scope="module")
def receipt():
    return load_schema("receipt")


@pytest.fixture(scope="module")
def trusting():
    """A calibration under which a score of .9 is accepted and one of .3 is not."""
    records = [
        Record(str(number), group, {"score": score, "match": 1.0}, right)
        for number in range(2_000)
        for group in ("number", "name", "date")
        for score, right in ((0.9, True), (0.3, number % 2 == 0))
    ]
    return fit(records, "any")


def policy(calibration, second=None):
    return AcceptancePolicy(calibration, second_calibration=second)


def prepared_receipt():
    return PreparedDocument([with_blank_image(page_of(LINES))])


def test_only_what_the_first_is_not_sure_of_is_asked_again(receipt, trusting):
    first = ScriptedExtractor(
        {**CERTAIN, **NULL_FIELDS, "tax": {"text": "70.00", "score": 0.3}, "items": [{"description": "Tea"}]}
    )
    backend = FakeBackend(replying_with({"tax": "10.90"}))
    cascade = Cascade(first, PictureExtractor(backend))
    extraction = understand(prepared_receipt(), receipt, extractor=cascade, run=RUN, policy=policy(trusting, trusting))
    asked = [slot.name for prompt in backend.prompts for slot in prompt.slots]
    assert asked == ["items", "tax"]
    instructions = str(backend.prompts[0].parts[0])
    assert '"tax"' in instructions
    assert '"merchant_name"' not in instructions
    assert {field.path: field.raw for field in extraction.fields if field.raw}["tax"] == "10.90"


def test_what_the_first_is_sure_of_stays_as_it_was(receipt, trusting):
    script = {**CERTAIN, **NULL_FIELDS, "tip": {"text": "1.00", "score": 0.2}, "items": [{"amount": "80.90"}]}
    alone = understand(
        prepared_receipt(), receipt, extractor=ScriptedExtractor(script), run=RUN, policy=policy(trusting)
    )
    backend = FakeBackend(replying_with({"total": "70.00", "merchant_name": "Another"}))
    cascade = Cascade(ScriptedExtractor(script), PictureExtractor(backend))
    both = understand(prepared_receipt(), receipt, extractor=cascade, run=RUN, policy=policy(trusting, trusting))
    before = {field.path: field for field in alone.fields if field.accepted and field.path in CERTAIN}
    assert set(before) == set(CERTAIN)
    assert {field.path: field for field in both.fields if field.path in before} == before


def test_who_is_sure_of_all_is_asked_alone(receipt, trusting):
    sure = {**CERTAIN, **NULL_FIELDS, "items": [{"description": "Paid by VISA", "amount": "80.90"}]}
    backend = FakeBackend(replying_with({}))
    cascade = Cascade(ScriptedExtractor(sure), PictureExtractor(backend))
    extraction = understand(prepared_receipt(), receipt, extractor=cascade, run=RUN, policy=policy(trusting, trusting))
    assert backend.prompts == []
    assert extraction.cost == {}


def test_an_error_of_the_second_is_the_documents(receipt, trusting):
    broken = FakeBackend(lambda prompt: ModelError("the server is away"))
    cascade = Cascade(ScriptedExtractor(CERTAIN), PictureExtractor(broken))
    with pytest.raises(ModelError, match="away"):
        understand(prepared_receipt(), receipt, extractor=cascade, run=RUN, policy=policy(trusting, trusting))


def test_a_second_model_that_refuses_leaves_the_firsts_answer_and_what_it_cost(receipt, trusting):
    refusing = FakeBackend(lambda prompt: BackendReply((Completion("", ("tax",), finish="refused"),), tokens_in=70))
    cascade = Cascade(ScriptedExtractor(CERTAIN), PictureExtractor(refusing))
    extraction = understand(prepared_receipt(), receipt, extractor=cascade, run=RUN, policy=policy(trusting, trusting))
    assert {field.path for field in extraction.fields if field.raw} >= set(CERTAIN)
    assert "second_unusable" in [issue.code for issue in extraction.issues]
    assert extraction.cost["tokens_in"] == 70


def test_a_second_model_for_which_a_document_is_too_long_leaves_the_firsts_answer(receipt, trusting):
    cascade = Cascade(
        ScriptedExtractor(CERTAIN), PictureExtractor(FakeBackend(lambda prompt: TooLargeError("no room")))
    )
    extraction = understand(prepared_receipt(), receipt, extractor=cascade, run=RUN, policy=policy(trusting, trusting))
    assert {field.path for field in extraction.fields if field.raw} >= set(CERTAIN)
    assert "second_unusable" in [issue.code for issue in extraction.issues]


def test_documents_that_are_unsure_of_the_same_go_together(receipt, trusting):
    calls = []

    class Counting(PictureExtractor):
        def extract_many(self, batch, schema):
            calls.append((len(batch), [spec.path for spec in schema.fields][:1]))
            return super().extract_many(batch, schema)

    script = [
        {
            **CERTAIN,
            **NULL_FIELDS,
            "when": "VISA",
            "tax": {"text": "10.90", "score": 0.3},
            "items": [{"amount": "80.90"}],
        },
        {**CERTAIN, **NULL_FIELDS, "tip": {"text": "1.00", "score": 0.3}, "items": [{"amount": "80.90"}]},
    ]
    other = PreparedDocument([with_blank_image(page_of(LINES[:-1]))])
    cascade = Cascade(ScriptedExtractor(script), Counting(FakeBackend(replying_with({}))))
    batch = [prepared_receipt(), other, prepared_receipt()]
    extractions = understand_many(batch, receipt, extractor=cascade, runs=[RUN] * 3, policy=policy(trusting, trusting))
    assert len(extractions) == 3
    assert sorted(count for count, _ in calls) == [1, 2]


def test_one_documents_error_in_a_batch_is_its_own(receipt, trusting):
    script = [{"when": "VISA", **CERTAIN}]
    other = PreparedDocument([page_of(["nothing for this page"])])
    extractions = understand_many(
        [prepared_receipt(), other],
        receipt,
        extractor=ScriptedExtractor(script),
        runs=[RUN] * 2,
        policy=policy(trusting),
    )
    assert extractions[0].fields
    assert isinstance(extractions[1], AnswerError)


@pytest.mark.parametrize("seed", [7_000_000, 7_000_001, 7_000_002])
def test_the_embedded_network_asks_a_second_model_for_exactly_its_unsure_fields(tmp_path, seed):
    invoice = load_schema("invoice")
    (tmp_path / "bill.pdf").write_bytes(draw("invoice", seed, fonts="standard").pdf)
    embedded = EmbeddedExtractor()
    backend = FakeBackend(replying_with({}))
    cascade = Cascade(embedded, PictureExtractor(backend))
    with closing(Renderer()) as renderer:
        document = ingest(tmp_path / "bill.pdf", renderer=renderer)
        prepared = prepare(document, rasteriser=PageRasteriser(renderer), reader=PageReader(renderer))
        alone = understand(
            prepared, invoice, extractor=embedded, run=RUN, policy=AcceptancePolicy.for_extractor(embedded)
        )
        both = understand(prepared, invoice, extractor=cascade, run=RUN, policy=AcceptancePolicy.for_extractor(cascade))
    asked = {slot.name for slot in backend.prompts[0].slots}
    single = {spec.path: spec for spec in invoice.fields if spec.list_path is None}
    sure = {field.path for field in alone.fields if field.path in single and (field.accepted or _absent(field, single))}
    assert sure, "the network is sure of something"
    assert asked.isdisjoint(sure)
    assert set(single) - sure <= asked
    kept = {field.path: field for field in both.fields}
    assert all(kept[field.path] == field for field in alone.fields if field.accepted and field.path in single)


def _absent(field, single):
    return field.raw is None and field.confidence >= ABSENT_SURE and not single[field.path].required


def test_a_doubtful_value_is_read_again_from_its_crop_and_once(receipt, trusting):
    def reply_to(prompt):
        is_crop = any(isinstance(part, str) and "enlarged" in part for part in prompt.parts)
        values = {"total": "80.90"} if is_crop else {**CERTAIN, "total": "88.90"}
        return replying_with(values, None)(prompt)

    backend = FakeBackend(reply_to)
    lines = [*LINES[:-2], "Total 88.90 80.90"]
    unsure_of_all = Calibration("any", {"shared": (-3.0, *(0.0 for _ in FEATURES[1:]))})
    document = PreparedDocument([with_blank_image(page_of(lines))])
    extraction = understand(
        document, receipt, extractor=PictureExtractor(backend), run=RUN, policy=policy(unsure_of_all)
    )
    crops_asked = [prompt for prompt in backend.prompts if "enlarged" in str(prompt.parts[1])]
    assert sorted(slot.name for prompt in crops_asked for slot in prompt.slots) == [
        "date",
        "merchant_name",
        "total",
    ]
    assert all(max(picture.size) < 1_000 for prompt in crops_asked for picture in prompt.images)
    assert extraction.cost["tokens_in"] == 100.0 * len(backend.prompts)
    (total,) = [field for field in extraction.fields if field.path == "total"]
    assert total.raw in ("80.90", "88.90")
    assert "80.90" in total.raw or total.signals["margin"] < 0.1, "what the crop says counts as much"


def test_a_value_that_is_not_on_the_page_is_never_accepted(receipt):
    records = [Record(str(n), "number", {"score": 0.8}, True) for n in range(2_000)]
    credulous = fit(records, "any")
    backend = FakeBackend(replying_with({"total": "999.99"}))
    extraction = understand(
        prepared_receipt(), receipt, extractor=PictureExtractor(backend), run=RUN, policy=policy(credulous)
    )
    (total,) = [field for field in extraction.fields if field.path == "total"]
    assert total.raw == "999.99"
    assert not total.accepted
    assert "no_evidence" in [issue.code for issue in total.issues]


def test_a_field_whose_absence_is_not_sure_is_unsure(receipt):
    fields = (
        Field("tip", None, None, 0.5), Field("tax", None, None, 0.99), Field("total", None, None, 0.99),
        Field("date", "x", "25/12/2018", 0.99, accepted=True), Field("items[0].amount", "x", "1", 0.99, accepted=True),
    )  # fmt: skip
    paths = uncertain_paths(fields, receipt)
    assert "tip" in paths
    assert "total" in paths, "it has to be there"
    assert "tax" not in paths
    assert "date" not in paths
    assert "items" not in paths


def test_a_crop_shows_the_value_with_its_surroundings(receipt, trusting):
    page = with_blank_image(page_of(LINES))
    extraction = understand(
        prepared_receipt(), receipt, extractor=ScriptedExtractor(CERTAIN), run=RUN, policy=policy(trusting)
    )
    doubted = [replace(field, accepted=False, confidence=0.2) for field in extraction.fields]
    crop = doubtful_regions(doubted, [page])["total"]
    assert crop.image.open().size == (crop.width, crop.height)
    assert crop.width > 300
    assert crop.height < 200


def test_a_second_look_that_fails_leaves_the_first(receipt):
    def reply_to(prompt):
        if any(isinstance(part, str) and "enlarged" in part for part in prompt.parts):
            return ModelError("the server is away")
        return replying_with({"total": "80.90"})(prompt)

    class Unkind(PictureExtractor):
        def extract_regions(self, regions, schema):
            raise ModelError("no memory for this crop")

    unsure_of_all = Calibration("any", {"shared": (-3.0, *(0.0 for _ in FEATURES[1:]))})
    for kind in (PictureExtractor, Unkind):
        extractor = kind(FakeBackend(reply_to))
        extraction = understand(prepared_receipt(), receipt, extractor=extractor, run=RUN, policy=policy(unsure_of_all))
        assert {field.path: field.raw for field in extraction.fields if field.raw} == {"total": "80.90"}
        assert extraction.cost["tokens_in"] == 100
    assert "not_reread" in [issue.code for issue in extraction.issues]


def test_a_crop_can_be_turned_as_any_picture_can():
    sheet = Image.new("RGB", (100, 200), "white")
    sheet.paste((255, 0, 0), (10, 20, 30, 60))
    crop = CroppedImage(Turning(sheet), Box(0.1, 0.1, 0.3, 0.3))
    for degrees, size in ((90, (40, 20)), (180, (20, 40)), (270, (40, 20))):
        turned = crop.turned(degrees).open()
        assert turned.size == size
        assert turned.getcolors() == [(800, (255, 0, 0))], "what is in the crop, and nothing beside it"


@dataclass(frozen=True)
class Turning:
    picture: Image.Image

    def open(self, *, max_side=None):
        return self.picture

    def turned(self, degrees):
        return Turning(self.picture.rotate(-degrees, expand=True))
