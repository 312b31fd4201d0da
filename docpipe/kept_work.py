"""Work on a document that a later run with other settings uses again: the words of its pages, the words that were read
a second time, and the extractors' answers. Who wants to accept fewer errors does not wait for OCR again.

In: a reader, an extractor, and the entries of earlier runs. Out: the same ports, which take from the entries what is
there, and the entries that are new. An entry belongs to a document and to the preparation of its pages.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from docpipe.cascade import Cascade
from docpipe.data import Answer, Box, Document, Page, Word
from docpipe.errors import DocpipeError
from docpipe.page_images import CroppedImage
from docpipe.ports import Extractor, PartExtractor, Reader, RegionExtractor, WordReader
from docpipe.schema import Schema
from docpipe.serialise import (
    answer_from_json,
    answer_to_json,
    page_from_json,
    page_to_json,
    word_from_json,
    word_to_json,
)

T = TypeVar("T")
KeptEntries = Mapping[str, bytes]
"""Key -> compressed JSON."""


@dataclass
class KeptWork:
    """The entries of one document: `entries` from earlier runs, `new` from this one."""

    entries: KeptEntries = field(default_factory=dict)
    new: dict[str, bytes] = field(default_factory=dict)

    def find(self, key: str, from_json: Callable[[Any], T]) -> T | None:
        """What is kept under this key; None where nothing is, or where it cannot be read: then the work is done
        again."""
        content = self.new.get(key) or self.entries.get(key)
        if content is None:
            return None
        try:
            return from_json(json.loads(zlib.decompress(content)))
        except (zlib.error, ValueError, KeyError, TypeError):
            return None

    def keep(self, key: str, content: Any) -> None:
        self.new[key] = zlib.compress(json.dumps(content, default=float).encode("ascii"))


@dataclass(frozen=True)
class KeptReader:
    """Implements `ports.Reader` and `ports.WordReader`."""

    reader: Reader
    kept: KeptWork

    def read(self, document: Document, page: Page) -> Page:
        """The page's words as they were read before. Its picture is the one that is given, turned as far as then."""
        key = f"page {page.number}"
        kept = self.kept.find(key, page_from_json)
        if kept is not None:
            if page.image is None or not kept.rotation:
                return replace(kept, image=page.image)
            return replace(kept, image=page.image.turned(kept.rotation))
        read = self.reader.read(document, page)
        if not any(issue.severity == "error" for issue in read.issues):  # what went wrong may go well another time
            self.kept.keep(key, page_to_json(read))
        return read

    def read_words(self, page: Page, boxes: Sequence[Box]) -> Sequence[Word]:
        """Only the words that nobody has read again before are read from the picture."""
        if not isinstance(self.reader, WordReader):
            return [Word("", box, 0.0, "ocr", 0) for box in boxes]
        key = f"words {page.number}"
        kept = self.kept.find(key, lambda rows: [word_from_json(row) for row in rows])
        known = {word.box: word for word in kept or ()}
        missing = [box for box in boxes if box not in known]
        if missing:
            known |= dict(zip(missing, self.reader.read_words(page, missing), strict=True))
            self.kept.keep(key, [word_to_json(replace(word, box=box)) for box, word in known.items()])
        return [known[box] for box in boxes]


@dataclass(frozen=True)
class KeptExtractor:
    """Implements `ports.Extractor`. `picture_sides`: of the page pictures that it is given. A kept answer costs
    nothing again; one that was cut off is not kept."""

    extractor: Extractor
    kept: KeptWork
    picture_sides: tuple[int, ...]

    @property
    def name(self) -> str:
        return self.extractor.name

    @property
    def batch_size(self) -> int:
        return self.extractor.batch_size

    @property
    def reads_parts(self) -> bool:
        return isinstance(self.extractor, PartExtractor) and self.extractor.reads_parts

    def extract(self, pages: Sequence[Page], schema: Schema) -> Answer:
        key = self._key("answer", schema)
        return self._kept_answer(key) or self._keep(key, self.extractor.extract(pages, schema))

    def extract_many(self, batch: Sequence[Sequence[Page]], schema: Schema) -> Sequence[Answer | DocpipeError]:
        """Of the one document whose work this is."""
        answer = self._kept_answer(self._key("answer", schema))
        if answer is not None:
            return [answer]
        answers = self.extractor.extract_many(batch, schema)
        for new in (new for new in answers if isinstance(new, Answer)):
            self._keep(self._key("answer", schema), new)
        return answers

    def _key(self, what: str, schema: Schema, *details: object) -> str:
        choices = [(choice.name, choice.version) for choice in schema.choices]
        request = [self.name, self.picture_sides, schema.name, schema.version, choices, *details]
        return f"{what} {hashlib.sha256(json.dumps(request).encode()).hexdigest()}"

    def _kept_answer(self, key: str) -> Answer | None:
        return self.kept.find(key, answer_from_json)

    def _keep(self, key: str, answer: Answer) -> Answer:
        if answer.finish == "complete":
            free = replace(answer, tokens_in=0, tokens_out=0, image_tokens=0, money=0.0)
            self.kept.keep(key, answer_to_json(free))
        return answer


@dataclass(frozen=True)
class KeptRegionExtractor(KeptExtractor):
    """Implements `ports.RegionExtractor` as well."""

    def extract_regions(self, regions: Mapping[str, Page], schema: Schema) -> Answer:
        assert isinstance(self.extractor, RegionExtractor)  # noqa: S101 - `with_kept_answers` made it for that
        key = self._key("regions", schema, [_region(path, page) for path, page in regions.items()])
        return self._kept_answer(key) or self._keep(key, self.extractor.extract_regions(regions, schema))


def with_kept_answers(extractor: Extractor, kept: KeptWork, picture_sides: tuple[int, ...]) -> Extractor:
    """It, or both of a cascade: each asks only what nobody has asked about this document before."""
    if isinstance(extractor, Cascade):
        first, second = (
            with_kept_answers(member, kept, picture_sides) for member in (extractor.first, extractor.second)
        )
        return Cascade(first, second)
    wrapper = KeptRegionExtractor if isinstance(extractor, RegionExtractor) else KeptExtractor
    return wrapper(extractor, kept, picture_sides)


def _region(path: str, page: Page) -> list[object]:
    """What tells one region from another."""
    box = page.image.box if isinstance(page.image, CroppedImage) else None
    sides = None if box is None else [box.left, box.top, box.right, box.bottom]
    return [path, page.number, page.width, page.height, sides]
