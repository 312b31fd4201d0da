"""`gemini:NAME`: Google's generateContent.

In: a ProviderRequest. Out: what the model wrote, with the log-probability of each token where the model reports it.
"""

from __future__ import annotations

import json
from typing import Any

import httpx2
from google import genai
from google.genai import errors, types
from pydantic import ValidationError

from docpipe.extractors.generative.backend import FinishReason
from docpipe.extractors.hosted.budget import TokenUsage
from docpipe.extractors.hosted.failures import RequestFailure, error_message
from docpipe.extractors.hosted.provider import (
    MEDIA_TYPE,
    EncodedImage,
    Feature,
    ProviderRequest,
    ProviderResponse,
    ReportedToken,
    output_tokens,
)
from docpipe.extractors.hosted.provider_schema import BOUND_KEYWORDS, SCHEMA_INSTRUCTION, without_keywords

URL = "https://generativelanguage.googleapis.com"
# Images are scaled down to fit into 3,072 by 3,072 (Gemini API, "Understand and count tokens").
MAX_SIDE = 3072
# What `response_json_schema` passes over (the client's own description of it lists what it takes).
IGNORED_KEYWORDS = frozenset({"minLength", "maxLength", "pattern"})
LENGTH_REASONS = frozenset({"MAX_TOKENS", "CONTINUATION"})
REFUSAL_REASONS = frozenset(
    {
        *("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"),
        *("ESCALATION", "PUP_LIMITED_DISABLED", "MODEL_ARMOR"),
    }
)


class GeminiContent:
    features: frozenset[Feature] = frozenset(
        {"schema", "bounds", "temperature", "logprobs", "image_detail", "thinking"}
    )
    max_side = MAX_SIDE

    def __init__(self, key: str | None, url: str | None, http: httpx2.Client) -> None:
        seconds = http.timeout.read  # the client takes no notice of it
        options = types.HttpOptions(
            base_url=url or URL,
            httpx_client=http,
            timeout=None if seconds is None else round(seconds * 1000),
            retry_options=types.HttpRetryOptions(attempts=1),
        )
        self._client = genai.Client(api_key=key or "none", vertexai=False, http_options=options)

    def sees_pictures(self, model: str) -> bool:  # noqa: ARG002 - the protocol's argument
        return True  # all of its models do

    def send(self, request: ProviderRequest) -> ProviderResponse:
        parts = [_part(part) for part in request.parts]
        options: dict[str, Any] = {"max_output_tokens": request.max_tokens, "candidate_count": 1}
        if "schema" in request.features:
            options["response_mime_type"] = "application/json"
            left_out = IGNORED_KEYWORDS if "bounds" in request.features else BOUND_KEYWORDS
            options["response_json_schema"] = without_keywords(request.output_schema, left_out)
        else:
            parts.append(types.Part.from_text(text=SCHEMA_INSTRUCTION + json.dumps(request.output_schema)))
        if "temperature" in request.features:
            options["temperature"] = 0.0
        if "logprobs" in request.features:
            options["response_logprobs"] = True
        if "image_detail" in request.features:
            options["media_resolution"] = types.MediaResolution.MEDIA_RESOLUTION_HIGH
        contents = types.Content(role="user", parts=parts)
        config = types.GenerateContentConfig(**options)
        return _response(self._client.models.generate_content(model=request.model, contents=contents, config=config))

    def failure(self, error: Exception) -> RequestFailure | None:
        match error:
            case errors.APIError():
                headers = {name.lower(): value for name, value in dict(getattr(error.response, "headers", {})).items()}
                return RequestFailure("status", error_message(error.details), error.code, headers, error.details)
            case httpx2.ConnectTimeout() | httpx2.ConnectError() | httpx2.ProxyError() | httpx2.UnsupportedProtocol():
                return RequestFailure("connection", str(error))
            case httpx2.TimeoutException():
                return RequestFailure("timeout", "")
            case httpx2.HTTPError():
                return RequestFailure("broken", str(error))
            case json.JSONDecodeError() | ValidationError():
                return RequestFailure("broken", "the answer is no JSON of theirs")
        return None


def _part(part: str | EncodedImage) -> types.Part:
    if isinstance(part, str):
        return types.Part.from_text(text=part)
    return types.Part.from_bytes(data=part.data, mime_type=MEDIA_TYPE)


def _response(content: types.GenerateContentResponse) -> ProviderResponse:
    usage, model = _usage(content.usage_metadata), content.model_version or ""
    if not content.candidates:
        block_reason = _enum_name(content.prompt_feedback.block_reason if content.prompt_feedback else None)
        return ProviderResponse("", "refused" if block_reason else "complete", (), usage, block_reason, model)
    candidate = content.candidates[0]
    parts = (candidate.content.parts if candidate.content else None) or []
    text = "".join(part.text for part in parts if part.text and not part.thought)
    reason = _enum_name(candidate.finish_reason)
    finish: FinishReason = (
        "length" if reason in LENGTH_REASONS else "refused" if reason in REFUSAL_REASONS else "complete"
    )
    chosen = (candidate.logprobs_result.chosen_candidates if candidate.logprobs_result else None) or []
    reported = [ReportedToken(token.token or "", None, token.log_probability or 0.0) for token in chosen]
    return ProviderResponse(text, finish, output_tokens(reported, text), usage, reason, model)


def _enum_name(value: Any) -> str:
    return "" if value is None else str(getattr(value, "value", value))


def _usage(reported: types.GenerateContentResponseUsageMetadata | None) -> TokenUsage | None:
    if reported is None or reported.prompt_token_count is None:
        return None
    images = [count for count in reported.prompt_tokens_details or [] if _enum_name(count.modality) == "IMAGE"]
    return TokenUsage(
        reported.prompt_token_count,
        (reported.candidates_token_count or 0) + (reported.thoughts_token_count or 0),
        reported.cached_content_token_count or 0,
        sum(count.token_count or 0 for count in images),
    )
