"""The words of a document, prepared for searching once and handed from step to step.

In: the document's pages. Out: a `DocumentIndex`: an index for each page, and what is asked of all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from docpipe.data import Page
from docpipe.text_search import Occurrence, PageIndex


class DocumentIndex:
    """The pages of a document, each with its words prepared for many searches when they are first needed."""

    def __init__(self, pages: Sequence[Page]) -> None:
        self._pages = pages

    @cached_property
    def pages(self) -> Mapping[int, PageIndex]:
        """By the pages' numbers."""
        return {page.number: PageIndex(page) for page in self._pages}

    @cached_property
    def printed(self) -> str:
        """All pages, one a line."""
        return "\n".join(page.printed for page in self.pages.values())

    @property
    def lines(self) -> Iterator[str]:
        """The text lines in reading order."""
        return (line for page in self._pages for line in page.lines)

    def find(self, text: str) -> list[Occurrence]:
        """The occurrences of a text on all pages, best first, then in reading order."""
        occurrences = [occurrence for page in self.pages.values() for occurrence in page.find(text)]
        return sorted(occurrences, key=lambda occurrence: (-occurrence.quality, occurrence.page, occurrence.first_word))
