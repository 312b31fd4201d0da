"""Libraries that hold a model to a schema, side by side: what they take, and what they keep to.

In: `--vocabulary`, the tokens of a byte-level tokenizer that is trained here on drawn text. Out: two tables: times, and
which words of JSON Schema are honoured. llguidance is asked as docpipe asks it; xgrammar has a column where it can be
imported (`pip install --no-deps xgrammar apache-tvm-ffi` in an environment of its own that sees this one's packages).

    python -m benchmarks.gpu.constraints
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Iterator
from importlib.metadata import distribution, version
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from benchmarks.gpu.constraint_libraries import Library, LLGuidance, XGrammar
from docpipe.errors import DocpipeError
from docpipe.extractors.generative.backend import object_of
from docpipe.extractors.generative.output_schema import slots
from docpipe.schema import load_schema

WORDS = Path(__file__).parents[2] / "docpipe" / "samples" / "content" / "words"
LINES = 120_000  # enough for 150,000 tokens
ROUNDS = 5
LIMIT, ENOUGH = 120, 2  # seconds for one question; seconds of compiling, then it is not repeated
FORK = get_context("fork")
FIGURES = ("compiled, ms", "the first mask, ms", "a mask, ms", "the slowest mask, ms", "all, ms", "of them forced")
ROWS = 3
LIBRARIES = {"llguidance": ("llguidance",), "xgrammar": ("xgrammar", "apache-tvm-ffi")}


class Case(NamedTuple):
    """`bad` must be impossible, `good` possible; both are JSON as it is written."""

    name: str
    schema: dict[str, Any]
    good: str
    bad: str


AB = object_of({"a": {"type": "boolean"}, "b": {"type": "boolean"}})
DIGITS = {"type": ["string", "null"], "pattern": "^[0-9]+$", "maxLength": 3}
CASES = (
    Case("`maxLength`", {"type": "string", "maxLength": 3}, '"a\\nß"', '"abcd"'),
    Case("`minLength`", {"type": "string", "minLength": 1}, '"a"', '""'),
    Case("`pattern`", {"type": "string", "pattern": "^[A-Z]{2}[0-9]+$"}, '"AB1"', '"Ab1"'),
    Case("`pattern` with `maxLength`, nullable", DIGITS, '"123"', '"1234"'),
    Case("`format: date`", {"type": "string", "format": "date"}, '"2024-02-29"', '"2024-02-30"'),
    Case(
        "`format: date-time`",
        {"type": "string", "format": "date-time"},
        '"2024-02-29T10:00:00Z"',
        '"2024-02-29T25:00:00Z"',
    ),
    Case("`format: email`", {"type": "string", "format": "email"}, '"a@b.de"', '"a.de"'),
    Case("`format: uuid`", {"type": "string", "format": "uuid"}, '"12345678-1234-1234-1234-123456789abc"', '"1234-'),
    Case("`format` with `maxLength`", {"type": "string", "format": "email", "maxLength": 6}, '"a@b.de"', '"ab@b.de"'),
    Case("`enum` with null", {"enum": ["EUR", None]}, "null", '"USD"'),
    Case("several types", {"type": ["string", "null"]}, "null", "1"),
    Case("`maximum`", {"type": "integer", "maximum": 10}, "10", "11"),
    Case("`maxItems`", {"type": "array", "items": {"type": "boolean"}, "maxItems": 1}, "[true]", "[true, true]"),
    Case("`additionalProperties: false`", AB, '{"a": true, "b": true}', '{"a": true, "b": true, '),
    Case("keys in the schema's order", AB, '{"a": true, "b": true}', '{"b": true, "a": true}'),
    Case("one blank, no more", AB, '{"a": true, "b": true}', '{"a":  true, "b": true}'),
    Case("no other escapes than needed", {"type": "string"}, '"a\\n\\"ß"', '"\\u00df"'),
    Case("no control characters", {"type": "string"}, '"a"', '"a\x7f"'),
    Case("what is not known is refused", {"type": "array", "uniqueItems": True}, "", "[]"),
)


def tokenizer_of(size: int) -> PreTrainedTokenizerFast:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    special = ["<|im_end|>", "<|image|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=letters, show_progress=False
    )
    made.train_from_iterator(_drawn_text(), trainer)
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|im_end|>")


def _drawn_text() -> Iterator[str]:
    draw = random.Random(5)
    found = {word for path in WORDS.rglob("*.txt") for word in path.read_text("utf-8").split() if word.isalpha()}
    words = sorted(found)
    parts = sorted({word[at : at + 3] for word in words for at in range(0, len(word) - 2, 3)})
    for _ in range(LINES):
        name = "".join(draw.choices(parts, k=draw.randint(2, 4)))
        amount = f"{draw.randrange(10 ** draw.randint(1, 8))}.{draw.randrange(100):02}"
        key = f"{draw.choice(words)}_{draw.choice(words)}".lower()
        yield json.dumps({key: f"{draw.choice(words)} {name} {amount}", name: None}, ensure_ascii=False)


def questions() -> dict[str, tuple[dict[str, Any], str]]:
    """Schema and answer: of a text, of an amount, and of a whole invoice in one object."""
    found = {slot.name: dict(slot.value) for slot in slots(load_schema("invoice"))}
    values = {name: _answer(value) for name, value in found.items()}
    pick: Callable[[list[str]], tuple[dict[str, Any], str]] = lambda names: (  # noqa: E731
        object_of({name: found[name] for name in names}),
        json.dumps({name: values[name] for name in names}, ensure_ascii=False),
    )
    return {
        "a name": pick(["seller_name"]),
        "an amount": pick(["gross_total"]),
        "a whole invoice": pick(list(found)),
    }


def _answer(value: dict[str, Any]) -> Any:
    if value["type"] == "array":
        return [{name: _answer(cell) for name, cell in value["items"]["properties"].items()}] * ROWS
    return "1.234,50" if "pattern" in value else "Müller & Söhne GmbH, 12345 Köln"[: value["maxLength"]]


def times(library: Library, tokenizer: PreTrainedTokenizerFast) -> Iterator[tuple[str, str]]:
    """Each question in a child, which is ended when it takes too long."""
    for name, (schema, text) in questions().items():
        tokens = tokenizer.encode(text, add_special_tokens=False)
        ours, theirs = FORK.Pipe(duplex=False)
        child = FORK.Process(target=lambda: theirs.send(_figures(library, schema, tokens)))  # noqa: B023
        child.start()
        figures = ours.recv() if ours.poll(LIMIT) else [f"not in {LIMIT} s", *["-"] * (len(FIGURES) - 1)]
        child.kill()
        child.join()
        yield from (
            (f"{name}, {len(tokens)} tokens: {what}", figure) for what, figure in zip(FIGURES, figures, strict=True)
        )


def _figures(library: Library, schema: dict[str, Any], tokens: list[int]) -> list[str]:
    compiling, wholes = [_seconds(lambda: library.compile(schema))], []
    for _ in range(ROUNDS):
        library.start()
        masks: list[float] = []
        wholes.append((_seconds(lambda: library.write(tokens, masks)), masks))  # noqa: B023
        if sum(compiling) < ENOUGH:
            compiling.append(_seconds(lambda: library.compile(schema)))
    masks = wholes[-1][1]
    figures = [min(compiling) * 1e3, wholes[0][1][0] * 1e3, median(masks) * 1e3, max(masks) * 1e3]
    return [f"{ms:.3g}" for ms in [*figures, min(whole for whole, _ in wholes) * 1e3]] + [str(library.forced)]


def _seconds(what: Callable[[], object]) -> float:
    began = perf_counter()
    what()
    return perf_counter() - began


def verdict(library: Library, tokenizer: PreTrainedTokenizerFast, case: Case) -> str:
    try:
        library.compile(case.schema)
    except (DocpipeError, RuntimeError, ValueError):
        return "refused" if case.good else "yes"
    takes = [library.takes(tokenizer.encode(text, add_special_tokens=False)) for text in (case.good, case.bad)]
    return {(True, False): "yes", (True, True): "ignored", (False, False): "too strict"}.get((takes[0], takes[1]), "?")


def weight(names: tuple[str, ...]) -> str:
    sizes = [sum(file.locate().stat().st_size for file in distribution(name).files or ()) for name in names]
    return f"{sum(sizes) / 1e6:.0f} MB ({', '.join(f'{name} {version(name)}' for name in names)})"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--vocabulary", type=int, default=150_000)
    size = options.parse_args().vocabulary
    torch.set_num_threads(1)
    tokenizer = tokenizer_of(size)
    made: dict[str, Library] = {}
    rows: dict[str, list[str]] = {}
    for kind in (LLGuidance, XGrammar):
        if find_spec(kind.name) is None:
            continue
        began = perf_counter()
        library = made[kind.name] = kind(tokenizer, len(tokenizer))
        rows.setdefault("the tokenizer, once, s", []).append(f"{perf_counter() - began:.2f}")
        for name, figure in times(library, tokenizer):
            rows.setdefault(name, []).append(figure)
        rows.setdefault("installed", []).append(weight(LIBRARIES[kind.name]))
        for case in CASES:
            rows.setdefault(case.name, []).append(verdict(library, tokenizer, case))
    print(f"{len(tokenizer)} tokens, {torch.get_num_threads()} thread\n")
    print(f"| | {' | '.join(made)} |\n|---|{'---|' * len(made)}")
    for name, figures in rows.items():
        print(f"| {name} | {' | '.join(figures)} |")


if __name__ == "__main__":
    main()
