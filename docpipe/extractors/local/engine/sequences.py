"""Answers that are written side by side behind one prompt: each slot is a branch that sees the prompt and itself.

In: slots, and the tokens chosen for them. Out: which tokens go through the model next, where they stand, and what each
of them may see.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from docpipe.extractors.generative.backend import Finish, Slot, Token, Written
from docpipe.extractors.generative.repetition import is_looping
from docpipe.extractors.local.constrained.constrained_generate import spelled
from docpipe.extractors.local.constrained.constraint import Writer
from docpipe.extractors.local.engine.prompt_lookup import Guesses

PROMPT, PADDING, FILLER = -1, -2, -3  # owners of columns: seen by all, by nobody; FILLER makes rows equally long

# Guessed tokens of a branch after which it guesses no more, unless one in WORTH comes true: each that does not leaves a
# column in the cache. Neither changes a step of the benchmark's drawn invoices.
PATIENCE, WORTH = 64, 4


@dataclass
class Branch:
    """`waiting` are tokens that the model has not seen yet; the last of them tells the next. `absent` is the
    probability that the value begins as null, summed up on the way to its first character. `guessed` are tokens that
    may follow, each with those that it forces; `refused`: how many of the last guesses' tokens did not come true."""

    document: int
    slot: Slot
    writer: Writer
    tokenizer: Any
    tokens: list[int] = field(default_factory=list)
    logs: list[float] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    finish: Finish | None = None
    absent: float | None = None
    guesses: Guesses | None = None
    guessed: list[list[int]] = field(default_factory=list)
    refused: int = 0
    _begun: bool = False
    _reached: float = 1.0
    _tried: int = 0
    _came_true: int = 0

    def go_on(self) -> None:
        """Take what must follow, and see whether that is all."""
        forced = self.writer.forced()
        self._write(forced, [0.0] * len(forced))
        if not self._begun and self.missing() is None:  # there was no choice
            self._begun, self.absent = True, float(self._squeezed()[len(self._key)] == "n")
        if self.writer.done:
            self.finish = "complete"
        elif is_looping(self.tokens):
            self.finish = "loop"
        elif len(self.tokens) >= self.slot.tokens:
            self.finish = "length"

    def choose(self, token: int, log: float, null: float) -> None:
        """`null` is how probable those tokens were that begin null here."""
        before = self.missing()
        self.writer.take(token)
        self._write([token], [log])
        if before is not None:  # a model may write the blank before the value as a token of its own
            self.absent = (self.absent or 0.0) + self._reached * null
            self._reached *= math.exp(log)
            self._begun = self.missing() is None
        self.go_on()

    def foresee(self, most: int) -> None:
        """Guess at most so many choices. Before the value has begun the probability of null is still to be read."""
        self.guessed = []
        is_worth_it = self._tried <= PATIENCE + WORTH * self._came_true
        if self.guesses is not None and self._begun and is_worth_it:
            text, before = self.guesses.guess(most)
            self.guessed = self.writer.ahead(text, before, most) if text else []

    def settle(self, told: Sequence[Sequence[float]]) -> None:
        """`told` for each choice: token, log-probability, and how probable those tokens were that begin null here. The
        first choice is made; each of the others while the guess before it came true."""
        self.refused = sum(map(len, self.guessed))
        self._tried += self.refused
        for (token, log, null), guess in zip(told, [*self.guessed, []], strict=True):
            self.choose(int(token), log, null)
            if self.finish is not None or self.waiting != guess:
                return
            self.refused -= len(guess)
            self._came_true += len(guess)
            self.waiting = []  # the model has seen them

    def missing(self) -> str | None:
        """What is still to be written of `{"name":` before the value; None once the value has begun."""
        if self._begun:
            return None
        text = self._squeezed()
        return self._key[len(text) :] if len(text) <= len(self._key) else None

    @property
    def _key(self) -> str:
        return "".join(f"{{{json.dumps(self.slot.name, ensure_ascii=False)}:".split())

    def _squeezed(self) -> str:
        """What was written, without blanks."""
        return "".join(self.tokenizer.decode(self.tokens, clean_up_tokenization_spaces=False).split())

    def _write(self, tokens: Sequence[int], logs: Sequence[float]) -> None:
        self.tokens += tokens
        self.waiting += tokens
        self.logs += logs
        if self.guesses is not None:
            self.guesses.read(self.writer.words.decode_bytes(list(tokens)))

    def written(self) -> Written:
        tokens = tuple(map(Token, spelled(self.tokenizer, self.tokens), self.logs))
        known = self.absent is not None and "null" in self.slot.value.get("type", ())
        absent = {self.slot.name: self.absent or 0.0} if known else {}
        text = "".join(token.text for token in tokens)
        return Written(text, (self.slot.name,), self.finish or "length", tokens, absent)


class Columns:
    """The columns of the cache [B, K]: whose token each is, and its place among its document's or branch's tokens."""

    def __init__(self, seen: Tensor, ahead: Tensor) -> None:
        self.owners = torch.where(seen, PROMPT, PADDING)
        self.places = seen.long().cumsum(-1) - 1
        self._lengths = seen.sum(1)
        self._ahead = ahead
        self._ends: dict[int, int] = {}  # of what was fed last of each branch

    def feed(self, branches: Sequence[tuple[int, Branch]]) -> tuple[Tensor, Tensor, Tensor]:
        """The tokens that wait and the guesses, of all these branches (each with its number): tokens and positions
        [B, W], and the rows [n] of the flattened output that tell the next token of each branch, and the one after each
        of its guesses."""
        self._disown(branches)
        rows: list[list[tuple[int, int, int]]] = [[] for _ in range(len(self.owners))]
        heads, known = [], self.owners.shape[1]
        for number, branch in branches:
            row = rows[branch.document]
            start = len(branch.tokens) - len(branch.waiting)
            for group in (branch.waiting, *branch.guessed):
                row += [(token, number, start + at) for at, token in enumerate(group)]
                start += len(group)
                heads.append((branch.document, len(row) - 1))
            self._ends[number] = known + len(row)
            branch.waiting = []
        width = max(map(len, rows))
        full = [row + [(0, FILLER, 0)] * (width - len(row)) for row in rows]
        at = [document * width + column for document, column in heads]
        packed = torch.tensor([part for row in full for entry in row for part in entry] + at).to(self.owners.device)
        tokens, owners, offsets = packed[: -len(at)].view(len(rows), width, 3).unbind(-1)
        places = self._lengths[:, None] + offsets
        self.owners = torch.cat([self.owners, owners], 1)
        self.places = torch.cat([self.places, places], 1)
        return tokens, places + self._ahead[:, None], packed[-len(at) :]

    def _disown(self, branches: Sequence[tuple[int, Branch]]) -> None:
        """Guesses that did not come true are nobody's. They were the last that was fed of their branch."""
        lost = [
            (branch.document, self._ends[number] - 1 - back)
            for number, branch in branches
            for back in range(branch.refused)
        ]
        if lost:
            documents, columns = torch.tensor(lost).T.to(self.owners.device)
            self.owners[documents, columns] = PADDING

    def visible(self, width: int, window: int | None = None) -> Tensor:
        """What the newest `width` columns see: [B, 1, W, K]. The prompt, and their own branch up to themselves; within
        a window, only what is nearer than that. Fillers see the prompt too: a row that sees nothing is not a number."""
        owners, places = self.owners[:, None, :], self.places[:, None, :]
        mine, here = self.owners[:, -width:, None], self.places[:, -width:, None]
        seen = (owners == PROMPT) | ((owners == mine) & (places <= here))
        if window is not None:
            seen &= here - places < window
        return seen[:, None]
