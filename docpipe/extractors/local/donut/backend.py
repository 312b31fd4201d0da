"""Donut: an encoder-decoder that was fine-tuned to read one sort of document, and answers in tags of its own.

In: a VisionEncoderDecoderModel, its DonutProcessor, questions. Out: replies, the tags turned into JSON. It reads no
prompt: it knows the fields that its tags name and no others. It sees one page at a time; of a single field the first
page with a value counts, rows of all pages follow each other.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from llguidance import LLMatcher, LLTokenizer
from llguidance._tokenizer import TokenizerWrapper
from llguidance.hf import from_tokenizer
from PIL.Image import Image

from docpipe.errors import DocpipeError, ModelError, SchemaError
from docpipe.extractors.generative.backend import Finish, Question, Reply, Slot, Token, Written
from docpipe.extractors.local.constrained.constrained_generate import memory, spelled, write
from docpipe.extractors.local.constrained.vocabulary import Vocabulary
from docpipe.extractors.local.donut.grammar import Plan, Scope, TagPen, Tags, cells
from docpipe.extractors.local.generate_backend import largest_side

OPENING, CLOSING, CATEGORY = re.compile(r"<s_(.+)>"), re.compile(r"</s_(.+)>"), re.compile(r"<([^<>/]+)/>")
SEPARATOR = "<sep/>"
PRETRAINED = {"<s_iitcdip>", "<s_synthdog>"}  # tasks of the checkpoint that all others were made from
LEAST = 1e-9  # a probability whose logarithm is taken
LENGTH_MOST = 400  # characters of a value whose schema does not bound it


class DonutBackend:
    def __init__(self, name: str, model: Any, processor: Any) -> None:
        """Raises ModelError when nothing tells which task the model was fine-tuned for."""
        self._name, self._model, self._processor = name, model, processor
        self._tokenizer = processor.tokenizer
        self._task = task_token(name, self._tokenizer, model)
        self._tags = read_tags(self._tokenizer, self._task, model.config.decoder.vocab_size)
        self._words = _words(self._tokenizer)
        self._matchers: dict[str, LLMatcher] = {}

    @property
    def name(self) -> str:
        return self._name

    @property
    def max_side(self) -> int:
        return largest_side(getattr(self._processor, "image_processor", None))

    def answer(self, questions: Sequence[Question]) -> list[Reply | DocpipeError]:
        """A question of which the model knows no field is answered by nothing where it knows another's. An error stands
        in the place of the document that it concerns."""
        plans = [Plan(question.slots, self._tags) for question in questions]
        if not any(plan.known for plan in plans):
            return [self._unknown() for _ in questions]
        replies: list[Reply | DocpipeError] = []
        for question, plan in zip(questions, plans, strict=True):
            try:
                replies.append(self._reply(question, plan))
            except DocpipeError as error:
                replies.append(error)
        return replies

    def _reply(self, question: Question, plan: Plan) -> Reply:
        if not plan.known:
            return Reply(())
        pages: list[TagPen] = []
        images = 0
        for picture in question.pictures:
            pen = TagPen(self._tags, plan, self._matcher)
            images += self._read(picture, pen)
            pages.append(pen)
        written = tuple(self._written(slot, pages) for slot in plan.known) if pages else ()
        return Reply(written, images + len(pages), images, sum(len(pen.tokens) for pen in pages))

    def _read(self, picture: Image, pen: TagPen) -> int:
        """One page; how many tokens its picture is."""
        pixels = self._processor(images=picture, return_tensors="pt").pixel_values
        with torch.inference_mode(), memory():
            seen = self._model.encoder(pixels.to(self._model.device, self._model.dtype))
        prompt = torch.tensor([[self._task]], device=self._model.device)
        room = self._model.config.decoder.max_position_embeddings - 1
        write(self._model, {"encoder_outputs": seen, "decoder_input_ids": prompt}, pen, room)
        return int(seen.last_hidden_state.shape[1])

    def _matcher(self, value: Mapping[str, Any]) -> LLMatcher:
        """Of the words of a value."""
        regex = _regex(value)
        if regex not in self._matchers:
            matcher = LLMatcher(self._words, LLMatcher.grammar_from_regex(regex), log_level=0)
            if matcher.is_error():
                raise SchemaError(f"no model can be held to the pattern {regex}: {matcher.get_error()}")
            self._matchers[regex] = matcher
        return self._matchers[regex].deep_copy()

    def _written(self, slot: Slot, pages: Sequence[TagPen]) -> Written:
        if slot.value.get("type") == "array":
            return self._list(slot, pages)
        absent = math.prod(_absent(slot, pen) for pen in pages)
        told = [_single(slot, pen) for pen in pages]
        scopes = [scope for scope, finish in told if scope is not None and finish == "complete"]
        value = next(filter(None, map(self._value, scopes)), None)
        head = Token("{" + json.dumps(slot.name) + ": ", 0.0)
        if value is not None:
            return _joined(slot, "complete", [head, *value, Token("}", 0.0)], absent)
        finish = next((finish for _, finish in told if finish != "complete"), None)
        if finish is not None:
            begun = next((scope for scope, said in told if scope is not None and said != "complete"), None)
            value = self._value(begun) if begun is not None else None
            return _joined(slot, finish, [head, *(value or [])[:-1]])
        null = Token("null", math.log(max(absent, LEAST)))
        return _joined(slot, "complete", [head, null, Token("}", 0.0)], absent)

    def _list(self, slot: Slot, pages: Sequence[TagPen]) -> Written:
        """Only rows that are whole; the list stays open where it was cut off."""
        tokens = [Token("{" + json.dumps(slot.name) + ": [", 0.0)]
        cut: Finish | None = None
        for pen in pages:
            lists = [scope for scope in pen.root.inside() if _is(scope, slot, "")]
            finish = _finish(slot, pen, lists)
            cut = cut or (finish if finish != "complete" else None)
            for scope in lists:
                is_whole = scope.closed and slot.name not in pen.cut
                for row in scope.rows if is_whole else scope.rows[:-1]:
                    told = self._row(slot, row)
                    tokens += [Token(", ", 0.0), *told] if told and len(tokens) > 1 else told
        return _joined(slot, cut or "complete", tokens if cut else [*tokens, Token("]}", 0.0)])

    def _row(self, slot: Slot, row: Mapping[str, Scope]) -> list[Token]:
        """Empty where no cell has a value."""
        inside = [inner for scope in row.values() for inner in (scope, *scope.inside())]
        tokens, before, is_empty = [], "{", True
        for cell in cells(slot):
            scope = next((scope for scope in inside if _is(scope, slot, cell)), None)
            value = self._value(scope) if scope is not None else None
            is_empty = is_empty and value is None
            tokens += [Token(f"{before}{json.dumps(cell)}: ", 0.0), *(value or [Token("null", 0.0)])]
            before = ", "
        return [] if is_empty else [*tokens, Token("}", 0.0)]

    def _value(self, scope: Scope) -> list[Token] | None:
        """As a JSON string, its quotes apart; None where nothing but blanks stands there."""
        ids = [token for token, _ in scope.words]
        category = self._tags.categories.get(ids[0]) if ids else None
        texts = [category] if category else spelled(self._tokenizer, ids)
        text = "".join(texts)
        start, end = len(text) - len(text.lstrip()), len(text.rstrip())
        if not text.strip():
            return None
        tokens, place = [Token('"', 0.0)], 0
        for piece, (_, log) in zip(texts, scope.words, strict=True):
            kept = piece[max(0, start - place) : max(0, end - place)]
            tokens.append(Token(json.dumps(kept, ensure_ascii=False)[1:-1], log))
            place += len(piece)
        return [*tokens, Token('"', scope.last)]

    def _unknown(self) -> SchemaError:
        names = ", ".join(sorted(self._tags.opening)) or "no fields"
        task = self._tokenizer.convert_ids_to_tokens(self._task)
        return SchemaError(
            f"{self._name} was fine-tuned for {task} and knows none of the schema's fields; it knows {names}",
            hint="Use a schema whose fields have these names (never --schema auto: it cannot tell sorts of documents"
            " apart), or another model.",
        )


def task_token(name: str, tokenizer: Any, model: Any) -> int:
    """The token that a model's answers begin with. Raises ModelError where it cannot be told."""
    added = tokenizer.get_added_vocab()
    alone = [token for token in added if (tag := OPENING.fullmatch(token)) and f"</s_{tag[1]}>" not in added]
    start = getattr(model.generation_config, "decoder_start_token_id", None)
    start = getattr(model.config, "decoder_start_token_id", None) if start is None else start
    own = [token for token in alone if token not in PRETRAINED]
    if start is not None and (not own or start in [added[token] for token in alone]):
        return int(start)
    if len(own) == 1:
        return int(added[own[0]])
    among = f"one of {', '.join(sorted(own))}" if own else "no tag `<s_...>` of its tokenizer stands alone"
    raise ModelError(
        f"{name} does not say which token its answers begin with: {among}",
        hint='Write the id of its task\'s token as "decoder_start_token_id" into its generation_config.json.',
    )


def read_tags(tokenizer: Any, task: int, vocabulary: int) -> Tags:
    """`vocabulary`: how many tokens the model can write."""
    added = tokenizer.get_added_vocab()
    closing = {tag[1]: added[token] for token in added if (tag := CLOSING.fullmatch(token))}
    opening = {tag[1]: added[token] for token in added if (tag := OPENING.fullmatch(token)) and tag[1] in closing}
    categories = {added[token]: tag[1] for token in added if token != SEPARATOR and (tag := CATEGORY.fullmatch(token))}
    words = torch.zeros(max(vocabulary, len(tokenizer)), dtype=torch.bool)
    words[: len(tokenizer)] = True
    tags = [place for token, place in added.items() if token.startswith("<") and token.endswith(">")]
    words[[*tokenizer.all_special_ids, *tags, task]] = False
    return Tags(opening, closing, added.get(SEPARATOR), tokenizer.eos_token_id, words, categories)


def _words(tokenizer: Any) -> LLTokenizer:
    try:
        return from_tokenizer(tokenizer)
    except ValueError:  # Donut's own: a SentencePiece unigram
        return LLTokenizer(cast(TokenizerWrapper, Vocabulary(tokenizer, len(tokenizer))))


def _regex(value: Mapping[str, Any]) -> str:
    if "pattern" in value:
        return str(value["pattern"]).removeprefix("^").removesuffix("$")
    return rf"[^\x00-\x1f]{{1,{value.get('maxLength', LENGTH_MOST)}}}"


def _single(slot: Slot, pen: TagPen) -> tuple[Scope | None, Finish]:
    """Where a page has the value of a single field, and whether that is whole."""
    scopes = [scope for scope in pen.root.inside() if _is(scope, slot, "")]
    scopes.sort(key=lambda scope: not scope.words)  # a tag may come again where another has nothing in it
    return (scopes[0] if scopes else None), _finish(slot, pen, scopes[:1])


def _finish(slot: Slot, pen: TagPen, scopes: Sequence[Scope]) -> Finish:
    if slot.name in pen.cut:
        return "length"
    if scopes and all(scope.closed for scope in scopes):
        return "complete"
    return pen.finish or "length"


def _absent(slot: Slot, pen: TagPen) -> float:
    scope, _ = _single(slot, pen)
    never = pen.unwritten[slot.name]
    return never if scope is None else never + (1.0 - never) * scope.empty


def _is(scope: Scope, slot: Slot, cell: str) -> bool:
    return scope.target is not None and scope.target.slot.name == slot.name and scope.target.cell == cell


def _joined(slot: Slot, finish: Finish, tokens: Sequence[Token], absent: float | None = None) -> Written:
    text = "".join(token.text for token in tokens)
    return Written(text, (slot.name,), finish, tuple(tokens), {} if absent is None else {slot.name: absent})
