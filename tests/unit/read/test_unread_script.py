"""Scripts that OCR does not know, on pictures and in PDFs that the tests draw. The fonts are matplotlib's."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from docpipe.api import extract
from docpipe.data import Page
from docpipe.ingest import ingest
from docpipe.rasterise import PageRasteriser
from docpipe.read import PageReader
from docpipe.render import Renderer
from docpipe.schemas.invoice import Invoice

CYRILLIC = [
    "Счет на оплату",
    "Поставщик: Торговый дом Северный",
    "Адрес: город Москва, улица Ленина",
    "Бумага офисная белая плотная",
    "Услуги по доставке груза",
    "Оплатить в течение тридцати дней",
    "Благодарим вас за покупку",
]
GREEK = [
    "Τιμολόγιο πώλησης",
    "Πωλητής: Εμπορική Εταιρεία Αθηνών",
    "Διεύθυνση: Οδός Ερμού, Αθήνα",
    "Χαρτί γραφείου λευκό",
    "Υπηρεσίες μεταφοράς εμπορευμάτων",
    "Η πληρωμή γίνεται εντός τριάντα ημερών",
    "Ευχαριστούμε για την προτίμησή σας",
]
ARABIC = [
    "فاتورة ضريبية",
    "المورد: شركة التجارة الحديثة",
    "العنوان: شارع الملك فهد، الرياض",
    "ورق طباعة أبيض",
    "خدمات نقل البضائع",
    "يرجى الدفع خلال ثلاثين يوما",
    "شكرا لتعاملكم معنا",
]
HEBREW = [
    "חשבונית מס",
    "ספק: חברת המסחר הצפונית",
    "כתובת: רחוב הרצל, תל אביב",
    "נייר משרדי לבן",
    "שירותי הובלה",
    "התשלום תוך שלושים יום מתאריך החשבונית",
    "תודה על הקנייה",
]
LATIN = [
    "Harbour Stationery Limited",
    "Rechnung über gelieferte Ware",
    "Société générale d'électricité",
    "Przedsiębiorstwo Handlowe Łódź",
    "Satıcı: Güneş Ticaret Şirketi",
    "Daňový doklad, České Budějovice",
    "Amount due within thirty days",
    "Thank you for your order",
]
SIZE = 30  # pixels
LEFT, TOP, LEADING, POINTS = 60, 770, 24, 11  # points, of the text in PDFs
Read = Callable[[Path], Page]


def _font_file() -> Path:
    matplotlib = importlib.util.find_spec("matplotlib")
    assert matplotlib is not None and matplotlib.origin is not None
    return Path(matplotlib.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"


def printed(lines: list[str], *, size: int = SIZE) -> Image.Image:
    """A sheet with an amount beside every second line."""
    font = ImageFont.truetype(str(_font_file()), size)
    sheet = Image.new("RGB", (1000, 2 * size * (len(lines) + 2)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, line in enumerate(lines):
        top = 2 * size * (number + 1)
        draw.text((60, top), line, font=font, fill="black")
        if number % 2:
            draw.text((940, top), f"{1234 + 617 * number}.50", font=font, fill="black", anchor="ra")
    return sheet


def saved(image: Image.Image, folder: Path) -> Path:
    path = folder / "page.png"
    image.save(path)
    return path


@pytest.fixture(scope="module")
def read() -> Iterator[Read]:
    with Renderer() as renderer:
        reader = PageReader(renderer)

        def page(path: Path) -> Page:
            document = ingest(path, renderer=renderer)
            (rasterised,) = PageRasteriser(renderer).pages(document)
            return reader.read(document, rasterised)

        yield page


@pytest.mark.parametrize("lines", [CYRILLIC, GREEK, ARABIC, HEBREW], ids=["cyrillic", "greek", "arabic", "hebrew"])
def test_a_scan_in_a_script_that_ocr_does_not_know_says_so(lines: list[str], tmp_path: Path, read: Read) -> None:
    page = read(saved(printed(lines), tmp_path))
    assert [(issue.code, issue.severity, issue.page) for issue in page.issues] == [("unread_script", "warning", 1)]
    assert "lines of page 1 could not be read" in page.issues[0].message
    assert "1851.50" in [word.text for word in page.words]  # figures are read in any script


def test_a_page_is_not_turned_for_what_ocr_makes_of_a_script_that_it_does_not_know(tmp_path: Path, read: Read) -> None:
    assert read(saved(printed(HEBREW, size=16), tmp_path)).rotation == 0


def test_a_page_in_such_a_script_that_stands_on_its_head_is_turned_for_its_figures(tmp_path: Path, read: Read) -> None:
    page = read(saved(printed(CYRILLIC).rotate(180), tmp_path))
    assert page.rotation == 180
    assert [issue.code for issue in page.issues] == ["page_turned", "unread_script"]


def test_print_in_many_languages_that_is_blurred_and_faint_is_no_other_script(tmp_path: Path, read: Read) -> None:
    sheet = printed(LATIN).filter(ImageFilter.GaussianBlur(2.5))
    faint = Image.blend(sheet, Image.new("RGB", sheet.size, "white"), 0.6)
    assert read(saved(faint, tmp_path)).issues == ()


def test_an_address_in_another_script_is_no_reason_for_an_alarm(tmp_path: Path, read: Read) -> None:
    assert read(saved(printed([*LATIN[:4], *CYRILLIC[1:4], *LATIN[4:]]), tmp_path)).issues == ()


def test_a_page_every_second_line_of_which_is_in_another_script_says_so(tmp_path: Path, read: Read) -> None:
    lines = [line for pair in zip(LATIN, CYRILLIC, strict=False) for line in pair]
    assert [issue.code for issue in read(saved(printed(lines), tmp_path)).issues] == ["unread_script"]


def test_exact_words_in_another_script_are_kept_though_ocr_reads_something_else(tmp_path: Path, read: Read) -> None:
    """Few words, over a picture: the layer is compared with what OCR reads."""
    canvas = _canvas(tmp_path)
    canvas.drawImage(ImageReader(Image.new("RGB", (100, 100), "#eef2ff")), 0, 400, width=A4[0], height=442)
    _write(canvas, CYRILLIC[:4])
    page = read(tmp_path / "page.pdf")
    assert page.lines == tuple(CYRILLIC[:4])
    assert ({word.source for word in page.words}, page.issues) == ({"textlayer"}, ())


def test_a_hidden_layer_in_another_script_over_print_that_ocr_can_read_is_not_believed(
    tmp_path: Path, read: Read
) -> None:
    sheet = Image.new("RGB", (round(2 * A4[0]), round(2 * A4[1])), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.truetype(str(_font_file()), 2 * POINTS)
    for number, line in enumerate(LATIN[: len(CYRILLIC)]):
        draw.text((2 * LEFT, 2 * (A4[1] - TOP + LEADING * number)), line, font=font, fill="black", anchor="ls")
    canvas = _canvas(tmp_path)
    canvas.drawImage(ImageReader(sheet), 0, 0, *A4)
    _write(canvas, CYRILLIC, invisible=True)
    page = read(tmp_path / "page.pdf")
    assert [issue.code for issue in page.issues] == ["text_layer_distrusted"]
    assert LATIN[0] in " ".join(page.lines)


def test_a_bill_that_was_not_read_is_never_only_without_values(tmp_path: Path) -> None:
    result = extract(saved(printed(CYRILLIC), tmp_path), Invoice)
    assert result.status == "needs_review"
    assert result.issues[0].code == "unread_script"
    missing = [issue.message for issue in result.issues if issue.code == "missing_required"]
    assert missing
    assert all("a script that was not read" in message for message in missing)


def _canvas(folder: Path) -> Canvas:
    registerFont(TTFont("DejaVuSans", str(_font_file())))
    return Canvas(str(folder / "page.pdf"), pagesize=A4)


def _write(canvas: Canvas, lines: list[str], *, invisible: bool = False) -> None:
    text = canvas.beginText(LEFT, TOP)
    text.setFont("DejaVuSans", POINTS)
    text.setLeading(LEADING)
    text.setTextRenderMode(3 if invisible else 0)
    for line in lines:
        text.textLine(line)
    canvas.drawText(text)
    canvas.save()
