"""Documents that docpipe draws itself: samples for the first run, for tests and for training.

In: a document type and a seed. Out: the PDF, every printed value with its place, and the normalised truth.
Importing this package loads reportlab, so nothing of the main job imports it.
"""

from __future__ import annotations

from collections.abc import Callable

from docpipe.samples.canvas.canvas import PrintedValue, SampleDocument
from docpipe.samples.canvas.text_style import FontSource
from docpipe.samples.degrade.scan import degrade_page, transform_box
from docpipe.samples.dice import SeededRandom
from docpipe.samples.documents.form.form import draw_form, draw_questionnaire
from docpipe.samples.documents.form.registration import draw_registration
from docpipe.samples.documents.invoice.invoice import draw_invoice
from docpipe.samples.documents.order.account_papers import draw_delivery_note, draw_statement
from docpipe.samples.documents.order.order import draw_order
from docpipe.samples.documents.receipt.receipt import draw_receipt

__all__ = ["CHECK_BOX_FORMS", "SCHEMAS", "PrintedValue", "SampleDocument", "degrade_page", "draw", "transform_box"]

_DRAW: dict[str, Callable[[SeededRandom, str | None, FontSource], SampleDocument]] = {
    "invoice": draw_invoice,
    "receipt": draw_receipt,
    "order": draw_order,
    "statement": draw_statement,
    "delivery_note": draw_delivery_note,
    "form": draw_form,
    "registration": draw_registration,
    "ticks": draw_questionnaire,
}
CHECK_BOX_FORMS = "ticks"  # forms whose answers are marks: to teach and to test the eyes, no sample of what people have
SCHEMAS = tuple(name for name in _DRAW if name != CHECK_BOX_FORMS)


def draw(schema: str, seed: int, *, language: str | None = None, fonts: FontSource = "installed") -> SampleDocument:
    """A document of that type, determined by the seed. With `fonts="standard"` it looks the same on every machine;
    "installed" takes fonts found on this one as well, for variety in training."""
    return _DRAW[schema](SeededRandom(f"{schema}:{seed}"), language, fonts)
