"""Two libraries that hold a model to a schema, behind one face.

In: a tokenizer, schemas and the tokens of answers. Out: whether they are taken, with the time of each mask.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any, ClassVar, Protocol

from transformers import PreTrainedTokenizerFast

from docpipe.errors import AnswerError
from docpipe.extractors.local.constrained.constraint import Grammar, allowed


class Library(Protocol):
    name: ClassVar[str]
    forced: int  # tokens of the last answer that were not asked for

    def __init__(self, tokenizer: PreTrainedTokenizerFast, vocabulary: int) -> None: ...

    def compile(self, schema: dict[str, Any]) -> None: ...

    def start(self) -> None: ...

    def write(self, tokens: list[int], masks: list[float]) -> None:
        """Takes an answer's tokens; adds the seconds of each mask."""
        ...

    def takes(self, tokens: list[int]) -> bool: ...


class LLGuidance:
    name: ClassVar[str] = "llguidance"

    def __init__(self, tokenizer: PreTrainedTokenizerFast, vocabulary: int) -> None:
        self._grammar = Grammar(tokenizer, vocabulary)
        self.forced = 0

    def compile(self, schema: dict[str, Any]) -> None:
        self._grammar._compiled.clear()
        self._schema = schema
        self.start()

    def start(self) -> None:
        self._writer = self._grammar.writer(self._schema)

    def write(self, tokens: list[int], masks: list[float]) -> None:
        self.forced = at = len(self._writer.forced())
        while not self._writer.done:
            began = perf_counter()
            mask = allowed([self._writer])
            masks.append(perf_counter() - began)
            assert mask[0, tokens[at]]
            self._writer.take(tokens[at])
            more = len(self._writer.forced())
            self.forced += more
            at += 1 + more

    def takes(self, tokens: list[int]) -> bool:
        self.start()
        try:
            for token in tokens:
                self._writer.take(token)
        except AnswerError:
            return False
        return True


class XGrammar:
    """What must follow comes as a text, not as tokens: it is cut here by the tokenizer, without its last token, which
    the model's next one may begin with."""

    name: ClassVar[str] = "xgrammar"

    def __init__(self, tokenizer: PreTrainedTokenizerFast, vocabulary: int) -> None:
        import xgrammar

        self._library = xgrammar
        self._tokenizer = tokenizer
        known = xgrammar.TokenizerInfo.from_huggingface(tokenizer, vocab_size=vocabulary)
        self._compiler = xgrammar.GrammarCompiler(known, max_threads=1, cache_enabled=False)
        self._bits = xgrammar.allocate_token_bitmask(1, vocabulary)
        self.forced = 0

    def compile(self, schema: dict[str, Any]) -> None:
        self._compiled = self._compiler.compile_json_schema(schema, any_whitespace=False, separators=(", ", ": "))
        self.start()

    def start(self) -> None:
        self._matcher = self._library.GrammarMatcher(self._compiled, terminate_without_stop_token=True)

    def write(self, tokens: list[int], masks: list[float]) -> None:
        self.forced = at = 0
        while not self._matcher.is_terminated():
            sure = self._tokenizer.encode(self._matcher.find_jump_forward_string(), add_special_tokens=False)[:-1]
            for token in sure if sure == tokens[at : at + len(sure)] else ():
                assert self._matcher.accept_token(token)
                self.forced += 1
                at += 1
            began = perf_counter()
            self._matcher.fill_next_token_bitmask(self._bits)
            masks.append(perf_counter() - began)
            assert self._matcher.accept_token(tokens[at])
            at += 1

    def takes(self, tokens: list[int]) -> bool:
        self.start()
        return all(self._matcher.accept_token(token) for token in tokens)
