"""An HTTP server on this machine that speaks as OpenAI, Anthropic or Google do, and misbehaves when told to.

In: a kind of provider and a script of responses. Out: its URL, and all requests that it received.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from PIL import Image

from docpipe.components import hosted_backend
from docpipe.config import load_settings
from docpipe.extractors.generative.backend import BackendReply, OutputSlot, Prompt
from docpipe.extractors.hosted.backend import HostedBackend
from docpipe.extractors.hosted.retries import RetryPolicy

KINDS = ("openai", "anthropic", "gemini")
KEY = "sk-a-key-that-nobody-may-see"
VARIABLES = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "gemini": "GEMINI_API_KEY"}
ANSWER = '{"invoice_number": "R-17", "gross_total": "119,00"}'
TEXT = {"type": ["string", "null"], "minLength": 1, "maxLength": 80}
NUMBER = {"type": ["string", "null"], "pattern": "^[^0-9]{0,20}[0-9][^\\\\]{0,40}$"}
PROMPT = Prompt(
    ("Find these fields.", "Page 1 of 1:", Image.new("RGB", (120, 80), (200, 220, 255)), "Answer with JSON."),
    (OutputSlot("invoice_number", TEXT, 40), OutputSlot("gross_total", NUMBER, 30)),
)


def set_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own key for all providers, whatever the environment has."""
    for name in [name for name in os.environ if name.startswith(("OPENAI_", "ANTHROPIC_", "GOOGLE_", "GEMINI_"))]:
        monkeypatch.delenv(name)
    for variable in VARIABLES.values():
        monkeypatch.setenv(variable, KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@dataclass(frozen=True)
class CannedResponse:
    """`cut` closes the connection in the middle of the body; `silent` never answers."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    silent: bool = False


@dataclass(frozen=True)
class ReceivedRequest:
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]


Script = CannedResponse | Callable[[ReceivedRequest], CannedResponse]


@dataclass
class FakeServer:
    """Answers with `script` in turn, the last one again and again; a function makes its response from the request."""

    kind: str
    port: int
    script: list[Script] = field(default_factory=list)
    received: list[ReceivedRequest] = field(default_factory=list)
    most_at_once: int = 0
    at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}" + ("/v1" if self.kind == "openai" else "")

    def texts(self, number: int = -1) -> str:
        """All texts of a request's prompt, without the images."""
        return "\n".join(part["text"] for part in self.parts(number) if "text" in part)

    def parts(self, number: int = -1) -> list[Any]:
        body = self.received[number].body
        return body["contents"][0]["parts"] if self.kind == "gemini" else body["messages"][0]["content"]

    def schema(self, number: int = -1) -> Any:
        """The JSON Schema that a request was sent with; None without."""
        body = self.received[number].body
        if self.kind == "openai":
            return body.get("response_format", {}).get("json_schema", {}).get("schema")
        if self.kind == "anthropic":
            return body.get("output_config", {}).get("format", {}).get("schema")
        return body.get("generationConfig", {}).get("responseJsonSchema")

    def temperature(self, number: int = -1) -> Any:
        body = self.received[number].body
        return (body.get("generationConfig", {}) if self.kind == "gemini" else body).get("temperature")


def success(kind: str, text: str | None, finish: str = "", **more: Any) -> CannedResponse:
    """With what a model wrote, in the shape of the kind. `finish` in the kind's own words."""
    return CannedResponse({"openai": _openai, "anthropic": _anthropic, "gemini": _gemini}[kind](text, finish, more))


def _openai(text: str | None, finish: str, more: Mapping[str, Any]) -> Any:
    message = {"role": "assistant", "content": text, "refusal": more.get("refusal")}
    choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": finish or "stop"}
    if "tokens" in more:
        choice["logprobs"] = {"content": [{**token, "top_logprobs": []} for token in more["tokens"]], "refusal": None}
    usage = {
        "prompt_tokens": 1000, "completion_tokens": 20, "total_tokens": 1020,
        "prompt_tokens_details": {"cached_tokens": 400, "image_tokens": 700},
    }  # fmt: skip
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_790_000_000, "model": "a-dated-snapshot",
        "choices": [choice], "usage": more.get("usage", usage),
    }  # fmt: skip


def _anthropic(text: str | None, finish: str, more: Mapping[str, Any]) -> Any:
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "a-dated-snapshot",
        "content": [{"type": "text", "text": text}] if text is not None else [],
        "stop_reason": finish or "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": 600, "cache_read_input_tokens": 400, "output_tokens": 20},
    }  # fmt: skip


def _gemini(text: str | None, finish: str, more: Mapping[str, Any]) -> Any:
    candidate: dict[str, Any] = {"finishReason": finish or "STOP", "index": 0}
    if text is not None:
        thought = {"text": "Let me see.", "thought": True}
        candidate["content"] = {"role": "model", "parts": [thought, {"text": text}]}
    if "tokens" in more:
        chosen = [{"token": token["token"], "logProbability": token["logprob"]} for token in more["tokens"]]
        candidate["logprobsResult"] = {"chosenCandidates": chosen}
    details = [{"modality": "TEXT", "tokenCount": 300}, {"modality": "IMAGE", "tokenCount": 700}]
    usage = {
        "promptTokenCount": 1000, "candidatesTokenCount": 15, "thoughtsTokenCount": 5, "totalTokenCount": 1020,
        "cachedContentTokenCount": 400, "promptTokensDetails": details,
    }  # fmt: skip
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "a-dated-snapshot"}


def failure(
    kind: str, status: int, message: str, headers: Mapping[str, str] | None = None, **more: Any
) -> CannedResponse:
    """An error, in the shape of the kind."""
    bodies = {
        "openai": {"error": {"message": message, "type": "invalid_request_error", "param": None, **more}},
        "anthropic": {"type": "error", "error": {"type": "invalid_request_error", "message": message, **more}},
        "gemini": {"error": {"code": status, "message": message, "status": "INVALID_ARGUMENT", **more}},
    }
    return CannedResponse(bodies[kind], status, headers or {})


@contextmanager
def fake_server(kind: str, *script: Script) -> Iterator[FakeServer]:
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    httpd.handle_error = lambda *_: None  # a client that has waited long enough hangs up
    server = FakeServer(kind, httpd.server_address[1], list(script) or [success(kind, ANSWER)])
    httpd.server = server
    thread = threading.Thread(target=httpd.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        httpd.shutdown()
        thread.join()
        httpd.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server: FakeServer = self.server.server
        content = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = ReceivedRequest(self.path, headers, json.loads(content))
        with server.lock:
            server.received.append(request)
            scripted = server.script[min(len(server.received), len(server.script)) - 1]
            server.at_once += 1
            server.most_at_once = max(server.most_at_once, server.at_once)
        response = scripted(request) if callable(scripted) else scripted
        try:
            self._respond(response, server)
        finally:
            with server.lock:
                server.at_once -= 1

    def _respond(self, response: CannedResponse, server: FakeServer) -> None:
        if response.silent:
            server.over.wait()
            self.close_connection = True
            return
        body = response.body if isinstance(response.body, bytes) else json.dumps(response.body).encode()
        self.send_response(response.status)
        for name, value in {"content-type": "application/json", **response.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if response.cut else body)
        self.close_connection = response.cut

    def log_message(self, *_: object) -> None:
        """Nothing on the screen."""


@dataclass
class FakeClock:
    """Time that passes only while somebody sleeps; the day of a budget is that of this clock."""

    time: float = 1_000_000.0
    max_attempts: int = 6
    max_seconds: float = 300.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def retry_policy(self) -> RetryPolicy:
        now = lambda: self.time  # noqa: E731
        return RetryPolicy(self.max_attempts, self.max_seconds, self.sleep, now, now, lambda: 0.0)


@contextmanager
def hosted_backend_for(server: FakeServer, clock: FakeClock | None = None, **settings: Any) -> Iterator[HostedBackend]:
    """The backend for this server's model `some-model`, in time that does not pass."""
    environment = {f"DOCPIPE_{server.kind.upper()}_URL": server.url} | {
        f"DOCPIPE_{name.upper()}": str(value) for name, value in settings.items()
    }
    retries = (clock or FakeClock()).retry_policy()
    backend = hosted_backend(server.kind, "some-model", load_settings(environment), retries)
    try:
        yield backend
    finally:
        backend.close()


def single_reply(backend: HostedBackend, prompt: Prompt = PROMPT) -> BackendReply:
    """The reply to one prompt. Raises the error that came in its place."""
    (reply,) = backend.complete([prompt])
    if isinstance(reply, Exception):
        raise reply
    return reply


@contextmanager
def fake_provider(
    kind: str, *script: Script, clock: FakeClock | None = None, **settings: Any
) -> Iterator[tuple[FakeServer, HostedBackend]]:
    """A server and the backend for it."""
    with fake_server(kind, *script) as server, hosted_backend_for(server, clock, **settings) as backend:
        yield server, backend
