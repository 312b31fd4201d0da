"""What is shown to a model that writes. In: nothing of ours. Out: options, which the settings choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

See = Literal["picture", "words", "both"]
"""A model with eyes sees pages as pictures, any model their words; one with eyes can be given both."""
WORD_TOKENS = 8_000  # four dense pages; a server for small models often has room for 8,192 tokens with the answer


@dataclass(frozen=True, slots=True)
class GenerativeOptions:
    """`word_tokens`: of the words in one prompt, at most. `with_examples`: the schema's examples are shown too."""

    see: See = "picture"
    word_tokens: int = WORD_TOKENS
    with_examples: bool = False

    @property
    def suffix(self) -> str:
        """For the extractor's name: with another one results are others."""
        words = "" if self.see == "picture" else f"+{self.see}{self.word_tokens}"
        return words + ("+examples" if self.with_examples else "")
