"""What went wrong with a request: what a server or a client's error means, and the error that a user sees.

In: an error of a provider's client. Out: a `Failure`, and from it a DocpipeError with a message and a hint.
"""

from __future__ import annotations

import email.utils
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx2

from docpipe.errors import AnswerError, DocpipeError, ModelError, TooLargeError

# The statuses below 500 that may pass; from 500 on all may. They are those that the providers' own clients try again.
TRANSIENT_STATUSES = frozenset({408, 409, 429})
# What a server rejects about one request: another document's may be fine, so it stops nobody and is not repeated.
DOCUMENT_STATUSES = (400, 415, 422)
MAX_MESSAGE_LENGTH = 300  # characters of a server's message that are passed on
NO_CREDIT = re.compile(r"insufficient_quota|billing|credit balance|payment", re.IGNORECASE)
NO_CREDIT_HINT = "The account has no credit left: see the provider's page about billing."
TOO_LONG = re.compile(
    r"context.{0,3}(length|window|size)|(prompt|input|request) is too (long|large)|too many (images|tokens)|"
    r"input token count",
    re.IGNORECASE,
)
# llama.cpp (with 500), vLLM, OpenAI's own models without eyes
NO_PICTURES = re.compile(
    r"image input is not supported|mmproj|(not|n't) support (image|vision|multimodal)|not a (vision|multimodal) model|"
    r"image_url.{0,40}(only supported|not supported|unsupported)",
    re.IGNORECASE,
)
NO_PICTURES_HINT = "Give it the words of the pages instead: --see words, or DOCPIPE_SEE=words."

FailureKind = Literal["status", "timeout", "connection", "broken"]
"""`status`: an HTTP answer other than 2xx; `timeout`: none in time; `connection`: no server; `broken`: an answer that
broke off or cannot be understood."""

KIND_TEXTS: Mapping[FailureKind, str] = {
    "status": "", "timeout": "no answer in time", "connection": "not reached", "broken": "the answer broke off",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RequestFailure:
    """`message` are the server's words, `body` the whole of its answer, `headers` by their names in small letters."""

    kind: FailureKind
    message: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def is_transient(self) -> bool:
        """Whether the same request may succeed later. The server's word comes first."""
        if self.status is None:
            return True
        if self.refuses_pictures:
            return False
        should_retry = self.headers.get("x-should-retry")
        if should_retry in ("true", "false"):
            return should_retry == "true"
        if self.status == 429 and NO_CREDIT.search(self.message):
            return False
        return self.status in TRANSIENT_STATUSES or self.status >= 500

    @property
    def may_be_billed(self) -> bool:
        """Refused requests cost nothing; of one that broke off, or failed within the server, nobody knows."""
        return self.status is None or self.status >= 500 or self.status == 408

    @property
    def refuses_pictures(self) -> bool:
        return self.status is not None and NO_PICTURES.search(self.message) is not None

    @property
    def is_too_long(self) -> bool:
        return self.status == 413 or (self.status in (400, 422) and TOO_LONG.search(self.message) is not None)

    @property
    def summary(self) -> str:
        """Without the server's words: the log is no place for what may be on a page."""
        return KIND_TEXTS[self.kind] if self.status is None else f"HTTP {self.status}"

    def retry_after(self, now: float) -> float | None:
        """Seconds that the server wants to be left alone, by header or in the body; None where it does not say."""
        after_ms, after = self.headers.get("retry-after-ms"), self.headers.get("retry-after")
        if after_ms is not None and (milliseconds := _seconds(after_ms)) is not None:
            return milliseconds / 1000
        if after is not None:
            if (seconds := _seconds(after)) is not None:
                return seconds
            date = email.utils.parsedate_tz(after)
            return None if date is None else max(0.0, email.utils.mktime_tz(date) - now)
        return _google_retry_delay(self.body)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Whom a request goes to, for messages: the model as `openai:gpt-…`, the server's host and port, and the names of
    the environment variables for its key and its address."""

    model: str
    server: str
    key_variable: str
    url_variable: str
    is_self_hosted: bool = False

    @property
    def name(self) -> str:
        """Part of the run key, and what a calibration is found by: another server's model is another model."""
        return f"{self.model}@{self.server}" if self.is_self_hosted else self.model


def client_failure(client: Any, error: Exception) -> RequestFailure | None:
    """What an error of OpenAI's or Anthropic's client means: both are generated alike. `client` is the library."""
    match error:
        case client.APIStatusError():
            body = error.body if error.body is not None else error.response.text
            return RequestFailure("status", error_message(body), error.status_code, dict(error.response.headers), body)
        case client.APITimeoutError() if not isinstance(error.__cause__, httpx2.ConnectTimeout):
            return RequestFailure("timeout", "")
        case client.APIConnectionError() if isinstance(error.__cause__, httpx2.RemoteProtocolError | httpx2.ReadError):
            return RequestFailure("broken", str(error.__cause__))
        case client.APIConnectionError():
            return RequestFailure("connection", str(error.__cause__ or error))
        case client.APIResponseValidationError() | json.JSONDecodeError():
            return RequestFailure("broken", "the answer is no JSON")
    return None


def error_message(body: Any) -> str:
    """The message in an error's body, with the parameters that it names; never what it repeats of the request."""
    if not isinstance(body, Mapping):
        return str(body or "")[:MAX_MESSAGE_LENGTH]
    error = body.get("error", body)
    if not isinstance(error, Mapping):
        return str(error)[:MAX_MESSAGE_LENGTH]
    words = [error.get("message"), error.get("param"), error.get("code"), error.get("type")]
    detail = error.get("detail")
    if isinstance(detail, list):  # FastAPI's; `input` would be the request
        words += [f"{entry.get('loc')} {entry.get('msg')}" for entry in detail if isinstance(entry, Mapping)]
    elif detail is not None:
        words.append(detail)
    return " ".join(str(each) for each in words if each)[:MAX_MESSAGE_LENGTH]


def error_of(failure: RequestFailure, endpoint: Endpoint) -> DocpipeError:
    """What a user sees. `failure.message` must not have the key in it any more."""
    explanation = _explanation(failure, endpoint)
    error: type[DocpipeError] = AnswerError if failure.status in DOCUMENT_STATUSES else ModelError
    if failure.is_too_long or failure.refuses_pictures:
        error = TooLargeError if failure.is_too_long else ModelError
    message = f"{explanation.message}: {failure.message}" if failure.message else explanation.message
    return error(message, hint=explanation.hint)


@dataclass(frozen=True, slots=True)
class _Explanation:
    """What happened, and what to do."""

    message: str
    hint: str


def _explanation(failure: RequestFailure, endpoint: Endpoint) -> _Explanation:
    model, server, status = endpoint.model, endpoint.server, failure.status
    by_status: Mapping[int | None, _Explanation] = {
        401: _Explanation(
            f"{server} does not take our key for {model}",
            f"Set {endpoint.key_variable} to a key that is valid there.",
        ),
        402: _Explanation(f"{server} wants to be paid for {model}", NO_CREDIT_HINT),
        403: _Explanation(
            f"{server} does not let us use {model}",
            f"Set {endpoint.key_variable} to a key that may use this model from this network.",
        ),
        404: _Explanation(
            f"{server} has no model {model.partition(':')[2]}",
            f"Look at its name, and at {endpoint.url_variable}: for openai a base URL usually ends in /v1.",
        ),
        429: _Explanation(
            f"{model} has had too many requests",
            "Ask less at a time (DOCPIPE_HOSTED_PARALLEL, --jobs), or for a higher limit at the provider.",
        ),
    }
    if failure.refuses_pictures:
        return _Explanation(f"{model} takes no pictures (HTTP {status})", NO_PICTURES_HINT)
    if failure.is_too_long:
        hint = "Send fewer pages, or use a model or a server with a longer context."
        return _Explanation(f"the document is too large for {model} (HTTP {status})", hint)
    if status in by_status:
        return by_status[402 if status == 429 and not failure.is_transient else status]
    if failure.kind == "connection":
        hint = f"Is it running? {endpoint.url_variable} says where it is; HTTPS_PROXY and HTTP_PROXY are followed."
        return _Explanation(f"{server} cannot be reached for {model}", hint)
    if status is None or status >= 500:
        hint = "Try again later; a provider has a page with its status."
        return _Explanation(f"{server} failed at {model} ({failure.summary})", hint)
    hint = "Does the model take pictures? If not: --see words. docs/hosted.md says what docpipe asks of a server."
    return _Explanation(f"{server} refuses the request for {model} (HTTP {status})", hint)


def _seconds(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _google_retry_delay(body: Any) -> float | None:
    """Google's `{"error": {"details": [{"@type": "…RetryInfo", "retryDelay": "7s"}]}}`."""
    error = body.get("error", body) if isinstance(body, Mapping) else None
    details = error.get("details") if isinstance(error, Mapping) else None
    for entry in details if isinstance(details, list) else []:
        if isinstance(entry, Mapping) and str(entry.get("@type", "")).endswith("RetryInfo"):
            return _seconds(str(entry.get("retryDelay", "")).removesuffix("s"))
    return None
