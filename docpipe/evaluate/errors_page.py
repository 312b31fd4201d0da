"""The worst errors as one HTML file that needs nothing beside it: the crop of the page, the label, the answer.

In: an Evaluation and a way to open a page's picture. Out: HTML text with the pictures inside.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from itertools import accumulate
from typing import TYPE_CHECKING

from docpipe.data import Box
from docpipe.evaluate.compare import label_text
from docpipe.evaluate.grounding import printed_boxes
from docpipe.evaluate.report import Evaluation, Judged, Verdict

if TYPE_CHECKING:
    from PIL.Image import Image

OpenPage = Callable[[Judged, int], "Image | None"]  # the document and the page's number; None: it cannot be drawn

MOST_ERRORS = 120  # at 20 to 50 kB a picture the file stays below 6 MB
CROP_WIDTH, PAGE_WIDTH = 760, 480  # pixels of a finished crop, and of a whole page where nothing says what to crop
CONTEXT = (0.30, 0.05)  # of the page, around the evidence: the words beside it say why it was taken
LEAST_CROP = (0.55, 0.10)
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
class Error:
    judged: Judged
    verdict: Verdict


def worst_errors(evaluation: Evaluation) -> list[Error]:
    """First what a user would have trusted (accepted and wrong), then by confidence, then what was missed."""
    errors = [Error(judged, verdict) for judged in evaluation.documents for verdict in judged.mistakes()]
    return sorted(errors, key=_harm, reverse=True)[:MOST_ERRORS]


def _harm(error: Error) -> tuple[bool, bool, float]:
    verdict = error.verdict
    answered = verdict.outcome != "missed"
    return answered and verdict.leaf.accepted, answered, verdict.leaf.confidence


def errors_page(evaluation: Evaluation, title: str, open_page: OpenPage) -> str:
    errors = worst_errors(evaluation)
    total = sum(1 for judged in evaluation.documents for _ in judged.mistakes())
    # page by page, so that each picture is opened once and none is kept
    crops: dict[int, str] = {}
    last: tuple[object, Image | None] = (None, None)
    for index in sorted(range(len(errors)), key=lambda index: _place(errors[index])):
        key = _place(errors[index])
        if last[0] != key:
            last = (key, open_page(errors[index].judged, key[1]))
        crops[index] = _picture(errors[index], last[1])
    cards = "\n".join(_card(error, crops[index]) for index, error in enumerate(errors))
    said = (
        f"{total} errors in {len(evaluation.documents)} documents; the worst {len(errors)} are shown: values that were "
        "accepted though wrong, then wrong values by their confidence, then what was missed. Red is where the answer "
        "was read, green where the label has its value."
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><header><h1>{escape(title)}</h1><p>{escape(said)}</p></header>"
        f"<main>{cards}</main></body></html>\n"
    )


def _place(error: Error) -> tuple[str, int]:
    evidence = error.verdict.leaf.evidence
    return error.verdict.file, evidence[0].page if evidence else 1


def _card(error: Error, picture: str) -> str:
    verdict = error.verdict
    answered = verdict.outcome != "missed"
    accepted = answered and verdict.leaf.accepted
    tag = f'<span class="tag {"accepted" if accepted else verdict.outcome}">{verdict.outcome}'
    tag += f"{', accepted' if accepted else ''}{f' at {verdict.leaf.confidence:.0%}' if answered else ''}</span>"
    lines = "".join(f'<dt>{name}</dt><dd class="{kind}">{escape(text)}</dd>' for name, kind, text in _told(error))
    return (
        f'<article>{picture}<div class="body">{tag}<div class="path">{escape(verdict.path)}</div>'
        f'<div class="file">{escape(verdict.file)}</div><dl>{lines}</dl></div></article>'
    )


def _told(error: Error) -> Iterator[tuple[str, str, str]]:
    leaf, result = error.verdict.leaf, error.judged.result
    yield "label", "label", label_text(error.verdict.label) or "(not on the document)"
    if result is None:
        yield "answer", "answer", "(no line in the results)"
    elif result.error:
        yield "answer", "answer", f"(failed: {result.error.get('message', '')})"
    elif leaf.value is None:
        yield "answer", "answer", "(none)" if leaf.raw is None else f"(not parsable: {leaf.raw})"
    else:
        yield "answer", "answer", str(leaf.value)
        if leaf.raw and leaf.raw != str(leaf.value):
            yield "printed", "", leaf.raw


def _picture(error: Error, page: Image | None) -> str:
    """The part of the page around the answer and the label, each in its colour."""
    if page is None:
        return '<div class="none">no picture: the page could not be drawn</div>'
    leaf, number = error.verdict.leaf, _place(error)[1]
    given = [evidence.box for evidence in leaf.evidence if evidence.page == number]
    printed = _label_boxes(error, given) if number == 1 else []
    buffer = io.BytesIO()
    _crop(page, given, printed).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}">'


def _label_boxes(error: Error, given: list[Box]) -> list[Box]:
    """Where the label's value is printed, as far as its transcript says; the place nearest to the answer."""
    label = error.verdict.label
    texts = label if isinstance(label, list) else [label]
    found = [box for text in texts for box in printed_boxes(label_text(text), error.judged.document.words)]
    if given:
        found.sort(key=lambda box: abs(box.top - given[0].top))
    return found[:1]


def _crop(page: Image, given: list[Box], printed: list[Box]) -> Image:
    from PIL import ImageDraw  # heavy: Pillow, and only this page needs it

    boxes = [*given, *printed] or [Box(0.0, 0.0, 1.0, 1.0)]
    around = _with_context(list(accumulate(boxes, Box.union))[-1])
    left, top = int(around.left * page.width), int(around.top * page.height)
    size = max(1, int(around.right * page.width) - left), max(1, int(around.bottom * page.height) - top)
    crop = page.convert("RGB").crop((left, top, left + size[0], top + size[1]))
    width = CROP_WIDTH if given or printed else PAGE_WIDTH
    scale = width / crop.width
    crop = crop.resize((width, max(1, round(crop.height * scale))))
    draw = ImageDraw.Draw(crop)
    for colour, group, padding in ((LABEL_COLOUR, printed, 6), (ANSWER_COLOUR, given, 3)):
        for box in group:
            edges = (
                (box.left * page.width - left) * scale - padding,
                (box.top * page.height - top) * scale - padding,
                (box.right * page.width - left) * scale + padding,
                (box.bottom * page.height - top) * scale + padding,
            )
            draw.rectangle(
                (edges[0], edges[1], max(edges[0], edges[2]), max(edges[1], edges[3])), outline=colour, width=3
            )
    return crop


def _with_context(box: Box) -> Box:
    """The box with its surroundings, at least LEAST_CROP large, within the page."""
    across = max(CONTEXT[0], (LEAST_CROP[0] - (box.right - box.left)) / 2)
    along = max(CONTEXT[1], (LEAST_CROP[1] - (box.bottom - box.top)) / 2)
    left, right = max(0.0, box.left - across), min(1.0, box.right + across)
    return Box(left, max(0.0, box.top - along), right, min(1.0, box.bottom + along))
