"""Exact words in scripts that the embedded network did not learn, and where the issue stands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from docpipe.batch.outcome import Outcome
from docpipe.data import Extraction, Field, Issue
from docpipe.extractors.embedded import EmbeddedExtractor
from docpipe.schema import load_schema
from docpipe.unread_script import UNREAD_SCRIPT, lines_in_other_scripts
from tests.support.pages import page_of

BILLS = {
    "Cyrillic": ["Счет на оплату", "Бумага офисная 10 4.59", "Доставка груза", "Итого к оплате 149.16"],
    "Greek": ["Τιμολόγιο πώλησης", "Χαρτί γραφείου 10 4.59", "Μεταφορά", "Πληρωτέο ποσό 149.16"],
    "Arabic": ["فاتورة ضريبية", "ورق طباعة 10 4.59", "خدمات نقل", "المجموع 149.16"],
    "Hebrew": ["חשבונית מס", "נייר משרדי 10 4.59", "שירותי הובלה", "סך הכל 149.16"],
    "Korean": ["세금계산서", "사무용 용지 10 4.59", "화물 운송", "합계 금액 149.16"],
    "Thai": ["ใบกำกับภาษี", "กระดาษ 10 4.59", "ค่าขนส่ง", "รวมทั้งสิ้น 149.16"],
    "Devanagari": ["कर चालान", "सफेद कागज 10 4.59", "माल ढुलाई", "कुल राशि 149.16"],
    "Chinese": ["增值税发票", "打印纸 10 4.59", "运输服务", "合计金额 149.16"],
}
LATIN = [
    "Rechnung über gelieferte Ware",
    "Widerstand 220 Ω, Kondensator 10 µF, Profil Θ",
    "Coca-Cola™ Lager α № 5",
    "Příjemce: Železářství Dvořák",
    "Fatura tarihi: İstanbul, Şişli",
    "Đơn vị bán hàng: Hà Nội",
    "品名：打印纸",
    "Gesamtbetrag 149,16 €",
]


@pytest.fixture(scope="module")
def extractor() -> EmbeddedExtractor:
    return EmbeddedExtractor()


@pytest.mark.parametrize("script", BILLS)
def test_the_embedded_extractor_names_a_script_that_its_network_did_not_learn(
    script: str, extractor: EmbeddedExtractor
) -> None:
    answer = extractor.extract([page_of(LATIN), page_of(BILLS[script], number=2)], load_schema("invoice"))
    (issue,) = [issue for issue in answer.issues if issue.code == UNREAD_SCRIPT]
    assert (issue.page, issue.severity) == (2, "warning")
    assert issue.message.startswith(f"4 of 4 lines of page 2 are in {script} script, which the embedded network")


def test_signs_letters_of_formulas_and_single_lines_are_no_other_script(extractor: EmbeddedExtractor) -> None:
    answer = extractor.extract([page_of(LATIN)], load_schema("invoice"))
    assert UNREAD_SCRIPT not in [issue.code for issue in answer.issues]
    assert lines_in_other_scripts(LATIN).unread == 1


def test_a_page_that_its_reader_has_named_is_not_named_again(extractor: EmbeddedExtractor) -> None:
    page = replace(page_of(BILLS["Korean"]), issues=(Issue(UNREAD_SCRIPT, "4 of 4 lines could not be read", page=1),))
    answer = extractor.extract([page], load_schema("invoice"))
    assert UNREAD_SCRIPT not in [issue.code for issue in answer.issues]


def test_a_person_reads_first_that_a_script_was_not_read() -> None:
    missing = Issue("missing_required", "total was not found", field="total")
    unread, worse = Issue(UNREAD_SCRIPT, "4 of 4 lines", page=1), Issue("sum_mismatch", "1 is not 2", "error", "total")
    fields = (Field("total", None, None, 0.0, issues=(worse,)),)
    extraction = Extraction("0" * 64, "receipt", "1", "scripted:1", "key", "needs_review", 1, fields, (missing, unread))
    outcome = Outcome(Path("a.png"), extraction.document_id, extraction)
    assert outcome.issues_to_review() == [unread, worse, missing]
