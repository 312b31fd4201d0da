"""An extractor that answers from a script: for tests, and for trying a pipeline without a model.

In: a JSON file or a dict. Out: the Answer that it describes.

    {"invoice_number": "R-17",                              one candidate
     "gross_total": ["119,00", "100,00"],                   several, best first
     "issue_date": {"text": "1.2.2026", "score": 0.6},      with its probability
     "due_date": null,                                      not on the document
     "line_items": [{"description": "Paper", "amount": "100,00"}]}

A list of such scripts, each with `"when": "a text on the pages"`, answers with the first whose text is there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docpipe.data import Answer, Candidate, Page
from docpipe.errors import AnswerError, ModelError

if TYPE_CHECKING:
    from docpipe.schema import Schema

Script = Mapping[str, Any]
SCORE = 0.9  # of a text without one; the second of several has a tenth of it, and so on
SCORE_RATIO = 0.1
ABSENCE = 0.98  # probability of absence that null stands for
WHEN, AS = "when", "as"  # only on pages with this text; which choice the document is, under a schema of choices


class ScriptedExtractor:
    """Answers the same whatever the schema; fields that it does not have are passed over by `decide`."""

    batch_size = 1

    def __init__(self, script: Script | Sequence[Script]) -> None:
        self._scripts = [script] if isinstance(script, Mapping) else list(script)
        content = json.dumps(self._scripts, sort_keys=True, ensure_ascii=False)
        self.name = f"scripted:{hashlib.sha256(content.encode()).hexdigest()[:12]}"

    @classmethod
    def from_file(cls, path: Path) -> ScriptedExtractor:
        """Raises ModelError when the file is not a script."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(f"the script {path} cannot be read: {error}", hint="Give a JSON file.") from error
        return cls(content)

    def extract(self, pages: Sequence[Page], schema: Schema) -> Answer:  # noqa: ARG002  (the protocol's arguments)
        text = " ".join(word.text for page in pages for word in page.words)
        for script in self._scripts:
            if script.get(WHEN, "") in text:
                return _answer(script)
        raise AnswerError("no script is for these pages", hint='Add one without "when".')

    def extract_many(self, batch: Sequence[Sequence[Page]], schema: Schema) -> list[Answer]:
        return [self.extract(pages, schema) for pages in batch]


def _answer(script: Script) -> Answer:
    candidates: list[Candidate] = []
    absent: dict[str, float] = {}
    for path, value in _leaves(script, ""):
        if value is None:
            absent[path] = ABSENCE
        for rank, text in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(text, Mapping):
                candidates.append(Candidate(path, str(text["text"]), float(text.get("score", SCORE))))
            elif text is not None:
                candidates.append(Candidate(path, str(text), SCORE * SCORE_RATIO**rank))
    return Answer(tuple(candidates), absent, schema=str(script.get(AS, "")))


def _leaves(script: Script, prefix: str) -> Iterator[tuple[str, Any]]:
    """Concrete paths and their values; a list of objects without `text` is a list of rows."""
    for name, value in script.items():
        path = prefix + name
        if path in (WHEN, AS):
            continue
        if isinstance(value, list) and value and all(isinstance(row, Mapping) and "text" not in row for row in value):
            for number, row in enumerate(value):
                yield from _leaves(row, f"{path}[{number}].")
        elif isinstance(value, Mapping) and "text" not in value:
            yield from _leaves(value, f"{path}.")
        else:
            yield path, value
