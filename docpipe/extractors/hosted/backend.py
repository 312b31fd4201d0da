"""A hosted model as a `Backend`: prompts are sent side by side, within a budget, and again where that makes sense.

In: `Prompt`s. Out: `BackendReply`s. What a server does not take is left out from then on, and the log says so.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import cached_property

from docpipe.errors import AnswerError, DocpipeError, ModelError
from docpipe.extractors.generative.backend import BackendReply, Completion, Prompt
from docpipe.extractors.hosted.budget import DayBudget, Price, PromptSpending, TokenUsage
from docpipe.extractors.hosted.failures import Endpoint, RequestFailure, error_of
from docpipe.extractors.hosted.provider import (
    Feature,
    Provider,
    ProviderRequest,
    ProviderResponse,
    encode_parts,
    is_json_object,
    max_answer_tokens,
)
from docpipe.extractors.hosted.retries import RetryPolicy

log = logging.getLogger(__name__)

JSON_ATTEMPTS = 2  # an answer that is no JSON is asked for once more, with the schema in words
_TOO_MANY_TOKENS = re.compile(r"max_(completion_|output_)?tokens|context.{0,3}(length|window|size)", re.I)
# What a refused request (400, 422) complains of, in the order in which it is looked for.
COMPLAINTS: tuple[tuple[Feature, re.Pattern[str]], ...] = (
    ("temperature", re.compile(r"temperature", re.I)),
    ("logprobs", re.compile(r"logprobs", re.I)),
    ("image_detail", re.compile(r"media_?resolution|image_url.{0,20}detail", re.I)),
    (
        "legacy_limit_name",
        re.compile(r"max_tokens.{0,40}(not supported|unsupported)|unsupported.{0,40}max_tokens", re.I),
    ),
    ("thinking", _TOO_MANY_TOKENS),
    ("token_limit", _TOO_MANY_TOKENS),
    ("bounds", re.compile(r"pattern|m(ax|in)(Length|Items)|grammar|regex|schema|response_?format", re.I)),
    ("schema", re.compile(r"schema|response_?format|output_config|response_?mime|grammar|structured|guided", re.I)),
)
FEATURE_TEXTS: dict[Feature, str] = {
    "temperature": "temperature 0",
    "logprobs": "log-probabilities",
    "image_detail": "pictures in detail",
    "legacy_limit_name": "max_tokens, but max_completion_tokens",
    "thinking": "so many tokens",
    "token_limit": "so many tokens: it may use what its context leaves",
    "bounds": "bounds in the JSON Schema",
    "schema": "a JSON Schema: it now stands in the prompt",
}


@dataclass(frozen=True)
class Dependencies:
    """What a backend works with: the provider's API, the budget, the model's price, when to try again. `redact` takes
    the key out of texts; `close` hangs up."""

    provider: Provider
    budget: DayBudget
    price: Price | None
    retries: RetryPolicy
    redact: Callable[[str], str]
    close: Callable[[], None]


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Requests at a time; tokens for thinking beside those of the answer; tokens of a prompt over all attempts."""

    parallel_requests: int = 4
    thinking_tokens: int = 0
    tokens_per_prompt: int | None = None


class HostedBackend:
    """One model of one server; `model` is its name there."""

    reads_words = True

    def __init__(self, model: str, endpoint: Endpoint, limits: RequestLimits, dependencies: Dependencies) -> None:
        self.name = endpoint.name
        self.max_side = dependencies.provider.max_side
        self._model, self._endpoint, self._limits, self._dependencies = model, endpoint, limits, dependencies
        self._features = dependencies.provider.features
        self._estimate_factor = 1.0  # by how much this model's prompts have been larger than estimated
        self._served_model = ""
        self._lock = threading.Lock()

    @cached_property
    def sees_pictures(self) -> bool:
        """The server is asked once."""
        return self._dependencies.provider.sees_pictures(self._model)

    def complete(self, prompts: Sequence[Prompt]) -> list[BackendReply | DocpipeError]:
        """After a ModelError nothing more is sent: what is not under way yet has the same error. It is never raised:
        whoever then asked for each alone would wait for a server that is down once for each."""
        model_errors: list[ModelError] = []
        with ThreadPoolExecutor(self._limits.parallel_requests, "hosted") as pool:
            futures = [pool.submit(copy_context().run, self._complete, prompt, model_errors) for prompt in prompts]
            try:
                return [future.result() for future in futures]
            except BaseException:  # Ctrl-C, a time limit: what waits for its turn is not paid for any more
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def close(self) -> None:
        """Hang up."""
        self._dependencies.close()

    def _complete(self, prompt: Prompt, model_errors: list[ModelError]) -> BackendReply | DocpipeError:
        if model_errors:
            first = model_errors[0]
            return type(first)(first.message, hint=first.hint)
        spending = PromptSpending(self._limits.tokens_per_prompt)
        try:
            return self._reply(prompt, self._json_response(prompt, spending), spending)
        except DocpipeError as error:
            error.cost = spending.cost
            if isinstance(error, ModelError):
                model_errors.append(error)
            return error

    def _json_response(self, prompt: Prompt, spending: PromptSpending) -> ProviderResponse:
        """A response that is a JSON object, or that ended before it could be one. Raises AnswerError."""
        request = ProviderRequest(
            self._model,
            encode_parts(prompt.parts),
            prompt.json_schema,
            max_answer_tokens(prompt),
            self._limits.thinking_tokens,
            self._features,
        )
        for attempt in range(JSON_ATTEMPTS):
            response = self._response(request, spending, in_words=attempt > 0)
            if response.finish != "complete" or is_json_object(response.text):
                return response
            log.warning("%s answered with something that is no JSON object", self._endpoint.model)
        nothing = "" if response.text.strip() else ": nothing at all"
        raise AnswerError(
            f"{self._endpoint.model} answered twice with something that is no JSON object{nothing}",
            hint="Use a model or a server that can be held to a JSON Schema; docs/hosted.md names them.",
        )

    def _reply(self, prompt: Prompt, response: ProviderResponse, spending: PromptSpending) -> BackendReply:
        if response.finish == "refused":
            log.warning("%s refused to answer (%s)", self._endpoint.model, response.reason or "no reason given")
        if response.served_model and response.served_model not in (self._model, self._served_model):
            self._served_model = response.served_model
            log.info("%s is served by %s", self._endpoint.model, response.served_model)
        slot_names = tuple(slot.name for slot in prompt.slots)
        completion = Completion(response.text, slot_names, response.finish, response.tokens)
        usage = spending.usage
        return BackendReply((completion,), usage.tokens_in, usage.image_tokens, usage.tokens_out, spending.money)

    def _response(self, request: ProviderRequest, spending: PromptSpending, *, in_words: bool) -> ProviderResponse:
        """To this request, or to what is left of it when the server does not take all of it. `in_words`: with the
        schema as a text in the prompt."""
        left_out: frozenset[Feature] = frozenset({"schema", "bounds"} if in_words else ())
        while True:
            with self._lock:
                reduced = replace(request, features=self._features - left_out)
            result = self._dependencies.retries.run(lambda reduced=reduced: self._attempt(reduced, spending))  # type: ignore[misc]
            if isinstance(result, ProviderResponse):
                self._stop_using(left_out if not in_words else left_out - {"schema", "bounds"})
                return result
            rejected = _rejected_features(result, reduced.features)
            if not rejected:
                if result.kind == "timeout":
                    return ProviderResponse("", "timeout")
                raise error_of(replace(result, message=self._dependencies.redact(result.message)), self._endpoint)
            left_out |= rejected

    def _stop_using(self, features: frozenset[Feature]) -> None:
        """From now on: a request was refused with them and worked without."""
        with self._lock:
            new, self._features = features & self._features, self._features - features
        for feature in sorted(new):
            log.warning("%s does not take %s", self._endpoint.model, FEATURE_TEXTS[feature])

    def _attempt(self, request: ProviderRequest, spending: PromptSpending) -> ProviderResponse | RequestFailure:
        """One request, counted before and after."""
        tokens_in = round(request.estimated_prompt_tokens * self._estimate_factor)
        estimate = TokenUsage(tokens_in, request.max_tokens)
        spending.reserve(estimate.total, self._endpoint.model)
        provider, budget = self._dependencies.provider, self._dependencies.budget
        reservation = budget.reserve(estimate.total, self._money(estimate))
        try:
            response = provider.send(request)
        except Exception as error:  # what is none of the client's errors is raised again
            failure = provider.failure(error)
            if failure is None:
                raise
            if not failure.may_be_billed:
                budget.settle(reservation, 0, 0.0)
                spending.settle(reservation.tokens, TokenUsage(), 0.0)
            # without the client's error beside it, in whose request the key is
            return failure
        usage = response.usage
        if usage is not None:
            money = self._money(usage)
            budget.settle(reservation, usage.total, money)
            spending.settle(reservation.tokens, usage, money)
            with self._lock:
                factor = usage.tokens_in / max(1, request.estimated_prompt_tokens)
                self._estimate_factor = max(self._estimate_factor, factor)
        return response

    def _money(self, usage: TokenUsage) -> float:
        price = self._dependencies.price
        return 0.0 if price is None else price.cost(usage)


def _rejected_features(failure: RequestFailure, features: frozenset[Feature]) -> frozenset[Feature]:
    """What to leave out of a request that was refused. Without a word about it the schema is the first suspect."""
    if failure.kind != "status" or failure.status not in (400, 422):
        return frozenset()
    for feature, complaint in COMPLAINTS:
        if feature in features and complaint.search(failure.message):
            return frozenset({feature, "bounds"}) if feature == "schema" else frozenset({feature})
    if failure.is_too_long:
        return frozenset()
    return features & {"schema", "bounds"} if "schema" in features else frozenset()
