"""Documents that docpipe draws itself: samples for the first run, for tests and for training.

In: a document type and a seed. Out: the PDF, every printed value with its place, and the normalised truth.
Importing this package loads reportlab, so nothing of the main job imports it.
"""

from __future__ import annotations

from collections.abc import Callable

from docpipe.samples.canvas.typography import FontSource
from docpipe.samples.degrade.geometry import transform_box
from docpipe.samples.degrade.page import degrade_page
from docpipe.samples.documents.account_statement import draw_account_statement
from docpipe.samples.documents.form.form import draw_form, draw_questionnaire
from docpipe.samples.documents.form.registration import draw_registration
from docpipe.samples.documents.invoice.invoice import draw_invoice
from docpipe.samples.documents.order.delivery_note import draw_delivery_note
from docpipe.samples.documents.order.order import draw_order
from docpipe.samples.documents.receipt.receipt import draw_receipt
from docpipe.samples.seeded_random import SeededRandom
from docpipe.samples.truth import PrintedValue, SampleDocument

__all__ = ["QUESTIONNAIRE", "SCHEMAS", "PrintedValue", "SampleDocument", "degrade_page", "draw", "transform_box"]

QUESTIONNAIRE = "ticks"  # forms of check boxes alone: for training and tests, no sample of what people have
_DRAW: dict[str, Callable[[SeededRandom, str | None, FontSource], SampleDocument]] = {
    "invoice": draw_invoice,
    "receipt": draw_receipt,
    "order": draw_order,
    "statement": draw_account_statement,
    "delivery_note": draw_delivery_note,
    "form": draw_form,
    "registration": draw_registration,
    QUESTIONNAIRE: draw_questionnaire,
}
SCHEMAS = tuple(name for name in _DRAW if name != QUESTIONNAIRE)


def draw(schema: str, seed: int, *, language: str | None = None, fonts: FontSource = "installed") -> SampleDocument:
    """A document of that type, determined by the seed. With `fonts="standard"` it looks the same on every machine;
    "installed" takes fonts found on this one as well, for variety in training."""
    return _DRAW[schema](SeededRandom(f"{schema}:{seed}"), language, fonts)
