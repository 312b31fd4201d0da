"""What goes wrong while an extractor works on one document is that document's own."""

import pytest

from docpipe.acceptance import AcceptancePolicy
from docpipe.cascade import Cascade
from docpipe.data import PreparedDocument
from docpipe.errors import ExtractionError, ModelError, TooLargeError
from docpipe.extractors.scripted import ScriptedExtractor
from docpipe.pipeline import understand, understand_many
from docpipe.result import RunIdentity
from docpipe.schema import load_schema
from tests.support.page_images import with_blank_image
from tests.support.pages import page_of

RUN = RunIdentity("0" * 64, "scripted:1", "key")
GOOD, BAD = PreparedDocument([page_of(["Total 80.90"])]), PreparedDocument([page_of(["Bad 80.90"])])


class Failing(ScriptedExtractor):
    """Answers but for pages that say so."""

    def __init__(self, error):
        super().__init__({"total": "80.90"})
        self.error = error

    def extract(self, pages, schema):
        if "Bad" in pages[0].lines[0]:
            raise self.error
        return super().extract(pages, schema)


@pytest.fixture(scope="module")
def receipt():
    return load_schema("receipt")


def understood(extractor, receipt, *documents):
    policy = AcceptancePolicy.for_extractor(extractor)
    return understand_many(documents, receipt, extractor=extractor, runs=[RUN] * len(documents), policy=policy)


@pytest.mark.parametrize(
    "error", [ValueError("bad shape"), RuntimeError("size of tensor a"), IndexError("no row"), TypeError("None")]
)
def test_a_failure_that_the_extractor_does_not_explain_is_the_documents(receipt, error):
    before, failed, after = understood(Failing(error), receipt, GOOD, BAD, GOOD)
    assert isinstance(failed, ExtractionError) and not failed.retryable
    assert type(error).__name__ in failed.message and str(error) in failed.message
    assert "test_understanding.py" in failed.message
    assert [field.raw for field in before.fields] == [field.raw for field in after.fields]


def test_a_document_for_which_there_is_no_memory_is_too_large(receipt):
    _, failed = understood(Failing(MemoryError()), receipt, GOOD, BAD)
    assert isinstance(failed, TooLargeError) and not failed.retryable


def test_a_model_that_is_away_stays_one(receipt):
    (failed,) = understood(Failing(ModelError("no card")), receipt, BAD)
    assert type(failed) is ModelError and failed.retryable


def test_a_time_limit_is_for_whoever_set_it(receipt):
    class TimeLimitError(Exception):
        pass

    with pytest.raises(TimeLimitError):
        understood(Failing(TimeLimitError()), receipt, GOOD, BAD)


def test_where_the_second_model_breaks_off_the_first_ones_answer_stands(receipt):
    cascade = Cascade(ScriptedExtractor({"total": "80.90"}), Failing(ValueError("bad shape")))
    found = understand(BAD, receipt, extractor=cascade, run=RUN, policy=AcceptancePolicy.for_extractor(cascade))
    assert {field.path: field.raw for field in found.fields if field.raw} == {"total": "80.90"}
    assert "second_unusable" in [issue.code for issue in found.issues]


def test_regions_that_the_extractor_breaks_off_over_leave_the_first_answer(receipt):
    class Unkind(ScriptedExtractor):
        def extract_regions(self, regions, schema):
            raise ValueError("bad shape")

    extractor = Unkind({"total": "80.90"})

    document = PreparedDocument([with_blank_image(GOOD.pages[0])])
    found = understand(
        document, receipt, extractor=extractor, run=RUN, policy=AcceptancePolicy.for_extractor(extractor)
    )
    assert "not_reread" in [issue.code for issue in found.issues]
