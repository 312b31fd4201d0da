"""An extractor made of any model that writes: it is shown the pages, as pictures, words or both, and writes what the
schema asks for.

In: pages, a schema, a `Backend`. Out: an `Answer` whose candidates have no evidence yet: `ground` finds
it, or not, which is how a value that a model made up is distinguished from one that is printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from docpipe.copied_values import mark_copies
from docpipe.cost import add_costs, with_cost
from docpipe.data import Answer, Issue, Page, Severity
from docpipe.errors import AnswerError, DocpipeError
from docpipe.extractors.generative import page_selection, page_words, prompt
from docpipe.extractors.generative.backend import Backend, BackendReply, OutputSlot, Prompt
from docpipe.extractors.generative.options import GenerativeOptions
from docpipe.extractors.generative.output_schema import DOCUMENT_TYPE, MAX_ROWS, output_slots, type_slot
from docpipe.extractors.generative.parse import FINISH_MESSAGES, CompletionParser, string_value
from docpipe.extractors.generative.prompt import PromptPage
from docpipe.schema import Schema

if TYPE_CHECKING:
    from PIL.Image import Image

MARKUP_ESCAPES = str.maketrans("<>", "‹›")  # a page must not end the user's turn: `<|im_end|>` is text on it
TIMEOUT_HINT = "Try again later, or raise DOCPIPE_HOSTED_SECONDS."
PICTURES = GenerativeOptions()
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

    def __init__(self, backend: Backend, options: GenerativeOptions = PICTURES) -> None:
        self._backend, self._options = backend, options
        self._name = f"{backend.name}+{prompt.WORDING}{options.suffix}"

    @property
    def name(self) -> str:
        return self._name

    @property
    def reads_parts(self) -> bool:
        """Of a picture nothing is left out."""
        return self._options.see == "words"

    def extract(self, pages: Sequence[Page], schema: Schema) -> Answer:
        """Raises AnswerError when the model refuses, or writes what is no answer."""
        (answer,) = self.extract_many([pages], schema)
        if isinstance(answer, DocpipeError):
            raise answer
        return answer

    def extract_many(self, batch: Sequence[Sequence[Page]], schema: Schema) -> list[Answer | DocpipeError]:
        """Of a schema of choices the model is asked first which of them each document is, and then for its fields."""
        visible = [self._visible_pages(pages) for pages in batch]
        if not schema.choices:
            return self._answers(visible, schema)
        answers = self._type_answers(visible, schema)
        types = ["" if isinstance(answer, DocpipeError) else answer.schema for answer in answers]
        for choice in schema.choices:
            chosen = [document for document, name in enumerate(types) if name == choice.name]
            for document, answer in zip(chosen, self._answers([visible[i] for i in chosen], choice), strict=True):
                answers[document] = _with_type(answers[document], answer)
        return answers

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
        instructions = self._instructions(schema)
        answers = [
            _with_scaled_absence(_document_answer(own, schema, _issues_of_selection(pages, schema)), pages)
            for pages, own in zip(batch, exchanges, strict=True)
        ]
        return [
            answer if isinstance(answer, DocpipeError) else mark_copies(answer, instructions, schema)
            for answer in answers
        ]

    def _visible_pages(self, pages: Sequence[Page]) -> list[Page]:
        """Those of which the model can be shown something."""
        needs_words = self._options.see == "words"
        return [
            page for page in pages if not page.blank and (page.words or (page.image is not None and not needs_words))
        ]

    def _instructions(self, schema: Schema) -> str:
        return prompt.instructions(schema, with_examples=self._options.with_examples)

    def _prompts(self, pages: Sequence[Page], schema: Schema) -> Iterator[Prompt]:
        """One for all slots of a short document. Of a long one single fields from the pages chosen for them, rows from
        a few pages at a time."""
        if not pages:
            return
        opening, slots = self._instructions(schema), output_slots(schema, _printed_rows(pages))
        terms = page_selection.description_terms(schema)
        if len(pages) <= page_selection.PAGES_PER_PROMPT:
            yield self._prompt(opening, pages, slots, terms)
            return
        lists = tuple(slot for slot in slots if slot.name in schema.lists())
        singles = tuple(slot for slot in slots if slot.name not in schema.lists())
        if singles:
            chosen = [pages[i] for i in page_selection.pages_for_fields(pages, schema)]
            yield self._prompt(opening, chosen, singles, terms)
        if lists:
            list_pages = [pages[i] for i in page_selection.pages_for_lists(pages)]
            for first in range(0, len(list_pages), page_selection.PAGES_PER_PROMPT):
                chosen = list_pages[first : first + page_selection.PAGES_PER_PROMPT]
                yield self._prompt(opening, chosen, lists, terms)

    def _prompt(
        self, opening: str, pages: Sequence[Page], slots: tuple[OutputSlot, ...], terms: frozenset[str]
    ) -> Prompt:
        lines = tuple(line for page in pages for line in page.lines)
        has_words = [self._options.see != "picture" or page.image is None for page in pages]
        rows = [page_words.rows_of(page) if shown else [] for page, shown in zip(pages, has_words, strict=True)]
        shown_rows = page_words.within_budget(rows, self._options.word_tokens, terms)
        left_out = sum(map(len, rows)) - sum(row.text != page_words.LEFT_OUT for each in shown_rows for row in each)
        shown_pages = [
            PromptPage(page.number, self._image(page), _escaped(page_words.page_text(own)) if shown else None)
            for page, own, shown in zip(pages, shown_rows, has_words, strict=True)
        ]
        return Prompt(prompt.prompt_parts(opening, shown_pages), slots, lines, left_out)

    def _image(self, page: Page) -> Image | None:
        if page.image is None or self._options.see == "words":
            return None
        side = page_selection.image_side(page, self._backend.max_side)
        return page.image.open(max_side=side).convert("RGB")

    def _type_answers(self, batch: Sequence[Sequence[Page]], schema: Schema) -> list[Answer | DocpipeError]:
        """Which choice each document is, from its first page; one without pages is the first choice, which finds
        nothing."""
        opening, slots = prompt.type_instructions(schema), (type_slot(schema),)
        with_pages = [document for document, pages in enumerate(batch) if pages]
        terms = page_selection.description_terms(schema)
        prompts = [self._prompt(opening, batch[document][:1], slots, terms) for document in with_pages]
        answers: list[Answer | DocpipeError] = [Answer((), schema=schema.choices[0].name) for _ in batch]
        for document, reply in zip(with_pages, self._backend.complete(prompts) if prompts else [], strict=True):
            answers[document] = _type_answer(reply, schema)
        return answers


def _printed_rows(pages: Sequence[Page]) -> int:
    """Rows of words; of a page on which none were read nobody knows."""
    if not all(page.words for page in pages):
        return MAX_ROWS
    return sum(len(page_words.rows_of(page)) for page in pages)


def _escaped(text: str) -> str:
    return text.translate(MARKUP_ESCAPES)


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
    if rows_left_out := sum(each.prompt.rows_left_out for each in exchanges):
        message = f"{rows_left_out} rows of words were not shown to the model, as there was no room for them"
        parser.issues.append(Issue("words_not_shown", message, "info"))
    if exchanges and error is None:
        parser.add_unanswered([slot.name for each in exchanges for slot in each.prompt.slots])
        if parser.finish == "refused" and not parser.candidates:
            error = AnswerError("the model refused to answer", hint="Look at the document, or try another model.")
        if parser.finish == "timeout" and not parser.candidates:  # a stored result would never be asked again
            error = AnswerError("the model did not answer in time", hint=TIMEOUT_HINT)
    answer = with_costs(parser.answer(), replies)
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


def with_costs(answer: Answer, replies: Sequence[BackendReply]) -> Answer:
    """The answer with what these replies cost."""
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
            return with_costs(Answer((), schema=name), [reply])
    finishes = [completion.finish for completion in reply.completions if completion.finish in FINISH_MESSAGES]
    reason = FINISH_MESSAGES[finishes[0]] if finishes else "it named none of the choices"
    message = f"the model did not say what sort of document this is: {reason}"
    error = AnswerError(message, hint="Name one with --schema.")
    error.cost = reply.cost
    return error
