"""The text of each token of an output: tokenizers decode sequences, and a character may be spread over several tokens.

In: a tokenizer and tokens. Out: a text for each of them, which joined are the text of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

REPLACEMENT_CHARACTER = "\ufffd"  # what a tokenizer makes of bytes that are no character, or not yet
MAX_UTF8_BYTES = 4  # of a character, and so tokens of one byte


def token_texts(tokenizer: Any, tokens: Sequence[int]) -> list[str]:
    """Where the bytes of a character are spread over several tokens, the last of them has it; the half of a character
    at the end belongs to none."""
    texts: list[str] = []
    first = done = 0
    for end in range(1, len(tokens) + 1):
        text = _decode(tokenizer, tokens[first:end])
        if text.endswith(REPLACEMENT_CHARACTER) and end - done < MAX_UTF8_BYTES:
            texts.append("")
            continue
        texts.append(text[len(_decode(tokenizer, tokens[first:done])) :])
        first, done = done, end
    return texts


def _decode(tokenizer: Any, tokens: Sequence[int]) -> str:
    if not tokens:
        return ""
    return str(tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False))
