"""The choice of a model behind an HTTP API, of a provider or on a server of one's own.

In: a kind, a model's name, the settings. Out: a `Backend`. Pages leave the machine for the address in the settings.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2

from docpipe.errors import ModelError, UsageError
from docpipe.extractors.hosted.backend import HostedBackend, Limits, Means
from docpipe.extractors.hosted.budget import DayBudget, read_price
from docpipe.extractors.hosted.provider import Provider
from docpipe.extractors.hosted.retries import Patience, Place

if TYPE_CHECKING:
    from docpipe.config import Settings

# Where a key is looked for: the variables that the providers' own clients read, in their order.
KEYS: Mapping[str, tuple[str, ...]] = {
    "openai": ("OPENAI_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "gemini": ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
}
CONNECT_SECONDS = 10.0  # to reach a server at all


def hosted_backend(kind: str, name: str, settings: Settings, patience: Patience | None = None) -> HostedBackend:
    """Asks nothing of the server yet. Raises UsageError, also when money is limited and the model has no price, and
    ModelError."""
    if kind not in KEYS or not name:
        raise ModelError(f"there is no model {kind}:{name}", hint=f"It is KIND:NAME, with a kind of {', '.join(KEYS)}.")
    url = {"openai": settings.openai_url, "anthropic": settings.anthropic_url, "gemini": settings.gemini_url}[kind]
    place = Place(f"{kind}:{name}", _server(kind, url), KEYS[kind][-1], f"DOCPIPE_{kind.upper()}_URL", url is not None)
    key = _key(kind, url)
    price = read_price(settings.prices, place.model)
    if settings.day_money is not None and price is None:
        entry = f'{{"{place.model}": {{"in": 2.5, "out": 10.0}}}}'
        raise UsageError(
            f"the day's money is limited, and there is no price for {place.model}",
            hint=f"Add it to the file that DOCPIPE_PRICES names: {entry}, money for a million tokens.",
        )
    # a key must not follow one server's word to another server
    http = httpx2.Client(
        timeout=httpx2.Timeout(settings.hosted_seconds, connect=CONNECT_SECONDS), follow_redirects=False
    )
    means = Means(
        _provider(kind, key, url, http),
        DayBudget(settings.spending_file or spending_file(os.environ), settings.day_tokens, settings.day_money),
        price,
        patience or Patience(settings.hosted_attempts, settings.hosted_patience_seconds),
        lambda said: said.replace(key, "…") if key else said,
        http.close,
    )
    limits = Limits(settings.hosted_parallel, settings.hosted_thinking_tokens, settings.document_tokens)
    return HostedBackend(name, place, limits, means)


def spending_file(environment: Mapping[str, str]) -> Path:
    """Where programs keep what they remember from run to run (XDG base directories)."""
    state = environment.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "docpipe" / "spending.json"


def _provider(kind: str, key: str | None, url: str | None, http: httpx2.Client) -> Provider:
    match kind:
        case "openai":
            from docpipe.extractors.hosted.providers.openai_chat import OpenAIChat  # heavy: a client

            return OpenAIChat(key, url, http)
        case "anthropic":
            from docpipe.extractors.hosted.providers.anthropic_messages import AnthropicMessages  # heavy: a client

            return AnthropicMessages(key, url, http)
    from docpipe.extractors.hosted.providers.gemini_content import GeminiContent  # heavy: a client

    return GeminiContent(key, url, http)


def _server(kind: str, url: str | None) -> str:
    """A server's name for messages. Raises UsageError."""
    if url is None:
        return kind
    variable = f"DOCPIPE_{kind.upper()}_URL"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in ("http", "https") or not host:
        hint = "It begins with http:// or https://, such as http://localhost:8000/v1."
        raise UsageError(f"{variable} is no address of a server", hint=hint)
    if parts.username or parts.password:  # the HTTP client writes addresses into the log
        raise UsageError(f"there is a name or a password in {variable}", hint=f"A key belongs into {KEYS[kind][-1]}.")
    return f"{host}:{port}" if port else host


def _key(kind: str, url: str | None) -> str | None:
    """From the environment only, so that no list of processes shows it. A server of one's own may need none."""
    variables = KEYS[kind]
    found = next((value for name in variables if (value := os.environ.get(name, "").strip())), None)
    if found is None and url is None:
        raise ModelError(
            f"{kind} needs a key, and {' or '.join(variables)} is not set",
            hint=f"Set {variables[-1]}, or DOCPIPE_{kind.upper()}_URL to the address of a server that needs none.",
        )
    return found
