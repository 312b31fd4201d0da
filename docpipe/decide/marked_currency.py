"""The currency that is printed beside the amounts, where the extractor says that there is none, or names another.

In: the options of each field, the words of the pages. Out: the options again; a currency beside the amounts is one
more, with the mark as its evidence. Found without the network, it is not accepted.

The marks beside what the extractor takes for the totals count most: rows and converted amounts may have others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from docpipe.decide.options import MIN_ABSENT_SCORE, KindParser, Option, ScoredOption
from docpipe.decide.witness import filled, likeliest, others, witness_option
from docpipe.document_index import DocumentIndex
from docpipe.paths import FieldPath
from docpipe.schema_ports import AmountMark, Parsed
from docpipe.text_search import PageIndex

MAX_AMOUNTS = 2000  # amounts with a mark that are looked at, the last ones: three columns of 300 rows, and totals
CLEAR_SHARE = 0.75  # of all marks, where none stands beside a total: what is marked otherwise is a conversion
MIN_MARKS = 2  # that speak against the extractor's own choice, or where none stands beside a total
MONEY = "money"
OTHER_CURRENCY = "currency_differs"  # the issue of a currency that the totals are not marked with


@dataclass(frozen=True, slots=True)
class MarkedAmount:
    """A number and a mark of currency beside it (or in one word with it). `currency`: None where the mark is shared by
    several and the document does not say which."""

    page: int
    amount: int  # number of the word on its page
    mark: int
    currency: object


def with_marked_currency(
    table: Mapping[str, list[ScoredOption]], parser: KindParser, document: DocumentIndex
) -> dict[str, list[ScoredOption]]:
    """Only where the schema asks for one currency: of several nothing says which is that of the amounts."""
    paths = [path for path in table if isinstance(parser.kind(path), AmountMark)]
    if len(paths) != 1 or FieldPath.parse(paths[0]).is_cell:
        return dict(table)
    path = paths[0]
    best = likeliest(table[path])
    marked = list(islice(marked_amounts(path, parser, document), MAX_AMOUNTS))[::-1]
    of_totals = _of_totals(marked, table, parser, document)
    if best is None or best.value is None:
        chosen = _unanimous(of_totals) if of_totals else _clear(marked)
        if chosen is not None:
            return {**table, path: filled(table[path], _marked_option(table[path], chosen, document))}
    else:
        chosen = _unanimous(of_totals)
        if chosen is not None and _contradicts(chosen, best, marked, document):
            return {**table, path: _contradicted(table[path], best, _marked_option(table[path], chosen, document))}
    return dict(table)


def marked_amounts(path: str, parser: KindParser, document: DocumentIndex) -> Iterator[MarkedAmount]:
    """From the end, where the totals stand. A mark between two numbers is one of both."""
    kind = parser.kind(path)
    assert isinstance(kind, AmountMark)  # noqa: S101 - the caller chose the path by it
    for number, page in sorted(document.pages.items(), reverse=True):
        for index in range(len(page.words) - 1, -1, -1):
            if not any(map(str.isdigit, page.words[index].text)):
                continue
            for mark in (index + 1, index - 1, index):
                text = _text_of(page, index, mark)
                if text is not None and kind.marks_amount(text):
                    yield MarkedAmount(number, index, mark, parser.parse(path, text).value)


def _text_of(page: PageIndex, amount: int, mark: int) -> str | None:
    """A number with the word beside it; None where that is on another line."""
    first, last = min(amount, mark), max(amount, mark)
    if first < 0 or last >= len(page.words) or page.words[first].line != page.words[last].line:
        return None
    return page.text(first, last)


def _of_totals(
    marked: Sequence[MarkedAmount], table: Mapping[str, list[ScoredOption]], parser: KindParser, document: DocumentIndex
) -> list[MarkedAmount]:
    """Those whose amounts are the likeliest values of the document's own fields of money, there or printed again."""
    amounts = [path for path in table if not FieldPath.parse(path).is_cell and parser.kind(path).name == MONEY]
    best = [likeliest(table[path]) for path in amounts]
    totals = [option for option in best if option is not None and option.value]
    places = {
        (quote.page, word)
        for option in totals
        for quote in option.evidence
        if quote.page in document.pages
        for word in document.pages[quote.page].words_in(quote.box)
    }
    values = {option.value for option in totals}

    def is_total(found: MarkedAmount) -> bool:
        if (found.page, found.amount) in places:
            return True
        text = _text_of(document.pages[found.page], found.amount, found.mark)
        return text is not None and parser.parse(amounts[0], text).value in values

    return [found for found in marked if totals and is_total(found)]


def _unanimous(marked: Sequence[MarkedAmount]) -> MarkedAmount | None:
    """The last one, where all have one currency."""
    return marked[-1] if len({found.currency for found in marked}) == 1 and marked[-1].currency else None


def _clear(marked: Sequence[MarkedAmount]) -> MarkedAmount | None:
    """The last one of the currency that nearly all marks have; one mark alone may be a misread letter or a price of
    something else."""
    counts = _counts(marked)
    for currency, times in counts.most_common(1):
        if currency is not None and times >= max(MIN_MARKS, CLEAR_SHARE * counts.total()):
            return next(found for found in reversed(marked) if found.currency == currency)
    return None


def _counts(marked: Sequence[MarkedAmount]) -> Counter[object]:
    """How many marks each currency has."""
    return Counter({(found.page, found.mark): found.currency for found in marked}.values())


def _contradicts(chosen: MarkedAmount, best: Option, marked: Sequence[MarkedAmount], document: DocumentIndex) -> bool:
    """Whether the totals' mark speaks against the extractor's choice: most marks are of its currency, too. A symbol
    does not speak against a code, since countries share symbols: `PKR` and `Rs` are one currency."""
    counts, code = _counts(marked), str(chosen.currency)
    if chosen.currency == best.value or counts[chosen.currency] < MIN_MARKS:
        return False
    is_symbol = code not in document.pages[chosen.page].words[chosen.mark].text
    is_usual = counts[chosen.currency] == max(counts.values())
    return is_usual and not (is_symbol and str(best.value) in best.raw)


def _marked_option(scored: Sequence[ScoredOption], chosen: MarkedAmount, document: DocumentIndex) -> Option:
    page = document.pages[chosen.page]
    return witness_option(chosen.currency, page.quote(chosen.mark, chosen.mark), scored)


def _contradicted(scored: Sequence[ScoredOption], best: Option, option: Option) -> list[ScoredOption]:
    """With the mark's currency beside the extractor's own. All are doubtful, the likeliest is taken."""
    message = f"{best.value} was found for the currency, but the totals are marked {option.value}"
    doubted = [
        one if one.parsed.issue else replace(one, parsed=Parsed(one.value, OTHER_CURRENCY, message))
        for one in (*others(scored, option), option)
    ]
    return [*(ScoredOption(one, one.score) for one in doubted), ScoredOption(None, MIN_ABSENT_SCORE)]
