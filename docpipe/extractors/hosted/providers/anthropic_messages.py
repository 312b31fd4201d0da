"""`anthropic:NAME`: Anthropic's messages.

In: a Request. Out: what the model wrote. It tells no log-probabilities, and no tokens of pictures apart.
"""

from __future__ import annotations

import json
from typing import Any

import anthropic
import httpx2

from docpipe.extractors.generative.backend import Finish
from docpipe.extractors.hosted.provider import (
    LIMITS,
    MEDIA_TYPE,
    SCHEMA_IN_WORDS,
    Feature,
    Heard,
    Picture,
    Request,
    Usage,
    client_failure,
    trimmed,
    unions,
    without_unions,
)
from docpipe.extractors.hosted.retries import Failure

URL = "https://api.anthropic.com"
# Larger pictures are refused in requests with more than 20 of them; older models scale down to 1,568 on their own side,
# newer ones read up to 2,576 (Anthropic's guide to images and vision).
MAX_SIDE = 2000
# Its guide to structured outputs: bounds are refused, and no more than 16 values may be of more than one type.
MOST_UNIONS = 16
EMPTY = 'Where a value is null, write "" instead.'
FINISHES: dict[str, Finish] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refused",
}


class AnthropicMessages:
    uses: frozenset[Feature] = frozenset({"schema", "temperature", "thinking"})
    max_side = MAX_SIDE

    def __init__(self, key: str | None, url: str | None, http: httpx2.Client) -> None:
        headers: Any = None if key else {"Authorization": anthropic.Omit(), "X-Api-Key": anthropic.Omit()}
        self._client = anthropic.Anthropic(
            api_key=key or "none", base_url=url or URL, http_client=http, max_retries=0, default_headers=headers
        )

    def send(self, request: Request) -> Heard:
        content = [_part(part) for part in request.parts]
        options: dict[str, Any] = {}
        if "schema" in request.uses:
            schema = trimmed(request.schema, LIMITS)
            if unions(schema) > MOST_UNIONS:
                schema = without_unions(schema)
                content.append({"type": "text", "text": EMPTY})
            options["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        else:
            content.append({"type": "text", "text": SCHEMA_IN_WORDS + json.dumps(request.schema)})
        if "temperature" in request.uses:
            options["extra_body"] = {"temperature": 0}  # older models take it; the client's types know it no more
        messages: Any = [{"role": "user", "content": content}]
        return _heard(
            self._client.messages.create(
                model=request.model, max_tokens=request.most_tokens, messages=messages, **options
            )
        )

    def failure(self, error: Exception) -> Failure | None:
        return client_failure(anthropic, error)


def _part(part: str | Picture) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    source = {"type": "base64", "media_type": MEDIA_TYPE, "data": part.as_text}
    return {"type": "image", "source": source}


def _heard(said: Any) -> Heard:
    blocks = getattr(said, "content", None) or []
    text = "".join(block.text for block in blocks if getattr(block, "type", "") == "text")
    reason = str(getattr(said, "stop_reason", None) or "")
    model = str(getattr(said, "model", "") or "")
    return Heard(text, FINISHES.get(reason, "complete"), (), _usage(getattr(said, "usage", None)), reason, model)


def _usage(said: Any) -> Usage | None:
    if said is None or getattr(said, "input_tokens", None) is None:
        return None
    cached = getattr(said, "cache_read_input_tokens", None) or 0
    written = getattr(said, "cache_creation_input_tokens", None) or 0
    return Usage(said.input_tokens + cached + written, getattr(said, "output_tokens", None) or 0, cached)
