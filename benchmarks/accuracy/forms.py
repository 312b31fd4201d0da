"""Question to answer on real forms that nothing was trained on: what ANLS the pipeline reaches.

    python -m benchmarks.accuracy.forms --data ../shared/data --out out/forms

In: the noisy faxed forms of shared/data/forms with their pairs of question and answer. Each form is read from its
pixels; its printed questions become a JSON Schema of text fields, and the pipeline fills it in. Out: the figures and
the causes of what was lost, on standard output; `answers.jsonl` in --out, one line per question.
Only questions with an answer count; of equal questions on one form any answer is right.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from docpipe import pipeline
from docpipe.components import Components, ModelName, load_components
from docpipe.config import load_settings
from docpipe.data import Box, Field, Page
from docpipe.errors import InputError
from docpipe.evaluate.anls import THRESHOLD, mean_score, question_score
from docpipe.schema import Schema, load_schema

FOLDER = "forms"
NAME_WORDS = 6  # of a question that make its field's name: the whole question follows as the description
COVERED = 0.5  # of a word's area inside an answer's box, to be of that answer
MISREAD = 0.02  # so near to what the reading allows, nothing but the reading was wrong
CAUSES = ("not read", "nothing answered", "answered elsewhere", "begun or ended wrong", "letters misread", "right")

_components: Components | None = None


@dataclass(frozen=True)
class Asked:
    """One question, what was said to it and why it lost. `readable`: the score if exactly the words that were read in
    the answer's boxes had been answered."""

    file: str
    question: str
    right: tuple[str, ...]
    said: str
    score: float
    readable: float
    unspaced: float
    cause: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("out/forms"))
    parser.add_argument("--limit", type=int, help="only the first forms")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    lines = (options.data / FOLDER / "labels.jsonl").read_text(encoding="utf-8").splitlines()[: options.limit]
    tasks = [(options.data / FOLDER, json.loads(line)) for line in lines]
    options.out.mkdir(parents=True, exist_ok=True)
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        forms = pool.map(_form, tasks, chunksize=2)
    with (options.out / "answers.jsonl").open("w", encoding="utf-8") as answers:
        answers.writelines(json.dumps(asdict(one), ensure_ascii=False) + "\n" for form in forms for one in form)
    for line in report([form for form in forms if form]):
        print(line)


def report(forms: Sequence[Sequence[Asked]]) -> Iterator[str]:
    asked = [one for form in forms for one in form]
    mean, interval = mean_score([[one.score for one in form] for form in forms])
    bounds = "" if interval is None else f", 95 % interval {interval[0]:.3f}-{interval[1]:.3f}"
    yield f"ANLS {mean:.3f}{bounds}: {len(asked)} questions with an answer on {len(forms)} forms"
    empty = sum(not one.said for one in asked)
    yield f"Empty answers: {empty / max(1, len(asked)):.3f}"
    yield f"ANLS without regard to blanks: {_mean([one.unspaced for one in asked]):.3f}"
    readable = _mean([one.readable for one in asked])
    yield f"ANLS if exactly the words read at the answers' places were answered: {readable:.3f}"
    causes = Counter(one.cause for one in asked)
    yield "\n| cause | questions | share | ANLS lost |\n|---|---|---|---|"
    for cause in CAUSES:
        lost = sum(1 - one.score for one in asked if one.cause == cause) / max(1, len(asked))
        yield f"| {cause} | {causes[cause]} | {causes[cause] / max(1, len(asked)):.3f} | {lost:.3f} |"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(1, len(values))


def _form(task: tuple[Path, Mapping[str, Any]]) -> list[Asked]:
    """All questions of one form; a form that cannot be read has answered nothing."""
    global _components  # noqa: PLW0603 - made once in each worker process
    _components = _components or load_components(ModelName("embedded"), load_settings({}), threads=1)
    folder, label = task
    pairs = answered(label["pairs"])
    if not pairs:
        return []
    names = field_names(list(pairs))
    try:
        pages, fields = _fill_in(_components, folder / label["file"], schema_of(names))
    except InputError:
        pages, fields = [], {}
    size = (float(label["width"]), float(label["height"]))
    return [_judged(label["file"], pairs[q], fields.get(name), pages, size) for q, name in names.items()]


def answered(pairs: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Question -> its pairs that have an answer."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for pair in pairs:
        question = " ".join(pair["question"].split())
        if question and pair["answer"].strip():
            found.setdefault(question, []).append(pair)
    return found


def field_names(questions: Sequence[str]) -> dict[str, str]:
    """Question -> a name made of its words, as somebody who writes a schema for the form would choose it."""
    names: dict[str, str] = {}
    for question in questions:
        words = re.sub(r"[^a-z0-9]+", " ", question.lower()).split()[:NAME_WORDS]
        name = re.sub(r"^(?=[0-9]|$)", "item_", "_".join(words)).rstrip("_")
        while name in names.values():
            name += "_again"
        names[question] = name
    return names


def schema_of(names: Mapping[str, str]) -> Schema:
    content = {
        "title": "PrintedForm",
        "type": "object",
        "properties": {name: {"type": "string", "description": question} for question, name in names.items()},
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "form.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return load_schema(str(path))


def _fill_in(components: Components, path: Path, schema: Schema) -> tuple[list[Page], dict[str, Field]]:
    document = components.open(path)
    run = pipeline.plan(document, schema, components.parts, components.policy)
    prepared = pipeline.prepare(document, rasteriser=components.parts.rasteriser, reader=components.parts.reader)
    extraction = pipeline.understand(
        prepared, schema, extractor=components.parts.extractor, run=run, policy=components.policy
    )
    return prepared.pages, {field.path: field for field in extraction.fields}


def _judged(
    file: str,
    pairs: Sequence[Mapping[str, Any]],
    field: Field | None,
    pages: Sequence[Page],
    size: tuple[float, float],
) -> Asked:
    rights = tuple(pair["answer"] for pair in pairs)
    said = " ".join((field.raw or "").split()) if field else ""
    places = [_boxes(pair["answer_boxes"], size) for pair in pairs]
    read = [_read_at(boxes, pages) for boxes in places]
    readable = max(question_score(text, [right]) for text, right in zip(read, rights, strict=True))
    score = question_score(said, rights)
    there = field is not None and any(
        _share(found.box, box) > 0 for found in field.evidence for boxes in places for box in boxes
    )
    unspaced = question_score(said.replace(" ", ""), ["".join(right.split()) for right in rights])
    cause = _cause((score, readable), answered=bool(said), there=there)
    question = " ".join(pairs[0]["question"].split())
    return Asked(file, question, rights, said, score, readable, unspaced, cause)


def _cause(scores: tuple[float, float], *, answered: bool, there: bool) -> str:
    score, readable = scores
    if score == 1.0:
        return "right"
    if readable < THRESHOLD and score < THRESHOLD:
        return "not read"
    if not answered:
        return "nothing answered"
    if score >= readable - MISREAD:
        return "letters misread"
    return "begun or ended wrong" if there else "answered elsewhere"


def _boxes(boxes: Sequence[Sequence[float]], size: tuple[float, float]) -> list[Box]:
    width, height = size
    return [Box(x0 / width, y0 / height, x1 / width, y1 / height) for x0, y0, x1, y1 in boxes]


def _read_at(boxes: Sequence[Box], pages: Sequence[Page]) -> str:
    words = [word for page in pages for word in page.words]
    return " ".join(word.text for word in words if any(_share(word.box, box) >= COVERED for box in boxes))


def _share(inner: Box, outer: Box) -> float:
    """How much of a box lies inside another."""
    width = min(inner.right, outer.right) - max(inner.left, outer.left)
    height = min(inner.bottom, outer.bottom) - max(inner.top, outer.top)
    return max(width, 0.0) * max(height, 0.0) / inner.area if inner.area else 0.0


if __name__ == "__main__":
    main()
