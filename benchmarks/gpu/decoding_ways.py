"""The ways of writing an answer that are compared, each on the same model, pages and answers.

In: a model, tasks. Out: a `Run` for each call: seconds of its parts, and what its passes had to do. With random weights
a model writes anything, of any length. So `generate` writes as many tokens as the answer has, and the engine is taught:
it does all its work, its grammar's too, and then the answer's own token is the most probable.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig

from benchmarks.gpu.device_limits import Traffic, settle
from benchmarks.gpu.pages import Task, written
from docpipe.extractors.generative.backend import Written
from docpipe.extractors.local.engine.engine import Engine
from docpipe.extractors.local.engine.prefix_cache import Beginnings
from docpipe.extractors.local.engine.sequences import Branch
from docpipe.extractors.local.models.family import Family, Prompt

CERTAIN = 6e4  # a logit above all others, below the largest float16
NOTHING = 0  # whispered to a branch that has left the right answer: `wrong` tells


@dataclass
class Run:
    """Of one call. `prepare`: text and pictures become tensors; `read`: the pass over the prompts; `write`: the rest.
    `answer`: tokens of the documents' answers, each as one object, however they were written."""

    pages: int
    answer: int
    prepare: float = 0.0
    read: float = 0.0
    write: float = 0.0
    prompt: Traffic = field(default_factory=Traffic)
    steps: Traffic = field(default_factory=Traffic)
    prompt_tokens: int = 0
    image_tokens: int = 0
    patches: int = 0

    @property
    def seconds(self) -> float:
        return self.prepare + self.read + self.write


class Taught(Engine):
    """An engine to which each branch's next token is whispered when all is calculated."""

    texts: Mapping[tuple[int, str], str]

    def teach(self, tasks: Sequence[Task]) -> None:
        self.texts = {
            (at, name): written({name: value}) for at, task in enumerate(tasks) for name, value in task.values.items()
        }
        self._lessons: dict[tuple[int, str], list[int]] = {}

    def share(self, *, prefix: bool, guesses: int = 0) -> None:
        """Whether the beginning of the prompt is kept from one call to the next, and how much is guessed in a step."""
        self._beginnings = Beginnings() if prefix else None
        self._guesses = guesses

    def _choose(self, branches: Sequence[Branch], logits: Tensor) -> None:
        tokens = self._whispered(branches)
        logits[torch.arange(len(tokens), device=logits.device), torch.tensor(tokens, device=logits.device)] = CERTAIN
        super()._choose(branches, logits)

    def _whispered(self, branches: Sequence[Branch]) -> list[int]:
        """Of each branch, and after each of its guesses."""
        told = []
        for branch in branches:
            tokens = list(branch.tokens)
            told.append(self._next(branch, tokens))
            for group in branch.guessed:
                is_right = tokens and told[-1] == group[0]
                tokens += group
                told.append(self._next(branch, tokens) if is_right else NOTHING)
        return told

    def _next(self, branch: Branch, tokens: Sequence[int]) -> int:
        key, done = (branch.document, branch.slot.name), len(tokens)
        lesson = self._lessons.get(key) or self._cut(self.texts[key])
        if lesson[:done] != tokens or len(lesson) == done:  # what was forced is cut in another way
            told = str(self._tokenizer.decode(tokens, clean_up_tokenization_spaces=False))
            lesson = [*tokens, *self._cut(self.texts[key][len(told) :])]
        self._lessons[key] = lesson
        return lesson[done] if done < len(lesson) else NOTHING

    def _cut(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def wrong(self, told: Sequence[Sequence[Written]]) -> list[str]:
        """Answers that are not what was taught."""
        texts = {(at, one.slots[0]): one.text for at, own in enumerate(told) for one in own}
        return [f"{texts[key]!r} instead of {text!r}" for key, text in self.texts.items() if texts[key] != text]


class Bench:
    """One model with all ways of writing."""

    def __init__(self, model: Any, processor: Any, device: str) -> None:
        self.model, self.device, self.tokenizer = model, device, processor.tokenizer
        self.family = Family(model, processor)
        self.engine = Taught(model, processor.tokenizer, causal=True)

    def answer_tokens(self, task: Task) -> int:
        return len(self.tokenizer(task.text, add_special_tokens=False)["input_ids"]) + 1  # the end of the turn

    @torch.inference_mode()
    def generate(self, task: Task) -> Run:
        """transformers' own, one page, every token of the answer one after the other, nothing else."""
        length = self.answer_tokens(task)
        run = Run(1, length)
        with self._watched(run) as prompt_of:
            prompt = prompt_of([task])
            inputs = {name: value for name, value in prompt.inputs.items() if name != "position_ids"}
            kept, self.model.generation_config = self.model.generation_config, _exactly(length)
            try:
                self.model.generate(**inputs)
            finally:
                self.model.generation_config = kept
        return run

    @torch.inference_mode()
    def fill(self, tasks: Sequence[Task], *, in_one: bool = False) -> Run:
        """By the engine. Raises AssertionError for an answer that is not the right one."""
        run = Run(len(tasks), sum(map(self.answer_tokens, tasks)))
        asked = [task.in_one for task in tasks] if in_one else list(tasks)
        self.engine.teach(asked)
        with self._watched(run) as prompt_of:
            told = self.engine.fill(
                prompt_of(asked), [task.question.slots for task in asked], [task.question.words for task in asked]
            )
        if wrong := self.engine.wrong(told):
            raise AssertionError(f"{len(wrong)} answers are not what was taught: {wrong[0]}")
        return run

    @contextmanager
    def _watched(self, run: Run) -> Iterator[Any]:
        """Its seconds and its passes. The first pass ends when the card is through with it: one wait for each call."""
        marks = [time.perf_counter()]

        def prompt_of(tasks: Sequence[Task]) -> Prompt:
            prompt = self.family.prompt([task.question for task in tasks])
            run.prompt_tokens, run.image_tokens = sum(prompt.lengths), sum(prompt.image_tokens)
            pictures = prompt.inputs.get("pixel_values")
            run.patches = 0 if pictures is None else _patches(self.model, pictures)
            settle(self.device)
            marks.append(time.perf_counter())
            return prompt

        def passed(_: Any, __: Any, options: Mapping[str, Any], output: Any) -> None:
            shape = output.last_hidden_state.shape
            columns = int(options["past_key_values"].get_seq_length())
            is_first = not run.prompt.passes
            traffic = run.prompt if is_first else run.steps
            traffic.add(shape[0], shape[1], columns, 0)
            if is_first:
                settle(self.device)
                marks.append(time.perf_counter())

        def told(_: Any, __: Any, output: Tensor) -> None:
            (run.steps if run.steps.passes else run.prompt).told += output.shape[:-1].numel()

        hooks = [
            self.model.get_decoder().register_forward_hook(passed, with_kwargs=True),
            self.model.get_output_embeddings().register_forward_hook(told),
        ]
        try:
            yield prompt_of
        finally:
            for hook in hooks:
                hook.remove()
        settle(self.device)
        marks.append(time.perf_counter())
        run.prepare, run.read, run.write = (later - earlier for earlier, later in pairwise(marks))


def _exactly(length: int) -> GenerationConfig:
    """Greedy, and so many tokens: a random model's end comes when it likes."""
    config: Any = GenerationConfig  # untyped
    return config(do_sample=False, num_beams=1, max_new_tokens=length, eos_token_id=None, pad_token_id=0)


def _patches(model: Any, pictures: Tensor) -> int:
    """Rows that go through the part that looks."""
    if pictures.dim() == 2:  # Qwen: patches already
        return len(pictures)
    side = int(model.config.vision_config.patch_size)
    return int(pictures.shape[:-3].numel() * (pictures.shape[-1] // side) * (pictures.shape[-2] // side))
