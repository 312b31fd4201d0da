"""Two libraries that hold a model to a schema, behind one face.

In: a tokenizer, schemas and the tokens of outputs. Out: whether they are accepted, with the time of each mask.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any, ClassVar, Protocol

from transformers import PreTrainedTokenizerFast

from docpipe.errors import AnswerError
from docpipe.extractors.local.constrained.grammar import GrammarCompiler
from docpipe.extractors.local.constrained.token_masks import allowed_tokens


class ConstraintLibrary(Protocol):
    name: ClassVar[str]
    forced: int  # tokens of the last output that were not asked for

    def __init__(self, tokenizer: PreTrainedTokenizerFast, vocabulary_size: int) -> None: ...

    def compile(self, schema: dict[str, Any]) -> None: ...

    def start(self) -> None:
        """A new output."""
        ...

    def consume(self, tokens: list[int]) -> list[float]:
        """Takes an output's tokens; the seconds of each mask on the way."""
        ...

    def accepts(self, tokens: list[int]) -> bool: ...


class LLGuidance:
    name: ClassVar[str] = "llguidance"

    def __init__(self, tokenizer: PreTrainedTokenizerFast, vocabulary_size: int) -> None:
        self._grammar = GrammarCompiler(tokenizer, vocabulary_size)
        self.forced = 0

    def compile(self, schema: dict[str, Any]) -> None:
        self._grammar._compiled.clear()
        self._schema = schema
        self.start()

    def start(self) -> None:
        self._matcher = self._grammar.compile(self._schema)

    def consume(self, tokens: list[int]) -> list[float]:
        mask_seconds = []
        self.forced = position = len(self._matcher.consume_forced())
        while not self._matcher.is_complete:
            began = perf_counter()
            mask = allowed_tokens([self._matcher])
            mask_seconds.append(perf_counter() - began)
            assert mask[0, tokens[position]]
            self._matcher.consume(tokens[position])
            forced = len(self._matcher.consume_forced())
            self.forced += forced
            position += 1 + forced
        return mask_seconds

    def accepts(self, tokens: list[int]) -> bool:
        self.start()
        try:
            for token in tokens:
                self._matcher.consume(token)
        except AnswerError:
            return False
        return True


class XGrammar:
    """What must follow comes as a text, not as tokens: it is cut here by the tokenizer, without its last token, which
    the model's next one may begin with."""

    name: ClassVar[str] = "xgrammar"

    def __init__(self, tokenizer: PreTrainedTokenizerFast, vocabulary_size: int) -> None:
        import xgrammar

        self._library = xgrammar
        self._tokenizer = tokenizer
        info = xgrammar.TokenizerInfo.from_huggingface(tokenizer, vocab_size=vocabulary_size)
        self._compiler = xgrammar.GrammarCompiler(info, max_threads=1, cache_enabled=False)
        self._bits = xgrammar.allocate_token_bitmask(1, vocabulary_size)
        self.forced = 0

    def compile(self, schema: dict[str, Any]) -> None:
        self._compiled = self._compiler.compile_json_schema(schema, any_whitespace=False, separators=(", ", ": "))
        self.start()

    def start(self) -> None:
        self._matcher = self._library.GrammarMatcher(self._compiled, terminate_without_stop_token=True)

    def consume(self, tokens: list[int]) -> list[float]:
        mask_seconds = []
        self.forced = position = 0
        while not self._matcher.is_terminated():
            text = self._matcher.find_jump_forward_string()
            forced = self._tokenizer.encode(text, add_special_tokens=False)[:-1]
            for token in forced if forced == tokens[position : position + len(forced)] else ():
                assert self._matcher.accept_token(token)
                self.forced += 1
                position += 1
            began = perf_counter()
            self._matcher.fill_next_token_bitmask(self._bits)
            mask_seconds.append(perf_counter() - began)
            assert self._matcher.accept_token(tokens[position])
            position += 1
        return mask_seconds

    def accepts(self, tokens: list[int]) -> bool:
        self.start()
        return all(self._matcher.accept_token(token) for token in tokens)
