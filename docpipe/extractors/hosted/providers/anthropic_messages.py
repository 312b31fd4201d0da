"""`anthropic:NAME`: Anthropic's messages.

In: a ProviderRequest. Out: what the model wrote. The API reports no log-probabilities, and no tokens of images apart.
"""

from __future__ import annotations

import json
from typing import Any

import anthropic
import httpx2

from docpipe.extractors.generative.backend import FinishReason
from docpipe.extractors.hosted.budget import TokenUsage
from docpipe.extractors.hosted.failures import RequestFailure, client_failure
from docpipe.extractors.hosted.provider import MEDIA_TYPE, EncodedImage, Feature, ProviderRequest, ProviderResponse
from docpipe.extractors.hosted.provider_schema import (
    BOUND_KEYWORDS,
    SCHEMA_INSTRUCTION,
    count_unions,
    without_keywords,
    without_null,
)

URL = "https://api.anthropic.com"
# Larger images are refused in requests with more than 20 of them; older models scale down to 1,568 on their own side,
# newer ones read up to 2,576 (Anthropic's guide to images and vision).
MAX_SIDE = 2000
# Its guide to structured outputs: bounds are refused, and no more than 16 values may be of more than one type.
MAX_UNIONS = 16
NULL_INSTRUCTION = 'Where a value is null, write "" instead.'
FINISH_REASONS: dict[str, FinishReason] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refused",
}


class AnthropicMessages:
    features: frozenset[Feature] = frozenset({"schema", "temperature", "thinking"})
    max_side = MAX_SIDE

    def __init__(self, key: str | None, url: str | None, http: httpx2.Client) -> None:
        headers: Any = None if key else {"Authorization": anthropic.Omit(), "X-Api-Key": anthropic.Omit()}
        self._client = anthropic.Anthropic(
            api_key=key or "none", base_url=url or URL, http_client=http, max_retries=0, default_headers=headers
        )

    def sees_pictures(self, model: str) -> bool:  # noqa: ARG002 - the protocol's argument
        return True  # all of its models do

    def send(self, request: ProviderRequest) -> ProviderResponse:
        content = [_part(part) for part in request.parts]
        options: dict[str, Any] = {}
        if "schema" in request.features:
            schema = without_keywords(request.output_schema, BOUND_KEYWORDS)
            if count_unions(schema) > MAX_UNIONS:
                schema = without_null(schema)
                content.append({"type": "text", "text": NULL_INSTRUCTION})
            options["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        else:
            content.append({"type": "text", "text": SCHEMA_INSTRUCTION + json.dumps(request.output_schema)})
        if "temperature" in request.features:
            options["extra_body"] = {"temperature": 0}  # older models take it; the client's types know it no more
        messages: Any = [{"role": "user", "content": content}]
        return _response(
            self._client.messages.create(
                model=request.model, max_tokens=request.max_tokens, messages=messages, **options
            )
        )

    def failure(self, error: Exception) -> RequestFailure | None:
        return client_failure(anthropic, error)


def _part(part: str | EncodedImage) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    source = {"type": "base64", "media_type": MEDIA_TYPE, "data": part.as_base64}
    return {"type": "image", "source": source}


def _response(message: Any) -> ProviderResponse:
    blocks = getattr(message, "content", None) or []
    text = "".join(block.text for block in blocks if getattr(block, "type", "") == "text")
    reason = str(getattr(message, "stop_reason", None) or "")
    model = str(getattr(message, "model", "") or "")
    usage = _usage(getattr(message, "usage", None))
    return ProviderResponse(text, FINISH_REASONS.get(reason, "complete"), (), usage, reason, model)


def _usage(reported: Any) -> TokenUsage | None:
    if reported is None or getattr(reported, "input_tokens", None) is None:
        return None
    read_from_cache = getattr(reported, "cache_read_input_tokens", None) or 0
    written_to_cache = getattr(reported, "cache_creation_input_tokens", None) or 0
    tokens_in = reported.input_tokens + read_from_cache + written_to_cache
    return TokenUsage(tokens_in, getattr(reported, "output_tokens", None) or 0, read_from_cache)
