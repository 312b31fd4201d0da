"""An extractor that answers from a script, four documents at a time.

In: a script as ScriptedExtractor takes it. Out: its answers; `sizes` has how many documents there were at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from docpipe.components import ExtractorKind
from docpipe.config import Settings
from docpipe.data import Answer, Page
from docpipe.errors import DocpipeError
from docpipe.extractors.scripted import ScriptedExtractor
from docpipe.ports import Extractor
from docpipe.schema import Schema

KIND = "batched"


class BatchedExtractor(ScriptedExtractor):
    batch_size = 4
    batch_sizes: ClassVar[list[int]] = []
    on_batch: ClassVar[Callable[[int], None]] = staticmethod(lambda _: None)

    def extract_many(self, batch: Sequence[Sequence[Page]], schema: Schema) -> Sequence[Answer | DocpipeError]:
        type(self).batch_sizes.append(len(batch))
        type(self).on_batch(len(batch))
        return [self._one(pages, schema) for pages in batch]

    def _one(self, pages: Sequence[Page], schema: Schema) -> Answer | DocpipeError:
        try:
            return self.extract(pages, schema)
        except DocpipeError as error:
            return error


def load(weights: str, settings: Settings, threads: int) -> Extractor:
    return BatchedExtractor.from_file(Path(weights))


BATCHED = ExtractorKind(load, picture_side=1_280)
"""For docpipe.components.EXTRACTOR_KINDS."""
