"""A model with eyes, which reads doubtful values again from an enlarged part of the page.

In: pages with pictures, regions of them, a schema, a `Backend`. Out: an `Answer`. Which class a model gets is said by
`generative_extractor`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from docpipe.copied_values import mark_copies
from docpipe.cost import add_costs, with_cost
from docpipe.data import Answer, Page
from docpipe.errors import DocpipeError, ModelError
from docpipe.extractors.generative import prompt
from docpipe.extractors.generative.backend import Backend, Prompt
from docpipe.extractors.generative.extractor import GenerativeExtractor, with_costs
from docpipe.extractors.generative.options import GenerativeOptions, See
from docpipe.extractors.generative.output_schema import output_slots
from docpipe.extractors.generative.parse import UNKNOWN_ABSENCE, CompletionParser
from docpipe.extractors.generative.prompt import PromptPage
from docpipe.schema import Schema


class PictureExtractor(GenerativeExtractor):
    """Implements `ports.RegionExtractor` as well."""

    def extract_regions(self, regions: Mapping[str, Page], schema: Schema) -> Answer:
        """Single fields again, each from the part of a page where it is thought to stand."""
        prompts = []
        for path, crop in regions.items():
            narrowed = schema.only([path])
            parts = prompt.prompt_parts(self._instructions(narrowed), [self._crop(crop)])
            prompts.append(Prompt(parts, output_slots(narrowed), crop.lines))
        parser, replies = CompletionParser(schema), []
        failed_cost: Mapping[str, float] = {}
        for reply in self._backend.complete(prompts) if prompts else []:
            if isinstance(reply, DocpipeError):  # what was found before still stands
                failed_cost = add_costs(failed_cost, reply.cost)
                continue
            parser.add_reply(reply)
            replies.append(reply)
        answer = mark_copies(parser.answer(), self._instructions(schema), schema)
        found_paths = {candidate.path for candidate in answer.candidates}
        # what a crop does not show may stand elsewhere: null is a doubt of the value, but no claim of absence
        absent = {path: p if path in found_paths else UNKNOWN_ABSENCE for path, p in answer.absent.items()}
        return with_cost(with_costs(replace(answer, absent=absent), replies), failed_cost)

    def _crop(self, page: Page) -> PromptPage:
        assert page.image is not None  # noqa: S101 - a region is a part of a picture
        side = min(self._backend.max_side, max(page.width, page.height))
        return PromptPage(page.number, page.image.open(max_side=side).convert("RGB"), is_crop=True)


def generative_extractor(
    backend: Backend, *, see: See | None = None, word_tokens: int, with_examples: bool
) -> GenerativeExtractor:
    """`see` None: pictures where the model has eyes, else words. Raises ModelError for what it cannot see."""
    if see is None:
        see = "picture" if backend.sees_pictures else "words"
    if see != "picture" and not backend.reads_words:
        raise ModelError(f"{backend.name} reads pictures alone", hint="Leave out --see, or give --see picture.")
    if see != "words" and not backend.sees_pictures:
        raise ModelError(f"{backend.name} takes no pictures", hint="Give it words: --see words, or DOCPIPE_SEE=words.")
    options = GenerativeOptions(see, word_tokens, with_examples)
    return GenerativeExtractor(backend, options) if see == "words" else PictureExtractor(backend, options)
