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
from dataclasses import dataclass
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
class QuestionResult:
    """One question of a form, how it was answered, and what it lost by. Scores are similarities of ANLS, 0 to 1."""

    file: str
    question: str
    truths: tuple[str, ...]  # any of them is right
    answer: str
    score: float
    readable_score: float  # if exactly the words that were read in the truth's boxes had been answered
    unspaced_score: float  # without regard to blanks
    cause: str

    def to_json(self) -> dict[str, object]:
        return {
            "file": self.file, "question": self.question, "right": self.truths, "said": self.answer,
            "score": self.score, "readable": self.readable_score, "unspaced": self.unspaced_score, "cause": self.cause,
        }  # fmt: skip


@dataclass(frozen=True)
class Truth:
    text: str
    boxes: Sequence[Box]


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
        for result in (result for form in forms for result in form):
            answers.write(json.dumps(result.to_json(), ensure_ascii=False) + "\n")
    for line in report([form for form in forms if form]):
        print(line)


def report(forms: Sequence[Sequence[QuestionResult]]) -> Iterator[str]:
    results = [result for form in forms for result in form]
    mean, interval = mean_score([[result.score for result in form] for form in forms])
    bounds = "" if interval is None else f", 95 % interval {interval[0]:.3f}-{interval[1]:.3f}"
    yield f"ANLS {mean:.3f}{bounds}: {len(results)} questions with an answer on {len(forms)} forms"
    yield f"Empty answers: {_mean([float(not result.answer) for result in results]):.3f}"
    yield f"ANLS without regard to blanks: {_mean([result.unspaced_score for result in results]):.3f}"
    readable = _mean([result.readable_score for result in results])
    yield f"ANLS if exactly the words read at the answers' places were answered: {readable:.3f}"
    causes = Counter(result.cause for result in results)
    yield "\n| cause | questions | share | ANLS lost |\n|---|---|---|---|"
    for cause in CAUSES:
        lost = sum(1 - result.score for result in results if result.cause == cause) / max(1, len(results))
        yield f"| {cause} | {causes[cause]} | {causes[cause] / max(1, len(results)):.3f} | {lost:.3f} |"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(1, len(values))


def _form(task: tuple[Path, Mapping[str, Any]]) -> list[QuestionResult]:
    """All questions of one form; a form that cannot be read has answered nothing."""
    global _components  # noqa: PLW0603 - made once in each worker process
    _components = _components or load_components(ModelName("embedded"), load_settings({}), threads=1)
    folder, label = task
    pairs = pairs_by_question(label["pairs"])
    if not pairs:
        return []
    names = field_names(list(pairs))
    try:
        pages, fields = _fill_in(_components, folder / label["file"], schema_of(names))
    except InputError:
        pages, fields = [], {}
    truths = {
        question: [Truth(pair["answer"], _boxes(pair["answer_boxes"], label)) for pair in pairs[question]]
        for question in names
    }
    return [_result(label["file"], q, truths[q], fields.get(name), pages) for q, name in names.items()]


def pairs_by_question(pairs: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Question -> its pairs that have an answer."""
    by_question: dict[str, list[Mapping[str, Any]]] = {}
    for pair in pairs:
        question = " ".join(pair["question"].split())
        if question and pair["answer"].strip():
            by_question.setdefault(question, []).append(pair)
    return by_question


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
    run = pipeline.identify_run(document, schema, components.parts, components.policy)
    prepared = pipeline.prepare(document, rasteriser=components.parts.rasteriser, reader=components.parts.reader)
    extraction = pipeline.understand(
        prepared, schema, extractor=components.parts.extractor, run=run, policy=components.policy
    )
    return prepared.pages, {field.path: field for field in extraction.fields}


def _result(
    file: str, question: str, truths: Sequence[Truth], field: Field | None, pages: Sequence[Page]
) -> QuestionResult:
    texts = tuple(truth.text for truth in truths)
    answer = " ".join((field.raw or "").split()) if field else ""
    score = question_score(answer, texts)
    readable = max(question_score(_read_at(truth.boxes, pages), [truth.text]) for truth in truths)
    unspaced = question_score(answer.replace(" ", ""), ["".join(text.split()) for text in texts])
    is_at_place = field is not None and _is_at_place(field, truths)
    cause = _cause(score, readable, is_empty=not answer, is_at_place=is_at_place)
    return QuestionResult(file, question, texts, answer, score, readable, unspaced, cause)


def _is_at_place(field: Field, truths: Sequence[Truth]) -> bool:
    return any(_share(evidence.box, box) > 0 for evidence in field.evidence for truth in truths for box in truth.boxes)


def _cause(score: float, readable: float, *, is_empty: bool, is_at_place: bool) -> str:
    if score == 1.0:
        return "right"
    if readable < THRESHOLD and score < THRESHOLD:
        return "not read"
    if is_empty:
        return "nothing answered"
    if score >= readable - MISREAD:
        return "letters misread"
    return "begun or ended wrong" if is_at_place else "answered elsewhere"


def _boxes(boxes: Sequence[Sequence[float]], label: Mapping[str, Any]) -> list[Box]:
    width, height = float(label["width"]), float(label["height"])
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
