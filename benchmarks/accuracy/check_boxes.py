"""Whether the network looks at the picture: forms whose answers are ticked boxes, which no word tells.

    python -m benchmarks.accuracy.check_boxes

In: questionnaires that docpipe draws, of seeds that training never saw. Each page is read once, with its picture and
without it. Out: the share of the network's best answers that are right both times, before anything is decided, beside
what guessing one of the options would give.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.accuracy.forms import schema_of
from docpipe import pipeline
from docpipe.components import Components, ModelName, load_components
from docpipe.config import load_settings
from docpipe.data import Page
from docpipe.paths import FieldPath
from docpipe.samples import QUESTIONNAIRE, SampleDocument, draw
from docpipe.samples.documents.form.check_boxes import OPTION_COUNTS
from docpipe.schema import Schema

FIRST_SEED = 980_000  # training draws from below 900,000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--model", default="embedded")
    options = parser.parse_args()
    components = load_components(ModelName.parse(options.model), load_settings({}), threads=2)
    totals: Counter[object] = Counter()
    for number in range(options.count):
        totals.update(_questionnaire(components, draw(QUESTIONNAIRE, FIRST_SEED + number)))
    print(f"{options.count} questionnaires, {totals['answered']} ticked questions, {totals['open']} left open")
    print(f"  guessing one of the options: {sum(1 / count for count in OPTION_COUNTS) / len(OPTION_COUNTS):.3f}")
    for way in ("picture", "no picture"):
        print(
            f"  with {way}: {totals[way, 'right'] / max(1, totals['answered']):.3f} of the ticked right,"
            f" {totals[way, 'kept open'] / max(1, totals['open']):.3f} of the open ones left open"
        )


def _questionnaire(components: Components, sample: SampleDocument) -> Counter[object]:
    singles = {path: text for path, text in sample.field_descriptions.items() if not FieldPath.parse(path).is_cell}
    path_of_question = {description: path for path, description in singles.items()}
    counts: Counter[object] = Counter()
    if not path_of_question:
        return counts
    schema = schema_of(path_of_question)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ticks.pdf"
        path.write_bytes(sample.pdf)
        document = components.open(path)
        parts = components.parts
        pages = pipeline.prepare(document, rasteriser=parts.rasteriser, reader=parts.reader).pages
        with_picture = _answers(components, pages, schema)
        without_picture = _answers(components, [replace(page, image=None) for page in pages], schema)
    for field in path_of_question.values():
        truth = sample.truth.get(field)
        counts["open" if truth is None else "answered"] += 1
        for way, answers in (("picture", with_picture), ("no picture", without_picture)):
            right = answers.get(field) == truth
            counts[way, "kept open" if truth is None else "right"] += right
    return counts


def _answers(components: Components, pages: Sequence[Page], schema: Schema) -> Mapping[str, object]:
    answer = components.parts.extractor.extract(pages, schema)
    best: dict[str, tuple[float, str]] = {}
    for candidate in answer.candidates:
        best[candidate.path] = max(best.get(candidate.path, (0.0, "")), (candidate.score, candidate.text))
    return {path: text for path, (score, text) in best.items() if score > answer.absent.get(path, 0.0)}


if __name__ == "__main__":
    main()
