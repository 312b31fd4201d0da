"""Documents that docpipe draws itself: samples for the first run, for tests and for training.

In: a document type and a seed. Out: the PDF, every printed value with its place, and the normalised truth.
Importing this package loads reportlab, so nothing of the main job imports it.
"""

from __future__ import annotations

from collections.abc import Callable

from docpipe.samples.canvas.canvas import Drawn, Placed
from docpipe.samples.canvas.text_style import Fonts
from docpipe.samples.degrade.scan import carry, scan
from docpipe.samples.dice import Dice
from docpipe.samples.documents.form.form import draw_form, draw_questionnaire
from docpipe.samples.documents.form.registration import draw_registration
from docpipe.samples.documents.invoice.invoice import draw_invoice
from docpipe.samples.documents.order.account_papers import draw_delivery_note, draw_statement
from docpipe.samples.documents.order.order import draw_order
from docpipe.samples.documents.receipt.receipt import draw_receipt

__all__ = ["SCHEMAS", "TICKS", "Drawn", "Placed", "carry", "draw", "scan"]

_DRAW: dict[str, Callable[[Dice, str | None, Fonts], Drawn]] = {
    "invoice": draw_invoice,
    "receipt": draw_receipt,
    "order": draw_order,
    "statement": draw_statement,
    "delivery_note": draw_delivery_note,
    "form": draw_form,
    "registration": draw_registration,
    "ticks": draw_questionnaire,
}
TICKS = "ticks"  # forms whose answers are marks: to teach and to test the eyes, no sample of what people have
SCHEMAS = tuple(name for name in _DRAW if name != TICKS)


def draw(schema: str, seed: int, *, language: str | None = None, fonts: Fonts = "installed") -> Drawn:
    """A document of that type, determined by the seed. With `fonts="standard"` it looks the same on every machine;
    "installed" takes fonts found on this one as well, for variety in training."""
    return _DRAW[schema](Dice(f"{schema}:{seed}"), language, fonts)
