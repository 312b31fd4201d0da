"""Every candidate is found on the page, or says that it is not there."""

from dataclasses import replace

from docpipe.data import Answer, Box, Candidate, Evidence
from docpipe.document_index import DocumentIndex
from docpipe.ground import ground
from tests.support.pages import page_of


def grounded(*candidates, pages):
    return ground(Answer(tuple(candidates)), DocumentIndex(pages)).candidates


def quote_of(page, text):
    words = [word for word in page.words if word.text in text.split()]
    box = words[0].box
    for word in words[1:]:
        box = box.union(word.box)
    return Evidence(page.number, box, text)


def test_a_candidate_without_evidence_is_looked_for_on_all_pages():
    pages = [page_of(["Cover"], number=1), page_of(["Total 80.90"], number=2)]
    (candidate,) = grounded(Candidate("total", "80.90", 0.9), pages=pages)
    assert [(quote.page, quote.text, quote.match) for quote in candidate.evidence] == [(2, "80.90", "exact")]


def test_a_candidate_that_is_printed_nowhere_keeps_no_evidence():
    (candidate,) = grounded(Candidate("total", "99.99", 0.9), pages=[page_of(["Total 80.90"])])
    assert candidate.evidence == ()


def test_evidence_that_an_extractor_brings_is_kept_when_the_words_stand_there():
    page = page_of(["Sum 80.90", "Total 80.90"])
    brought = Evidence(1, page.words[3].box, "80.90")
    (candidate,) = grounded(Candidate("total", "80.90", 0.9, (brought,)), pages=[page])
    assert candidate.evidence == (brought,)


def test_evidence_that_points_beside_the_words_is_replaced_by_where_they_are():
    page = page_of(["Sum 70.00", "Total 80.90"])
    wrong = Evidence(1, page.words[1].box, "80.90")
    (candidate,) = grounded(Candidate("total", "80.90", 0.9, (wrong,)), pages=[page])
    assert [quote.box for quote in candidate.evidence] == [page.words[3].box]


def test_evidence_on_a_page_that_does_not_exist_is_not_believed():
    nowhere = Evidence(7, Box(0, 0, 1, 1), "Acme")
    (candidate,) = grounded(Candidate("name", "Acme", 0.9, (nowhere,)), pages=[page_of(["Bolt"])])
    assert candidate.evidence == ()


def test_a_quote_that_is_there_but_does_not_say_what_the_candidate_says_is_not_evidence():
    page = page_of(["Total 80.90"])
    (candidate,) = grounded(Candidate("total", "1.23", 0.9, (quote_of(page, "80.90"),)), pages=[page])
    assert candidate.evidence == ()


def test_a_quote_may_leave_out_the_words_of_another_column():
    page = page_of(["12 High INVOICE Street"])
    (candidate,) = grounded(
        Candidate("address", "12 High Street", 0.9, (quote_of(page, "12 High Street"),)), pages=[page]
    )
    assert [quote.text for quote in candidate.evidence] == ["12 High Street"]


def test_the_cells_of_a_row_are_found_in_that_row():
    page = page_of(["Hammer 1 20.00", "Nails 1 20.00", "Saw 2 20.00", "Total 60.00"])
    row = [Candidate("items[0].description", "Saw", 0.9), Candidate("items[0].amount", "20.00", 0.9)]
    name, amount = grounded(*row, pages=[page])
    assert amount.evidence[0].box.top == name.evidence[0].box.top


def cells(description, *others):
    """Candidates of one row: a description and its other cells."""
    columns = ("quantity", "amount")
    rest = [Candidate(f"items[0].{column}", text, 0.9) for column, text in zip(columns, others, strict=False)]
    return [Candidate("items[0].description", description, 0.9), *rest]


FAR_BELOW = [""] * 6  # empty lines between the letterhead and the table


def test_a_number_is_not_found_inside_a_longer_one():
    page = page_of(["Capital 120,000", *FAR_BELOW, "Hammer 20 pcs"])
    (candidate,) = grounded(Candidate("quantity", "20.000", 0.9), pages=[page])
    assert candidate.evidence == ()
    (slip,) = grounded(Candidate("quantity", "2O000", 0.9), pages=[page])
    assert slip.evidence == ()


def test_a_part_of_a_number_is_no_evidence():
    page = page_of(["Capital 120.000"])
    brought = Evidence(1, page.words[1].box, "20.000")
    (candidate,) = grounded(Candidate("quantity", "20.000", 0.9, (brought,)), pages=[page])
    assert candidate.evidence == ()


def test_a_cell_is_not_found_in_the_letterhead_but_in_its_row_even_where_it_is_written_otherwise():
    page = page_of(["Unit 2 Mill Lane", *FAR_BELOW, "Hammer 2,00 pcs 20.00"])
    name, quantity, _ = grounded(*cells("Hammer", "2", "20.00"), pages=[page])
    assert [quote.text for quote in quantity.evidence] == ["2,00"]
    assert quantity.evidence[0].box.top == name.evidence[0].box.top


def test_a_cell_that_is_printed_in_the_letterhead_only_has_no_evidence():
    page = page_of(["Unit 7 Mill Lane", *FAR_BELOW, "Hammer 20.00"])
    _, quantity, amount = grounded(*cells("Hammer", "7", "20.00"), pages=[page])
    assert quantity.evidence == ()
    assert amount.evidence


def test_a_cell_keeps_its_own_evidence_and_the_others_follow_it():
    page = page_of(["Nails 20.00", *FAR_BELOW, "Hammer 20.00"])
    last = page.words[-1]
    brought = Evidence(1, page.words[-2].box, "Hammer")
    name = Candidate("items[0].description", "Hammer", 0.9, (brought,))
    unique_elsewhere = Candidate("items[0].unit", "Nails", 0.9)
    name, _, amount = grounded(name, unique_elsewhere, Candidate("items[0].amount", "20.00", 0.9), pages=[page])
    assert name.evidence == (brought,)
    assert [quote.box for quote in amount.evidence] == [last.box]


def test_a_total_is_not_looked_for_among_the_rows_when_it_stands_elsewhere():
    page = page_of(["Hammer 20.00", "VAT 20.00"])
    candidates = [
        Candidate("tax", "20.00", 0.9),
        Candidate("items[0].description", "Hammer", 0.9),
        Candidate("items[0].amount", "20.00", 0.9),
    ]
    tax, _, amount = grounded(*candidates, pages=[page])
    assert tax.path == "tax"  # the order of the answer is kept
    assert tax.evidence[0].box.top > amount.evidence[0].box.top


def test_how_often_a_text_is_printed_is_a_signal():
    page = page_of(["Acme Ltd", "Pay to Acme Ltd", "Bolt Inc"])
    twice, once, never = grounded(
        Candidate("a", "Acme Ltd", 0.9), Candidate("b", "Bolt Inc", 0.9), Candidate("c", "Nobody", 0.9), pages=[page]
    )
    assert twice.signals["support"] > once.signals["support"] > never.signals["support"] == 0


def test_nothing_else_of_the_answer_changes():
    answer = Answer((Candidate("a", "Acme", 0.7),), {"b": 0.4}, "length", 10, 20)
    after = ground(answer, DocumentIndex([page_of(["Acme"])]))
    assert replace(after, candidates=()) == replace(answer, candidates=())
    assert after.candidates[0].score == 0.7
