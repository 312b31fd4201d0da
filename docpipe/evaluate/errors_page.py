"""The worst errors as one HTML file that needs nothing beside it: the crop of the page, the label, the answer.

In: an Evaluation and a function that opens a page's picture. Out: HTML text with the pictures inside.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from docpipe.data import Box
from docpipe.evaluate.compare import label_text
from docpipe.evaluate.grounding import printed_boxes
from docpipe.evaluate.report import Evaluation, FieldComparison, ScoredDocument
from docpipe.own_files import MAKER

if TYPE_CHECKING:
    from PIL.Image import Image

OpenPage = Callable[
    [ScoredDocument, int], "Image | None"
]  # the document and the page's number; None: it cannot be drawn

MAX_MISTAKES = 120  # at 20 to 50 kB a picture the file stays below 6 MB
CROP_WIDTH, PAGE_WIDTH = 760, 480  # pixels of a finished crop, and of a whole page where nothing says what to crop
CONTEXT = (0.30, 0.05)  # of the page's width and height, around the evidence: the words beside it say why it was taken
MIN_CROP = (0.55, 0.10)
JPEG_QUALITY = 72
ANSWER_COLOUR, LABEL_COLOUR = (214, 60, 40), (20, 132, 74)

STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:0;background:#eff1f4;color:#1c2026}
header{padding:24px 32px;background:#fff;border-bottom:1px solid #d6dae0}
h1{font-size:21px;margin:0 0 6px}header p{margin:0;color:#5c6570;max-width:80ch}
main{display:grid;grid-template-columns:repeat(auto-fill,minmax(430px,1fr));gap:16px;padding:24px 32px}
article{background:#fff;border-radius:8px;overflow:hidden;box-shadow:0 1px 3px #0002;display:flex;flex-direction:column}
article img{width:100%;display:block;border-bottom:1px solid #e4e7eb}
.body{padding:12px 16px}.path{font-weight:600}.file{color:#5c6570;font-size:13px;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:72px 1fr;gap:3px 10px;margin:9px 0 0}
dt{color:#5c6570}dd{margin:0;overflow-wrap:anywhere}
.tag{float:right;font-size:12px;border-radius:9px;padding:2px 9px;color:#fff;background:#7a8490}
.accepted{background:#b3261e}.wrong,.spurious{background:#d07000}
.none{padding:26px 16px;background:#f6f7f9;color:#7a8490;border-bottom:1px solid #e4e7eb}
.answer{color:#b3321e}.label{color:#14844a}
"""


@dataclass(frozen=True, slots=True)
class Mistake:
    """An answer that is not right, and its document."""

    document: ScoredDocument
    comparison: FieldComparison


class _Harm(NamedTuple):
    """Mistakes are sorted by it: the larger, the worse."""

    is_accepted: bool
    is_answered: bool
    confidence: float


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a card: a term, its text, and how the text is styled."""

    term: str
    text: str
    css_class: str = ""


def worst_mistakes(evaluation: Evaluation) -> list[Mistake]:
    """First what a user would have trusted (accepted and wrong), then by confidence, then what was missed."""
    mistakes = [Mistake(document, mistake) for document in evaluation.documents for mistake in document.mistakes()]
    return sorted(mistakes, key=_harm, reverse=True)[:MAX_MISTAKES]


def _harm(mistake: Mistake) -> _Harm:
    prediction, is_answered = mistake.comparison.prediction, mistake.comparison.outcome != "missed"
    return _Harm(is_answered and prediction.accepted, is_answered, prediction.confidence)


def errors_page(evaluation: Evaluation, title: str, open_page: OpenPage) -> str:
    mistakes = worst_mistakes(evaluation)
    total = sum(1 for document in evaluation.documents for _ in document.mistakes())
    # page by page, so that each picture is opened once and none is kept
    pictures: dict[int, str] = {}
    last: tuple[object, Image | None] = (None, None)
    for index in sorted(range(len(mistakes)), key=lambda index: _file_and_page(mistakes[index])):
        key = _file_and_page(mistakes[index])
        if last[0] != key:
            last = (key, open_page(mistakes[index].document, key[1]))
        pictures[index] = _picture(mistakes[index], last[1])
    cards = "\n".join(_card(mistake, pictures[index]) for index, mistake in enumerate(mistakes))
    summary = (
        f"{total} errors in {len(evaluation.documents)} documents; the worst {len(mistakes)} are shown: values that "
        "were accepted though wrong, then wrong values by their confidence, then what was missed. Red is where the "
        "answer was read, green where the label has its value."
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="generator" content="{MAKER}"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><header><h1>{escape(title)}</h1><p>{escape(summary)}</p></header>"
        f"<main>{cards}</main></body></html>\n"
    )


def _file_and_page(mistake: Mistake) -> tuple[str, int]:
    evidence = mistake.comparison.prediction.evidence
    return mistake.comparison.file, evidence[0].page if evidence else 1


def _card(mistake: Mistake, picture: str) -> str:
    comparison = mistake.comparison
    is_answered = comparison.outcome != "missed"
    is_accepted = is_answered and comparison.prediction.accepted
    tag = f'<span class="tag {"accepted" if is_accepted else comparison.outcome}">{comparison.outcome}'
    tag += ", accepted" if is_accepted else ""
    tag += f" at {comparison.prediction.confidence:.0%}</span>" if is_answered else "</span>"
    lines = "".join(
        f'<dt>{line.term}</dt><dd class="{line.css_class}">{escape(line.text)}</dd>' for line in _lines(mistake)
    )
    return (
        f'<article>{picture}<div class="body">{tag}<div class="path">{escape(comparison.path)}</div>'
        f'<div class="file">{escape(comparison.file)}</div><dl>{lines}</dl></div></article>'
    )


def _lines(mistake: Mistake) -> Iterator[_Line]:
    prediction, result = mistake.comparison.prediction, mistake.document.result
    yield _Line("label", label_text(mistake.comparison.label) or "(not on the document)", "label")
    if result is None:
        yield _Line("answer", "(no line in the results)", "answer")
    elif result.error:
        yield _Line("answer", f"(failed: {result.error.get('message', '')})", "answer")
    elif prediction.value is None:
        text = "(none)" if prediction.raw is None else f"(not parsable: {prediction.raw})"
        yield _Line("answer", text, "answer")
    else:
        yield _Line("answer", str(prediction.value), "answer")
        if prediction.raw and prediction.raw != str(prediction.value):
            yield _Line("printed", prediction.raw)


def _picture(mistake: Mistake, page: Image | None) -> str:
    """The part of the page around the answer and the label, each in its colour."""
    if page is None:
        return '<div class="none">no picture: the page could not be drawn</div>'
    prediction, number = mistake.comparison.prediction, _file_and_page(mistake)[1]
    evidence_boxes = [evidence.box for evidence in prediction.evidence if evidence.page == number]
    label_boxes = _label_boxes(mistake, evidence_boxes) if number == 1 else []
    buffer = io.BytesIO()
    _crop(page, evidence_boxes, label_boxes).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}">'


def _label_boxes(mistake: Mistake, evidence_boxes: list[Box]) -> list[Box]:
    """Where the label's value is printed, as far as its transcript says; the place nearest to the answer."""
    label = mistake.comparison.label
    texts = label if isinstance(label, list) else [label]
    printed = [box for text in texts for box in printed_boxes(label_text(text), mistake.document.document.words)]
    if evidence_boxes:
        printed.sort(key=lambda box: abs(box.top - evidence_boxes[0].top))
    return printed[:1]


def _crop(page: Image, evidence_boxes: list[Box], label_boxes: list[Box]) -> Image:
    from PIL import ImageDraw  # heavy: Pillow, and only this page needs it

    boxes = [*evidence_boxes, *label_boxes] or [Box(0.0, 0.0, 1.0, 1.0)]
    around = _with_context(list(accumulate(boxes, Box.union))[-1])
    left, top = int(around.left * page.width), int(around.top * page.height)
    size = max(1, int(around.right * page.width) - left), max(1, int(around.bottom * page.height) - top)
    crop = page.convert("RGB").crop((left, top, left + size[0], top + size[1]))
    width = CROP_WIDTH if evidence_boxes or label_boxes else PAGE_WIDTH
    scale = width / crop.width
    crop = crop.resize((width, max(1, round(crop.height * scale))))
    draw = ImageDraw.Draw(crop)
    for colour, boxes_of_colour, padding in ((LABEL_COLOUR, label_boxes, 6), (ANSWER_COLOUR, evidence_boxes, 3)):
        for box in boxes_of_colour:
            x0, y0 = (box.left * page.width - left) * scale - padding, (box.top * page.height - top) * scale - padding
            x1 = (box.right * page.width - left) * scale + padding
            y1 = (box.bottom * page.height - top) * scale + padding
            draw.rectangle((x0, y0, max(x0, x1), max(y0, y1)), outline=colour, width=3)
    return crop


def _with_context(box: Box) -> Box:
    """The box with its surroundings, at least MIN_CROP large, within the page."""
    x_margin = max(CONTEXT[0], (MIN_CROP[0] - (box.right - box.left)) / 2)
    y_margin = max(CONTEXT[1], (MIN_CROP[1] - (box.bottom - box.top)) / 2)
    left, right = max(0.0, box.left - x_margin), min(1.0, box.right + x_margin)
    return Box(left, max(0.0, box.top - y_margin), right, min(1.0, box.bottom + y_margin))
