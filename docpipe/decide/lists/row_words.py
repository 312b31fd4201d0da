"""What the rows of a list are called, where the model found no words for it: those left of the row's numbers.

In: options per path, the pages. Out: the options with such words for rows that lack their first column of text (the
description of an article). The words are printed on the row's own line, below or above other rows' words, and belong to
no field. Nothing proves them: they are never accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import takewhile

from docpipe.data import Answer, Candidate, Issue, Word
from docpipe.decide.joint import OptionTable
from docpipe.decide.lists.amount_lines import WordPlace, has_letters, stands_in_column
from docpipe.decide.options import KindParser, Option, ScoredOption, options
from docpipe.document_index import DocumentIndex
from docpipe.paths import FieldPath
from docpipe.schema_ports import ColumnSum, group_of

LINE_SCORE = 0.6  # as of what captions find: more likely than not, and never sure
LINE_SIGNALS: Mapping[str, float] = {"line": 1.0}


def with_row_words(table: OptionTable, parser: KindParser, document: DocumentIndex) -> OptionTable:
    """The options, with the words of their line for rows that have an amount and lack their text."""
    chosen = first_options(table)
    widened = dict(table)
    for amounts in (rule.column for rule in parser.schema.rules if isinstance(rule, ColumnSum)):
        list_path = FieldPath.parse(amounts).list_path or ""
        column = parser.schema.text_column(list_path)
        if column is None:
            continue
        leaf = FieldPath.parse(column.path).leaf
        rows = _rows_with_amount(chosen, amounts)
        nameless = {row: cells for row, cells in rows.items() if f"{row}.{leaf}" not in cells}
        if not nameless:
            continue
        layout = ListLayout.of(chosen, list_path, parser, document)
        used = {place for option in chosen.values() for place in places_of(option, document)}
        for row, cells in nameless.items():
            path, words = f"{row}.{leaf}", _unused_left_of(cells, used, document)
            option = (
                layout.text_option(path, words, parser, document) if layout.is_among_texts(words, document) else None
            )
            if option is not None:
                widened[path] = line_options(option)
    return widened


def first_options(table: Mapping[str, Sequence[ScoredOption]]) -> dict[str, Option]:
    """The likeliest option of each path, where that is not to be absent."""
    likeliest = {path: max(scored, key=lambda option: option.score).option for path, scored in table.items()}
    return {path: option for path, option in likeliest.items() if option is not None}


def line_options(option: Option) -> list[ScoredOption]:
    """The options of a field that had no value: what the model said less likely than nothing is left out."""
    return [ScoredOption(option, option.score), ScoredOption(None, 1.0 - option.score)]


def read_from_line(path: str, option: Option) -> Issue:
    """The trace of what no model proposed."""
    is_amount = isinstance(option.value, Decimal)
    reason = (
        "with it the rows add up" if is_amount else "it stands left of the row's numbers and belongs to nothing else"
    )
    message = f"no model proposed {option.raw!r}: {reason}"
    return Issue("read_from_line", message, "info", field=path)


def places_of(option: Option, document: DocumentIndex) -> list[WordPlace]:
    """The words that an option stands on."""
    return [
        WordPlace(quote.page, word)
        for quote in option.evidence
        if quote.page in document.pages
        for word in document.pages[quote.page].words_in(quote.box)
    ]


@dataclass(frozen=True)
class ListLayout:
    """Where the columns of a list stand: by page the words of its texts, by page and column those of its numbers, and
    by page those of numbers outside of it (totals)."""

    texts: Mapping[int, Sequence[Word]]
    numbers: Mapping[tuple[int, str], Sequence[Word]]
    outside: Mapping[int, Sequence[Word]]

    @staticmethod
    def of(chosen: Mapping[str, Option], list_path: str, parser: KindParser, document: DocumentIndex) -> ListLayout:
        column = parser.schema.text_column(list_path)
        texts: dict[int, list[Word]] = {}
        numbers: dict[tuple[int, str], list[Word]] = {}
        outside: dict[int, list[Word]] = {}
        for path, option in chosen.items():
            parsed = FieldPath.parse(path)
            is_own, is_number = parsed.list_path == list_path, group_of(parser.kind(path)) == "number"
            for place in places_of(option, document):
                word = document.pages[place.page].words[place.word]
                if column is not None and parsed.template == column.path:
                    texts.setdefault(place.page, []).append(word)
                elif is_own and is_number:
                    numbers.setdefault((place.page, parsed.template), []).append(word)
                elif is_number and not parsed.is_cell:
                    outside.setdefault(place.page, []).append(word)
        return ListLayout(texts, numbers, outside)

    def is_among_texts(self, words: Sequence[WordPlace], document: DocumentIndex) -> bool:
        """Whether words stand in the table: no total lies between them and the nearest text of another row."""
        texts = self.texts.get(words[0].page, ()) if words else ()
        if not texts:
            return False
        height = document.pages[words[0].page].words[words[0].word].box.top
        nearest = min((text.box.top for text in texts), key=lambda top: abs(top - height))
        low, high = sorted((nearest, height))
        return not any(low < word.box.top < high for word in self.outside.get(words[0].page, ()))

    def text_option(
        self, path: str, words: Sequence[WordPlace], parser: KindParser, document: DocumentIndex
    ) -> Option | None:
        """The words of a line as the text of its row: those in the column of texts, up to another column's number."""
        if not words:
            return None
        page = document.pages[words[0].page]
        left = min((text.box.left for text in self.texts.get(words[0].page, ())), default=0.0)
        inside: list[int] = []
        for place in words:
            word = page.words[place.word]
            if self._is_number(place.page, word):
                break
            if word.box.right > left:
                inside.append(place.word)
        while inside and not any(character.isalnum() or character == "%" for character in page.words[inside[-1]].text):
            inside.pop()  # a currency before the next number
        if not inside or inside != list(range(inside[0], inside[-1] + 1)):
            return None
        quote = page.quote(inside[0], inside[-1])
        if not has_letters(quote[0].text):
            return None
        candidate = Candidate(path, quote[0].text, LINE_SCORE, quote, LINE_SIGNALS)
        (option, *_) = options(Answer((candidate,)), parser, document)[path]
        return option if option.value is not None else None

    def _is_number(self, page: int, word: Word) -> bool:
        return any(of_page == page and stands_in_column(word, cells) for (of_page, _), cells in self.numbers.items())


def _rows_with_amount(chosen: Mapping[str, Option], column: str) -> dict[str, dict[str, Option]]:
    """The cells that stand somewhere, by their rows; rows without an amount are left out."""
    rows: dict[str, dict[str, Option]] = {}
    for path, option in chosen.items():
        row = FieldPath.parse(path).row
        if row and option.evidence:
            rows.setdefault(row, {})[path] = option
    return {
        row: cells
        for row, cells in rows.items()
        if any(FieldPath.parse(path).template == column and option.value is not None for path, option in cells.items())
    }


def _unused_left_of(cells: Mapping[str, Option], used: set[WordPlace], document: DocumentIndex) -> list[WordPlace]:
    """The words of the first cell's line that stand left of all of the row's cells there and are of no field."""
    quotes = [quote for option in cells.values() for quote in option.evidence if quote.page in document.pages]
    if not quotes:
        return []
    first = min(quotes, key=lambda quote: (quote.page, quote.box.left))
    page = document.pages[first.page]
    numbers = page.words_in(first.box)
    if not numbers:
        return []
    line = page.words[numbers[0]].line
    left = takewhile(lambda number: page.words[number].line == line, range(numbers[0] - 1, -1, -1))
    places = [WordPlace(first.page, number) for number in left]
    return [place for place in reversed(places) if place not in used]
