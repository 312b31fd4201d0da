"""When two spellings mean the same print: keys that survive case, blanks, accents, punctuation and number formats.

In: a text. Out: a key (or None when the text is not of that sort); equal keys mean the same letters, number or date.
`match_of` says how two texts match, `cuts_a_word` whether a part of a text stands for itself.
"""

from __future__ import annotations

import re
import unicodedata

from rapidfuzz import fuzz

from docpipe.data import Match

# Below this similarity of letters and digits another text is as likely as a slip of the OCR: one wrong letter in
# seven is a bad scan, two in seven is another name ("Meier"/"Maier GmbH" is .92, "Meier"/"Bauer GmbH" .67).
MIN_SIMILARITY = 0.85

# The first letters of month names that suffice to tell them apart in en, de, fr, es, it and nl.
_MONTHS = {
    1: ("jan", "gen", "ene"),
    2: ("feb", "fev"),
    3: ("mar", "maer", "mrt", "maa"),
    4: ("apr", "avr", "abr"),
    5: ("may", "mai", "mag", "mei"),
    6: ("jun", "juin", "giu"),
    7: ("jul", "juil", "lug"),
    8: ("aug", "aou", "ago"),
    9: ("sep", "set"),
    10: ("oct", "okt", "ott"),
    11: ("nov",),
    12: ("dec", "dez", "dic"),
}
_MONTH_OF = {prefix: month for month, prefixes in _MONTHS.items() for prefix in prefixes}
_NUMBER = re.compile(r"(?P<digits>\d(?:[\d.,'’\s]*\d)?)")
_AROUND_A_NUMBER = re.compile(r"[\s\-−–+()*:=]|[^\W\d_]{1,4}|[^\w\s.,]")  # signs, currency marks, short codes
_PART_OF_A_DATE = re.compile(r"\d+|[^\W\d_]+")
_LOOKALIKES = str.maketrans({"o": "0", "q": "0", "i": "1", "l": "1", "s": "5", "z": "2", "b": "8", "g": "9"})
_CENTS = 2  # amounts are compared to at least two decimals, so that `80` and `80.00` are one number


def squeeze_with_offsets(text: str) -> tuple[str, list[int]]:
    """Letters and digits only, without case and accents; and for each of them its place in `text`."""
    squeezed: list[str] = []
    offsets: list[int] = []
    for offset, letter in enumerate(text):
        if letter.isascii():
            plain = letter.lower() if letter.isalnum() else ""
        else:
            plain = "".join(part for part in unicodedata.normalize("NFKD", letter).casefold() if part.isalnum())
        squeezed.append(plain)
        offsets.extend([offset] * len(plain))
    return "".join(squeezed), offsets


def squeeze(text: str) -> str:
    """`Müller & Söhne` -> `mullersohne`."""
    return squeeze_with_offsets(text)[0]


def number_key(text: str) -> str | None:
    """`RM 1,234.5`, `1.234,50` and `1 234,50` -> `1234.50`; None when the text is more than a number.

    A single mark before exactly three digits is a thousands mark unless the number starts with 0; digits with a
    leading zero and no mark are an identifier.
    """
    number = _NUMBER.search(text)
    if number is None:
        return None
    around = text[: number.start()] + text[number.end() :]
    if re.search(r"\d", around) or _AROUND_A_NUMBER.sub("", around):
        return None
    whole, decimals = _split_number(number["digits"])
    if decimals == "" and len(whole) > 1 and whole.startswith("0"):
        return None
    is_negative = re.search(r"[-−–]\s*\D{0,4}$", text[: number.start()]) or re.match(r"\s*[-−–]", text[number.end() :])
    sign = "-" if is_negative or (text.strip().startswith("(") and text.strip().endswith(")")) else ""
    return f"{sign}{whole.lstrip('0') or '0'}.{decimals.rstrip('0').ljust(_CENTS, '0')}"


def _split_number(printed: str) -> tuple[str, str]:
    """The digits before and after the decimal mark."""
    marks = [offset for offset, letter in enumerate(printed) if letter in ".,"]
    digits = re.sub(r"\D", "", printed)
    if not marks:
        return digits, ""
    after = re.sub(r"\D", "", printed[marks[-1] + 1 :])
    mixed = len({printed[place] for place in marks}) > 1
    repeated = len(marks) > 1 and not mixed
    thousands = len(after) == 3 and not mixed and not printed.startswith("0")
    if repeated or thousands:
        return digits, ""
    return digits[: len(digits) - len(after)], after


def date_key(text: str) -> tuple[int, ...] | None:
    """`25/12/2018`, `2018-12-25` and `25. Dezember 18` -> (12, 18, 25): day, month and short year, order aside."""
    numbers: list[int] = []
    months = 0
    for part in _PART_OF_A_DATE.findall(text):
        if part.isdigit():
            if len(part) > 4 or len(part) == 3:
                return None
            numbers.append(int(part) % 100)
        elif (month := month_of(part)) is not None:
            numbers.append(month)
            months += 1
        elif len(part) > 3:
            return None
    if len(numbers) != 3 or months > 1 or not any(1 <= number <= 12 for number in numbers):
        return None
    return tuple(sorted(numbers))


def month_of(word: str) -> int | None:
    """The month that a word names, in the languages of _MONTHS."""
    plain = squeeze(word)
    for length in (4, 3):
        if len(plain) >= length and plain[:length] in _MONTH_OF:
            return _MONTH_OF[plain[:length]]
    return None


def lookalike_key(squeezed: str) -> str:
    """Letters that OCR takes for digits become those digits: `8o9o` and `8090` are one."""
    return squeezed.translate(_LOOKALIKES)


def is_mostly_digits(squeezed: str) -> bool:
    """Numbers, dates and identifiers: one other digit is another value, so they are never matched loosely."""
    return 2 * sum(letter.isdigit() for letter in squeezed) >= len(squeezed)


def match_of(text: str, quoted: str) -> Match | None:
    """How a quoted print matches a text, or None when it says something else."""
    if " ".join(text.split()) == " ".join(quoted.split()):
        return "exact"
    left, right = squeeze(text), squeeze(quoted)
    number, date = number_key(text), date_key(text)
    if number is not None and number_key(quoted) is not None:
        return "normalised" if number == number_key(quoted) else None
    if (left and left == right) or (date is not None and date == date_key(quoted)):
        return "normalised"
    if is_mostly_digits(left):
        return "fuzzy" if left and lookalike_key(left) == lookalike_key(right) else None
    return "fuzzy" if fuzz.ratio(left, right) >= 100 * MIN_SIMILARITY else None


def cuts_a_word(text: str, start: int, end: int) -> bool:
    """Whether the cut would take `80.90` out of `1,080.90`, or `gross` out of `grossly`."""
    before_alpha, after_alpha = text[max(0, start - 1) : start].isalpha(), text[end : end + 1].isalpha()
    cuts_letters = (text[start].isalpha() and before_alpha) or (text[end - 1].isalpha() and after_alpha)
    return cuts_letters or cuts_a_number(text, start, end)


def cuts_a_number(text: str, start: int, end: int) -> bool:
    """Whether the cut would take `20.000` out of `120.000`: only whole printed numbers are found."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    at_start = text[start].isdigit() and re.search(r"\d[.,'’]?$", before)
    return bool(at_start or (text[end - 1].isdigit() and re.match(r"[.,'’]?\d", after)))
