"""An extractor made of any vision-language model: it is shown the pages and writes what the schema asks for.

In: pages with pictures, a schema, a `Backend`. Out: an `Answer` whose candidates have no evidence yet: `ground` finds
it, or not, which is how a value that a model made up is told from one that is printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from docpipe.cost import add_costs, with_cost
from docpipe.data import Answer, Issue, Page, Severity
from docpipe.errors import AnswerError, DocpipeError
from docpipe.extractors.generative import page_selection, prompt
from docpipe.extractors.generative.backend import Backend, Question, Reply, Slot
from docpipe.extractors.generative.output_schema import DOCUMENT, slots, type_slot
from docpipe.extractors.generative.parse import SAID, UNKNOWN, Findings, string_of
from docpipe.extractors.generative.prompt import Sheet
from docpipe.schema import Schema

NO_MARKUP = str.maketrans("<>", "‹›")  # a page must not end the user's turn: `<|im_end|>` is text on it
TIMEOUT = "Try again later, or raise DOCPIPE_HOSTED_SECONDS."
BATCH_SIZE = 8  # documents that a worker hands over at once; the backend makes of them what fits


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question, and whose it is: the document's place in the batch."""

    document: int
    question: Question


class GenerativeExtractor:
    """Pages without words may have answers too, but none that can be grounded."""

    batch_size = BATCH_SIZE

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._name = f"{backend.name}+{prompt.WORDING}"

    @property
    def name(self) -> str:
        return self._name

    def extract(self, pages: Sequence[Page], schema: Schema) -> Answer:
        """Raises AnswerError when the model refuses, or writes what is no answer."""
        (answer,) = self.extract_many([pages], schema)
        if isinstance(answer, DocpipeError):
            raise answer
        return answer

    def extract_many(self, batch: Sequence[Sequence[Page]], schema: Schema) -> list[Answer | DocpipeError]:
        """Of a schema of choices each document is asked what it is, and then as that."""
        shown = [_visible(pages) for pages in batch]
        if not schema.choices:
            return self._answers(shown, schema)
        answers: dict[int, Answer | DocpipeError] = {}
        told = self._types(shown, schema)
        for choice in schema.choices:
            own = [
                at for at, said in enumerate(told) if not isinstance(said, DocpipeError) and said.schema == choice.name
            ]
            for at, answer in zip(own, self._answers([shown[at] for at in own], choice), strict=True):
                answers[at] = _joined(told[at], answer)
        return [answers.get(at, said) for at, said in enumerate(told)]

    def extract_regions(self, regions: Mapping[str, Page], schema: Schema) -> Answer:
        """Single fields again, each from the part of a page where it is thought to stand."""
        questions = []
        for path, crop in regions.items():
            wanted = schema.only([path])
            sheets = [self._sheet(crop, is_crop=True)]
            questions.append(Question(prompt.parts(prompt.instructions(wanted), sheets), slots(wanted), crop.lines))
        findings, replies = Findings(schema), []
        cost: Mapping[str, float] = {}
        for reply in self._backend.answer(questions) if questions else []:
            if isinstance(reply, DocpipeError):  # what was found before still stands
                cost = add_costs(cost, reply.cost)
                continue
            findings.add_reply(reply)
            replies.append(reply)
        again = findings.answer()
        read = {one.path for one in again.candidates}
        # what a crop does not show may stand elsewhere: null is a doubt of the value, but no claim of absence
        absent = {path: said if path in read else UNKNOWN for path, said in again.absent.items()}
        return with_cost(_with_costs(replace(again, absent=absent), replies), cost)

    def _answers(self, batch: Sequence[Sequence[Page]], schema: Schema) -> list[Answer | DocpipeError]:
        asked = [_Asked(at, question) for at, pages in enumerate(batch) for question in self._questions(pages, schema)]
        replies = self._backend.answer([one.question for one in asked]) if asked else []
        answers = []
        for at, pages in enumerate(batch):
            own = [(one.question, reply) for one, reply in zip(asked, replies, strict=True) if one.document == at]
            answers.append(_of_all(_read(own, schema, _left_out(pages, schema)), pages))
        return answers

    def _questions(self, pages: Sequence[Page], schema: Schema) -> Iterator[Question]:
        """All at once for a short document. Of a long one single fields from the pages chosen for them, rows from a few
        pages at a time."""
        if not pages:
            return
        opening, wanted = prompt.instructions(schema), slots(schema)
        if len(pages) <= page_selection.AT_ONCE:
            yield self._question(opening, pages, wanted)
            return
        lists = tuple(slot for slot in wanted if slot.name in schema.lists())
        singles = tuple(slot for slot in wanted if slot.name not in schema.lists())
        if singles:
            yield self._question(opening, [pages[at] for at in page_selection.pages_for_fields(pages, schema)], singles)
        if lists:
            holding = page_selection.pages_for_lists(pages)
            for first in range(0, len(holding), page_selection.AT_ONCE):
                yield self._question(
                    opening, [pages[at] for at in holding[first : first + page_selection.AT_ONCE]], lists
                )

    def _question(self, opening: str, pages: Sequence[Page], wanted: tuple[Slot, ...]) -> Question:
        words = tuple(line for page in pages for line in page.lines)
        return Question(prompt.parts(opening, [self._sheet(page) for page in pages]), wanted, words)

    def _sheet(self, page: Page, *, is_crop: bool = False) -> Sheet:
        if page.image is None:
            return Sheet(page.number, _text(page))
        side = min(self._backend.max_side, max(page.width, page.height)) if is_crop else None
        image = page.image.open(max_side=side or page_selection.side(page, self._backend.max_side))
        return Sheet(page.number, image.convert("RGB"), is_crop)

    def _types(self, batch: Sequence[Sequence[Page]], schema: Schema) -> list[Answer | DocpipeError]:
        """What each document is, from its first page; one without pages is the first choice, which finds nothing."""
        opening, wanted = prompt.type_instructions(schema), (type_slot(schema),)
        shown = [at for at, pages in enumerate(batch) if pages]
        questions = [self._question(opening, batch[at][:1], wanted) for at in shown]
        replies = dict(zip(shown, self._backend.answer(questions), strict=True)) if questions else {}
        nothing = Answer((), schema=schema.choices[0].name)
        return [_type(replies[at], schema) if at in replies else nothing for at in range(len(batch))]


def _visible(pages: Sequence[Page]) -> list[Page]:
    return [page for page in pages if not page.blank and (page.image is not None or page.words)]


def _text(page: Page) -> str:
    return "\n".join(page.lines).translate(NO_MARKUP)


def _left_out(pages: Sequence[Page], schema: Schema) -> list[Issue]:
    """Which pages nobody was asked about: nothing is passed over silently."""
    if not pages:
        return [Issue("nothing_read", "No page could be shown to the model.", "error")]
    lists = schema.lists()
    rows = set(page_selection.pages_for_lists(pages)) if lists else set()
    fields = (
        set(page_selection.pages_for_fields(pages, schema))
        if len(schema.fields) > sum(map(len, lists.values()))
        else set()
    )
    left = [
        f"{what}: {', '.join(str(page.number) for at, page in enumerate(pages) if at not in shown)}"
        for what, shown in (("single fields", fields), ("rows", rows))
        if shown and len(shown) < len(pages)
    ]
    if not left:
        return []
    severity: Severity = "warning" if len(rows) == page_selection.LIST_PAGES_MOST else "info"
    return [Issue("pages_not_shown", f"pages that the model was not asked about, for {'; for '.join(left)}", severity)]


def _of_all(answer: Answer | DocpipeError, pages: Sequence[Page]) -> Answer | DocpipeError:
    """Of a long document fields are asked of a few pages: that they are absent there says as much less of all."""
    if isinstance(answer, DocpipeError) or len(pages) <= page_selection.AT_ONCE:
        return answer
    read, share = {one.path for one in answer.candidates}, page_selection.AT_ONCE / len(pages)
    return replace(answer, absent={path: p if path in read else p * share for path, p in answer.absent.items()})


def _read(
    own: Sequence[tuple[Question, Reply | DocpipeError]], schema: Schema, issues: Sequence[Issue]
) -> Answer | DocpipeError:
    """One document's answer from its replies; an error when one of them is one, or when the model refused all."""
    findings = Findings(schema, issues=list(issues))
    replies = [reply for _, reply in own if isinstance(reply, Reply)]
    errors = [reply for _, reply in own if isinstance(reply, DocpipeError)]
    error = errors[0] if errors else None
    try:
        for reply in replies:
            findings.add_reply(reply)
    except AnswerError as unusable:
        error = error or unusable
    if own and error is None:
        findings.unanswered([slot.name for question, _ in own for slot in question.slots])
        if findings.finish == "refused" and not findings.candidates:
            error = AnswerError("the model refused to answer", hint="Look at the document, or try another model.")
        if findings.finish == "timeout" and not findings.candidates:  # a stored result would never be asked again
            error = AnswerError("the model did not answer in time", hint=TIMEOUT)
    answer = _with_costs(findings.answer(), replies)
    if error is not None:
        for cost in (*(other.cost for other in errors[1:]), answer.cost):
            error.cost = add_costs(error.cost, cost)
        return error
    return answer


def _joined(told: Answer | DocpipeError, answer: Answer | DocpipeError) -> Answer | DocpipeError:
    """The answer, with what it cost to find out the type."""
    if isinstance(told, DocpipeError):
        return told
    if isinstance(answer, DocpipeError):
        answer.cost = add_costs(answer.cost, told.cost)
        return answer
    return replace(with_cost(answer, told.cost), schema=told.schema)


def _with_costs(answer: Answer, replies: Sequence[Reply]) -> Answer:
    for reply in replies:
        answer = with_cost(answer, reply.cost)
    return answer


def _type(reply: Reply | DocpipeError, schema: Schema) -> Answer | DocpipeError:
    """An answer with the choice that the model named and without fields, or the error that it named none."""
    if isinstance(reply, DocpipeError):
        return reply
    names = {choice.name for choice in schema.choices}
    said = [named for written in reply.written if (named := string_of(written, DOCUMENT)) in names]
    if said:
        return _with_costs(Answer((), schema=str(said[0])), [reply])
    why = next((SAID[one.finish] for one in reply.written if one.finish in SAID), "it named none of the choices")
    error = AnswerError(f"the model did not say what sort of document this is: {why}", hint="Name one with --schema.")
    error.cost = reply.cost
    return error
