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

from docpipe.vlm.encode import (
    MAX_WORDS,
    FieldArrays,
    PageArrays,
    encode_fields,
    encode_page,
)
from docpipe.vlm.pointer import BEGIN, END, INSIDE, ROLES
from docpipe.vlm.training.examples import Example, ExampleSet, Span
from docpipe.vlm.training.noise import jitter, spoil
from docpipe.vlm.training.phrasings import question_for
from docpipe.vlm.training.swap import Names, swapped

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LEARNT_WORDS = 288  # of a page in one training step: long pages are learnt in parts, at half the cost
HIDDEN_PIECES = 0.04  # share of word pieces hidden, so that neighbours and layout are used too
ASKED_SHARE = (0.3, 0.8)  # of a document's fields that are asked together, so that no field leans on another's question


@dataclass(frozen=True, slots=True)
class Batch:
    fields: tuple[Tensor, ...]  # pieces [U, P], which, group and repeated [B, F]
    words: tuple[Tensor, ...]  # pieces [B, N, K], shape [B, N], boxes [B, N, 4], context [B, N, C], places [B, N, 4]
    picture: Tensor  # [B, H, W]
    targets: Tensor  # [B, F, 3, N] 0 or 1
    asked: Tensor  # [B, F] False for padding


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

    def _encode(
        self, where: tuple[int, int], random: np.random.Generator, wording: int
    ) -> tuple[FieldArrays, PageArrays, NDArray[np.float32]]:
        example = self._at(where)
        words, labels = example.words, dict(example.labels)
        if self.names:
            words = swapped(example, self.names, random)
            if words and words[0].source == "textlayer" and random.random() < 0.7:
                words, labels = spoil(words, labels, random)
            words = jitter(words, random)
        start, most = 0, LEARNT_WORDS if self.names else MAX_WORDS
        if len(words) > most:
            start = int(random.integers(0, len(words) - most + 1))
            words = words[start : start + most]
        picture = self.sets[where[0]].picture(where[1])
        page = encode_page(words, example.aspect, picture, self.tokenizer)
        if self.names:
            hidden = random.random(page.pieces.shape) < HIDDEN_PIECES
            page = replace(page, pieces=np.where(hidden & (page.pieces != 0), 103, page.pieces))  # 103 is [MASK]
        paths = self._asked(sorted(labels), random)
        # one wording per field and batch: descriptions that pages share are read once
        asking = {path: np.random.default_rng([wording, crc32(path.encode())]) for path in paths}
        questions = [question_for(example, path, asking[path] if self.names else None) for path in paths]
        targets = np.stack([_targets(labels[path], start, len(words)) for path in paths])
        return encode_fields(questions, self.tokenizer), page, targets

    def _asked(self, paths: list[str], random: np.random.Generator) -> list[str]:
        if not self.names:
            return paths
        count = max(1, round(len(paths) * random.uniform(*ASKED_SHARE)))
        return [paths[i] for i in random.permutation(len(paths))[:count]]


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


def _padded(encoded: Sequence[tuple[FieldArrays, PageArrays, NDArray[np.float32]]]) -> Batch:
    size = len(encoded)
    most_fields = max(len(f.group) for f, _, _ in encoded)
    most_words = max([1, *(len(p.shape) for _, p, _ in encoded)])

    def stack(arrays: Sequence[NDArray[np.generic]], *lengths: int) -> Tensor:
        shape = (size, *lengths, *arrays[0].shape[len(lengths) :])
        full = np.zeros(shape, arrays[0].dtype)
        for row, array in enumerate(arrays):
            corner: Any = (row, *(slice(0, n) for n in array.shape[: len(lengths)]))
            full[corner] = array
        return torch.from_numpy(full)

    targets = np.zeros((size, most_fields, ROLES, most_words), np.float32)
    asked = np.zeros((size, most_fields), bool)
    for row, (fields, page, target) in enumerate(encoded):
        targets[row, : len(fields.group), :, : len(page.shape)] = target
        asked[row, : len(fields.group)] = True
    pieces, which = _different([f.pieces for f, _, _ in encoded], most_fields)
    return Batch(
        fields=(
            torch.from_numpy(pieces),
            torch.from_numpy(which),
            stack([f.group for f, _, _ in encoded], most_fields),
            stack([f.repeated for f, _, _ in encoded], most_fields),
        ),
        words=tuple(
            stack([getattr(p, name) for _, p, _ in encoded], most_words)
            for name in ("pieces", "shape", "boxes", "context", "places")
        ),
        picture=torch.from_numpy(np.stack([p.picture for _, p, _ in encoded])),
        targets=torch.from_numpy(targets),
        asked=torch.from_numpy(asked),
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
