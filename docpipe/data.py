"""The nouns of docpipe: what travels between the steps, and nothing that acts.

In: nothing of ours. Out: frozen dataclasses that every step takes and returns.
Boxes are fractions of the upright page (0-1, origin top-left); pages count from 1; confidences are 0-1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from PIL.Image import Image

WordSource = Literal["textlayer", "ocr"]
Match = Literal["exact", "normalised", "fuzzy"]
WidgetType = Literal["text", "choice", "check_box", "radio_button"]
Severity = Literal["info", "warning", "error"]
Status = Literal["complete", "needs_review", "failed"]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, in fractions of its width and height, origin top-left."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)

    def union(self, other: Box) -> Box:
        """The smallest box around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def iou(self, other: Box) -> float:
        """Intersection over union, 0-1."""
        shared = Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        ).area
        if shared == 0.0 or self.right <= other.left or other.right <= self.left:
            return 0.0
        return shared / (self.area + other.area - shared)


@dataclass(frozen=True, slots=True)
class Word:
    """One word as it was read. `line` numbers the page's text lines in reading order, from 0;
    the words of one line are neighbours in `Page.words`."""

    text: str
    box: Box
    confidence: float
    source: WordSource
    line: int


@dataclass(frozen=True, slots=True)
class Widget:
    """A field of a PDF's form where it stands on a page, as the file has it (ISO 32000: widget annotation).

    `name` is the field's full name (/T), `tooltip` what the file calls it for people (/TU), "" where it has none.
    `value` is what was typed or chosen, of a button the name of its own option; a button's state is `checked`.
    """

    name: str
    tooltip: str
    type: WidgetType
    box: Box
    value: str = ""
    checked: bool = False

    @property
    def is_button(self) -> bool:
        return self.type in ("check_box", "radio_button")


@dataclass(frozen=True, slots=True)
class Issue:
    """A doubt about a field, a page or the document. Codes are listed in docs/errors.md."""

    code: str
    message: str
    severity: Severity = "warning"
    field: str | None = None
    page: int | None = None


class PageImage(Protocol):
    """A page's picture, drawn when it is opened and not kept in memory between openings."""

    def open(self, *, max_side: int | None = None) -> Image:
        """The upright page as an RGB image, its longer side at most `max_side` pixels
        (None: the resolution the page was rasterised at)."""
        ...

    def turned(self, degrees: int) -> PageImage:
        """The same picture turned clockwise by 90, 180 or 270 degrees more."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a document. Steps return a new page; `number` travels inside it.

    `width` and `height` are the pixels of the upright image at `dpi`. `image` is None when
    the page could not be drawn; `issues` then says why. `rotation` is how far docpipe turned
    the page clockwise so that its text stands upright (0, 90, 180, 270). `widgets` are the fields of a PDF's form.
    """

    number: int
    width: int
    height: int
    dpi: float
    image: PageImage | None = field(default=None, compare=False, repr=False)
    words: tuple[Word, ...] = ()
    rotation: int = 0
    blank: bool = False
    issues: tuple[Issue, ...] = ()
    widgets: tuple[Widget, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """The text lines in reading order, words joined by blanks."""
        lines: dict[int, list[str]] = {}
        for word in self.words:
            lines.setdefault(word.line, []).append(word.text)
        return tuple(" ".join(words) for words in lines.values())


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """A document's pages with their words, and the seconds that the stages took. Pictures are handles, drawn when they
    are opened."""

    pages: list[Page]
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was taken in. `id` is the sha256 of its bytes (hex)."""

    id: str
    name: str
    path: Path
    media_type: str
    size: int
    page_count: int
    password: str | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a value is printed: the page, the box, the words, and how they match the value."""

    page: int
    box: Box
    text: str
    match: Match = "exact"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One possible answer for one field, as printed. `path` is concrete: `line_items[2].amount`.

    `score` is the extractor's own probability (0-1). Evidence that the extractor gives is where it
    read the text; an extractor that does not know leaves it empty and `ground` looks for it.
    `signals` are further numbers for the confidence (`margin`, `ocr`, ...), each 0-1.
    """

    path: str
    text: str
    score: float
    evidence: tuple[Evidence, ...] = ()
    signals: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """All that an extractor says about a document: candidates, best first within a path.

    `absent` gives the extractor's probability that a field is not on the document.
    `finish` is `complete` or the reason why the answer was cut off (`length`, `timeout`, ...).
    `schema` names the one that was chosen where several were asked at once. `tokens_in` counts the prompt with its
    pictures, `image_tokens` those of the pictures alone; `money` is in the currency of the price list.
    """

    candidates: tuple[Candidate, ...]
    absent: Mapping[str, float] = field(default_factory=dict)
    finish: str = "complete"
    tokens_in: int = 0
    tokens_out: int = 0
    issues: tuple[Issue, ...] = ()
    schema: str = ""
    image_tokens: int = 0
    money: float = 0.0

    @property
    def cost(self) -> dict[str, float]:
        """What a result keeps of it; nothing where no tokens were counted."""
        if not self.tokens_in:
            return {}
        return {
            "tokens_in": float(self.tokens_in),
            "image_tokens": float(self.image_tokens),
            "tokens_out": float(self.tokens_out),
            "money": self.money,
        }


@dataclass(frozen=True, slots=True)
class Field:
    """A decided value. `value` is typed (Decimal, date, time, int, bool, str) or None when absent or
    unparsable; `raw` is the text as printed. `accepted`: confident enough for the asked error rate.
    `signals` are the numbers behind the confidence, each 0-1 (docpipe/confidence.py names them)."""

    path: str
    value: object
    raw: str | None
    confidence: float
    evidence: tuple[Evidence, ...] = ()
    accepted: bool = False
    issues: tuple[Issue, ...] = ()
    signals: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Extraction:
    """The result for one document under one schema by one extractor.

    `timings` are seconds by stage (rasterise, read, extract, decide). `run_key` is the sha256 of document + pages +
    render settings + schema + extractor: the same key means the same work, and `SqlStore.save` keeps one row.
    """

    document_id: str
    schema: str
    schema_version: str
    extractor: str
    run_key: str
    status: Status
    pages: int
    fields: tuple[Field, ...]
    issues: tuple[Issue, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)
