"""Any image-text-to-text model by transformers' own `generate`: for those that the fast engine does not know, and what
the engine is measured against.

In: a model, its processor, questions. Out: replies. One question after the other; its single fields are written in one
object, each list in one of its own, so that a list that runs out of tokens costs no field.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from docpipe.errors import AnswerError, DocpipeError, ModelError, TooLargeError
from docpipe.extractors.generative.backend import Finish, Question, Reply, Slot, Token, Written, object_of
from docpipe.extractors.generative.repetition import is_looping
from docpipe.extractors.local.constrained.constrained_generate import spelled, write
from docpipe.extractors.local.constrained.constraint import Grammar, Writer, allowed

UNTOLD_SIDE = 1_280  # pixels, of a processor that does not say: a page's small print can still be read
PIXELS = 16_384  # a `size` above it counts a picture's pixels, not those of a side
LIKELIEST = 64  # tokens that are looked at for `null`: it has few spellings
LEAD = 3  # characters of a key's end (quote, colon, blank) that a tokenizer may join with the value


class PlainBackend:
    """Without `grammar` the model writes what it likes, about all slots at once."""

    def __init__(self, name: str, model: Any, processor: Any, *, grammar: bool = True) -> None:
        """Raises ModelError for a tokenizer that cannot be held to a grammar."""
        self._name, self._model, self._processor = name, model, processor
        self._text = model.config.get_text_config()
        self._grammar = _grammar(name, processor.tokenizer, self._text.vocab_size) if grammar else None

    @property
    def name(self) -> str:
        return self._name

    @property
    def max_side(self) -> int:
        return largest_side(getattr(self._processor, "image_processor", None))

    def answer(self, questions: Sequence[Question]) -> list[Reply | DocpipeError]:
        """An error stands in the place of the document that it concerns."""
        replies: list[Reply | DocpipeError] = []
        for question in questions:
            try:
                replies.append(self._reply(question))
            except DocpipeError as error:
                replies.append(error)
        return replies

    def _reply(self, question: Question) -> Reply:
        inputs = self._inputs(question)
        length = int(inputs["input_ids"].shape[-1])
        images = int(sum((inputs["input_ids"] == token).sum() for token in _image_tokens(self._model, self._processor)))
        positions = getattr(self._text, "max_position_embeddings", None) or math.inf
        if positions <= length:
            message = f"the question is {length} tokens long, and {self._name} has room for {positions}"
            hint = "Take a model with a longer context, a schema with fewer fields, or documents with fewer pages."
            raise TooLargeError(message, hint=hint)  # however often it is tried
        written, tokens_in, tokens_out = [], 0, 0
        for slots in _together(question.slots) if self._grammar else [question.slots]:
            pen = self._pen(slots)
            write(self._model, inputs, pen, int(min(positions - length, sum(slot.tokens for slot in slots))))
            written.append(_written(pen, self._processor.tokenizer, slots))
            tokens_in += length
            tokens_out += len(pen.tokens)
        return Reply(tuple(written), tokens_in, images * len(written), tokens_out)

    def _pen(self, slots: Sequence[Slot]) -> _Pen:
        if self._grammar is None:
            return _Pen(_ends(self._model))
        writer = self._grammar.writer(object_of({slot.name: slot.value for slot in slots}))
        nullable = [slot.name for slot in slots if "null" in slot.value.get("type", ())]
        return _Schooled(writer, self._processor.tokenizer, nullable)

    def _inputs(self, question: Question) -> Any:
        text = self._prompt(question)
        start = getattr(self._processor.tokenizer, "bos_token", None)
        options: dict[str, Any] = {"images": [list(question.pictures)]} if question.pictures else {}
        if start and text.startswith(start):  # the template has written it
            options["add_special_tokens"] = False
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # some make labels for a training that nobody does, and say so
                inputs = self._processor(text=[text], return_tensors="pt", **options)
        except Exception as error:
            raise AnswerError(
                f"{self._name}'s processor does not take this document: {error}",
                hint="Take a model that reads several pictures and text, or one that docs/models.md names.",
            ) from error
        inputs.pop("labels", None)
        return inputs.to(self._model.device, dtype=self._model.dtype)

    def _prompt(self, question: Question) -> str:
        """By the template of its processor; without one pictures come first, as such models were trained. The tokenizer
        fills in the template: a processor may ask for its video part, which needs torchvision."""
        template = getattr(self._processor, "chat_template", None)
        template = template.get("default") if isinstance(template, dict) else template
        if not template:
            pictures = getattr(self._processor, "image_token", "") * len(question.pictures)
            return pictures + "\n".join(part for part in question.parts if isinstance(part, str))
        content = [
            {"type": "text", "text": part} if isinstance(part, str) else {"type": "image"} for part in question.parts
        ]
        return str(
            self._processor.tokenizer.apply_chat_template(
                [{"role": "user", "content": content}],
                chat_template=template, tokenize=False, add_generation_prompt=True,
            )
        )  # fmt: skip


class _Pen:
    """Whatever the model likes, until it ends or repeats itself."""

    def __init__(self, ends: set[int]) -> None:
        self.tokens: list[int] = []
        self.logs: list[float] = []
        self.finish: Finish | None = None
        self.absent: dict[str, float] = {}
        self._ends = ends

    def allowed(self) -> Tensor | None:
        return None

    def take(self, token: int, log_probabilities: Tensor) -> None:
        if token in self._ends:
            self.finish = "complete"
            return
        self.tokens.append(token)
        self.logs.append(float(log_probabilities[token]))
        if is_looping(self.tokens):
            self.finish = "loop"


class _Schooled(_Pen):
    """An object that fits a schema. `nullable` are the keys whose values may be null, in their order."""

    def __init__(self, writer: Writer, tokenizer: Any, nullable: Sequence[str]) -> None:
        super().__init__(set())
        self._writer, self._tokenizer = writer, tokenizer
        self._forced = writer.forced()
        self._keys = [f"{json.dumps(name, ensure_ascii=False)}: " for name in nullable]

    def allowed(self) -> Tensor:
        if not self._forced:
            return allowed([self._writer])[0]
        only = torch.zeros(max(self._writer.vocabulary, self._forced[0] + 1), dtype=torch.bool)
        only[self._forced[0]] = True
        return only

    def take(self, token: int, log_probabilities: Tensor) -> None:
        if self._forced:
            self._forced.pop(0)
        else:
            self._look_for_null(token, log_probabilities)
            self._writer.take(token)
            self._forced = self._writer.forced()
        super().take(token, log_probabilities)
        if not self._forced and self._writer.done:
            self.finish = "complete"

    def _look_for_null(self, token: int, log_probabilities: Tensor) -> None:
        """The probability of null, where a value begins with this token."""
        if not self._keys:
            return
        key = self._keys[0]
        tail = "".join(spelled(self._tokenizer, self.tokens[-len(key) - LEAD :]))
        if not any(tail.endswith(key[:cut]) for cut in range(len(key) - LEAD, len(key) + 1)):
            return
        if not _begun(tail + self._spelled(token), key):
            return
        likely = log_probabilities.exp().topk(min(LIKELIEST, len(log_probabilities)))
        self.absent[json.loads(key[: key.rindex(":")])] = sum(
            probability
            for probability, other in zip(likely.values.tolist(), likely.indices.tolist(), strict=True)
            if probability > 0.0 and _begun(tail + self._spelled(other), key) == "n"
        )
        del self._keys[0]

    def _spelled(self, token: int) -> str:
        """Behind another token: a tokenizer may drop the blank before the first."""
        before = self.tokens[-1:]
        return "".join(spelled(self._tokenizer, [*before, token])[len(before) :])


def largest_side(images: Any) -> int:
    """The longer side in pixels that a picture has at most when its processor is through."""
    grid = getattr(images, "image_grid_pinpoints", None)
    if grid:
        return int(max(max(sides) for sides in grid))
    size = dict(getattr(images, "size", None) or {})
    sides = [value for value in size.values() if isinstance(value, int)] or [UNTOLD_SIDE]
    return max(sides) if max(sides) <= PIXELS else math.isqrt(max(sides))


def _grammar(name: str, tokenizer: Any, vocabulary: int) -> Grammar:
    try:
        return Grammar(tokenizer, vocabulary)
    except ValueError as error:
        raise ModelError(
            f"{name} cannot be held to a schema: {error}",
            hint="Take a model whose tokenizer is a byte-level BPE, or a BPE with bytes to fall back on.",
        ) from error


def _together(slots: Sequence[Slot]) -> list[tuple[Slot, ...]]:
    """Single fields in one object, as they help each other; each list apart."""
    singles = tuple(slot for slot in slots if slot.value.get("type") != "array")
    lists = [(slot,) for slot in slots if slot.value.get("type") == "array"]
    return [singles, *lists] if singles else [*lists]


def _begun(text: str, key: str) -> str:
    """The first character of the value behind the key that was written last; empty where there is none yet."""
    return text.rpartition(key.rstrip())[2].lstrip()[:1] if key.rstrip() in text else ""


def _written(pen: _Pen, tokenizer: Any, slots: Sequence[Slot]) -> Written:
    tokens = tuple(map(Token, spelled(tokenizer, pen.tokens), pen.logs))
    text = "".join(token.text for token in tokens)
    return Written(text, tuple(slot.name for slot in slots), pen.finish or "length", tokens, pen.absent)


def _image_tokens(model: Any, processor: Any) -> set[int]:
    places = ((model.config, "image_token_id"), (model.config, "image_token_index"), (processor, "image_token_id"))
    found = (getattr(owner, name, None) for owner, name in places)
    return {token for token in found if isinstance(token, int)}


def _ends(model: Any) -> set[int]:
    ends = model.generation_config.eos_token_id
    return set(ends) if isinstance(ends, list | tuple) else {ends} - {None}
