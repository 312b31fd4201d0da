"""The methods of decoding that are compared, each on the same model, pages and answers.

In: a model, tasks. Out: a `CallMeasurement` for each call: seconds of its parts, and what its passes had to do. With
random weights a model writes anything, of any length. So `generate` writes as many tokens as the answer has, and the
engine is teacher-forced: it does all its work, its grammar's too, and then the answer's own token is the most probable.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor
from transformers import GenerationConfig

from benchmarks.gpu.device_limits import PassTotals, synchronise
from benchmarks.gpu.tasks import PageTask, as_json
from docpipe.extractors.generative.backend import Completion
from docpipe.extractors.local.engine.engine import Engine
from docpipe.extractors.local.engine.prefix_cache import PrefixCache
from docpipe.extractors.local.engine.sequences import OutputSequence
from docpipe.extractors.local.models.family import ModelFamily, ModelInputs

CERTAIN_LOGIT = 6e4  # a logit above all others, below the largest float16
ANY_TOKEN = 0  # for a sequence that has left the right answer: `wrong_answers` names it


@dataclass
class CallMeasurement:
    """Of one call, in seconds. `prepare`: text and images become tensors; `prefill`: the pass over the prompts;
    `decode`: the rest. `answer_tokens` of the documents' answers, each as one object, however they were written."""

    pages: int
    answer_tokens: int
    prepare: float = 0.0
    prefill: float = 0.0
    decode: float = 0.0
    prompt_pass: PassTotals = field(default_factory=PassTotals)
    decode_passes: PassTotals = field(default_factory=PassTotals)
    prompt_tokens: int = 0
    image_tokens: int = 0
    patches: int = 0

    @property
    def seconds(self) -> float:
        return self.prepare + self.prefill + self.decode


class SlotKey(NamedTuple):
    document: int
    slot_name: str


class TeacherForcedEngine(Engine):
    """An engine in which the answer's own token is made the most probable when all is calculated."""

    answers: Mapping[SlotKey, str]

    def teach(self, tasks: Sequence[PageTask]) -> None:
        self.answers = {
            SlotKey(document, name): as_json({name: value})
            for document, task in enumerate(tasks)
            for name, value in task.values.items()
        }
        self._answer_tokens: dict[SlotKey, list[int]] = {}

    def configure(self, *, prefix: bool, draft_steps: int = 0) -> None:
        """Whether the prefix of the prompt is kept from one call to the next, and how much is drafted for a step."""
        self._prefix_cache = PrefixCache() if prefix else None
        self._draft_steps = draft_steps

    def _choose_tokens(self, sequences: Sequence[OutputSequence], logits: Tensor) -> None:
        tokens = torch.tensor(self._taught_tokens(sequences), device=logits.device)
        logits[torch.arange(len(tokens), device=logits.device), tokens] = CERTAIN_LOGIT
        super()._choose_tokens(sequences, logits)

    def _taught_tokens(self, sequences: Sequence[OutputSequence]) -> list[int]:
        """Of each sequence, and behind each step of its draft."""
        taught = []
        for sequence in sequences:
            tokens = list(sequence.tokens)
            taught.append(self._next_token(sequence, tokens))
            for step in sequence.draft:
                is_right = tokens and taught[-1] == step[0]
                tokens += step
                taught.append(self._next_token(sequence, tokens) if is_right else ANY_TOKEN)
        return taught

    def _next_token(self, sequence: OutputSequence, tokens: Sequence[int]) -> int:
        key, done = SlotKey(sequence.document, sequence.slot.name), len(tokens)
        answer = self._answer_tokens.get(key) or self._tokenize(self.answers[key])
        if answer[:done] != tokens or len(answer) == done:  # what was forced is cut in another way
            text = str(self._tokenizer.decode(tokens, clean_up_tokenization_spaces=False))
            answer = [*tokens, *self._tokenize(self.answers[key][len(text) :])]
        self._answer_tokens[key] = answer
        return answer[done] if done < len(answer) else ANY_TOKEN

    def _tokenize(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def wrong_answers(self, completions: Sequence[Sequence[Completion]]) -> list[str]:
        """Answers that are not what was taught."""
        texts = {
            SlotKey(document, completion.slot_names[0]): completion.text
            for document, own in enumerate(completions)
            for completion in own
        }
        return [f"{texts[key]!r} instead of {text!r}" for key, text in self.answers.items() if texts[key] != text]


class DecodingBench:
    """One model with all methods of decoding."""

    def __init__(self, model: Any, processor: Any, device: str) -> None:
        self.model, self.device, self.tokenizer = model, device, processor.tokenizer
        self.family = ModelFamily(model, processor)
        self.engine = TeacherForcedEngine(model, processor.tokenizer, causal=True)

    def answer_tokens(self, task: PageTask) -> int:
        return len(self.tokenizer(task.text, add_special_tokens=False)["input_ids"]) + 1  # the end of the turn

    @torch.inference_mode()
    def generate(self, task: PageTask) -> CallMeasurement:
        """transformers' own, one page, every token of the answer one after the other, nothing else."""
        length = self.answer_tokens(task)
        call = CallMeasurement(1, length)
        with self._watched(call) as encode:
            inputs = encode([task])
            tensors = {name: value for name, value in inputs.tensors.items() if name != "position_ids"}
            own_config, self.model.generation_config = self.model.generation_config, _fixed_length_config(length)
            try:
                self.model.generate(**tensors)
            finally:
                self.model.generation_config = own_config
        return call

    @torch.inference_mode()
    def complete(self, tasks: Sequence[PageTask], *, in_one_slot: bool = False) -> CallMeasurement:
        """By the engine. Raises AssertionError for an answer that is not the right one."""
        call = CallMeasurement(len(tasks), sum(map(self.answer_tokens, tasks)))
        tasks = [task.in_one_slot for task in tasks] if in_one_slot else list(tasks)
        self.engine.teach(tasks)
        with self._watched(call) as encode:
            slots, lines = [task.prompt.slots for task in tasks], [task.prompt.page_lines for task in tasks]
            completions = self.engine.complete(encode(tasks), slots, lines)
        if wrong := self.engine.wrong_answers(completions):
            raise AssertionError(f"{len(wrong)} answers are not what was taught: {wrong[0]}")
        return call

    @contextmanager
    def _watched(self, call: CallMeasurement) -> Iterator[Any]:
        """Its seconds and its passes. The first pass ends when the card is through with it: one wait for each call."""
        times = [time.perf_counter()]

        def encode(tasks: Sequence[PageTask]) -> ModelInputs:
            inputs = self.family.encode([task.prompt for task in tasks])
            call.prompt_tokens, call.image_tokens = sum(inputs.lengths), sum(inputs.image_tokens)
            pixels = inputs.tensors.get("pixel_values")
            call.patches = 0 if pixels is None else _count_patches(self.model, pixels)
            synchronise(self.device)
            times.append(time.perf_counter())
            return inputs

        def after_decoder(_: Any, __: Any, options: Mapping[str, Any], output: Any) -> None:
            shape = output.last_hidden_state.shape
            columns = int(options["past_key_values"].get_seq_length())
            is_first = not call.prompt_pass.passes
            totals = call.prompt_pass if is_first else call.decode_passes
            totals.add(shape[0], shape[1], columns, 0)
            if is_first:
                synchronise(self.device)
                times.append(time.perf_counter())

        def after_head(_: Any, __: Any, output: Tensor) -> None:
            totals = call.decode_passes if call.decode_passes.passes else call.prompt_pass
            totals.choices += output.shape[:-1].numel()

        hooks = [
            self.model.get_decoder().register_forward_hook(after_decoder, with_kwargs=True),
            self.model.get_output_embeddings().register_forward_hook(after_head),
        ]
        try:
            yield encode
        finally:
            for hook in hooks:
                hook.remove()
        synchronise(self.device)
        times.append(time.perf_counter())
        call.prepare, call.prefill, call.decode = (later - earlier for earlier, later in pairwise(times))


def _fixed_length_config(length: int) -> GenerationConfig:
    """Greedy, and so many tokens: a random model's end comes when it likes."""
    config: Any = GenerationConfig  # untyped
    return config(do_sample=False, num_beams=1, max_new_tokens=length, eos_token_id=None, pad_token_id=0)


def _count_patches(model: Any, pixels: Tensor) -> int:
    """Rows that go through the vision encoder."""
    if pixels.dim() == 2:  # Qwen: patches already
        return len(pixels)
    side = int(model.config.vision_config.patch_size)
    return int(pixels.shape[:-3].numel() * (pixels.shape[-1] // side) * (pixels.shape[-2] // side))
