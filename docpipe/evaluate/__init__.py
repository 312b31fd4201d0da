"""Are the results right? Labels against results: precision, recall and F1 per field, rows, calibration, grounding.

In: a label file and the JSON lines of `docpipe run`. Out: an `Evaluation`; docs/evaluation.md says what is counted.
"""

from docpipe.evaluate.errors_page import errors_page
from docpipe.evaluate.labels import (
    LabelledDocument,
    ResultField,
    ResultLine,
    read_labels,
    read_results,
    select_documents,
)
from docpipe.evaluate.presets import PRESETS, NameMap, read_map
from docpipe.evaluate.report import Evaluation, FieldComparison, ScoredDocument, evaluate
from docpipe.evaluate.scores import Counts, Score

__all__ = [
    "PRESETS",
    "Counts",
    "Evaluation",
    "FieldComparison",
    "LabelledDocument",
    "NameMap",
    "ResultField",
    "ResultLine",
    "Score",
    "ScoredDocument",
    "errors_page",
    "evaluate",
    "read_labels",
    "read_map",
    "read_results",
    "select_documents",
]
