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

from benchmarks.gpu.constraint_libraries import ConstraintLibrary, LLGuidance, XGrammar
from docpipe.errors import DocpipeError
from docpipe.extractors.generative.backend import object_schema
from docpipe.extractors.generative.output_schema import output_slots
from docpipe.schema import load_schema

WORD_LISTS = Path(__file__).parents[2] / "docpipe" / "samples" / "content" / "words"
LINES = 120_000  # enough for 150,000 tokens
ROUNDS = 5
LIMIT_SECONDS = 120  # for one output
ENOUGH_SECONDS = 2  # of compiling: then it is not repeated
FORK = get_context("fork")
FIGURE_NAMES = ("compiled, ms", "the first mask, ms", "a mask, ms", "the slowest mask, ms", "all, ms", "of them forced")
ROWS = 3
LIBRARIES = {"llguidance": ("llguidance",), "xgrammar": ("xgrammar", "apache-tvm-ffi")}


class KeywordCase(NamedTuple):
    """Of a keyword of JSON Schema: `bad` must be impossible, `good` possible; both are JSON as it is written."""

    name: str
    schema: dict[str, Any]
    good: str
    bad: str


AB = object_schema({"a": {"type": "boolean"}, "b": {"type": "boolean"}})
DIGITS = {"type": ["string", "null"], "pattern": "^[0-9]+$", "maxLength": 3}
CASES = (
    KeywordCase("`maxLength`", {"type": "string", "maxLength": 3}, '"a\\nß"', '"abcd"'),
    KeywordCase("`minLength`", {"type": "string", "minLength": 1}, '"a"', '""'),
    KeywordCase("`pattern`", {"type": "string", "pattern": "^[A-Z]{2}[0-9]+$"}, '"AB1"', '"Ab1"'),
    KeywordCase("`pattern` with `maxLength`, nullable", DIGITS, '"123"', '"1234"'),
    KeywordCase("`format: date`", {"type": "string", "format": "date"}, '"2024-02-29"', '"2024-02-30"'),
    KeywordCase(
        "`format: date-time`",
        {"type": "string", "format": "date-time"},
        '"2024-02-29T10:00:00Z"',
        '"2024-02-29T25:00:00Z"',
    ),
    KeywordCase("`format: email`", {"type": "string", "format": "email"}, '"a@b.de"', '"a.de"'),
    KeywordCase(
        "`format: uuid`", {"type": "string", "format": "uuid"}, '"12345678-1234-1234-1234-123456789abc"', '"1234-'
    ),
    KeywordCase(
        "`format` with `maxLength`", {"type": "string", "format": "email", "maxLength": 6}, '"a@b.de"', '"ab@b.de"'
    ),
    KeywordCase("`enum` with null", {"enum": ["EUR", None]}, "null", '"USD"'),
    KeywordCase("several types", {"type": ["string", "null"]}, "null", "1"),
    KeywordCase("`maximum`", {"type": "integer", "maximum": 10}, "10", "11"),
    KeywordCase("`maxItems`", {"type": "array", "items": {"type": "boolean"}, "maxItems": 1}, "[true]", "[true, true]"),
    KeywordCase("`additionalProperties: false`", AB, '{"a": true, "b": true}', '{"a": true, "b": true, '),
    KeywordCase("keys in the schema's order", AB, '{"a": true, "b": true}', '{"b": true, "a": true}'),
    KeywordCase("one blank, no more", AB, '{"a": true, "b": true}', '{"a":  true, "b": true}'),
    KeywordCase("no other escapes than needed", {"type": "string"}, '"a\\n\\"ß"', '"\\u00df"'),
    KeywordCase("no control characters", {"type": "string"}, '"a"', '"a\x7f"'),
    KeywordCase("what is not known is refused", {"type": "array", "uniqueItems": True}, "", "[]"),
)


def tokenizer_of(size: int) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    special = ["<|im_end|>", "<|image|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=letters, show_progress=False
    )
    tokenizer.train_from_iterator(_drawn_text(), trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>")


def _drawn_text() -> Iterator[str]:
    draw = random.Random(5)
    texts = (path.read_text("utf-8") for path in WORD_LISTS.rglob("*.txt"))
    words = sorted({word for text in texts for word in text.split() if word.isalpha()})
    parts = sorted({word[i : i + 3] for word in words for i in range(0, len(word) - 2, 3)})
    for _ in range(LINES):
        name = "".join(draw.choices(parts, k=draw.randint(2, 4)))
        amount = f"{draw.randrange(10 ** draw.randint(1, 8))}.{draw.randrange(100):02}"
        key = f"{draw.choice(words)}_{draw.choice(words)}".lower()
        yield json.dumps({key: f"{draw.choice(words)} {name} {amount}", name: None}, ensure_ascii=False)


class TimedOutput(NamedTuple):
    name: str
    schema: dict[str, Any]
    text: str


def timed_outputs() -> Iterator[TimedOutput]:
    """Of a text, of an amount, and of a whole invoice in one object."""
    schemas = {slot.name: dict(slot.value_schema) for slot in output_slots(load_schema("invoice"))}
    for name, keys in (("a name", ["seller_name"]), ("an amount", ["gross_total"]), ("a whole invoice", [*schemas])):
        values = {key: _value(schemas[key]) for key in keys}
        schema = object_schema({key: schemas[key] for key in keys})
        yield TimedOutput(name, schema, json.dumps(values, ensure_ascii=False))


def _value(schema: dict[str, Any]) -> Any:
    if schema["type"] == "array":
        return [{name: _value(cell) for name, cell in schema["items"]["properties"].items()}] * ROWS
    return "1.234,50" if "pattern" in schema else "Müller & Söhne GmbH, 12345 Köln"[: schema["maxLength"]]


def times(library: ConstraintLibrary, tokenizer: PreTrainedTokenizerFast) -> Iterator[tuple[str, str]]:
    """Rows of the table: a figure's name, and the figure. Each output in a child, which is ended when it takes too
    long."""
    for output in timed_outputs():
        tokens = tokenizer.encode(output.text, add_special_tokens=False)
        receiver, sender = FORK.Pipe(duplex=False)
        child = FORK.Process(target=lambda: sender.send(_figures(library, output.schema, tokens)))  # noqa: B023
        child.start()
        too_slow = [f"not in {LIMIT_SECONDS} s", *["-"] * (len(FIGURE_NAMES) - 1)]
        figures = receiver.recv() if receiver.poll(LIMIT_SECONDS) else too_slow
        child.kill()
        child.join()
        for name, figure in zip(FIGURE_NAMES, figures, strict=True):
            yield f"{output.name}, {len(tokens)} tokens: {name}", figure


def _figures(library: ConstraintLibrary, schema: dict[str, Any], tokens: list[int]) -> list[str]:
    compile_seconds = [_seconds(lambda: library.compile(schema))]
    rounds: list[list[float]] = []  # the seconds of each mask
    whole_seconds: list[float] = []
    for _ in range(ROUNDS):
        library.start()
        whole_seconds.append(_seconds(lambda: rounds.append(library.consume(tokens))))
        if sum(compile_seconds) < ENOUGH_SECONDS:
            compile_seconds.append(_seconds(lambda: library.compile(schema)))
    masks = rounds[-1]
    seconds = [min(compile_seconds), rounds[0][0], median(masks), max(masks), min(whole_seconds)]
    return [*(f"{1e3 * each:.3g}" for each in seconds), str(library.forced)]


def _seconds(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


def verdict(library: ConstraintLibrary, tokenizer: PreTrainedTokenizerFast, case: KeywordCase) -> str:
    try:
        library.compile(case.schema)
    except (DocpipeError, RuntimeError, ValueError):
        return "refused" if case.good else "yes"
    good, bad = (library.accepts(tokenizer.encode(text, add_special_tokens=False)) for text in (case.good, case.bad))
    return {(True, False): "yes", (True, True): "ignored", (False, False): "too strict"}.get((good, bad), "?")


def installed_size(names: tuple[str, ...]) -> str:
    sizes = [sum(file.locate().stat().st_size for file in distribution(name).files or ()) for name in names]
    return f"{sum(sizes) / 1e6:.0f} MB ({', '.join(f'{name} {version(name)}' for name in names)})"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--vocabulary", type=int, default=150_000)
    size = options.parse_args().vocabulary
    torch.set_num_threads(1)
    tokenizer = tokenizer_of(size)
    libraries: dict[str, ConstraintLibrary] = {}
    rows: dict[str, list[str]] = {}
    for library_class in (LLGuidance, XGrammar):
        if find_spec(library_class.name) is None:
            continue
        began = perf_counter()
        library = libraries[library_class.name] = library_class(tokenizer, len(tokenizer))
        rows.setdefault("the tokenizer, once, s", []).append(f"{perf_counter() - began:.2f}")
        for name, figure in times(library, tokenizer):
            rows.setdefault(name, []).append(figure)
        rows.setdefault("installed", []).append(installed_size(LIBRARIES[library_class.name]))
        for case in CASES:
            rows.setdefault(case.name, []).append(verdict(library, tokenizer, case))
    print(f"{len(tokenizer)} tokens, {torch.get_num_threads()} thread\n")
    print(f"| | {' | '.join(libraries)} |\n|---|{'---|' * len(libraries)}")
    for name, figures in rows.items():
        print(f"| {name} | {' | '.join(figures)} |")


if __name__ == "__main__":
    main()
