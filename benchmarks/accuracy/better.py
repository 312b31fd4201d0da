"""What a change did to the accuracy, document by document: F1 before and after with the interval of the difference.

    python -m benchmarks.accuracy.better OLD NEW [--changes]

In: two folders that `benchmarks.accuracy.quality --out` wrote. Out: Markdown tables, a line for each set of documents:
micro-F1 of single fields and F1 of the rows of each list; and what is accepted, and what a doubt or a broken rule kept
from it although it is as sure. `--changes` names each value that was right and is not any more, and each that is right
now. Documents are resampled in pairs: both versions read the same ones, so what makes a document hard cancels out.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.accuracy.quality import SETS, evaluate_results, folder_of
from docpipe.evaluate import Evaluation
from docpipe.evaluate.compare import MatchOutcome
from docpipe.evaluate.report import ScoredDocument
from docpipe.evaluate.scores import OUTCOMES, f1_of, interval_of, resample
from docpipe.paths import FieldPath

FIELDS = "single fields"

Outcomes = Counter[MatchOutcome]


@dataclass(frozen=True, slots=True)
class PairedScores:
    """Of one set: the outcomes of each document, before and after. Both name the same documents in one order."""

    old: Sequence[Outcomes]
    new: Sequence[Outcomes]

    def line(self, title: str, part: str) -> str:
        table = np.array([[[counts[name] for name in OUTCOMES] for counts in (old, new)]
                          for old, new in zip(self.old, self.new, strict=True)], dtype=np.int64)  # fmt: skip
        (old_f1, new_f1), resampled = f1_of(table.sum(axis=0)), f1_of(resample(table))
        interval = interval_of(resampled[:, 1] - resampled[:, 0])
        ends = f"{interval[0]:+.3f} to {interval[1]:+.3f}" if interval else ""
        return f"| {title} ({len(table)}) | {part} | {old_f1:.3f} | {new_f1:.3f} | {new_f1 - old_f1:+.3f} | {ends} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--changes", action="store_true", help="name every value that became right or wrong")
    options = parser.parse_args()
    evaluated = [
        (known.title, *(evaluate_results(known, folder_of(known, out)) for out in (options.old, options.new)))
        for known in SETS
        if all((folder_of(known, out) / "results.jsonl").is_file() for out in (options.old, options.new))
    ]
    print("| documents | what | F1 before | after | difference | 95 % interval |\n|---|---|---|---|---|---|")
    for title, old, new in evaluated:
        for part, scores in paired_scores(old, new).items():
            print(scores.line(title, part))
    print("\n| documents | accepted before | of them wrong | after | of them wrong | vetoed: right, wrong |")
    print("|---|---|---|---|---|---|")
    for title, old, new in evaluated:
        print(f"| {title} | {_accepted(old)} | {_accepted(new)} | {_vetoed(new)} |")
    for title, old, new in evaluated if options.changes else ():
        print(f"\n### {title}\n")
        print("\n".join(changes(old, new)))


def paired_scores(old: Evaluation, new: Evaluation) -> Mapping[str, PairedScores]:
    """By part: the single fields, and each list whose rows the labels know."""
    scores = {FIELDS: PairedScores(*([_fields(each) for each in one.documents] for one in (old, new)))}
    for path in new.rows:
        scores[f"{path} (rows)"] = PairedScores(*([_rows(each, path) for each in one.documents] for one in (old, new)))
    return scores


def changes(old: Evaluation, new: Evaluation) -> Iterator[str]:
    """Single values and cells whose outcome is another one, a line each."""
    for before, after in zip(old.documents, new.documents, strict=True):
        was, became = _outcomes(before), _outcomes(after)
        for place in [*was, *(place for place in became if place not in was)]:
            if was.get(place) != became.get(place):
                then, now = was.get(place, "not there"), became.get(place, "not there")
                yield f"- {before.document.file} {place}: {then}, now {now}"


def _outcomes(document: ScoredDocument) -> dict[str, str]:
    """Place -> what came of it: of a mistake with label and answer, of a right value the word alone."""
    outcomes = {each.path: "right" for each in document.comparisons if each.outcome == "right"}
    for path, score in document.lists.items():
        outcomes |= {str(FieldPath(path, cell.row, cell.column)): "right" for cell in score.cells}
    for mistake in document.mistakes():
        answer = mistake.prediction
        accepted = ", accepted" if answer.accepted else ""
        outcomes[mistake.path] = f"{mistake.outcome} ({answer.value!r} for {mistake.label!r}{accepted})"
    return outcomes


def _fields(document: ScoredDocument) -> Outcomes:
    return Counter(each.outcome for each in document.comparisons)


def _rows(document: ScoredDocument, path: str) -> Outcomes:
    return Counter(pair.outcome for pair in (document.lists[path].pairs if path in document.lists else ()))


def _accepted(evaluation: Evaluation) -> str:
    calibration = evaluation.calibration
    return f"{calibration.accepted} of {calibration.answers} | {calibration.accepted_wrong}"


def _vetoed(evaluation: Evaluation) -> str:
    """Answers that are as sure as accepted ones and are not accepted: how many were right, and how many wrong."""
    answers = [
        answer
        for document in evaluation.documents
        for answer in (*document.comparisons, *(cell for score in document.lists.values() for cell in score.cells))
        if answer.outcome != "missed"
    ]
    lowest = min((each.prediction.confidence for each in answers if each.prediction.accepted), default=1.0)
    vetoed = [each for each in answers if each.prediction.confidence >= lowest and not each.prediction.accepted]
    right = sum(each.outcome == "right" for each in vetoed)
    return f"{right}, {len(vetoed) - right}"


if __name__ == "__main__":
    main()
