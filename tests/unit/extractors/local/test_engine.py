"""What the engine of local models does with its time and memory, and what it says when something runs out."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch

from docpipe.errors import ModelError, TooLargeError
from docpipe.extractors.generative.backend import Question, Reply, Slot, Written, object_of
from docpipe.extractors.local.constrained.constraint import Grammar, allowed
from docpipe.extractors.local.engine import attention, engine
from docpipe.extractors.local.engine.backend import LocalBackend
from docpipe.extractors.local.models.family import Family
from tests.support.tiny_models import built
from tests.unit.extractors.local.test_families import (
    AMOUNT,
    CLOSE,
    MAYBE,
    SLOTS,
    TEXT,
    backend,
    from_scratch,
    longer,
    page,
    question,
)

FAMILY = "qwen2_5_vl"  # its heads share keys and values, and its positions are the least simple


def fields(count: int, value: dict[str, Any], tokens: int = 60) -> tuple[Slot, ...]:
    return tuple(Slot(f"field_{number}", value, tokens) for number in range(count))


@contextmanager
def counted(family: str = FAMILY) -> Iterator[list[tuple[int, int]]]:
    """(documents, tokens of each) of every pass through the part of the model that writes."""
    passes: list[tuple[int, int]] = []

    def count(_: Any, args: Any, kwargs: dict[str, Any]) -> None:
        given = kwargs.get("input_ids") if kwargs.get("inputs_embeds") is None else kwargs["inputs_embeds"]
        passes.append((given.shape[0], given.shape[1]))

    handle = built(family)[0].get_decoder().register_forward_pre_hook(count, with_kwargs=True)
    yield passes
    handle.remove()


def answer(*questions: Question, family: str = FAMILY) -> list[Any]:
    return list(backend(family).answer(questions))


def chosen(written: Written) -> int:
    """Tokens that the model had a choice about."""
    return sum(token.log_probability != 0.0 for token in written.tokens)


def test_what_the_schema_forces_is_never_asked_of_the_model():
    with counted() as passes:
        (reply,) = answer(question((Slot("currency", {"type": "string", "enum": ["EUR"]}, 40),)))
    assert reply.written[0].text == '{"currency": "EUR"}'
    assert {token.log_probability for token in reply.written[0].tokens} == {0.0}
    assert passes == [(1, reply.tokens_in)]  # the prompt, and nothing after it


def test_many_fields_take_as_many_passes_as_the_longest_of_them():
    asked = question((*fields(8, TEXT), *fields(4, AMOUNT), *fields(2, MAYBE)))
    with counted() as passes:
        (reply,) = answer(asked)
    choices = [chosen(written) for written in reply.written]
    assert len(passes) == 1 + max(choices) < 1 + sum(choices)
    assert passes[0] == (1, reply.tokens_in), "the prompt goes through once"
    assert sum(width for _, width in passes[1:]) < reply.tokens_out, "and each written token at most once"
    assert passes[-1][1] < len(choices), "a field that is finished takes no part any more"


def test_the_beginning_of_a_prompt_is_read_once_for_all_documents_of_a_schema():
    fresh = LocalBackend("hf:fresh", *built(FAMILY))
    asked, other = [Question((text * 40, page(), "Answer in JSON."), SLOTS[:1]) for text in ("net total ", "due date ")]
    with counted() as passes:
        replies = [fresh.answer([each]) for each in (asked, asked, other, asked)]
    read = [width for _, width in passes if width > 60]  # the passes over prompts
    full = replies[0][0].tokens_in  # type: ignore[union-attr]
    assert read[0] == full and read[1] < full - 64, "the second document goes without it"
    assert read[2] == replies[2][0].tokens_in, "another schema has another"  # type: ignore[union-attr]
    assert read[3] == read[1], "and the first is not forgotten for it"
    texts = [reply.written[0].text for (reply,) in replies]  # type: ignore[union-attr]
    assert texts[0] == texts[1] == texts[3]


def test_a_family_that_looks_ahead_reads_every_prompt_whole():
    """PaliGemma sees its prompt in both directions, Gemma 3 through a window."""
    for family in ("paligemma", "gemma3"):
        fresh = LocalBackend("hf:fresh", *built(family))
        asked = Question(("net total " * 40, page(), "Answer in JSON."), SLOTS[:1])
        with counted(family) as passes:
            (first,), (second,) = fresh.answer([asked]), fresh.answer([asked])
        assert [width for _, width in passes if width > 60] == [first.tokens_in] * 2  # type: ignore[union-attr]
        assert first == second


def test_documents_of_a_batch_go_through_together():
    batch = [question(fields(6, TEXT)), question(fields(2, AMOUNT), pages=2), question(fields(1, MAYBE))]
    with counted() as passes:
        replies = answer(*batch)
    assert {documents for documents, _ in passes} == {3}
    assert len(passes) == 1 + max(chosen(written) for reply in replies for written in reply.written)


def test_a_slot_at_its_limit_says_so_and_the_others_go_on():
    rows = {"type": "array", "minItems": 30, "items": TEXT}
    (reply,) = answer(question((Slot("line_items", rows, 25), Slot("gross_total", AMOUNT, 60))))
    cut, whole = reply.written
    assert (cut.finish, len(cut.tokens)) == ("length", 25)
    with pytest.raises(json.JSONDecodeError):
        json.loads(cut.text)
    assert (whole.finish, set(json.loads(whole.text))) == ("complete", {"gross_total"})


def test_a_model_that_repeats_itself_is_stopped():
    (reply,) = answer(question((Slot("line_items", {"type": "string", "pattern": "^[ab]{900}$"}, 1000),)))
    assert reply.written[0].finish == "loop"
    assert len(reply.written[0].tokens) < 900


def test_the_tokens_of_an_answer_joined_are_its_text():
    (reply,) = answer(question())
    assert [written.slots for written in reply.written] == [(slot.name,) for slot in SLOTS]
    for written in reply.written:
        assert "".join(token.text for token in written.tokens) == written.text
    assert reply.tokens_out == sum(len(written.tokens) for written in reply.written)


def next_after(asked: Question, text: str) -> dict[str, float]:
    """What the model makes of the first slot's value, begun with this text: how it may go on, and how probably."""
    model, processor = built(FAMILY)
    slot = asked.slots[0]
    writer = Grammar(processor.tokenizer, model.config.text_config.vocab_size).writer(
        object_of({slot.name: slot.value})
    )
    tokens = list(writer.forced())
    for token in processor.tokenizer.encode(text):
        writer.take(token)
        tokens.append(token)
    inputs = dict(Family(model, processor).prompt([asked]).inputs)
    del inputs["position_ids"]
    with torch.inference_mode():
        logits = model(**longer(inputs, tokens, FAMILY)).logits[0, -1]
    said = logits.masked_fill(~allowed([writer])[0], -torch.inf).softmax(-1)
    beginnings: dict[str, float] = {}
    for token in said.nonzero()[:, 0].tolist():
        begin = text + processor.tokenizer.decode([token])
        beginnings[begin] = beginnings.get(begin, 0.0) + float(said[token])
    return beginnings


def test_the_probability_of_null_is_what_the_model_gives_to_the_tokens_that_begin_it():
    asked = question((Slot("seller.name", MAYBE, 40), Slot("gross_total", AMOUNT, 40)))
    (reply,) = answer(asked)
    null, reached, text = 0.0, 1.0, ""
    while not text.strip():  # the blank before a value may be a token of its own
        said = next_after(asked, text)
        null += reached * sum(probability for begin, probability in said.items() if begin.strip().startswith("n"))
        text, reached = max(said.items(), key=lambda item: item[1])
    assert 0.0 < null < 1.0
    assert reply.written[0].absent == {"seller.name": pytest.approx(null, abs=CLOSE)}
    assert reply.written[1].absent == {}, "it cannot be null"


def test_pictures_stand_in_the_prompt_where_they_were_put():
    model, processor = built(FAMILY)
    prompt = Family(model, processor).prompt([question(pages=2)])
    text = processor.tokenizer.decode(prompt.inputs["input_ids"][0])
    first, second = (part.start() for part in re.finditer(re.escape("<|vision_start|>"), text))
    assert text.index("Read the invoice.") < first < second < text.index("Answer in JSON.")
    assert text.count("<|image_pad|>") == prompt.image_tokens[0] > 0
    assert text.endswith("assistant\n")


def test_folding_heads_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    (folded,) = answer(question())
    plain = LocalBackend("hf:unfolded", *built(FAMILY))
    monkeypatch.setattr(plain._engine, "_groups", 1)
    (own,) = plain.answer([question()])
    assert isinstance(own, Reply)
    assert [written.text for written in folded.written] == [written.text for written in own.written]
    for one, other in zip(folded.written, own.written, strict=True):
        logs = [token.log_probability for token in other.tokens]
        assert [token.log_probability for token in one.tokens] == pytest.approx(logs, abs=CLOSE)


def test_a_cache_that_grows_in_the_middle_keeps_what_it_has(monkeypatch: pytest.MonkeyPatch):
    (roomy,) = answer(question())
    monkeypatch.setattr(attention, "ROOM", 1)
    assert answer(question()) == [roomy]


def test_a_schema_that_leaves_the_first_token_open_is_answered(monkeypatch: pytest.MonkeyPatch):
    """A grammar may force nothing at the start; then the prompt's own last token tells the first."""
    expected = from_scratch(FAMILY, question(), SLOTS[0])

    class Shy(Grammar):
        def writer(self, schema: Any) -> Any:
            writer = super().writer(schema)
            forced: Callable[[], list[int]] = writer.forced
            calls = iter([[]])
            writer.forced = lambda: next(calls) if calls.__length_hint__() else forced()  # type: ignore[method-assign]
            return writer

    monkeypatch.setattr(engine, "Grammar", Shy)
    shy = LocalBackend("hf:shy", *built(FAMILY))
    (reply,) = shy.answer([question(SLOTS[:1])])
    assert isinstance(reply, Reply)
    assert reply.written[0].text == expected.text


def test_nothing_stays_in_memory_from_one_call_to_the_next():
    def held() -> int:
        gc.collect()
        tensors = [each for each in gc.get_objects() if issubclass(type(each), torch.Tensor)]
        return sum({each.data_ptr(): each.nbytes for each in tensors}.values())

    answer(question())
    before = held()
    for pages in (1, 2, 3):
        answer(question(pages=pages), question())
    assert held() == before


def test_the_model_is_left_as_it_was():
    text = built(FAMILY)[0].config.text_config
    before = text._attn_implementation
    answer(question())
    assert text._attn_implementation == before


def test_documents_with_and_without_pictures_can_be_asked_about_at_once():
    bare = Question(("Read the invoice.", "Muster GmbH, Rechnung 2021-00417", "Answer in JSON."), SLOTS[:1])
    replies = answer(question(SLOTS[:1]), bare, question(SLOTS[1:2]))
    assert [reply.written[0].slots[0] for reply in replies] == ["invoice_number", "invoice_number", "seller.name"]
    assert replies[1].image_tokens == 0 < replies[0].image_tokens


CARD = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nMore about it.")
PROCESSOR = RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")


def starved(monkeypatch: pytest.MonkeyPatch, documents: int, error: Exception = CARD) -> tuple[LocalBackend, list[int]]:
    """A backend whose memory is full with more than so many documents, and how many were tried at once."""
    tried: list[int] = []
    fill = engine.Engine.fill

    def full(self: Any, prompt: Any, slots: Any, words: Any) -> Any:
        tried.append(len(slots))
        if len(slots) > documents:
            raise error
        return fill(self, prompt, slots, words)

    monkeypatch.setattr(engine.Engine, "fill", full)
    return LocalBackend("hf:starved", *built(FAMILY)), tried


@pytest.mark.parametrize("error", [CARD, PROCESSOR], ids=["card", "processor"])
def test_a_batch_that_does_not_fit_is_halved_until_it_does(monkeypatch: pytest.MonkeyPatch, error: Exception):
    batch = [question(SLOTS[:1], pages=pages) for pages in (1, 2, 1, 2, 1)]
    expected = answer(*batch)
    small, tried = starved(monkeypatch, 2, error)
    replies = small.answer(batch)
    assert tried == [5, 2, 3, 1, 2]
    assert [reply.written[0].text for reply in replies] == [reply.written[0].text for reply in expected]  # type: ignore[union-attr]


def test_a_document_that_does_not_fit_alone_is_an_error_with_the_figure(monkeypatch: pytest.MonkeyPatch):
    small, _ = starved(monkeypatch, 0)
    first, second = small.answer([question(), question(pages=2)])
    assert isinstance(first, TooLargeError) and isinstance(second, TooLargeError), "the document's, not the model's"
    assert "1 page" in str(first) and "2 pages" in str(second)
    assert "2.00 GiB" in str(first) and "smaller model" in first.hint


def test_a_mistake_of_ours_is_not_taken_for_a_lack_of_memory(monkeypatch: pytest.MonkeyPatch):
    broken, tried = starved(monkeypatch, 0, RuntimeError("The size of tensor a must match the size of tensor b"))
    with pytest.raises(RuntimeError, match="size of tensor"):
        broken.answer([question(), question()])
    assert tried == [2]


def test_a_card_that_has_failed_is_a_model_that_is_away(monkeypatch: pytest.MonkeyPatch):
    broken, _ = starved(monkeypatch, 0, RuntimeError("CUDA error: device-side assert triggered"))
    with pytest.raises(ModelError, match="device-side assert"):
        broken.answer([question()])


def test_a_batch_is_no_larger_than_the_memory_is_said_to_hold(monkeypatch: pytest.MonkeyPatch):
    _, tried = starved(monkeypatch, 99)
    asked: list[int] = []

    def fits(tokens: int) -> int:
        asked.append(tokens)
        return 2

    careful = LocalBackend("hf:careful", *built(FAMILY), fits=fits)
    replies = careful.answer([question(SLOTS[:1])] * 4)
    assert tried == [2, 2]
    assert min(asked) == replies[0].tokens_in + SLOTS[0].tokens  # type: ignore[union-attr]


def test_a_document_longer_than_the_model_can_read_is_an_error_and_the_others_are_answered():
    endless = question(SLOTS[:1], closing="1.234,50 EUR " * 1_000)
    long, short = answer(endless, question(SLOTS[:1]))
    assert isinstance(long, TooLargeError) and "has room for 4096" in str(long)
    assert not long.retryable, "a worker must not try it for hours"
    assert isinstance(short, Reply)


@pytest.mark.parametrize(
    ("family", "side"),
    [
        ("qwen2_5_vl", 257),
        ("llava", 56),
        ("llava_onevision", 112),
        ("idefics3", 112),
        ("gemma3", 56),
        ("paligemma", 56),
    ],
)
def test_a_picture_is_not_drawn_larger_than_the_model_can_see(family: str, side: int):
    assert backend(family).max_side == side
