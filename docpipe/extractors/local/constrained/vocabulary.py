"""A tokenizer's tokens as bytes, for tokenizers whose spelling llguidance does not know: SentencePiece's unigrams.

In: such a tokenizer, Donut's for one. Out: what llguidance asks of a tokenizer: each token's bytes, which tokens are
no text, and how a text is cut.
"""

from __future__ import annotations

import json

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

BLANK = "▁"


class Vocabulary:
    """Its attributes' names are llguidance's. Added tokens, such as tags, are no text."""

    is_tokenizer_wrapper = True

    def __init__(self, tokenizer: PreTrainedTokenizerFast, size: int) -> None:
        self.eos_token_id = tokenizer.eos_token_id
        self.bos_token_id = tokenizer.bos_token_id
        self.special_token_ids = sorted(tokenizer.get_added_vocab().values())
        special = set(self.special_token_ids)
        self.tokens = [b""] * size  # one without bytes is never allowed
        for text, number in tokenizer.get_vocab().items():
            self.tokens[number] = (text if number in special else text.replace(BLANK, " ")).encode()
        self._longest = {token: number for number, token in enumerate(self.tokens) if token and number not in special}
        self._most = max(map(len, self._longest))
        self._cutter = _without_first_blank(tokenizer.backend_tokenizer)

    def __call__(self, text: bytes | str) -> list[int]:
        """Tokens whose bytes are exactly the text's, as far as there are any."""
        raw = text.encode() if isinstance(text, str) else text
        numbers: list[int] = self._cutter.encode(raw.decode(errors="replace"), add_special_tokens=False).ids
        return numbers if b"".join(self.tokens[number] for number in numbers) == raw else self._greedy(raw)

    def _greedy(self, raw: bytes) -> list[int]:
        numbers: list[int] = []
        while raw:
            length = next((n for n in range(min(self._most, len(raw)), 0, -1) if raw[:n] in self._longest), 0)
            if not length:
                break
            numbers.append(self._longest[raw[:length]])
            raw = raw[length:]
        return numbers


def _without_first_blank(tokenizer: Tokenizer) -> Tokenizer:
    """Unigram tokenizers put a blank before a text; a piece from the middle of one has none."""
    described = json.loads(tokenizer.to_str())
    described["truncation"] = described["padding"] = None
    steps = described["pre_tokenizer"] or {}
    for step in (steps, *steps.get("pretokenizers", ())):
        if step.get("type") == "Metaspace":
            step["prepend_scheme"] = "never"
    return Tokenizer.from_str(json.dumps(described))
