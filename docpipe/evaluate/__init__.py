"""Are the results right? Labels against results: precision, recall and F1 per field, rows, calibration, grounding.

In: a label file and the JSON lines of `docpipe run`. Out: an `Evaluation`; docs/evaluation.md says what is counted.
"""

from docpipe.evaluate.errors_page import errors_page
from docpipe.evaluate.labels import Labelled, Leaf, Result, choose, read_labels, read_results
from docpipe.evaluate.presets import PRESETS, NameMap, read_map
from docpipe.evaluate.report import Evaluation, Judged, Verdict, evaluate
from docpipe.evaluate.scores import Counts, Score

__all__ = [
    "PRESETS",
    "Counts",
    "Evaluation",
    "Judged",
    "Labelled",
    "Leaf",
    "NameMap",
    "Result",
    "Score",
    "Verdict",
    "choose",
    "errors_page",
    "evaluate",
    "read_labels",
    "read_map",
    "read_results",
]
