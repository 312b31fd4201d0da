"""What became of each file. In: nothing of ours but the nouns. Out: `Outcome`, one for every file of a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from docpipe.data import Extraction, Issue, Status
from docpipe.errors import DocpipeError
from docpipe.unread_script import is_unread


@dataclass(frozen=True, slots=True)
class Outcome:
    """One file's result: an extraction or an error, never both.

    `document_id` is None only where the file could not even be read. `unchanged`: the same work was stored before.
    """

    path: Path
    document_id: str | None
    extraction: Extraction | None = None
    error: DocpipeError | None = None
    unchanged: bool = False
    pages: int = 0

    @property
    def status(self) -> Status:
        return "failed" if self.extraction is None else self.extraction.status

    def issues_to_review(self) -> list[Issue]:
        """What a person should look at: first that a script was not read, as it explains what is missing; then errors,
        then what names a field, then the rest."""
        if self.extraction is None:
            return []
        issues = [*self.extraction.issues, *(issue for item in self.extraction.fields for issue in item.issues)]
        to_review = [issue for issue in issues if issue.severity != "info"]
        return sorted(
            to_review, key=lambda issue: (not is_unread([issue]), issue.severity != "error", issue.field is None)
        )
