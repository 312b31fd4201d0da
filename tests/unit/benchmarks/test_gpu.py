"""The benchmark of local models: that what it compares is the same work, and that its sizes are the public ones."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from benchmarks.gpu.arithmetic import GpuAssumptions, ImageSize, call_seconds, sizes_of
from benchmarks.gpu.decoding_methods import DecodingBench
from benchmarks.gpu.device_limits import ModelSizes, PassTotals
from benchmarks.gpu.local_models import PLAIN, decoding_methods
from benchmarks.gpu.random_models import PRESETS, build
from benchmarks.gpu.step_profile import evenly_long, profile_steps
from benchmarks.gpu.tasks import PageTask, draw_tasks
from docpipe.extractors.local.models.catalogue import CATALOGUE

PUBLIC = {
    "smolvlm-500m": "HuggingFaceTB/SmolVLM-500M-Instruct",
    "qwen3-vl-2b": "Qwen/Qwen3-VL-2B-Instruct",
    "qwen2.5-vl-3b": "Qwen/Qwen2.5-VL-3B-Instruct",
}
FEW = 1_000  # tokens of the vocabulary, so that it is trained in a moment


@pytest.fixture(scope="module")
def bench():
    tiny = PRESETS["tiny"]
    model, processor = build(replace(tiny, text={**tiny.text, "vocab_size": FEW}), "cpu", torch.float32)
    return DecodingBench(model, processor, "cpu")


@pytest.fixture(scope="module")
def pages(bench):
    return [short(task) for task in draw_tasks(2, bench.family.max_side)]


def short(task: PageTask) -> PageTask:
    """Without the lists and most fields: a short answer measures nothing, but is soon written."""
    slots = task.prompt.slots[:5]
    return PageTask(replace(task.prompt, slots=slots), {slot.name: task.values[slot.name] for slot in slots})


@pytest.mark.parametrize("name", PUBLIC)
def test_a_preset_has_as_many_parameters_as_the_model_it_is_named_after(name):
    (parameters,) = [model.shape.parameters for model in CATALOGUE if model.repository == PUBLIC[name]]
    assert sizes_of(PRESETS[name]).parameters == parameters


def decode_passes(calls) -> int:
    return sum(call.decode_passes.passes for call in calls)


def test_every_method_writes_the_answer_and_each_idea_saves_passes(bench, pages):
    methods = decoding_methods(len(pages))
    steps = {name: decode_passes(method(bench, pages)) for name, method in methods.items()}
    tokens = sum(map(bench.answer_tokens, pages))
    assert steps[PLAIN] == tokens - len(pages), "plain generate's first token comes with the prompt"
    ordered = list(steps.values())[:4]  # plain, forced tokens, side by side, batches of 2
    assert ordered == sorted(ordered, reverse=True) and len(set(ordered)) == 4


def test_words_of_the_page_save_passes_and_the_answer_is_the_same(bench, pages):
    """`complete` raises for an answer that is not the right one."""
    assert all(task.prompt.page_lines for task in pages)
    methods = decoding_methods(len(pages))
    without, with_drafts = (
        decode_passes(next(method for name, method in methods.items() if part in name)(bench, pages))
        for part in ("kept, a page", "drafts")
    )
    assert with_drafts < without


def test_a_kept_prompt_is_not_read_again(bench, pages):
    kept = next(method for name, method in decoding_methods(2).items() if "kept" in name)
    (fresh,) = [call.prompt_pass.rows for call in decoding_methods(2)["fields side by side"](bench, pages[:1])]
    (again,) = [call.prompt_pass.rows for call in kept(bench, pages[:1])]
    assert again < fresh / 2


def test_an_answer_that_is_not_the_right_one_is_no_measurement(bench, pages):
    spoilt = replace(pages[0], values={**pages[0].values, "issue_date": "no date at all"})  # it must have a digit
    with pytest.raises(AssertionError, match="issue_date"):
        bench.complete([spoilt])


def test_the_profile_names_where_the_time_of_a_step_goes(bench, pages):
    task = evenly_long(pages[0])
    profile = profile_steps(bench, [task])
    assert profile.sequences > 0.9 * len(task.prompt.slots), "every slot is busy at each step"
    assert profile.inside > 0.0 and profile.outside > 0.0


def test_a_step_moves_the_weights_once_and_the_keys_of_every_document():
    sizes = ModelSizes(
        layers=1000, head=200, vision=50, cache_numbers=8, pair_operations=16, number_bytes=2, parameters=1250
    )
    steps = PassTotals()
    steps.add(batch=2, width=3, columns=10, choices=4)
    steps.add(batch=2, width=1, columns=11, choices=2)
    assert sizes.moved_bytes(steps) == 2 * (2 * 1200 + 2 * 21 * 8)
    assert sizes.operations(steps) == 2 * 1000 * 8 + 2 * 200 * 6 + 16 * (2 * 3 * 10 + 2 * 11)


def test_on_a_card_a_step_takes_what_is_longest_and_what_is_around_it():
    million = 1_000_000
    sizes = ModelSizes(
        layers=million, head=0, vision=0, cache_numbers=0, pair_operations=0, number_bytes=2, parameters=million
    )
    steps = {"passes": 10, "rows": 10, "columns": 0, "pairs": 0, "choices": 10}
    call = {"pages": 1, "image_tokens": 0, "prompt_pass": {**steps, "passes": 1, "rows": 100}, "decode_passes": steps}
    gpu = GpuAssumptions(bandwidth=1e9, flops=1e12, host=0.0, outside_step=1.0, outside_slot=0.5)
    no_image = ImageSize(patches=0, tokens=0)
    decode, prefill = 10 * 2e6 / 1e9, 2e6 * 100 / 1e12
    assert call_seconds(call, sizes, gpu, no_image) == pytest.approx(decode + prefill + 10 * 0.0015)  # one busy slot
    slow = replace(gpu, host=5.0)
    assert call_seconds(call, sizes, slow, no_image) == pytest.approx(0.05 + 0.005 + 10 * 0.0015)
    copied = json.loads(json.dumps(call))
    assert call_seconds(copied, sizes, slow, no_image, by_engine=False) == pytest.approx(0.055)
