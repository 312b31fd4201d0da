"""Bills that the test draws, read as they are by the network that ships: prices with tax, and tax that is withheld."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from docpipe import extract
from docpipe.api import Result

TOTALS = ("net_total", "tax_total", "gross_total", "amount_due", "withholding_amount")


@dataclass(frozen=True)
class Bill:
    seller: tuple[str, ...]
    details: tuple[tuple[str, str], ...]
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    totals: tuple[tuple[str, str], ...]


INCLUSIVE = Bill(
    ("De Vos Fietsen B.V.", "Kade 11, 3011 AB Rotterdam", "BTW NL820646660B01"),
    (("Factuurnummer", "2024-0911"), ("Factuurdatum", "02-07-2024"), ("Vervaldatum", "16-07-2024")),
    "Factuur",
    ("Omschrijving", "Aantal", "Prijs incl.", "Totaal incl."),
    (("Stadsfiets", "1", "605,00", "605,00"), ("Fietstas", "2", "30,25", "60,50")),
    (("Totaal incl. btw", "665,50"), ("Waarvan btw 21%", "115,50"), ("Totaal excl. btw", "550,00")),
)
WITHHELD = Bill(
    ("Studio Ferri", "Via Dante 9, 40121 Bologna", "P.IVA IT00743110157"),
    (("Fattura n.", "33/2024"), ("Data", "10/04/2024"), ("Scadenza", "10/05/2024")),
    "Fattura",
    ("Descrizione", "Quantità", "Prezzo", "Importo"),
    (("Consulenza tecnica", "8", "100,00", "800,00"),),
    (("Imponibile", "800,00"), ("IVA 22 %", "176,00"), ("Ritenuta d'acconto 20 %", "-160,00"),
     ("Netto a pagare", "816,00")),
)  # fmt: skip


def draw(bill: Bill, path: Path) -> Path:
    canvas = Canvas(str(path), pagesize=A4, invariant=True)
    canvas.setFont("Helvetica", 10)
    for number, line in enumerate(bill.seller):
        canvas.drawString(50, 780 - 14 * number, line)
    for number, (caption, value) in enumerate(bill.details):
        canvas.drawString(330, 690 - 14 * number, caption)
        canvas.drawRightString(545, 690 - 14 * number, value)
    canvas.drawString(50, 610, bill.title)
    height = 580
    for row in (bill.columns, *bill.rows):
        canvas.drawString(50, height, row[0])
        for right, cell in zip((340, 440, 545), row[1:], strict=True):
            canvas.drawRightString(right, height, cell)
        height -= 16
    for caption, value in bill.totals:
        height -= 16
        canvas.drawString(340, height, caption)
        canvas.drawRightString(545, height, value)
    canvas.save()
    return path


def totals(result: Result[object]) -> dict[str, str]:
    return {path: str(result.fields[path].value) for path in TOTALS if result.fields[path].value is not None}


@pytest.mark.parametrize(
    ("bill", "right", "never_accepted"),
    [
        (INCLUSIVE, {"net_total": "550.00", "tax_total": "115.50", "gross_total": "665.50", "amount_due": "665.50"},
         ("net_total", "gross_total", "amount_due")),
        (WITHHELD, {"net_total": "800.00", "tax_total": "176.00", "amount_due": "816.00",
                    "withholding_amount": "160.00"}, ("gross_total", "withholding_amount")),
    ],
)  # fmt: skip
def test_the_totals_of_the_bill_are_those_that_its_sums_prove(
    bill: Bill, right: dict[str, str], never_accepted: tuple[str, ...], tmp_path: Path
) -> None:
    result = extract(draw(bill, tmp_path / "bill.pdf"), schema="invoice")
    assert totals(result) == right
    assert not any(result.fields[path].accepted for path in never_accepted)
    taxes = [str(field.value) for path, field in result.fields.items() if path.endswith("].tax")]
    assert taxes == [right["tax_total"]]
    assert not {"total_mismatch", "net_above_gross"} & {issue.code for issue in result.issues}
