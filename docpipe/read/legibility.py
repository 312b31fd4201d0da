"""Which lines of a scan OCR did not read, because their script is not in its alphabet.

In: recognised regions. Out: `UnreadLines`, and the page's issue.
The recogniser knows Latin, Chinese and Japanese. Of print in another script it gives nothing, blanks, a few look-alikes
or rubbish, but it says so: ink is left over that belongs to no character, or the characters are improbable. Print that
is blurred, faint or faxed is read with probabilities above that, or the detector does not find it.
"""

from __future__ import annotations

from collections.abc import Sequence

from docpipe.data import Issue
from docpipe.read.recognise import CROP_HEIGHT, RecognisedRegion
from docpipe.unread_script import LATIN, UnreadLines, lines_in_other_scripts, unread_script

OCR_SCRIPTS = frozenset({LATIN, "Chinese", "Japanese"})  # and single Greek letters, as in formulas

# `python -m benchmarks.accuracy.unread_script --part choose`: of the drawn lines in Latin, Chinese and Japanese print,
# worn or not, 49 in 50 have 0.99 or more. Of those in Cyrillic, Arabic, Korean and Devanagari nine in ten are below
# 0.5, in Hebrew and Thai below 0.63, and half of the Greek ones below 0.7.
LEGIBLE = 0.75
MIN_WIDTH = 2 * CROP_HEIGHT  # pixels of a line that is CROP_HEIGHT high: shorter ones are signs, logos and amounts


def unread_lines(recognised: Sequence[RecognisedRegion]) -> UnreadLines:
    """Lines that were read and hold no letter say nothing about the script, and do not count."""
    lines = [
        line for line in recognised if line.crop_width >= MIN_WIDTH and (_has_letters(line) or not is_legible(line))
    ]
    unread = [line for line in lines if not is_legible(line)]
    share = sum(line.crop_width for line in unread) / max(1, sum(line.crop_width for line in lines))
    return UnreadLines(len(unread), len(lines), share)


def is_legible(line: RecognisedRegion) -> bool:
    return line.legibility >= LEGIBLE


def is_in_alphabet(text: str) -> bool:
    """Whether the recogniser knows the script of most of its letters."""
    return lines_in_other_scripts([text], OCR_SCRIPTS).unread == 0


def unread_issue(unread: UnreadLines, page: int) -> Issue | None:
    if not unread.is_substantial:
        return None
    message = (
        f"{unread.count} of page {page} could not be read: a script that OCR does not know (it knows Latin, Chinese and"
        " Japanese), handwriting or very poor print. Look at the page, or take a larger model: --model hf:…"
    )
    return unread_script(message, page)


def _has_letters(line: RecognisedRegion) -> bool:
    return any(map(str.isalpha, line.text))
