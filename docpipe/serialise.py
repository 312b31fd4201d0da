"""Pages and answers as JSON, and back the same: what is kept of them between two workers or two runs.

In: a Page or an Answer. Out: dicts and lists that `json` takes; floats come back exactly. Pictures are not in it.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from docpipe.data import Answer, Box, Candidate, Evidence, Issue, Page, PageImage, Widget, Word


def page_to_json(page: Page) -> dict[str, Any]:
    """All of the page but its picture."""
    return {
        "number": page.number, "width": page.width, "height": page.height, "dpi": page.dpi,
        "words": [word_to_json(word) for word in page.words], "rotation": page.rotation, "blank": page.blank,
        "issues": [asdict(issue) for issue in page.issues], "widgets": [asdict(widget) for widget in page.widgets],
    }  # fmt: skip


def page_from_json(row: dict[str, Any], image: PageImage | None = None) -> Page:
    """With this picture, which is upright already. Raises KeyError, TypeError or ValueError for another shape."""
    return Page(
        row["number"], row["width"], row["height"], row["dpi"], image,
        words=tuple(word_from_json(word) for word in row["words"]), rotation=row["rotation"], blank=row["blank"],
        issues=tuple(Issue(**issue) for issue in row["issues"]),
        widgets=tuple(Widget(**{**widget, "box": Box(**widget["box"])}) for widget in row["widgets"]),
    )  # fmt: skip


def word_to_json(word: Word) -> list[Any]:
    """Short, as a page has hundreds."""
    box = word.box
    return [word.text, box.left, box.top, box.right, box.bottom, word.confidence, word.source, word.line]


def word_from_json(row: list[Any]) -> Word:
    text, left, top, right, bottom, confidence, source, line = row
    return Word(text, Box(left, top, right, bottom), confidence, source, line)


def answer_to_json(answer: Answer) -> dict[str, Any]:
    return asdict(answer)


def answer_from_json(row: dict[str, Any]) -> Answer:
    """Raises KeyError, TypeError or ValueError for another shape."""
    candidates = tuple(_candidate(candidate) for candidate in row["candidates"])
    return Answer(**{**row, "candidates": candidates, "issues": tuple(Issue(**issue) for issue in row["issues"])})


def _candidate(row: dict[str, Any]) -> Candidate:
    quotes = tuple(Evidence(**{**quote, "box": Box(**quote["box"])}) for quote in row["evidence"])
    return Candidate(**{**row, "evidence": quotes})
