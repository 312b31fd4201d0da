"""Examples become batches: questions are chosen and worded, words spoilt, arrays padded, targets drawn.

In: an `ExampleSet` and a seed. Out: `Batch` of torch tensors (B pages, F fields, N words).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from docpipe.data import Word
from docpipe.paths import FieldPath
from docpipe.vlm.encode import (
    MAX_WORDS,
    FieldArrays,
    PageArrays,
    Question,
    boxes_of,
    encode_fields,
    encode_page,
    on_canvas,
)
from docpipe.vlm.pointer import BEGIN, END, INSIDE, ROLES
from docpipe.vlm.training.augment.entities import Names, swapped
from docpipe.vlm.training.augment.noise import jitter, spoil
from docpipe.vlm.training.data.examples import Example, ExampleSet, Span
from docpipe.vlm.training.data.phrasings import DOCUMENTS, SHIPPED, document_asked, official, question_for

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LEARNT_WORDS = 288  # of a page in one training step: long pages are learnt in parts, at half the cost
HIDDEN_PIECES = 0.04  # share of word pieces hidden, so that neighbours and layout are used too
ASKED_SHARE = (0.3, 0.8)  # of a document's fields that are asked together, so that no field leans on another's question
TYPES_ASKED = 0.5  # share of the examples that are also asked what they are
CROWDED = 0.06  # share of the examples beside whose questions those of another schema stand, as in `--schema auto`
UNKNOWN = -1  # of `together`: nobody says whether these words are of one row


@dataclass(frozen=True, slots=True)
class Batch:
    fields: tuple[Tensor, ...]  # pieces [U, P], which, group and repeated [B, F]
    words: tuple[Tensor, ...]  # as `PageArrays`: pieces [B, N, K], shape, boxes, context, places, seen and near
    picture: Tensor  # [B, H, W]
    targets: Tensor  # [B, F, 3, N] 0 or 1
    printed: Tensor  # [B, F] 1 when the value is on the page, or the page is such a document
    asked: Tensor  # [B, F] False for padding and for questions whose answer nobody knows
    together: Tensor  # [B, N, N] 1 for the first words of two cells of one row, 0 of two rows, else UNKNOWN


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question about an example and its answer; `spans` None: nobody knows it."""

    question: Question
    spans: Sequence[Span] | None
    printed: bool = False


class Batches:
    """Endless for training (`spoilt`), one quiet pass otherwise."""

    def __init__(self, sets: Sequence[ExampleSet], tokenizer: Tokenizer, *, spoilt: bool) -> None:
        self.sets = sets
        self.tokenizer = tokenizer
        self.names = Names(example for s in sets for example in s) if spoilt else None
        self.where = [(s, i) for s, examples in enumerate(sets) for i in range(len(examples))]

    def epoch(self, seed: int, size: int, weights: Mapping[str, int] | None = None) -> Iterator[Batch]:
        """One pass in batches of about `size` pages of like length. `weights` repeats the examples of an origin."""
        random = np.random.default_rng(seed)
        order = [w for w in self.where for _ in range((weights or {}).get(self._at(w).origin, 1))]
        lengths = np.array([min(len(self._at(w).words), MAX_WORDS) for w in order], float)
        rank = np.argsort(lengths + random.uniform(0.0, 40.0, len(order)))
        chunks = [rank[start : start + size] for start in range(0, len(rank), size)]
        for chunk in random.permutation(len(chunks)):
            yield self.batch([order[i] for i in chunks[chunk]], random)

    def batch(self, where: Sequence[tuple[int, int]], random: np.random.Generator) -> Batch:
        wording = int(random.integers(2**31))
        return _padded([self._encode(w, random, wording) for w in where])

    def _at(self, where: tuple[int, int]) -> Example:
        return self.sets[where[0]].examples[where[1]]

    def _encode(self, where: tuple[int, int], random: np.random.Generator, wording: int) -> _Encoded:
        example = self._at(where)
        if self.names:
            example = replace(example, words=swapped(example, self.names, random))
            if example.words and example.words[0].source == "textlayer" and random.random() < 0.7:
                example = _carried(example, *spoil(example.words, random))
        on_picture = example.words  # the picture is not moved with the words
        if self.names:
            example = replace(example, words=jitter(example.words, random))
        start, most = 0, LEARNT_WORDS if self.names else MAX_WORDS
        if len(example.words) > most:
            start = int(random.integers(0, len(example.words) - most + 1))
        words = example.words[start : start + most]
        page = encode_page(words, example.aspect, self.sets[where[0]].picture(where[1]), self.tokenizer)
        page = replace(page, seen=on_canvas(boxes_of(on_picture[start : start + most]), example.aspect))
        if self.names:
            hidden = random.random(page.pieces.shape) < HIDDEN_PIECES
            page = replace(page, pieces=np.where(hidden & (page.pieces != 0), 103, page.pieces))  # 103 is [MASK]
        asked = [*self._fields(example, random, wording), *self._types(example, random)]
        targets = np.stack([_targets(one.spans or (), start, len(words)) for one in asked])
        return _Encoded(
            encode_fields([one.question for one in asked], self.tokenizer),
            page,
            targets,
            np.array([one.printed for one in asked], np.float32) + targets[:, BEGIN].max(-1, initial=0.0),
            np.array([one.spans is not None for one in asked]),
            _together(example, start, len(words)),
        )

    def _fields(self, example: Example, random: np.random.Generator, wording: int) -> Iterator[_Asked]:
        """A share of its fields when training, all of them otherwise."""
        paths = sorted(example.labels)
        if self.names:
            count = max(1, round(len(paths) * random.uniform(*ASKED_SHARE)))
            paths = [paths[i] for i in random.permutation(len(paths))[:count]]
        for path in paths:
            # one wording per field and batch: descriptions that pages share are read once
            asking = np.random.default_rng([wording, crc32(path.encode())]) if self.names else None
            yield _Asked(question_for(example, path, asking), example.labels[path])

    def _types(self, example: Example, random: np.random.Generator) -> Iterator[_Asked]:
        """What sort of document it is, and the questions of another schema, whose answers nobody knows."""
        if not self.names:
            return
        if random.random() < TYPES_ASKED:
            for name in DOCUMENTS:
                if name == example.schema or random.random() < 0.5:
                    yield _Asked(document_asked(name, random), (), printed=name == example.schema)
        if random.random() < CROWDED:
            other = SHIPPED[int(random.integers(len(SHIPPED)))]
            if other != example.schema:
                yield from (_Asked(question, None) for question in official(other).values())


@dataclass(frozen=True, slots=True)
class _Encoded:
    fields: FieldArrays
    page: PageArrays
    targets: NDArray[np.float32]  # [F, 3, N]
    printed: NDArray[np.float32]  # [F]
    asked: NDArray[np.bool_]  # [F]
    together: NDArray[np.int8]  # [N, N]


def _carried(example: Example, words: tuple[Word, ...], place: Mapping[int, int]) -> Example:
    """The example with other words; `place` says where each of the old ones is now. Spans that are lost are left out,
    with their rows."""
    labels: dict[str, list[Span]] = {}
    rows: dict[str, tuple[int, ...]] = {}
    for path, spans in example.labels.items():
        moved = [tuple(sorted({place[i] for i in span if i in place})) for span in spans]
        labels[path] = [span for span in moved if span]
        if path in example.rows:
            rows[path] = tuple(row for span, row in zip(moved, example.rows[path], strict=True) if span)
    return replace(example, words=words, labels=labels, rows=rows)


def _together(example: Example, start: int, count: int) -> NDArray[np.int8]:
    """[N, N] for the first words of the cells of each list."""
    together = np.full((count, count), UNKNOWN, np.int8)
    lists: dict[str, list[tuple[int, int]]] = {}
    for path, numbers in example.rows.items():
        begins = [span[0] - start for span in example.labels.get(path, ())]
        lists.setdefault(FieldPath.parse(path).list_path or path, []).extend(zip(begins, numbers, strict=False))
    for cells in lists.values():
        inside = [(word, row) for word, row in cells if 0 <= word < count]
        if inside:
            words, rows = (np.array(numbers) for numbers in zip(*inside, strict=True))
            together[np.ix_(words, words)] = rows[:, None] == rows[None, :]
    np.fill_diagonal(together, UNKNOWN)
    return together


def _targets(spans: Sequence[Span], start: int, count: int) -> NDArray[np.float32]:
    """[3, N]; spans that reach out of the window are cut."""
    targets = np.zeros((ROLES, count), np.float32)
    for span in spans:
        inside = [i - start for i in span if 0 <= i - start < count]
        if inside:
            targets[BEGIN, inside[0]] = 1.0
            targets[END, inside[-1]] = 1.0
            targets[INSIDE, inside] = 1.0
    return targets


def _padded(encoded: Sequence[_Encoded]) -> Batch:
    size = len(encoded)
    most_fields = max(len(e.fields.group) for e in encoded)
    most_words = max([1, *(len(e.page.shape) for e in encoded)])

    def stack(arrays: Sequence[NDArray[np.generic]], *lengths: int) -> Tensor:
        shape = (size, *lengths, *arrays[0].shape[len(lengths) :])
        full = np.zeros(shape, arrays[0].dtype)
        for row, array in enumerate(arrays):
            corner: Any = (row, *(slice(0, n) for n in array.shape[: len(lengths)]))
            full[corner] = array
        return torch.from_numpy(full)

    pieces, which = _different([e.fields.pieces for e in encoded], most_fields)
    together = np.full((size, most_words, most_words), UNKNOWN, np.int8)
    targets = np.zeros((size, most_fields, ROLES, most_words), np.float32)
    for row, one in enumerate(encoded):
        count = len(one.page.shape)
        together[row, :count, :count] = one.together
        targets[row, : len(one.targets), :, :count] = one.targets
    return Batch(
        fields=(
            torch.from_numpy(pieces),
            torch.from_numpy(which),
            stack([e.fields.group for e in encoded], most_fields),
            stack([e.fields.repeated for e in encoded], most_fields),
        ),
        words=tuple(
            stack([getattr(e.page, name) for e in encoded], most_words)
            for name in ("pieces", "shape", "boxes", "context", "places", "seen", "near")
        ),
        picture=torch.from_numpy(np.stack([e.page.picture for e in encoded])),
        targets=torch.from_numpy(targets),
        printed=stack([e.printed for e in encoded], most_fields),
        asked=stack([e.asked for e in encoded], most_fields),
        together=torch.from_numpy(together),
    )


def _different(pieces: Sequence[NDArray[np.int64]], most_fields: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Descriptions that several pages share are read once: [U, P] cut to the longest, which [B, F] (-1: padding)."""
    different, inverse = np.unique(np.concatenate(pieces), axis=0, return_inverse=True)
    which = np.full((len(pieces), most_fields), -1, np.int64)
    start = 0
    for row, own in enumerate(pieces):
        which[row, : len(own)] = inverse[start : start + len(own)]
        start += len(own)
    longest = int((different != 0).sum(1).max())
    return different[:, :longest], which
