"""The benchmark of local models: that what it compares is the same work, and that its sizes are the public ones."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from benchmarks.gpu.arithmetic import Card, seconds, sizes_of
from benchmarks.gpu.decoding_ways import Bench
from benchmarks.gpu.device_limits import Sizes, Traffic
from benchmarks.gpu.local_models import PLAIN, ways
from benchmarks.gpu.models import PRESETS, build
from benchmarks.gpu.pages import Task, tasks
from benchmarks.gpu.profile import even, profile
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
    return Bench(model, processor, "cpu")


@pytest.fixture(scope="module")
def pages(bench):
    return [short(task) for task in tasks(2, bench.family.max_side)]


def short(task: Task) -> Task:
    """Without the lists and most fields: a short answer measures nothing, but is soon written."""
    slots = task.question.slots[:5]
    return Task(replace(task.question, slots=slots), {slot.name: task.values[slot.name] for slot in slots})


@pytest.mark.parametrize("name", PUBLIC)
def test_a_preset_has_as_many_parameters_as_the_model_it_is_named_after(name):
    (known,) = [one.shape.parameters for one in CATALOGUE if one.repository == PUBLIC[name]]
    assert sizes_of(PRESETS[name]).parameters == known


def test_every_way_writes_the_answer_and_each_idea_saves_passes(bench, pages):
    steps = {name: sum(run.steps.passes for run in way(bench, pages)) for name, way in ways(len(pages)).items()}
    tokens = sum(map(bench.answer_tokens, pages))
    assert steps[PLAIN] == tokens - len(pages), "plain generate's first token comes with the prompt"
    ordered = list(steps.values())[:4]  # plain, forced tokens, side by side, batches of 2
    assert ordered == sorted(ordered, reverse=True) and len(set(ordered)) == 4


def test_words_of_the_page_save_passes_and_the_answer_is_the_same(bench, pages):
    """`fill` raises for an answer that is not the right one."""
    assert all(task.question.words for task in pages)
    able = ways(len(pages))
    kept, guessed = (
        sum(run.steps.passes for run in next(way for name, way in able.items() if part in name)(bench, pages))
        for part in ("kept, a page", "guesses")
    )
    assert guessed < kept


def test_a_kept_prompt_is_not_read_again(bench, pages):
    kept = next(way for name, way in ways(2).items() if "kept" in name)
    (fresh,) = [run.prompt.rows for run in ways(2)["fields side by side"](bench, pages[:1])]
    (again,) = [run.prompt.rows for run in kept(bench, pages[:1])]
    assert again < fresh / 2


def test_an_answer_that_is_not_the_right_one_is_no_measurement(bench, pages):
    spoilt = replace(pages[0], values={**pages[0].values, "issue_date": "no date at all"})  # it must have a digit
    with pytest.raises(AssertionError, match="issue_date"):
        bench.fill([spoilt])


def test_the_profile_names_where_the_time_of_a_step_goes(bench, pages):
    asked = even(pages[0])
    found = profile(bench, [asked])
    assert found.sequences > 0.9 * len(asked.question.slots), "every slot is busy at each step"
    assert found.inside > 0.0 and found.outside > 0.0


def test_a_step_moves_the_weights_once_and_the_keys_of_every_document():
    sizes = Sizes(layers=1000, head=200, vision=50, kept=8, pair=16, width=2, parameters=1250)
    steps = Traffic()
    steps.add(batch=2, width=3, columns=10, told=4)
    steps.add(batch=2, width=1, columns=11, told=2)
    assert sizes.moved(steps) == 2 * (2 * 1200 + 2 * 21 * 8)
    assert sizes.calculated(steps) == 2 * 1000 * 8 + 2 * 200 * 6 + 16 * (2 * 3 * 10 + 2 * 11)


def test_on_a_card_a_step_takes_what_is_longest_and_what_is_around_it():
    sizes = Sizes(layers=1_000_000, head=0, vision=0, kept=0, pair=0, width=2, parameters=1_000_000)
    steps = {"passes": 10, "rows": 10, "columns": 0, "pairs": 0, "told": 10}
    run = {"pages": 1, "image_tokens": 0, "prompt": {**steps, "passes": 1, "rows": 100}, "steps": steps, "taught": True}
    card = Card(bandwidth=1e9, flops=1e12, host=0.0, outside=(1.0, 0.5))
    moved, read = 10 * 2e6 / 1e9, 2e6 * 100 / 1e12
    assert seconds(run, sizes, card, 0, 0) == pytest.approx(moved + read + 10 * 0.0015)  # one slot is busy
    slow = replace(card, host=5.0)
    assert seconds(run, sizes, slow, 0, 0) == pytest.approx(0.05 + 0.005 + 10 * 0.0015)
    assert seconds(json.loads(json.dumps({**run, "taught": False})), sizes, slow, 0, 0) == pytest.approx(0.055)
