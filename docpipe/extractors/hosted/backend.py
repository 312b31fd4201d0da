"""A hosted model as a `Backend`: questions go out side by side, within a budget, as often as it makes sense.

In: Questions. Out: Replies. What a server does not take is left out from then on, and the log says so.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace

from docpipe.data import Answer
from docpipe.errors import AnswerError, DocpipeError, ModelError, TooLargeError
from docpipe.extractors.generative.backend import Question, Reply, Written
from docpipe.extractors.hosted.budget import DayBudget, Price
from docpipe.extractors.hosted.provider import (
    Feature,
    Heard,
    Provider,
    Request,
    Usage,
    answer_tokens,
    encoded,
    is_json_object,
)
from docpipe.extractors.hosted.retries import Failure, Patience, Place, error_of

log = logging.getLogger(__name__)

TURNS = 2  # an answer that is no JSON is asked for once more, with the schema in words
# What a refused request (400, 422) complains of, in the order in which it is looked for.
COMPLAINTS: tuple[tuple[Feature, re.Pattern[str]], ...] = (
    ("temperature", re.compile(r"temperature", re.I)),
    ("logprobs", re.compile(r"logprobs", re.I)),
    ("detail", re.compile(r"media_?resolution|image_url.{0,20}detail", re.I)),
    ("old_limit", re.compile(r"max_tokens.{0,40}(not supported|unsupported)|unsupported.{0,40}max_tokens", re.I)),
    ("thinking", re.compile(r"max_(completion_|output_)?tokens|context.{0,3}(length|window|size)", re.I)),
    ("limit", re.compile(r"max_(completion_|output_)?tokens|context.{0,3}(length|window|size)", re.I)),
    ("limits", re.compile(r"pattern|m(ax|in)(Length|Items)|grammar|regex|schema|response_?format", re.I)),
    ("schema", re.compile(r"schema|response_?format|output_config|response_?mime|grammar|structured|guided", re.I)),
)
LEFT_OUT: dict[Feature, str] = {
    "temperature": "temperature 0",
    "logprobs": "log-probabilities",
    "detail": "pictures in detail",
    "old_limit": "max_tokens, but max_completion_tokens",
    "thinking": "so many tokens",
    "limit": "so many tokens: it may use what its context leaves",
    "limits": "bounds in the JSON Schema",
    "schema": "a JSON Schema: it now stands in the prompt",
}


@dataclass(frozen=True)
class Means:
    """What a backend asks with: the API, the budget, the price of what it says. `hide` takes the key out of texts."""

    provider: Provider
    budget: DayBudget
    price: Price | None
    patience: Patience
    hide: Callable[[str], str]
    close: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests at a time; tokens for thinking beside those of the answer; tokens of a question over all attempts."""

    parallel: int = 4
    thinking_tokens: int = 0
    question_tokens: int | None = None


class Spent:
    """What one question has used, over all attempts, and what it may use."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._counted = 0
        self.usage = Usage()
        self.money = 0.0

    def take(self, tokens: int, model: str) -> None:
        """Raises TooLargeError: the same document would be too large again."""
        if self._most is not None and self._counted + tokens > self._most:
            used = f", of which {self._counted:,} are used" if self._counted else ""
            raise TooLargeError(
                f"{model} may need {tokens:,} tokens for this document, and {self._most:,} are allowed{used}",
                hint="Raise DOCPIPE_DOCUMENT_TOKENS, or send fewer pages.",
            )
        self._counted += tokens

    def correct(self, taken: int, usage: Usage, money: float) -> None:
        """What it did use, in the place of what was taken."""
        self._counted += usage.tokens_in + usage.tokens_out - taken
        self.usage += usage
        self.money += money

    @property
    def cost(self) -> dict[str, float]:
        """With the names of `Extraction.cost`."""
        used = self.usage
        return Answer(
            (),
            tokens_in=used.tokens_in,
            tokens_out=used.tokens_out,
            image_tokens=used.image_tokens,
            money=self.money,
        ).cost


class HostedBackend:
    """One model of one server."""

    def __init__(self, model: str, place: Place, limits: Limits, means: Means) -> None:
        self.name = place.name
        self.max_side = means.provider.max_side
        self._model, self._place, self._limits, self._means = model, place, limits, means
        self._uses = means.provider.uses
        self._factor = 1.0  # by how much this model's prompts have been larger than estimated
        self._served = ""
        self._lock = threading.Lock()

    def answer(self, questions: Sequence[Question]) -> list[Reply | DocpipeError]:
        """After a ModelError nothing more is sent: what is not under way yet has the same error. It is never raised:
        whoever then asked for each alone would wait for a server that is down once for each."""
        broken: list[ModelError] = []
        with ThreadPoolExecutor(self._limits.parallel, "hosted") as pool:
            asked = [pool.submit(copy_context().run, self._answer, question, broken) for question in questions]
            try:
                return [future.result() for future in asked]
            except BaseException:  # Ctrl-C, a time limit: what waits for its turn is not paid for any more
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def close(self) -> None:
        """Hang up."""
        self._means.close()

    def _answer(self, question: Question, broken: list[ModelError]) -> Reply | DocpipeError:
        if broken:
            return type(broken[0])(broken[0].message, hint=broken[0].hint)
        spent = Spent(self._limits.question_tokens)
        try:
            return self._reply(question, self._converse(question, spent), spent)
        except DocpipeError as error:
            error.cost = spent.cost
            if isinstance(error, ModelError):
                broken.append(error)
            return error

    def _converse(self, question: Question, spent: Spent) -> Heard:
        request = Request(
            self._model,
            encoded(question.parts),
            question.json_schema,
            answer_tokens(question),
            self._limits.thinking_tokens,
            self._uses,
        )
        for turn in range(TURNS):
            heard = self._hear(request, spent, in_words=turn > 0)
            if heard.finish != "complete" or is_json_object(heard.text):
                return heard
            log.warning("%s answered with something that is no JSON object", self._place.model)
        nothing = "" if heard.text.strip() else ": nothing at all"
        raise AnswerError(
            f"{self._place.model} answered twice with something that is no JSON object{nothing}",
            hint="Use a model or a server that can be held to a JSON Schema; docs/hosted.md names them.",
        )

    def _reply(self, question: Question, heard: Heard, spent: Spent) -> Reply:
        if heard.finish == "refused":
            log.warning("%s refused to answer (%s)", self._place.model, heard.why or "no reason given")
        if heard.model and heard.model not in (self._model, self._served):
            self._served = heard.model
            log.info("%s is served by %s", self._place.model, heard.model)
        written = Written(heard.text, tuple(slot.name for slot in question.slots), heard.finish, heard.tokens)
        usage = spent.usage
        return Reply((written,), usage.tokens_in, usage.image_tokens, usage.tokens_out, spent.money)

    def _hear(self, request: Request, spent: Spent, *, in_words: bool) -> Heard:
        """The answer to this request, or to what is left of it when the server does not take all of it."""
        left_out: frozenset[Feature] = frozenset({"schema", "limits"} if in_words else ())
        while True:
            with self._lock:
                asked = replace(request, uses=self._uses - left_out)
            result = self._means.patience.insist(lambda asked=asked: self._attempt(asked, spent))  # type: ignore[misc]
            if isinstance(result, Heard):
                self._leave_out(left_out if not in_words else left_out - {"schema", "limits"})
                return result
            blamed = _blamed(result, asked.uses)
            if not blamed:
                if result.kind == "timeout":
                    return Heard("", "timeout")
                raise error_of(replace(result, said=self._means.hide(result.said)), self._place)
            left_out |= blamed

    def _leave_out(self, features: frozenset[Feature]) -> None:
        """From now on: it was refused with them and worked without."""
        with self._lock:
            new, self._uses = features & self._uses, self._uses - features
        for feature in sorted(new):
            log.warning("%s does not take %s", self._place.model, LEFT_OUT[feature])

    def _attempt(self, request: Request, spent: Spent) -> Heard | Failure:
        """One request, counted before and after."""
        tokens_in = round(request.prompt_tokens * self._factor)
        tokens_out = request.most_tokens
        spent.take(tokens_in + tokens_out, self._place.model)
        budget = self._means.budget
        reserved = budget.reserve(tokens_in + tokens_out, self._money(tokens_in, tokens_out))
        try:
            heard = self._means.provider.send(request)
        except Exception as error:  # what is none of the client's errors is raised again
            failure = self._means.provider.failure(error)
            if failure is None:
                raise
            if not failure.may_be_billed:
                budget.settle(reserved, 0, 0.0)
                spent.correct(reserved.tokens, Usage(), 0.0)
            # without the client's error beside it, in whose request the key is
            return failure
        used = heard.usage
        if used is not None:
            money = self._money(used.tokens_in, used.tokens_out, used.cached)
            budget.settle(reserved, used.tokens_in + used.tokens_out, money)
            spent.correct(reserved.tokens, used, money)
            with self._lock:
                self._factor = max(self._factor, used.tokens_in / max(1, request.prompt_tokens))
        return heard

    def _money(self, tokens_in: int, tokens_out: int, cached: int = 0) -> float:
        price = self._means.price
        return 0.0 if price is None else price.of(tokens_in, tokens_out, cached)


def _blamed(failure: Failure, uses: frozenset[Feature]) -> frozenset[Feature]:
    """What to leave out of a request that was refused. Without a word about it the schema is the first suspect."""
    if failure.kind != "answer" or failure.status not in (400, 422):
        return frozenset()
    for feature, complaint in COMPLAINTS:
        if feature in uses and complaint.search(failure.said):
            return frozenset({feature, "limits"}) if feature == "schema" else frozenset({feature})
    if failure.is_too_long:
        return frozenset()
    return uses & {"schema", "limits"} if "schema" in uses else frozenset()
