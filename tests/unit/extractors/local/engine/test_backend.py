"""What the engine of local models does with its time and memory, and what it says when something runs out."""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch

from docpipe.errors import ModelError, TooLargeError
from docpipe.extractors.generative.backend import BackendReply, Completion, OutputSlot, Prompt, slots_schema
from docpipe.extractors.local.constrained.grammar import GrammarCompiler
from docpipe.extractors.local.constrained.token_masks import allowed_tokens
from docpipe.extractors.local.engine import attention, engine
from docpipe.extractors.local.engine.backend import EngineBackend
from docpipe.extractors.local.models.family import ModelFamily
from tests.support.engine_reference import (
    AMOUNT,
    CLOSE,
    FAMILY,
    NULLABLE,
    SLOTS,
    TEXT,
    assert_same,
    counted_passes,
    engine_backend,
    extended,
    fields,
    page,
    prompt,
    reference_completion,
    replies,
    reply_to,
)
from tests.support.tiny_models import tiny_model


def choices(completion: Completion) -> int:
    """Tokens that the model had a choice about."""
    return sum(token.log_probability != 0.0 for token in completion.tokens)


def test_what_the_schema_forces_is_never_asked_of_the_model():
    with counted_passes() as passes:
        reply = reply_to(prompt((OutputSlot("currency", {"type": "string", "enum": ["EUR"]}, 40),)))
    assert reply.completions[0].text == '{"currency": "EUR"}'
    assert {token.log_probability for token in reply.completions[0].tokens} == {0.0}
    assert passes == [(1, reply.tokens_in)]  # the prompt, and nothing after it


def test_many_fields_take_as_many_passes_as_the_longest_of_them():
    with counted_passes() as passes:
        reply = reply_to(prompt((*fields(8, TEXT), *fields(4, AMOUNT), *fields(2, NULLABLE))))
    counts = [choices(completion) for completion in reply.completions]
    assert len(passes) == 1 + max(counts) < 1 + sum(counts)
    assert passes[0] == (1, reply.tokens_in), "the prompt goes through once"
    assert sum(each.width for each in passes[1:]) < reply.tokens_out, "and each written token at most once"
    assert passes[-1].width < len(counts), "a field that is finished takes no part any more"


def test_the_prefix_of_a_prompt_is_read_once_for_all_documents_of_a_schema():
    fresh = EngineBackend("hf:fresh", *tiny_model(FAMILY))
    asked, other = [Prompt((text * 40, page(), "Answer in JSON."), SLOTS[:1]) for text in ("net total ", "due date ")]
    with counted_passes() as passes:
        first, second, third, fourth = (replies(fresh, each)[0] for each in (asked, asked, other, asked))
    widths = [each.width for each in passes if each.width > 60]  # the passes over prompts
    assert widths[0] == first.tokens_in and widths[1] < first.tokens_in - 64, "the second document goes without it"
    assert widths[2] == third.tokens_in, "another schema has another"
    assert widths[3] == widths[1], "and the first is not forgotten for it"
    assert first.completions[0].text == second.completions[0].text == fourth.completions[0].text


def test_a_family_that_looks_ahead_reads_every_prompt_whole():
    """PaliGemma sees its prompt in both directions, Gemma 3 through a window."""
    for family in ("paligemma", "gemma3"):
        fresh = EngineBackend("hf:fresh", *tiny_model(family))
        asked = Prompt(("net total " * 40, page(), "Answer in JSON."), SLOTS[:1])
        with counted_passes(family) as passes:
            (first,), (second,) = replies(fresh, asked), replies(fresh, asked)
        assert [each.width for each in passes if each.width > 60] == [first.tokens_in] * 2
        assert first == second


def test_documents_of_a_batch_go_through_together():
    batch = [prompt(fields(6, TEXT)), prompt(fields(2, AMOUNT), pages=2), prompt(fields(1, NULLABLE))]
    with counted_passes() as passes:
        together = replies(engine_backend(FAMILY), *batch)
    assert {each.documents for each in passes} == {3}
    assert len(passes) == 1 + max(choices(completion) for reply in together for completion in reply.completions)


def test_a_slot_at_its_limit_says_so_and_the_others_go_on():
    rows = {"type": "array", "minItems": 30, "items": TEXT}
    reply = reply_to(prompt((OutputSlot("line_items", rows, 25), OutputSlot("gross_total", AMOUNT, 60))))
    cut, whole = reply.completions
    assert (cut.finish, len(cut.tokens)) == ("length", 25)
    with pytest.raises(json.JSONDecodeError):
        json.loads(cut.text)
    assert (whole.finish, set(json.loads(whole.text))) == ("complete", {"gross_total"})


def test_a_model_that_repeats_itself_is_stopped():
    slot = OutputSlot("line_items", {"type": "string", "pattern": "^[ab]{900}$"}, 1000)
    (completion,) = reply_to(prompt((slot,))).completions
    assert completion.finish == "loop"
    assert len(completion.tokens) < 900


def test_the_tokens_of_an_answer_joined_are_its_text():
    reply = reply_to(prompt())
    assert [completion.slot_names for completion in reply.completions] == [(slot.name,) for slot in SLOTS]
    for completion in reply.completions:
        assert "".join(token.text for token in completion.tokens) == completion.text
    assert reply.tokens_out == sum(len(completion.tokens) for completion in reply.completions)


def next_probabilities(asked: Prompt, text: str) -> dict[str, float]:
    """What the model makes of the first slot's value, begun with this text: how it may go on, and how probably."""
    model, processor = tiny_model(FAMILY)
    grammar = GrammarCompiler(processor.tokenizer, model.config.text_config.vocab_size)
    matcher = grammar.compile(slots_schema(asked.slots[:1]))
    tokens = list(matcher.consume_forced())
    for token in processor.tokenizer.encode(text):
        matcher.consume(token)
        tokens.append(token)
    tensors = dict(ModelFamily(model, processor).encode([asked]).tensors)
    del tensors["position_ids"]
    with torch.inference_mode():
        logits = model(**extended(tensors, tokens, FAMILY)).logits[0, -1]
    probabilities = logits.masked_fill(~allowed_tokens([matcher])[0], -torch.inf).softmax(-1)
    by_text: dict[str, float] = {}
    for token in probabilities.nonzero()[:, 0].tolist():
        longer = text + processor.tokenizer.decode([token])
        by_text[longer] = by_text.get(longer, 0.0) + float(probabilities[token])
    return by_text


def test_the_probability_of_null_is_what_the_model_gives_to_the_tokens_that_begin_it():
    asked = prompt((OutputSlot("seller.name", NULLABLE, 40), OutputSlot("gross_total", AMOUNT, 40)))
    nullable, not_nullable = reply_to(asked).completions
    null, path_probability, text = 0.0, 1.0, ""
    while not text.strip():  # the blank before a value may be a token of its own
        by_text = next_probabilities(asked, text)
        starts_null = sum(probability for start, probability in by_text.items() if start.strip().startswith("n"))
        null += path_probability * starts_null
        text, path_probability = max(by_text.items(), key=lambda item: item[1])
    assert 0.0 < null < 1.0
    assert nullable.null_probabilities == {"seller.name": pytest.approx(null, abs=CLOSE)}
    assert not_nullable.null_probabilities == {}, "it cannot be null"


def test_images_stand_in_the_prompt_where_they_were_put():
    model, processor = tiny_model(FAMILY)
    inputs = ModelFamily(model, processor).encode([prompt(pages=2)])
    text = processor.tokenizer.decode(inputs.tensors["input_ids"][0])
    first, second = (match.start() for match in re.finditer(re.escape("<|vision_start|>"), text))
    assert text.index("Read the invoice.") < first < second < text.index("Answer in JSON.")
    assert text.count("<|image_pad|>") == inputs.image_tokens[0] > 0
    assert text.endswith("assistant\n")


def test_folding_heads_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    folded = reply_to(prompt())
    plain = EngineBackend("hf:unfolded", *tiny_model(FAMILY))
    monkeypatch.setattr(plain._engine, "_query_groups", 1)
    (unfolded,) = replies(plain, prompt())
    for completion, expected in zip(folded.completions, unfolded.completions, strict=True):
        assert_same(completion, expected)


def test_a_cache_that_grows_in_the_middle_keeps_what_it_has(monkeypatch: pytest.MonkeyPatch):
    roomy = reply_to(prompt())
    monkeypatch.setattr(attention, "GROWTH_COLUMNS", 1)
    assert reply_to(prompt()) == roomy


def test_a_schema_that_leaves_the_first_token_open_is_answered(monkeypatch: pytest.MonkeyPatch):
    """A grammar may force nothing at the start; then the prompt's own last token decides the first."""
    expected = reference_completion(FAMILY, prompt(), SLOTS[0])

    class UnforcedStart(GrammarCompiler):
        def compile(self, schema: Any) -> Any:
            matcher = super().compile(schema)
            consume_forced: Callable[[], list[int]] = matcher.consume_forced
            starts = iter([[]])
            matcher.consume_forced = lambda: next(starts) if starts.__length_hint__() else consume_forced()  # type: ignore[method-assign]
            return matcher

    monkeypatch.setattr(engine, "GrammarCompiler", UnforcedStart)
    backend = EngineBackend("hf:unforced", *tiny_model(FAMILY))
    (reply,) = replies(backend, prompt(SLOTS[:1]))
    assert reply.completions[0].text == expected.text


def test_nothing_stays_in_memory_from_one_call_to_the_next():
    def tensor_bytes() -> int:
        for _ in range(9):  # what other tests have left may free more when it goes
            if not gc.collect():
                break
        tensors = [each for each in gc.get_objects() if issubclass(type(each), torch.Tensor) and not each.is_meta]
        return sum({each.data_ptr(): each.nbytes for each in tensors}.values())

    reply_to(prompt())
    before = tensor_bytes()
    for pages in (1, 2, 3):
        replies(engine_backend(FAMILY), prompt(pages=pages), prompt())
    assert tensor_bytes() == before


def test_the_model_is_left_as_it_was():
    text_config = tiny_model(FAMILY)[0].config.text_config
    before = text_config._attn_implementation
    reply_to(prompt())
    assert text_config._attn_implementation == before


def test_documents_with_and_without_images_can_be_asked_about_at_once():
    bare = Prompt(("Read the invoice.", "Muster GmbH, Rechnung 2021-00417", "Answer in JSON."), SLOTS[:1])
    together = replies(engine_backend(FAMILY), prompt(SLOTS[:1]), bare, prompt(SLOTS[1:2]))
    names = [reply.completions[0].slot_names[0] for reply in together]
    assert names == ["invoice_number", "invoice_number", "seller.name"]
    assert together[1].image_tokens == 0 < together[0].image_tokens


GPU_ERROR = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nMore about it.")
CPU_ERROR = RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")


class Starved(NamedTuple):
    """A backend with little memory, and how many documents it tried at once, call by call."""

    backend: EngineBackend
    tried: list[int]


def starved(monkeypatch: pytest.MonkeyPatch, documents: int, error: Exception = GPU_ERROR) -> Starved:
    """Its memory is full with more than so many documents."""
    tried: list[int] = []
    complete = engine.Engine.complete

    def complete_or_fail(self: Any, inputs: Any, slots: Any, page_lines: Any) -> Any:
        tried.append(len(slots))
        if len(slots) > documents:
            raise error
        return complete(self, inputs, slots, page_lines)

    monkeypatch.setattr(engine.Engine, "complete", complete_or_fail)
    return Starved(EngineBackend("hf:starved", *tiny_model(FAMILY)), tried)


@pytest.mark.parametrize("error", [GPU_ERROR, CPU_ERROR], ids=["card", "processor"])
def test_a_batch_that_does_not_fit_is_halved_until_it_does(monkeypatch: pytest.MonkeyPatch, error: Exception):
    batch = [prompt(SLOTS[:1], pages=pages) for pages in (1, 2, 1, 2, 1)]
    expected = replies(engine_backend(FAMILY), *batch)
    small = starved(monkeypatch, 2, error)
    halved = replies(small.backend, *batch)
    assert small.tried == [5, 2, 3, 1, 2]
    assert [reply.completions[0].text for reply in halved] == [reply.completions[0].text for reply in expected]


def test_a_document_that_does_not_fit_alone_is_an_error_with_the_figure(monkeypatch: pytest.MonkeyPatch):
    first, second = starved(monkeypatch, 0).backend.complete([prompt(), prompt(pages=2)])
    assert isinstance(first, TooLargeError) and isinstance(second, TooLargeError), "the document's, not the model's"
    assert "1 page" in str(first) and "2 pages" in str(second)
    assert "2.00 GiB" in str(first) and "smaller model" in first.hint


def test_a_mistake_of_ours_is_not_taken_for_a_lack_of_memory(monkeypatch: pytest.MonkeyPatch):
    broken = starved(monkeypatch, 0, RuntimeError("The size of tensor a must match the size of tensor b"))
    with pytest.raises(RuntimeError, match="size of tensor"):
        broken.backend.complete([prompt(), prompt()])
    assert broken.tried == [2]


def test_a_card_that_has_failed_is_a_model_that_is_away(monkeypatch: pytest.MonkeyPatch):
    broken = starved(monkeypatch, 0, RuntimeError("CUDA error: device-side assert triggered"))
    with pytest.raises(ModelError, match="device-side assert"):
        broken.backend.complete([prompt()])


def test_a_batch_is_no_larger_than_the_memory_is_said_to_hold(monkeypatch: pytest.MonkeyPatch):
    tried = starved(monkeypatch, 99).tried
    asked_tokens: list[int] = []

    def documents_that_fit(tokens: int) -> int:
        asked_tokens.append(tokens)
        return 2

    careful = EngineBackend("hf:careful", *tiny_model(FAMILY), documents_that_fit=documents_that_fit)
    first, *_ = replies(careful, *[prompt(SLOTS[:1])] * 4)
    assert tried == [2, 2]
    assert min(asked_tokens) == first.tokens_in + SLOTS[0].max_tokens


def test_a_document_longer_than_the_model_can_read_is_an_error_and_the_others_are_answered():
    endless = prompt(SLOTS[:1], closing="1.234,50 EUR " * 1_000)
    long, short = engine_backend(FAMILY).complete([endless, prompt(SLOTS[:1])])
    assert isinstance(long, TooLargeError) and "has room for 4096" in str(long)
    assert not long.retryable, "a worker must not try it for hours"
    assert isinstance(short, BackendReply)


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
def test_an_image_is_not_drawn_larger_than_the_model_can_see(family: str, side: int):
    assert engine_backend(family).max_side == side
