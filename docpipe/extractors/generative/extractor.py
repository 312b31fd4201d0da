"""An extractor made of any vision-language model: it is shown the pages and writes what the schema asks for.

In: pages with images, a schema, a `Backend`. Out: an `Answer` whose candidates have no evidence yet: `ground` finds
it, or not, which is how a value that a model made up is distinguished from one that is printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from docpipe.cost import add_costs, with_cost
from docpipe.data import Answer, Issue, Page, Severity
from docpipe.errors import AnswerError, DocpipeError
from docpipe.extractors.generative import page_selection, prompt
from docpipe.extractors.generative.backend import Backend, BackendReply, OutputSlot, Prompt
from docpipe.extractors.generative.output_schema import DOCUMENT_TYPE, output_slots, type_slot
from docpipe.extractors.generative.parse import FINISH_MESSAGES, UNKNOWN_ABSENCE, CompletionParser, string_value
from docpipe.extractors.generative.prompt import PromptPage
from docpipe.schema import Schema

MARKUP_ESCAPES = str.maketrans("<>", "‹›")  # a page must not end the user's turn: `<|im_end|>` is text on it
TIMEOUT_HINT = "Try again later, or raise DOCPIPE_HOSTED_SECONDS."
BATCH_SIZE = 8  # documents that a worker hands over at once; the backend makes of them what fits


@dataclass(frozen=True, slots=True)
class _DocumentPrompt:
    """A prompt, and the index of its document in the batch."""

    document: int
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class _Exchange:
    """A prompt, and what came back."""

    prompt: Prompt
    reply: BackendReply | DocpipeError


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
        """Of a schema of choices the model is asked first which of them each document is, and then for its fields."""
        visible = [_visible_pages(pages) for pages in batch]
        if not schema.choices:
            return self._answers(visible, schema)
        answers = self._type_answers(visible, schema)
        types = ["" if isinstance(answer, DocpipeError) else answer.schema for answer in answers]
        for choice in schema.choices:
            chosen = [document for document, name in enumerate(types) if name == choice.name]
            for document, answer in zip(chosen, self._answers([visible[i] for i in chosen], choice), strict=True):
                answers[document] = _with_type(answers[document], answer)
        return answers

    def extract_regions(self, regions: Mapping[str, Page], schema: Schema) -> Answer:
        """Single fields again, each from the part of a page where it is thought to stand."""
        prompts = []
        for path, crop in regions.items():
            narrowed = schema.only([path])
            parts = prompt.prompt_parts(prompt.instructions(narrowed), [self._prompt_page(crop, is_crop=True)])
            prompts.append(Prompt(parts, output_slots(narrowed), crop.lines))
        parser, replies = CompletionParser(schema), []
        failed_cost: Mapping[str, float] = {}
        for reply in self._backend.complete(prompts) if prompts else []:
            if isinstance(reply, DocpipeError):  # what was found before still stands
                failed_cost = add_costs(failed_cost, reply.cost)
                continue
            parser.add_reply(reply)
            replies.append(reply)
        answer = parser.answer()
        found_paths = {candidate.path for candidate in answer.candidates}
        # what a crop does not show may stand elsewhere: null is a doubt of the value, but no claim of absence
        absent = {path: p if path in found_paths else UNKNOWN_ABSENCE for path, p in answer.absent.items()}
        return with_cost(_with_costs(replace(answer, absent=absent), replies), failed_cost)

    def _answers(self, batch: Sequence[Sequence[Page]], schema: Schema) -> list[Answer | DocpipeError]:
        prompts = [
            _DocumentPrompt(document, each)
            for document, pages in enumerate(batch)
            for each in self._prompts(pages, schema)
        ]
        replies = self._backend.complete([each.prompt for each in prompts]) if prompts else []
        exchanges: list[list[_Exchange]] = [[] for _ in batch]
        for each, reply in zip(prompts, replies, strict=True):
            exchanges[each.document].append(_Exchange(each.prompt, reply))
        return [
            _with_scaled_absence(_document_answer(own, schema, _issues_of_selection(pages, schema)), pages)
            for pages, own in zip(batch, exchanges, strict=True)
        ]

    def _prompts(self, pages: Sequence[Page], schema: Schema) -> Iterator[Prompt]:
        """One for all slots of a short document. Of a long one single fields from the pages chosen for them, rows from
        a few pages at a time."""
        if not pages:
            return
        opening, slots = prompt.instructions(schema), output_slots(schema)
        if len(pages) <= page_selection.PAGES_PER_PROMPT:
            yield self._prompt(opening, pages, slots)
            return
        lists = tuple(slot for slot in slots if slot.name in schema.lists())
        singles = tuple(slot for slot in slots if slot.name not in schema.lists())
        if singles:
            yield self._prompt(opening, [pages[i] for i in page_selection.pages_for_fields(pages, schema)], singles)
        if lists:
            list_pages = [pages[i] for i in page_selection.pages_for_lists(pages)]
            for first in range(0, len(list_pages), page_selection.PAGES_PER_PROMPT):
                yield self._prompt(opening, list_pages[first : first + page_selection.PAGES_PER_PROMPT], lists)

    def _prompt(self, opening: str, pages: Sequence[Page], slots: tuple[OutputSlot, ...]) -> Prompt:
        lines = tuple(line for page in pages for line in page.lines)
        return Prompt(prompt.prompt_parts(opening, [self._prompt_page(page) for page in pages]), slots, lines)

    def _prompt_page(self, page: Page, *, is_crop: bool = False) -> PromptPage:
        if page.image is None:
            return PromptPage(page.number, _page_text(page))
        side = min(self._backend.max_side, max(page.width, page.height)) if is_crop else None
        image = page.image.open(max_side=side or page_selection.image_side(page, self._backend.max_side))
        return PromptPage(page.number, image.convert("RGB"), is_crop)

    def _type_answers(self, batch: Sequence[Sequence[Page]], schema: Schema) -> list[Answer | DocpipeError]:
        """Which choice each document is, from its first page; one without pages is the first choice, which finds
        nothing."""
        opening, slots = prompt.type_instructions(schema), (type_slot(schema),)
        with_pages = [document for document, pages in enumerate(batch) if pages]
        prompts = [self._prompt(opening, batch[document][:1], slots) for document in with_pages]
        answers: list[Answer | DocpipeError] = [Answer((), schema=schema.choices[0].name) for _ in batch]
        for document, reply in zip(with_pages, self._backend.complete(prompts) if prompts else [], strict=True):
            answers[document] = _type_answer(reply, schema)
        return answers


def _visible_pages(pages: Sequence[Page]) -> list[Page]:
    return [page for page in pages if not page.blank and (page.image is not None or page.words)]


def _page_text(page: Page) -> str:
    return "\n".join(page.lines).translate(MARKUP_ESCAPES)


def _issues_of_selection(pages: Sequence[Page], schema: Schema) -> list[Issue]:
    """Which pages the model was not asked about: nothing is passed over silently."""
    if not pages:
        return [Issue("nothing_read", "No page could be shown to the model.", "error")]
    lists = schema.lists()
    has_single_fields = len(schema.fields) > sum(map(len, lists.values()))
    for_rows = set(page_selection.pages_for_lists(pages)) if lists else set()
    for_fields = set(page_selection.pages_for_fields(pages, schema)) if has_single_fields else set()
    left_out = [
        f"{what}: {', '.join(str(page.number) for i, page in enumerate(pages) if i not in selected)}"
        for what, selected in (("single fields", for_fields), ("rows", for_rows))
        if selected and len(selected) < len(pages)
    ]
    if not left_out:
        return []
    severity: Severity = "warning" if len(for_rows) == page_selection.MAX_LIST_PAGES else "info"
    message = f"pages that the model was not asked about, for {'; for '.join(left_out)}"
    return [Issue("pages_not_shown", message, severity)]


def _with_scaled_absence(answer: Answer | DocpipeError, pages: Sequence[Page]) -> Answer | DocpipeError:
    """Of a long document a few pages are shown: that a field is absent there says as much less of all pages."""
    if isinstance(answer, DocpipeError) or len(pages) <= page_selection.PAGES_PER_PROMPT:
        return answer
    share = page_selection.PAGES_PER_PROMPT / len(pages)
    found_paths = {candidate.path for candidate in answer.candidates}
    return replace(answer, absent={path: p if path in found_paths else p * share for path, p in answer.absent.items()})


def _document_answer(exchanges: Sequence[_Exchange], schema: Schema, issues: Sequence[Issue]) -> Answer | DocpipeError:
    """One document's answer from its replies; an error when one of them is one, or when the model refused all."""
    parser = CompletionParser(schema, issues=list(issues))
    replies = [each.reply for each in exchanges if isinstance(each.reply, BackendReply)]
    errors = [each.reply for each in exchanges if isinstance(each.reply, DocpipeError)]
    error = errors[0] if errors else None
    try:
        for reply in replies:
            parser.add_reply(reply)
    except AnswerError as unusable:
        error = error or unusable
    if exchanges and error is None:
        parser.add_unanswered([slot.name for each in exchanges for slot in each.prompt.slots])
        if parser.finish == "refused" and not parser.candidates:
            error = AnswerError("the model refused to answer", hint="Look at the document, or try another model.")
        if parser.finish == "timeout" and not parser.candidates:  # a stored result would never be asked again
            error = AnswerError("the model did not answer in time", hint=TIMEOUT_HINT)
    answer = _with_costs(parser.answer(), replies)
    if error is not None:
        for cost in (*(other.cost for other in errors[1:]), answer.cost):
            error.cost = add_costs(error.cost, cost)
        return error
    return answer


def _with_type(type_answer: Answer | DocpipeError, answer: Answer | DocpipeError) -> Answer | DocpipeError:
    """The answer with the document's type, and with what it cost to find that out."""
    if isinstance(type_answer, DocpipeError):
        return type_answer
    if isinstance(answer, DocpipeError):
        answer.cost = add_costs(answer.cost, type_answer.cost)
        return answer
    return replace(with_cost(answer, type_answer.cost), schema=type_answer.schema)


def _with_costs(answer: Answer, replies: Sequence[BackendReply]) -> Answer:
    for reply in replies:
        answer = with_cost(answer, reply.cost)
    return answer


def _type_answer(reply: BackendReply | DocpipeError, schema: Schema) -> Answer | DocpipeError:
    """An answer with the choice that the model named and without fields, or the error that it named none."""
    if isinstance(reply, DocpipeError):
        return reply
    choices = {choice.name for choice in schema.choices}
    for completion in reply.completions:
        name = string_value(completion, DOCUMENT_TYPE)
        if name is not None and name in choices:
            return _with_costs(Answer((), schema=name), [reply])
    finishes = [completion.finish for completion in reply.completions if completion.finish in FINISH_MESSAGES]
    reason = FINISH_MESSAGES[finishes[0]] if finishes else "it named none of the choices"
    message = f"the model did not say what sort of document this is: {reason}"
    error = AnswerError(message, hint="Name one with --schema.")
    error.cost = reply.cost
    return error
