"""`gemini:NAME`: Google's generateContent.

In: a Request. Out: what the model wrote, with the log-probability of each token where the model tells it.
"""

from __future__ import annotations

import json
from typing import Any

import httpx2
from google import genai
from google.genai import errors, types
from pydantic import ValidationError

from docpipe.extractors.generative.backend import Finish
from docpipe.extractors.hosted.provider import (
    MEDIA_TYPE,
    SCHEMA_IN_WORDS,
    Feature,
    Heard,
    Picture,
    Request,
    Usage,
    told,
    trimmed,
    words_of,
)
from docpipe.extractors.hosted.retries import Failure

URL = "https://generativelanguage.googleapis.com"
# Pictures are scaled down to fit into 3,072 by 3,072 (Gemini API, "Understand and count tokens").
MAX_SIDE = 3072
# What `response_json_schema` passes over (the client's own description of it lists what it takes).
NOT_TAKEN = frozenset({"minLength", "maxLength", "pattern"})
BOUNDS = frozenset({"minItems", "maxItems", "minimum", "maximum", "format", *NOT_TAKEN})
LENGTH = frozenset({"MAX_TOKENS", "CONTINUATION"})
REFUSED = frozenset(
    {
        *("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"),
        *("ESCALATION", "PUP_LIMITED_DISABLED", "MODEL_ARMOR"),
    }
)


class GeminiContent:
    uses: frozenset[Feature] = frozenset({"schema", "limits", "temperature", "logprobs", "detail", "thinking"})
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

    def send(self, request: Request) -> Heard:
        parts = [_part(part) for part in request.parts]
        options: dict[str, Any] = {"max_output_tokens": request.most_tokens, "candidate_count": 1}
        if "schema" in request.uses:
            options["response_mime_type"] = "application/json"
            options["response_json_schema"] = trimmed(request.schema, NOT_TAKEN if "limits" in request.uses else BOUNDS)
        else:
            parts.append(types.Part.from_text(text=SCHEMA_IN_WORDS + json.dumps(request.schema)))
        if "temperature" in request.uses:
            options["temperature"] = 0.0
        if "logprobs" in request.uses:
            options["response_logprobs"] = True
        if "detail" in request.uses:
            options["media_resolution"] = types.MediaResolution.MEDIA_RESOLUTION_HIGH
        contents = types.Content(role="user", parts=parts)
        config = types.GenerateContentConfig(**options)
        return _heard(self._client.models.generate_content(model=request.model, contents=contents, config=config))

    def failure(self, error: Exception) -> Failure | None:
        match error:
            case errors.APIError():
                headers = {name.lower(): value for name, value in dict(getattr(error.response, "headers", {})).items()}
                return Failure("answer", words_of(error.details), error.code, headers, error.details)
            case httpx2.ConnectTimeout() | httpx2.ConnectError() | httpx2.ProxyError() | httpx2.UnsupportedProtocol():
                return Failure("connection", str(error))
            case httpx2.TimeoutException():
                return Failure("timeout", "")
            case httpx2.HTTPError():
                return Failure("cut", str(error))
            case json.JSONDecodeError() | ValidationError():
                return Failure("cut", "the answer is no JSON of theirs")
        return None


def _part(part: str | Picture) -> types.Part:
    if isinstance(part, str):
        return types.Part.from_text(text=part)
    return types.Part.from_bytes(data=part.data, mime_type=MEDIA_TYPE)


def _heard(said: types.GenerateContentResponse) -> Heard:
    usage, model = _usage(said.usage_metadata), said.model_version or ""
    if not said.candidates:
        blocked = said.prompt_feedback.block_reason if said.prompt_feedback else None
        why = _name(blocked)
        return Heard("", "refused" if why else "complete", (), usage, why, model)
    candidate = said.candidates[0]
    parts = (candidate.content.parts if candidate.content else None) or []
    text = "".join(part.text for part in parts if part.text and not part.thought)
    reason = _name(candidate.finish_reason)
    finish: Finish = "length" if reason in LENGTH else "refused" if reason in REFUSED else "complete"
    chosen = (candidate.logprobs_result.chosen_candidates if candidate.logprobs_result else None) or []
    pieces = [(piece.token or "", None, piece.log_probability or 0.0) for piece in chosen]
    return Heard(text, finish, told(pieces, text), usage, reason, model)


def _name(value: Any) -> str:
    return "" if value is None else str(getattr(value, "value", value))


def _usage(said: types.GenerateContentResponseUsageMetadata | None) -> Usage | None:
    if said is None or said.prompt_token_count is None:
        return None
    pictures = [count for count in said.prompt_tokens_details or [] if _name(count.modality) == "IMAGE"]
    return Usage(
        said.prompt_token_count,
        (said.candidates_token_count or 0) + (said.thoughts_token_count or 0),
        said.cached_content_token_count or 0,
        sum(count.token_count or 0 for count in pictures),
    )
