"""The data of a party as they are printed: name, address, VAT number, account.

In: a party and the path of the field it answers. Out: field texts, and lines that hold them.
"""

from __future__ import annotations

from collections.abc import Sequence

from docpipe.samples.canvas.canvas import Align
from docpipe.samples.canvas.text_style import StyledText
from docpipe.samples.content.parties import Party
from docpipe.samples.content.registered_numbers import format_iban, format_vat_id
from docpipe.samples.content.vocabulary import fill_placeholders
from docpipe.samples.documents.common.drawing_context import DrawingContext
from docpipe.samples.seeded_random import SeededRandom
from docpipe.samples.truth import FieldText, RichTextRun, field_text, text_runs

MIN_BROKEN_WORDS = 3  # words of a name that may be on two lines
COUNTRIES_WITHOUT_IBAN = ("US", "AU", "SG", "MY", "ID")


def name_field(path: str, party: Party) -> FieldText:
    return field_text(path, party.name)


def broken_name(rng: SeededRandom, name: FieldText) -> FieldText:
    """The name, now and then on two lines."""
    words = name.text.split()
    if len(words) < MIN_BROKEN_WORDS or not rng.chance(0.1):
        return name
    on_first_line = 1 + int((len(words) - 1) * rng.random())
    return name.with_text(" ".join(words[:on_first_line]) + "\n" + " ".join(words[on_first_line:]))


def address_field(path: str, party: Party, separator: str = "\n") -> FieldText:
    return FieldText(separator.join(party.address_lines), (path,), ", ".join(party.address_lines))


def vat_id_field(context: DrawingContext, path: str, party: Party) -> FieldText | None:
    """None where the party has no VAT number."""
    if party.vat_id is None:
        return None
    return FieldText(format_vat_id(context.rng, party.vat_id), (path,), party.vat_id)


def tax_number_line(context: DrawingContext, seller: Party) -> str:
    """The seller's number at its tax office or register, which is no field."""
    label = fill_placeholders(context.rng, context.label("tax_number"), "en", context.issue_date, city=seller.city)
    return f"{label} {seller.tax_number}"


def account_line(context: DrawingContext, party: Party) -> Sequence[RichTextRun]:
    """The account to pay into: an IBAN, or numbers of another kind where there are none."""
    rng = context.rng
    if party.country in COUNTRIES_WITHOUT_IBAN:
        account = rng.from_pattern("%########")
        account_label, branch_label = context.label("account"), context.label("sort")
        return (f"{account_label}: {account}  {branch_label}: {rng.from_pattern('%##-###')}",)
    label = rng.pick(("IBAN ", "IBAN: ", "IBAN: ", "Iban: "))
    return (label, FieldText(format_iban(rng, party.iban), ("iban",), party.iban))


def draw_lines(
    context: DrawingContext, x: float, y: float, lines: Sequence[StyledText], align: Align = "left"
) -> float:
    """Lines one below the other; a line that is one value may itself have several. Gives the y below."""
    for text, style in lines:
        runs = text_runs(text)
        if len(runs) == 1 and isinstance(runs[0], FieldText) and "\n" in runs[0].text:
            y = context.canvas.write_lines(x, y, runs[0], style, leading=context.typography.leading, align=align)
        else:
            context.canvas.write(x, y, text, style, align)
            y += style.size * context.typography.leading
    return y
