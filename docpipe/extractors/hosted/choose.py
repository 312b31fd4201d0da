"""A model behind an HTTP API, of a provider or on a server of one's own.

In: a provider's model, options, the environment. Out: a `Backend`. Pages leave the machine for the provider's address.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from docpipe.errors import ModelError, UsageError
from docpipe.extractors.hosted.backend import Dependencies, HostedBackend, RequestLimits
from docpipe.extractors.hosted.budget import DayBudget, read_price
from docpipe.extractors.hosted.failures import Endpoint
from docpipe.extractors.hosted.options import HostedOptions
from docpipe.extractors.hosted.provider import Provider
from docpipe.extractors.hosted.retries import RetryPolicy

CONNECT_SECONDS = 10.0  # to reach a server at all


@dataclass(frozen=True, slots=True)
class HostedModel:
    """One model of one provider. `provider` makes the client from a key, an address and an HTTP client. A key is looked
    for in the environment's `key_variables`, in their order. `url` is the address of a server of one's own, None the
    provider's; `url_variable` sets it."""

    kind: str
    model: str
    provider: Callable[[str | None, str | None, httpx2.Client], Provider]
    key_variables: tuple[str, ...]
    url: str | None
    url_variable: str

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.model}"


def connect(
    hosted: HostedModel, options: HostedOptions, environment: Mapping[str, str], retries: RetryPolicy | None = None
) -> HostedBackend:
    """Asks nothing of the server yet. Raises UsageError, also when money is limited and the model has no price, and
    ModelError."""
    if not hosted.model:
        raise ModelError(f"{hosted.kind}: names no model", hint=f"Write {hosted.kind}:NAME, with the model's name.")
    url, key_variable = hosted.url, hosted.key_variables[-1]
    endpoint = Endpoint(hosted.name, _server(hosted), key_variable, hosted.url_variable, url is not None)
    key = _key(hosted, environment)
    price = read_price(options.prices, endpoint.model)
    if options.day_money is not None and price is None:
        entry = f'{{"{endpoint.model}": {{"in": 2.5, "out": 10.0}}}}'
        raise UsageError(
            f"the day's money is limited, and there is no price for {endpoint.model}",
            hint=f"Add it to the file that DOCPIPE_PRICES names: {entry}, money for a million tokens.",
        )
    retries = retries or RetryPolicy(options.attempts, options.patience_seconds)
    # a key must not follow one server's word to another server
    http = httpx2.Client(timeout=httpx2.Timeout(options.seconds, connect=CONNECT_SECONDS), follow_redirects=False)
    dependencies = Dependencies(
        hosted.provider(key, url, http),
        DayBudget(
            options.spending_file or spending_file(environment),
            options.day_tokens,
            options.day_money,
            lambda: datetime.datetime.fromtimestamp(retries.now(), datetime.UTC).date(),
        ),
        price,
        retries,
        lambda text: text.replace(key, "…") if key else text,
        http.close,
    )
    limits = RequestLimits(options.parallel, options.thinking_tokens, options.document_tokens)
    return HostedBackend(hosted.model, endpoint, limits, dependencies)


def spending_file(environment: Mapping[str, str]) -> Path:
    """Where programs keep what they remember from run to run (XDG base directories). Raises UsageError for a user
    without a home folder."""
    state = environment.get("XDG_STATE_HOME") or "~/.local/state"
    try:
        return Path(state).expanduser() / "docpipe" / "spending.json"
    except RuntimeError as error:
        message = f"there is no folder {state} for the account of what was spent: {error}"
        raise UsageError(message, hint="Set XDG_STATE_HOME to a folder that this user may write.") from error


def _server(hosted: HostedModel) -> str:
    """A server's name for messages. Raises UsageError."""
    if hosted.url is None:
        return hosted.kind
    try:
        parts = urlsplit(hosted.url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("http", "https") or not host:
        hint = "It begins with http:// or https://, such as http://localhost:8000/v1."
        raise UsageError(f"{hosted.url_variable} is no address of a server", hint=hint)
    if parts.username or parts.password:  # the HTTP client writes addresses into the log
        hint = f"A key belongs into {hosted.key_variables[-1]}."
        raise UsageError(f"there is a name or a password in {hosted.url_variable}", hint=hint)
    return f"{host}:{port}" if port else host


def _key(hosted: HostedModel, environment: Mapping[str, str]) -> str | None:
    """From the environment only, so that no list of processes shows it. A server of one's own may need none."""
    variables = hosted.key_variables
    key = next((value for name in variables if (value := environment.get(name, "").strip())), None)
    if key is None and hosted.url is None:
        raise ModelError(
            f"{hosted.kind} needs a key, and {' or '.join(variables)} is not set",
            hint=f"Set {variables[-1]}, or {hosted.url_variable} to the address of a server that needs none.",
        )
    return key
