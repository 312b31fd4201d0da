"""Models and servers that do not take all that a request asks for: they get what they take, and are not asked twice."""

from __future__ import annotations

import json

import pytest

from docpipe.errors import AnswerError
from docpipe.extractors.generative.backend import BackendReply
from tests.support.hosted_server import ANSWER, KINDS, failure, fake_provider, set_keys, single_reply, success


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    set_keys(monkeypatch)


def _text(reply: BackendReply) -> str:
    return reply.completions[0].text


NO_SCHEMA = {
    "openai": "'response_format' of type 'json_schema' is not supported with this model",
    "anthropic": "output_config.format: this model does not support structured outputs",
    "gemini": 'Invalid JSON payload received. Unknown name "responseJsonSchema"',
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_without_structured_output_gets_the_schema_in_words_from_then_on(
    kind: str, caplog: pytest.LogCaptureFixture
):
    def respond(_request):
        return failure(kind, 400, NO_SCHEMA[kind]) if server.schema(-1) is not None else success(kind, ANSWER)

    with fake_provider(kind, respond) as (server, backend):
        assert _text(single_reply(backend)) == ANSWER
        first = len(server.received)
        assert _text(single_reply(backend)) == ANSWER
    assert len(server.received) == first + 1
    assert '"additionalProperties": false' in server.texts()
    assert caplog.text.count(f"{kind}:some-model does not take a JSON Schema") == 1


def test_a_server_that_dislikes_the_bounds_alone_keeps_the_schema():
    def respond(request):
        has_pattern = "pattern" in json.dumps(server.schema())
        return (
            failure("openai", 400, "Invalid schema: pattern is not permitted")
            if has_pattern
            else success("openai", ANSWER)
        )

    with fake_provider("openai", respond) as (server, backend):
        single_reply(backend)
        single_reply(backend)
    assert len(server.received) == 3
    assert server.schema()["properties"]["gross_total"] == {"type": ["string", "null"]}


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_takes_no_temperature_is_not_sent_one_again(kind: str, caplog: pytest.LogCaptureFixture):
    respond = lambda request: (  # noqa: E731
        failure(kind, 400, "temperature is not supported")
        if server.temperature() is not None
        else success(kind, ANSWER)
    )
    with fake_provider(kind, respond) as (server, backend):
        single_reply(backend)
        single_reply(backend)
    assert [server.temperature(number) for number in range(3)] == [0, None, None]
    assert server.schema() is not None
    assert "does not take temperature 0" in caplog.text


@pytest.mark.parametrize(
    ("message", "parameter"),
    [
        ("logprobs are not supported with reasoning models", "logprobs"),
        ("Unsupported parameter: 'max_tokens' is not supported with this model", "max_tokens"),
    ],
)
def test_what_a_model_does_not_take_is_left_out(message: str, parameter: str):
    def respond(request):
        return failure("openai", 400, message) if parameter in request.body else success("openai", ANSWER)

    with fake_provider("openai", respond) as (server, backend):
        single_reply(backend)
    assert len(server.received) == 2
    assert server.schema() is not None


def test_a_server_with_a_short_context_gets_no_room_for_thinking():
    message = "'max_tokens' is too large: 4180. This model's maximum context length is 4096 tokens"

    def respond(request):
        return failure("openai", 400, message) if request.body["max_tokens"] > 1000 else success("openai", ANSWER)

    with fake_provider("openai", respond) as (server, backend):
        single_reply(backend)
    assert [request.body["max_tokens"] > 1000 for request in server.received] == [True, False]


def test_a_refused_request_that_blames_nothing_is_not_held_against_the_schema():
    """Only what worked without it is remembered."""
    with fake_provider("openai", failure("openai", 400, "no pictures, please")) as (server, backend):
        with pytest.raises(AnswerError, match="no pictures, please"):
            single_reply(backend)
        server.script = [success("openai", ANSWER)]
        single_reply(backend)
    assert server.schema() is not None


def test_a_context_that_is_shorter_still_gives_what_it_has_left():
    def respond(request):
        message = "max_tokens is too large: maximum context length is 2048 tokens"
        return failure("openai", 400, message) if "max_tokens" in request.body else success("openai", ANSWER)

    with fake_provider("openai", respond) as (server, backend):
        single_reply(backend)
        single_reply(backend)
    assert ["max_tokens" in request.body for request in server.received] == [True, True, False, False]
    assert "max_completion_tokens" not in server.received[-1].body
