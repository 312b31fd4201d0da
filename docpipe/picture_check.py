"""The last look: do the digits of what would be accepted stand on the page?

In: decided fields, the document's words, a `WordReader`. Out: the fields; one whose words the picture shows with other
digits is not accepted, and its issue says what the picture shows.
Only words of a text layer are looked at: those of OCR were read from the picture. A reading counts against a value only
where OCR is sure and sees as many digits as the layer has; letters are not compared, as OCR confuses too many.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from docpipe.data import Field, Issue, Page, Word
from docpipe.document_index import DocumentIndex
from docpipe.ports import WordReader

MAX_WORDS = 80  # of a document, 10 to 15 ms each: single values first, then rows, which their sums check as well
SURE = 0.9  # OCR's confidence from which its reading counts


@dataclass(frozen=True, slots=True)
class _WordOnPage:
    page: int
    word: int  # index among the page's words


def veto_other_digits(
    fields: Sequence[Field], pages: Sequence[Page], index: DocumentIndex, reader: WordReader
) -> tuple[Field, ...]:
    """Each page's words are read in one batch."""
    accepted = sorted((field for field in fields if field.accepted), key=lambda field: "[" in field.path)
    places = {field.path: list(_places(field, index)) for field in accepted}
    asked: dict[int, dict[int, Word]] = defaultdict(dict)
    for place in list(dict.fromkeys(place for found in places.values() for place in found))[:MAX_WORDS]:
        asked[place.page][place.word] = index.pages[place.page].words[place.word]
    shown = {
        _WordOnPage(page.number, word): reading
        for page in pages
        if (words := asked.get(page.number)) and page.image is not None
        for word, reading in zip(words, reader.read_words(page, [word.box for word in words.values()]), strict=True)
    }
    return tuple(_checked(field, places.get(field.path, ()), shown, index) for field in fields)


def _places(field: Field, index: DocumentIndex) -> Iterator[_WordOnPage]:
    """The words of a field's evidence that came from a text layer and have digits."""
    for quote in field.evidence:
        page = index.pages.get(quote.page)
        for number in page.words_in(quote.box) if page is not None else ():
            if page is not None and page.words[number].source == "textlayer" and _digits(page.words[number].text):
                yield _WordOnPage(quote.page, number)


def _checked(
    field: Field, places: Sequence[_WordOnPage], shown: Mapping[_WordOnPage, Word], index: DocumentIndex
) -> Field:
    for place in places:
        word = index.pages[place.page].words[place.word]
        if place in shown and _contradicts(word, shown[place]):
            message = f"the page shows {shown[place].text}, where the file's own text has {word.text}"
            issue = Issue("picture_differs", message, field=field.path, page=place.page)
            return replace(field, accepted=False, issues=(*field.issues, issue))
    return field


def _contradicts(word: Word, reading: Word) -> bool:
    own, seen = _digits(word.text), _digits(reading.text)
    return own != seen and len(own) == len(seen) and reading.confidence >= SURE


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdecimal())
