"""`openai:NAME`: OpenAI's chat completions. vLLM, Ollama, llama.cpp, LM Studio and `transformers serve` speak it too.

In: a Request. Out: what the model wrote, with the log-probability of each token where the server tells it.
"""

from __future__ import annotations

import json
from typing import Any

import httpx2
import openai

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
    told,
    trimmed,
)
from docpipe.extractors.hosted.retries import Failure

URL = "https://api.openai.com/v1"
# With `detail: high` a picture is scaled down to fit into 2,048 by 2,048 (OpenAI's guide to images and vision).
MAX_SIDE = 2048
# Strict schemas of OpenAI's own servers take `pattern`, `format` and the bounds of lists and numbers (its guide to
# structured outputs). Other servers, mostly with llguidance, xgrammar or a grammar of their own, are sent all of it.
NOT_TAKEN = frozenset({"minLength", "maxLength"})
OWN: frozenset[Feature] = frozenset({"schema", "limits", "temperature", "logprobs", "detail", "thinking"})


class OpenAIChat:
    """`url` is None for OpenAI itself."""

    max_side = MAX_SIDE

    def __init__(self, key: str | None, url: str | None, http: httpx2.Client) -> None:
        # servers of one's own know `max_tokens`, OpenAI's newer models only `max_completion_tokens`; what a short
        # context leaves is known to the server alone
        self.uses: frozenset[Feature] = OWN if url is None else OWN | {"old_limit", "limit"}
        self._is_own = url is not None
        self._dropped = NOT_TAKEN if url is None else frozenset[str]()
        self._headers: Any = None if key else {"Authorization": openai.Omit()}
        self._client = openai.OpenAI(api_key=key or "none", base_url=url or URL, http_client=http, max_retries=0)

    def send(self, request: Request) -> Heard:
        options: dict[str, Any] = {"extra_headers": self._headers}
        if "schema" in request.uses:
            dropped = self._dropped if "limits" in request.uses else LIMITS
            schema = trimmed(request.schema, dropped)
            options["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "document", "strict": True, "schema": schema},
            }
        if "temperature" in request.uses:
            options["temperature"] = 0
        if "logprobs" in request.uses:
            options["logprobs"] = True
        if "limit" in request.uses or not self._is_own:
            options["max_tokens" if "old_limit" in request.uses else "max_completion_tokens"] = request.most_tokens
        content = [_part(part, "detail" in request.uses) for part in request.parts]
        if "schema" not in request.uses:
            content.append({"type": "text", "text": SCHEMA_IN_WORDS + json.dumps(request.schema)})
        messages: Any = [{"role": "user", "content": content}]
        return _heard(self._client.chat.completions.create(model=request.model, messages=messages, **options))

    def failure(self, error: Exception) -> Failure | None:
        return client_failure(openai, error)


def _part(part: str | Picture, in_detail: bool) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    picture = {"url": f"data:{MEDIA_TYPE};base64,{part.as_text}"}
    return {"type": "image_url", "image_url": {**picture, "detail": "high"} if in_detail else picture}


def _heard(said: Any) -> Heard:
    """The client checks nothing, and a server may leave out what it likes."""
    usage, model = _usage(getattr(said, "usage", None)), str(getattr(said, "model", "") or "")
    choices = getattr(said, "choices", None) or []
    if not choices or choices[0].message is None:
        return Heard("", usage=usage, model=model)
    choice = choices[0]
    text = _text(choice.message.content)
    refusal = getattr(choice.message, "refusal", None)
    finish: Finish = "complete"
    if refusal or choice.finish_reason == "content_filter":
        finish = "refused"
    elif choice.finish_reason == "length":
        finish = "length"
    pieces = getattr(getattr(choice, "logprobs", None), "content", None) or []
    known = [piece for piece in pieces if isinstance(piece.token, str) and isinstance(piece.logprob, int | float)]
    tokens = told([(piece.token, getattr(piece, "bytes", None), piece.logprob) for piece in known], text)
    return Heard(text, finish, tokens, usage, "refusal" if refusal else str(choice.finish_reason), model)


def _usage(said: Any) -> Usage | None:
    if not isinstance(getattr(said, "prompt_tokens", None), int):
        return None
    details = getattr(said, "prompt_tokens_details", None)
    return Usage(
        said.prompt_tokens,
        _count(said, "completion_tokens"),
        _count(details, "cached_tokens"),
        _count(details, "image_tokens"),
    )


def _count(said: Any, name: str) -> int:
    found = getattr(said, name, None)
    return found if isinstance(found, int) else 0


def _text(content: Any) -> str:
    """Some servers send a list of parts."""
    if isinstance(content, list):
        return "".join(part.get("text") or "" for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
