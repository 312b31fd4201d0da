"""Examples become batches: queries are chosen and worded, words augmented, arrays padded, targets made.

In: `ExampleSet`s and a seed. Out: `TrainingBatch`es of torch tensors (B pages, F fields, N words).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from docpipe.paths import FieldPath
from docpipe.vlm.encode import MAX_WORDS, encode_page, on_canvas, word_boxes
from docpipe.vlm.field_queries import FieldQuery, encode_queries
from docpipe.vlm.inputs import (
    END,
    FIELD_SPECS,
    INSIDE,
    MASK_TOKEN,
    PAD_TOKEN,
    PAGE_SPECS,
    SPAN_ROLES,
    START,
    FieldInputs,
    Float32Array,
    NetworkInputs,
    PageInputs,
    padded_shape,
)
from docpipe.vlm.training.augment.entities import NameLexicon, with_other_entities
from docpipe.vlm.training.augment.noise import jitter, ocr_noise
from docpipe.vlm.training.data.examples import Example, ExampleSet, Span
from docpipe.vlm.training.data.phrasings import (
    DOCUMENTS,
    SHIPPED,
    phrased_document_query,
    phrased_query,
    shipped_queries,
)

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MAX_TRAINING_WORDS = 288  # of a page in one step: long pages are learnt in parts, at half the cost
NOISE_SHARE = 0.7  # of the examples with a text layer that get the noise of OCR
MASKED_SHARE = 0.04  # of word pieces, so that neighbours and layout are used too
# Of a document's fields, this share is asked together, so that no field depends on another's query.
QUERIED_SHARE = (0.3, 0.8)
DOCUMENT_QUERY_SHARE = 0.5  # of the examples that are also asked what they are, and of the wrong types of document
OTHER_SCHEMA_SHARE = 0.06  # of the examples beside whose queries those of another schema stand, as in `--schema auto`
LENGTH_JITTER = 40.0  # words by which the order by length is shuffled
ROW_UNKNOWN = -1  # of `same_row`: it is not known whether these words are of one row


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    inputs: NetworkInputs[Tensor]
    targets: Tensor  # [B, F, 3, N] 0 or 1
    is_printed: Tensor  # [B, F] 1 when the value is on the page, or the page is such a document
    is_known: Tensor  # [B, F] False for padding and for queries whose answer is not known
    same_row: Tensor  # [B, N, N] 1 for the first words of two cells of one row, 0 of two rows, else ROW_UNKNOWN

    def to(self, device: str) -> TrainingBatch:
        return TrainingBatch(
            inputs=self.inputs.map(lambda tensor: tensor.to(device)),
            targets=self.targets.to(device),
            is_printed=self.is_printed.to(device),
            is_known=self.is_known.to(device),
            same_row=self.same_row.to(device),
        )


class ExampleIndex(NamedTuple):
    set_number: int
    number: int


@dataclass(frozen=True, slots=True)
class _LabelledQuery:
    """A query about an example and its answer; `spans` None: the answer is not known."""

    query: FieldQuery
    spans: Sequence[Span] | None
    is_document: bool = False  # the query names the document's type


@dataclass(frozen=True, slots=True)
class _EncodedExample:
    fields: FieldInputs[NDArray[Any]]
    page: PageInputs[NDArray[Any]]
    targets: Float32Array  # [F, 3, N]
    is_printed: Float32Array  # [F]
    is_known: NDArray[np.bool_]  # [F]
    same_row: NDArray[np.int8]  # [N, N]


class BatchLoader:
    """Endless and augmented for training, one pass of the examples as they are otherwise."""

    def __init__(self, sets: Sequence[ExampleSet], tokenizer: Tokenizer, *, augment: bool) -> None:
        self.sets = sets
        self.tokenizer = tokenizer
        self.lexicon = NameLexicon(example for s in sets for example in s) if augment else None
        self.indexes = [ExampleIndex(s, i) for s, examples in enumerate(sets) for i in range(len(examples))]

    def epoch(self, seed: int, size: int, weights: Mapping[str, int] | None = None) -> Iterator[TrainingBatch]:
        """One pass in batches of about `size` pages of like length. `weights` repeats the examples of an origin."""
        random = np.random.default_rng(seed)
        order = [index for index in self.indexes for _ in range((weights or {}).get(self._example(index).origin, 1))]
        lengths = np.array([min(len(self._example(index).words), MAX_WORDS) for index in order], float)
        rank = np.argsort(lengths + random.uniform(0.0, LENGTH_JITTER, len(order)))
        chunks = [rank[start : start + size] for start in range(0, len(rank), size)]
        for chunk in random.permutation(len(chunks)):
            yield self.batch([order[i] for i in chunks[chunk]], random)

    def batch(self, indexes: Sequence[ExampleIndex], random: np.random.Generator) -> TrainingBatch:
        phrasing_seed = int(random.integers(2**31))
        return _collated([self._encode(index, random, phrasing_seed) for index in indexes])

    def _example(self, index: ExampleIndex) -> Example:
        return self.sets[index.set_number].examples[index.number]

    def _encode(self, index: ExampleIndex, random: np.random.Generator, phrasing_seed: int) -> _EncodedExample:
        example = self._example(index)
        if self.lexicon:
            example = replace(example, words=with_other_entities(example, self.lexicon, random))
            if example.words and example.words[0].source == "textlayer" and random.random() < NOISE_SHARE:
                noise = ocr_noise(example.words, random)
                example = example.with_words(noise.words, noise.new_index)
        words_on_picture = example.words  # the picture is not moved with the words
        if self.lexicon:
            example = replace(example, words=jitter(example.words, random))
        start, max_words = 0, MAX_TRAINING_WORDS if self.lexicon else MAX_WORDS
        if len(example.words) > max_words:
            start = int(random.integers(0, len(example.words) - max_words + 1))
        words = example.words[start : start + max_words]
        picture = self.sets[index.set_number].picture(index.number)
        page = encode_page(words, example.aspect, picture, self.tokenizer)
        image_boxes = on_canvas(word_boxes(words_on_picture[start : start + max_words]), example.aspect)
        page = replace(page, image_boxes=image_boxes)
        if self.lexicon:
            page = replace(page, token_ids=_masked(page.token_ids, random))
        queries = [*self._field_queries(example, random, phrasing_seed), *self._document_queries(example, random)]
        targets = np.stack([_targets(labelled.spans or (), start, len(words)) for labelled in queries])
        is_document = np.array([labelled.is_document for labelled in queries], np.float32)
        return _EncodedExample(
            fields=encode_queries([labelled.query for labelled in queries], self.tokenizer),
            page=page,
            targets=targets,
            is_printed=is_document + targets[:, START].max(-1, initial=0.0),
            is_known=np.array([labelled.spans is not None for labelled in queries]),
            same_row=_same_row(example, start, len(words)),
        )

    def _field_queries(
        self, example: Example, random: np.random.Generator, phrasing_seed: int
    ) -> Iterator[_LabelledQuery]:
        """A share of its fields when training, all of them otherwise."""
        paths = sorted(example.labels)
        if self.lexicon:
            count = max(1, round(len(paths) * random.uniform(*QUERIED_SHARE)))
            paths = [paths[i] for i in random.permutation(len(paths))[:count]]
        for path in paths:
            # one wording per field and batch: prompts that pages share are read once
            phrasing = np.random.default_rng([phrasing_seed, crc32(path.encode())]) if self.lexicon else None
            yield _LabelledQuery(phrased_query(example, path, phrasing), example.labels[path])

    def _document_queries(self, example: Example, random: np.random.Generator) -> Iterator[_LabelledQuery]:
        """What sort of document it is, and the queries of another schema, whose answers are not known."""
        if not self.lexicon:
            return
        if random.random() < DOCUMENT_QUERY_SHARE:
            for name in DOCUMENTS:
                if name == example.schema or random.random() < DOCUMENT_QUERY_SHARE:
                    yield _LabelledQuery(phrased_document_query(name, random), (), is_document=name == example.schema)
        if random.random() < OTHER_SCHEMA_SHARE:
            other = SHIPPED[int(random.integers(len(SHIPPED)))]
            if other != example.schema:
                yield from (_LabelledQuery(query, None) for query in shipped_queries(other).values())


def _masked(token_ids: NDArray[Any], random: np.random.Generator) -> NDArray[Any]:
    is_masked = random.random(token_ids.shape) < MASKED_SHARE
    return np.where(is_masked & (token_ids != PAD_TOKEN), MASK_TOKEN, token_ids)


def _same_row(example: Example, start: int, count: int) -> NDArray[np.int8]:
    """[N, N] for the first words of the cells of each list."""
    same_row = np.full((count, count), ROW_UNKNOWN, np.int8)
    lists: dict[str, list[tuple[int, int]]] = {}
    for path, numbers in example.rows.items():
        starts = [span[0] - start for span in example.labels.get(path, ())]
        lists.setdefault(FieldPath.parse(path).list_path or path, []).extend(zip(starts, numbers, strict=False))
    for cells in lists.values():
        cells_in_part = [(word, row) for word, row in cells if 0 <= word < count]
        if cells_in_part:
            words, rows = (np.array(numbers) for numbers in zip(*cells_in_part, strict=True))
            same_row[np.ix_(words, words)] = rows[:, None] == rows[None, :]
    np.fill_diagonal(same_row, ROW_UNKNOWN)
    return same_row


def _targets(spans: Sequence[Span], start: int, count: int) -> Float32Array:
    """[3, N] for the words of this part of the page."""
    targets = np.zeros((SPAN_ROLES, count), np.float32)
    for span in spans:
        words = [i - start for i in span if 0 <= i - start < count]
        if words:
            targets[START, words[0]] = 1.0
            targets[END, words[-1]] = 1.0
            targets[INSIDE, words] = 1.0
    return targets


def _collated(examples: Sequence[_EncodedExample]) -> TrainingBatch:
    fields, words = max(len(e.targets) for e in examples), max([1, *(len(e.same_row) for e in examples)])
    return TrainingBatch(
        inputs=NetworkInputs(
            _collated_fields([e.fields for e in examples], fields), _collated_pages([e.page for e in examples], words)
        ),
        targets=_stacked([e.targets for e in examples], (fields, SPAN_ROLES, words)),
        is_printed=_stacked([e.is_printed for e in examples], (fields,)),
        is_known=_stacked([e.is_known for e in examples], (fields,)),
        same_row=_stacked([e.same_row for e in examples], (words, words), padding=ROW_UNKNOWN),
    )


def _collated_pages(pages: Sequence[PageInputs[NDArray[Any]]], words: int) -> PageInputs[Tensor]:
    return PageInputs(**{
        name: _stacked([getattr(page, name) for page in pages], padded_shape(spec, {"words": words}))
        for name, spec in PAGE_SPECS.items()
    })  # fmt: skip


def _collated_fields(examples: Sequence[FieldInputs[NDArray[Any]]], fields: int) -> FieldInputs[Tensor]:
    """Prompts that several pages share are read once, and are cut to the longest."""
    token_ids = np.concatenate([example.prompt_token_ids for example in examples])
    unique_prompts, inverse = np.unique(token_ids, axis=0, return_inverse=True)
    first_prompts = np.cumsum([0, *(len(example.prompt_token_ids) for example in examples)])
    prompt_index = [
        inverse[first + example.prompt_index] for first, example in zip(first_prompts, examples, strict=False)
    ]
    longest = int((unique_prompts != PAD_TOKEN).sum(1).max())
    return FieldInputs(
        prompt_token_ids=torch.from_numpy(unique_prompts[:, :longest]),
        prompt_index=_stacked(prompt_index, (fields,), padding=-1),
        **{
            name: _stacked([getattr(example, name) for example in examples], padded_shape(spec, {"fields": fields}))
            for name, spec in FIELD_SPECS.items()
            if name not in ("prompt_token_ids", "prompt_index")
        },
    )


def _stacked(arrays: Sequence[NDArray[Any]], shape: tuple[int, ...], *, padding: int = 0) -> Tensor:
    """[B, *shape]: each array in the corner of its own, the rest is padding."""
    stacked = np.full((len(arrays), *shape), padding, arrays[0].dtype)
    for row, array in enumerate(arrays):
        corner: Any = (row, *(slice(0, length) for length in array.shape))
        stacked[corner] = array
    return torch.from_numpy(stacked)
