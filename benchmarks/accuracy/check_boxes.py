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


def _questionnaire(components: Components, drawn: SampleDocument) -> Counter[object]:
    asked = {
        description: path for path, description in drawn.field_descriptions.items() if not FieldPath.parse(path).is_cell
    }
    found: Counter[object] = Counter()
    if not asked:
        return found
    schema = schema_of(asked)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ticks.pdf"
        path.write_bytes(drawn.pdf)
        document = components.open(path)
        parts = components.parts
        pages = pipeline.prepare(document, rasteriser=parts.rasteriser, reader=parts.reader).pages
        seen = _answers(components, pages, schema)
        blind = _answers(components, [replace(page, image=None) for page in pages], schema)
    for field in asked.values():
        truth = drawn.truth.get(field)
        found["open" if truth is None else "answered"] += 1
        for way, answers in (("picture", seen), ("no picture", blind)):
            right = answers.get(field) == truth
            found[way, "kept open" if truth is None else "right"] += right
    return found


def _answers(components: Components, pages: Sequence[Page], schema: Schema) -> Mapping[str, object]:
    answer = components.parts.extractor.extract(pages, schema)
    best: dict[str, tuple[float, str]] = {}
    for one in answer.candidates:
        best[one.path] = max(best.get(one.path, (0.0, "")), (one.score, one.text))
    return {path: text for path, (score, text) in best.items() if score > answer.absent.get(path, 0.0)}


if __name__ == "__main__":
    main()
