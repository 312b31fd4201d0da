"""`openai:NAME`: OpenAI's chat completions. vLLM, Ollama, llama.cpp, LM Studio and `transformers serve` speak it too.

In: a ProviderRequest. Out: what the model wrote, with the log-probability of each token where the server reports it.
"""

from __future__ import annotations

import json
from typing import Any

import httpx2
import openai

from docpipe.extractors.generative.backend import FinishReason
from docpipe.extractors.hosted.budget import TokenUsage
from docpipe.extractors.hosted.failures import RequestFailure, client_failure
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

URL = "https://api.openai.com/v1"
# With `detail: high` an image is scaled down to fit into 2,048 by 2,048 (OpenAI's guide to images and vision).
MAX_SIDE = 2048
# Strict schemas of OpenAI's own servers take `pattern`, `format` and the bounds of lists and numbers (its guide to
# structured outputs). Other servers, mostly with llguidance, xgrammar or a grammar of their own, are sent all of it.
REFUSED_KEYWORDS = frozenset({"minLength", "maxLength"})
SEEING = {"multimodal", "vision"}  # what a server calls a model that takes images
OPENAI_FEATURES: frozenset[Feature] = frozenset(
    {"schema", "bounds", "temperature", "logprobs", "image_detail", "thinking"}
)


class OpenAIChat:
    """`url` is None for OpenAI itself."""

    max_side = MAX_SIDE

    def __init__(self, key: str | None, url: str | None, http: httpx2.Client) -> None:
        # servers of one's own know `max_tokens`, OpenAI's newer models only `max_completion_tokens`; what a short
        # context leaves is known to the server alone
        self.features: frozenset[Feature] = (
            OPENAI_FEATURES if url is None else OPENAI_FEATURES | {"legacy_limit_name", "token_limit"}
        )
        self._is_self_hosted = url is not None
        self._refused_keywords = REFUSED_KEYWORDS if url is None else frozenset[str]()
        self._headers: Any = None if key else {"Authorization": openai.Omit()}
        self._client = openai.OpenAI(api_key=key or "none", base_url=url or URL, http_client=http, max_retries=0)

    def sees_pictures(self, model: str) -> bool:
        """llama.cpp's server lists what its models are capable of; of others the first request tells."""
        if not self._is_self_hosted:
            return True
        try:
            listed: Any = self._client.get("/models", cast_to=object, options={"headers": self._headers or {}})
        except (openai.OpenAIError, ValueError):  # whoever asks it for a document is told what is the matter with it
            return True
        capabilities = _capabilities(listed, model)
        return not capabilities or bool(SEEING & capabilities)

    def send(self, request: ProviderRequest) -> ProviderResponse:
        options: dict[str, Any] = {"extra_headers": self._headers}
        if "schema" in request.features:
            left_out = self._refused_keywords if "bounds" in request.features else BOUND_KEYWORDS
            schema = without_keywords(request.output_schema, left_out)
            options["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "document", "strict": True, "schema": schema},
            }
        if "temperature" in request.features:
            options["temperature"] = 0
        if "logprobs" in request.features:
            options["logprobs"] = True
        if "token_limit" in request.features or not self._is_self_hosted:
            name = "max_tokens" if "legacy_limit_name" in request.features else "max_completion_tokens"
            options[name] = request.max_tokens
        content = [_part(part, "image_detail" in request.features) for part in request.parts]
        if "schema" not in request.features:
            content.append({"type": "text", "text": SCHEMA_INSTRUCTION + json.dumps(request.output_schema)})
        messages: Any = [{"role": "user", "content": content}]
        return _response(self._client.chat.completions.create(model=request.model, messages=messages, **options))

    def failure(self, error: Exception) -> RequestFailure | None:
        return client_failure(openai, error)


def _capabilities(listed: Any, model: str) -> set[str]:
    """Of this model, as llama.cpp lists them (`{"models": [{"name": …, "capabilities": […]}]}`); none where nobody
    says."""
    entries = listed.get("models") if isinstance(listed, dict) else None
    described = [entry for entry in entries or [] if isinstance(entry, dict) and entry.get("capabilities")]
    if len(described) > 1:
        described = [entry for entry in described if model in (entry.get("name"), entry.get("model"))]
    return {str(each) for entry in described for each in entry["capabilities"]}


def _part(part: str | EncodedImage, in_detail: bool) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    image = {"url": f"data:{MEDIA_TYPE};base64,{part.as_base64}"}
    return {"type": "image_url", "image_url": {**image, "detail": "high"} if in_detail else image}


def _response(completion: Any) -> ProviderResponse:
    """The client checks nothing, and a server may leave out what it likes."""
    usage, model = _usage(getattr(completion, "usage", None)), str(getattr(completion, "model", "") or "")
    choices = getattr(completion, "choices", None) or []
    if not choices or choices[0].message is None:
        return ProviderResponse("", usage=usage, served_model=model)
    choice = choices[0]
    text = _text(choice.message.content)
    refusal = getattr(choice.message, "refusal", None)
    finish: FinishReason = "complete"
    if refusal or choice.finish_reason == "content_filter":
        finish = "refused"
    elif choice.finish_reason == "length":
        finish = "length"
    tokens = output_tokens(_reported_tokens(choice), text)
    return ProviderResponse(
        text, finish, tokens, usage, "refusal" if refusal else str(choice.finish_reason), served_model=model
    )


def _reported_tokens(choice: Any) -> list[ReportedToken]:
    reported = []
    for token in getattr(getattr(choice, "logprobs", None), "content", None) or []:
        if isinstance(token.token, str) and isinstance(token.logprob, int | float):
            values = getattr(token, "bytes", None)
            reported.append(ReportedToken(token.token, None if values is None else bytes(values), token.logprob))
    return reported


def _usage(reported: Any) -> TokenUsage | None:
    if not isinstance(getattr(reported, "prompt_tokens", None), int):
        return None
    details = getattr(reported, "prompt_tokens_details", None)
    return TokenUsage(
        reported.prompt_tokens,
        _count(reported, "completion_tokens"),
        _count(details, "cached_tokens"),
        _count(details, "image_tokens"),
    )


def _count(reported: Any, name: str) -> int:
    value = getattr(reported, name, None)
    return value if isinstance(value, int) else 0


def _text(content: Any) -> str:
    """Some servers send a list of parts."""
    if isinstance(content, list):
        return "".join(part.get("text") or "" for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
