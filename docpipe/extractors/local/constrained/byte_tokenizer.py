"""A model's tokenizer as llguidance needs it: each token's bytes, which tokens are no text, and how a text is cut.

In: a tokenizer of transformers. Out: an `LLTokenizer`. The library knows byte-level BPEs and BPEs with bytes to fall
back on; `ByteTokenizer` does the same for SentencePiece's unigrams, Donut's for one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

from llguidance import LLTokenizer
from llguidance._tokenizer import TokenizerWrapper
from llguidance.hf import from_tokenizer
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

SENTENCEPIECE_BLANK = "▁"


def llguidance_tokenizer(
    tokenizer: PreTrainedTokenizerFast, size: int | None = None, slices: Sequence[str] | None = None
) -> LLTokenizer:
    """`size` is the number of tokens, None for the tokenizer's own; `slices` are regular expressions of texts that many
    tokens fit, see llguidance. Raises ValueError, AttributeError or TypeError for a tokenizer that cannot be used."""
    slicing = None if slices is None else list(slices)
    try:
        return from_tokenizer(tokenizer, n_vocab=size, slices=slicing)
    except ValueError:  # the library cannot spell this sort of tokenizer's tokens
        pass
    wrapper = ByteTokenizer(tokenizer, len(tokenizer) if size is None else size)
    return LLTokenizer(cast(TokenizerWrapper, wrapper), slices=slicing)


class ByteTokenizer:
    """The names of its attributes are llguidance's. Added tokens, such as tags, are no text."""

    is_tokenizer_wrapper = True

    def __init__(self, tokenizer: PreTrainedTokenizerFast, size: int) -> None:
        self.eos_token_id = tokenizer.eos_token_id
        self.bos_token_id = tokenizer.bos_token_id
        self.special_token_ids = sorted(tokenizer.get_added_vocab().values())
        special = set(self.special_token_ids)
        self.tokens = [b""] * size  # one without bytes is never allowed
        for text, token in tokenizer.get_vocab().items():
            self.tokens[token] = (text if token in special else text.replace(SENTENCEPIECE_BLANK, " ")).encode()
        self._by_bytes = {data: token for token, data in enumerate(self.tokens) if data and token not in special}
        self._max_bytes = max(map(len, self._by_bytes))
        self._tokenizer = _without_first_blank(tokenizer.backend_tokenizer)

    def __call__(self, text: bytes | str) -> list[int]:
        """Tokens whose bytes are exactly the text's, as far as there are any."""
        data = text.encode() if isinstance(text, str) else text
        tokens: list[int] = self._tokenizer.encode(data.decode(errors="replace"), add_special_tokens=False).ids
        return tokens if b"".join(self.tokens[token] for token in tokens) == data else self._longest_match(data)

    def _longest_match(self, data: bytes) -> list[int]:
        """From left to right, each the longest token that fits."""
        tokens: list[int] = []
        while data:
            lengths = range(min(self._max_bytes, len(data)), 0, -1)
            length = next((length for length in lengths if data[:length] in self._by_bytes), 0)
            if not length:
                break
            tokens.append(self._by_bytes[data[:length]])
            data = data[length:]
        return tokens


def _without_first_blank(tokenizer: Tokenizer) -> Tokenizer:
    """Unigram tokenizers put a blank before a text; a piece from the middle of one has none."""
    described = json.loads(tokenizer.to_str())
    described["truncation"] = described["padding"] = None
    steps = described["pre_tokenizer"] or {}
    for step in (steps, *steps.get("pretokenizers", ())):
        if step.get("type") == "Metaspace":
            step["prepend_scheme"] = "never"
    return Tokenizer.from_str(json.dumps(described))
