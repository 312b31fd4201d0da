"""Models behind an HTTP API that fail: each way of failing, against a real server. Nobody waits: time is the test's."""

from __future__ import annotations

import email.utils
import json
import logging
import math
from contextlib import closing
from dataclasses import replace

import pytest

from benchmarks.service.servers import wait_until
from docpipe.components import hosted_backend
from docpipe.config import load_settings
from docpipe.errors import AnswerError, DocpipeError, ModelError, TooLargeError
from docpipe.extractors.generative.backend import BackendReply
from docpipe.extractors.generative.picture_extractor import PictureExtractor
from docpipe.schema import load_schema
from tests.support.hosted_server import (
    ANSWER,
    KEY,
    KINDS,
    PROMPT,
    VARIABLES,
    CannedResponse,
    FakeClock,
    failure,
    fake_provider,
    fake_server,
    set_keys,
    single_reply,
    success,
)
from tests.support.page_images import with_blank_image
from tests.support.pages import page_of
from tests.support.ports import closed_port


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    set_keys(monkeypatch)


def _text(reply: BackendReply) -> str:
    return reply.completions[0].text


@pytest.mark.parametrize("kind", KINDS)
def test_too_many_requests_are_waited_for_as_long_as_the_server_says(kind: str):
    clock = FakeClock()
    limit = failure(kind, 429, "slow down", {"retry-after": "7"})
    with fake_provider(kind, limit, limit, success(kind, ANSWER), clock=clock) as (server, backend):
        assert _text(single_reply(backend)) == ANSWER
    assert clock.slept == [7.0, 7.0]
    assert len(server.received) == 3


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": email.utils.formatdate(1_000_000.0 + 12, usegmt=True)}, 12.0),
        ({"retry-after": email.utils.formatdate(1_000_000.0 - 60, usegmt=True)}, 0.0),
        ({"retry-after": "soon"}, 1.0),
        ({}, 1.0),
    ],
)
def test_the_servers_word_may_be_seconds_thousandths_or_a_date(headers: dict[str, str], waited: float):
    clock = FakeClock()
    script = (failure("openai", 429, "slow down", headers), success("openai", ANSWER))
    with fake_provider("openai", *script, clock=clock) as (_server, backend):
        single_reply(backend)
    assert clock.slept == [waited]


def test_google_says_in_the_body_how_long_to_wait():
    clock = FakeClock()
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "31s"}]
    script = (failure("gemini", 429, "quota", details=details), success("gemini", ANSWER))
    with fake_provider("gemini", *script, clock=clock) as (_server, backend):
        single_reply(backend)
    assert clock.slept == [31.0]


def test_a_server_that_wants_to_be_left_alone_for_an_hour_is_left_alone():
    clock = FakeClock()
    with (
        fake_provider("openai", failure("openai", 429, "slow down", {"retry-after": "3600"}), clock=clock) as (
            server,
            backend,
        ),
        pytest.raises(ModelError, match="too many requests"),
    ):
        single_reply(backend)
    assert (clock.slept, len(server.received)) == ([], 1)


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 529])
@pytest.mark.parametrize("kind", KINDS)
def test_what_passes_is_tried_again_each_time_later(kind: str, status: int):
    clock = FakeClock()
    broken = failure(kind, status, "try later")
    with fake_provider(kind, broken, broken, broken, success(kind, ANSWER), clock=clock) as (_server, backend):
        assert _text(single_reply(backend)) == ANSWER
    assert clock.slept == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_stays_broken_is_given_up_after_some_attempts(kind: str):
    clock = FakeClock()
    with (
        fake_provider(kind, failure(kind, 500, "oh no"), clock=clock) as (server, backend),
        pytest.raises(ModelError, match=r"failed at .*:some-model \(HTTP 500\): oh no") as caught,
    ):
        single_reply(backend)
    assert len(server.received) == 6
    assert clock.slept == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert caught.value.retryable


def test_a_server_may_say_itself_that_trying_again_is_of_no_use():
    with (
        fake_provider("openai", failure("openai", 500, "a bug", {"x-should-retry": "false"})) as (
            server,
            backend,
        ),
        pytest.raises(ModelError, match="a bug"),
    ):
        single_reply(backend)
    assert len(server.received) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_that_is_cut_off_is_asked_for_again(kind: str):
    cut = replace(success(kind, ANSWER), cut=True)
    with fake_provider(kind, cut, success(kind, ANSWER)) as (server, backend):
        assert _text(single_reply(backend)) == ANSWER
    assert len(server.received) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_that_is_cut_off_each_time_is_an_error(kind: str):
    with (
        fake_provider(kind, replace(success(kind, ANSWER), cut=True)) as (_server, backend),
        pytest.raises(ModelError, match="the answer broke off"),
    ):
        single_reply(backend)


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_of_a_proxy_in_the_place_of_an_answer_is_asked_past(kind: str):
    page = CannedResponse(b"{ <html>Please wait</html>")
    with fake_provider(kind, page, success(kind, ANSWER)) as (_server, backend):
        assert _text(single_reply(backend)) == ANSWER


@pytest.mark.parametrize("kind", KINDS)
def test_no_answer_in_time_is_tried_again_and_then_said(kind: str):
    with fake_provider(kind, CannedResponse(b"", silent=True), hosted_seconds=0.1) as (server, backend):
        reply = single_reply(backend)
        wait_until(lambda: len(server.received) == 6, "the server has read what the client gave up")
    assert (reply.completions[0].finish, reply.completions[0].text) == ("timeout", "")
    assert len(server.received) == 6


@pytest.mark.parametrize("kind", KINDS)
def test_one_late_answer_does_no_harm(kind: str):
    """On a busy machine the answers after it may be late, too: it is tried until one is not."""
    script = (CannedResponse(b"", silent=True), success(kind, ANSWER))
    clock = FakeClock(max_attempts=1_000, max_seconds=math.inf)
    with fake_provider(kind, *script, clock=clock, hosted_seconds=0.5) as (_server, backend):
        assert _text(single_reply(backend)) == ANSWER
    assert clock.slept, "the first one was late"


@pytest.mark.parametrize("kind", KINDS)
def test_where_no_server_is_the_error_says_who_was_looked_for(kind: str):
    with closed_port() as port:
        settings = load_settings({f"DOCPIPE_{kind.upper()}_URL": f"http://127.0.0.1:{port}"})
        with (
            closing(hosted_backend(kind, "some-model", settings, FakeClock().retry_policy())) as backend,
            pytest.raises(ModelError, match=f"127.0.0.1:{port} cannot be reached") as caught,
        ):
            single_reply(backend)
    assert f"DOCPIPE_{kind.upper()}_URL" in caught.value.hint


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("status", "says_what"),
    [
        (400, "refuses the request"), (401, "does not take our key"), (402, "wants to be paid"),
        (403, "does not let us use"), (404, "has no model some-model"), (422, "refuses the request"),
    ],
)  # fmt: skip
def test_what_does_not_pass_is_not_tried_again(kind: str, status: int, says_what: str):
    clock = FakeClock()
    with (
        fake_provider(kind, failure(kind, status, "because I say so"), clock=clock) as (server, backend),
        pytest.raises(DocpipeError, match=says_what) as caught,
    ):
        single_reply(backend)
    assert isinstance(caught.value, AnswerError if status in (400, 422) else ModelError)
    assert clock.slept == []
    assert len(server.received) == (2 if status in (400, 422) else 1)  # once more without a schema: nobody blamed it
    assert "because I say so" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (500, "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"),
        (400, "Invalid content type. image_url is only supported by certain models."),
        (400, "At most 0 images: some-model is not a multimodal model"),
    ],
    ids=["llama.cpp", "OpenAI", "vLLM"],
)
def test_a_model_without_eyes_is_said_to_be_one_and_not_asked_again(status: int, words: str):
    """Not: try again later."""
    clock = FakeClock()
    with (
        fake_provider("openai", failure("openai", status, words), clock=clock) as (_, backend),
        pytest.raises(ModelError, match="takes no pictures") as caught,
    ):
        single_reply(backend)
    assert "--see words" in caught.value.hint
    assert clock.slept == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_key_is_not_shown_even_when_the_server_repeats_it(kind: str, caplog: pytest.LogCaptureFixture):
    with (
        caplog.at_level(logging.DEBUG),
        fake_provider(kind, failure(kind, 401, f"Incorrect key: {KEY}!")) as (_server, backend),
        pytest.raises(ModelError) as caught,
    ):
        single_reply(backend)
    assert "Incorrect key: …!" in caught.value.message
    assert VARIABLES[kind] in caught.value.hint
    assert KEY not in caplog.text
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_that_is_too_large_fails_for_good(kind: str):
    for response in (failure(kind, 413, "request too large"), failure(kind, 400, "prompt is too long: 250000 tokens")):
        with (
            fake_provider(kind, response) as (_server, backend),
            pytest.raises(TooLargeError, match="too large for"),
        ):
            single_reply(backend)


@pytest.mark.parametrize("code", ["insufficient_quota", "billing_hard_limit_reached"])
def test_an_account_without_credit_is_not_asked_again_and_again(code: str):
    with (
        fake_provider("openai", failure("openai", 429, "You exceeded your current quota", code=code)) as (
            server,
            backend,
        ),
        pytest.raises(ModelError, match="wants to be paid"),
    ):
        single_reply(backend)
    assert len(server.received) == 1


REFUSALS = {
    "openai": [success("openai", None, refusal="I cannot help with that"), success("openai", "", "content_filter")],
    "anthropic": [success("anthropic", "", "refusal"), success("anthropic", None, "refusal")],
    "gemini": [
        success("gemini", None, "SAFETY"),
        success("gemini", "", "PROHIBITED_CONTENT"),
        CannedResponse({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 900}}),
    ],
}


@pytest.mark.parametrize(
    ("kind", "number"), [(kind, number) for kind in KINDS for number in range(len(REFUSALS[kind]))]
)
def test_a_refusal_is_said_and_not_argued_with(kind: str, number: int, caplog: pytest.LogCaptureFixture):
    with fake_provider(kind, REFUSALS[kind][number]) as (server, backend):
        reply = single_reply(backend)
    assert reply.completions[0].finish == "refused"
    assert reply.tokens_in > 0
    assert len(server.received) == 1
    assert f"{kind}:some-model refused to answer" in caplog.text
    assert "I cannot help" not in caplog.text  # its words may be about what is on the page


@pytest.mark.parametrize(
    ("kind", "finish"),
    [
        ("openai", "length"), ("anthropic", "max_tokens"), ("anthropic", "model_context_window_exceeded"),
        ("gemini", "MAX_TOKENS"),
    ],
)  # fmt: skip
def test_an_answer_for_which_no_tokens_were_left_keeps_what_was_written(kind: str, finish: str):
    with fake_provider(kind, success(kind, '{"invoice_number": "R-1', finish)) as (server, backend):
        (completion,) = single_reply(backend).completions
    assert (completion.text, completion.finish) == ('{"invoice_number": "R-1', "length")
    assert len(server.received) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("useless", ["I am sorry, I see no invoice.", '{"invoice_number": "R-1', "[1, 2]", ""])
def test_what_is_no_json_object_is_asked_for_once_more_with_the_schema_in_words(kind: str, useless: str):
    with fake_provider(kind, success(kind, useless), success(kind, ANSWER)) as (server, backend):
        reply = single_reply(backend)
    assert _text(reply) == ANSWER
    assert (reply.tokens_in, reply.tokens_out) == (2000, 40)  # both were paid for
    assert "JSON Schema" not in server.texts(0)
    assert '"invoice_number"' in server.texts(1)
    assert server.schema(1) is None


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_json_object_twice_is_an_error_that_says_what_it_cost(kind: str):
    with (
        fake_provider(kind, success(kind, "Hello!")) as (server, backend),
        pytest.raises(AnswerError, match="answered twice with something that is no JSON object") as caught,
    ):
        single_reply(backend)
    assert len(server.received) == 2
    assert caught.value.cost["tokens_in"] == 2000


def test_no_choices_at_all_are_asked_past():
    empty = success("openai", None)
    empty = replace(empty, body={**empty.body, "choices": []})
    with fake_provider("openai", empty, success("openai", ANSWER)) as (_server, backend):
        assert _text(single_reply(backend)) == ANSWER
    with fake_provider("openai", empty) as (_server, backend), pytest.raises(AnswerError, match="nothing at"):
        single_reply(backend)


def test_a_fence_around_an_answer_does_no_harm():
    fenced = f"Here it is:\n```json\n{ANSWER}\n```"
    with fake_provider("openai", success("openai", fenced)) as (server, backend):
        assert _text(single_reply(backend)) == fenced
    assert len(server.received) == 1


def test_one_document_that_fails_does_not_take_the_others_with_it():
    def respond(request):
        return failure("openai", 413, "too large") if "Huge" in json.dumps(request.body) else success("openai", ANSWER)

    huge = replace(PROMPT, parts=("Huge",))
    with fake_provider("openai", respond) as (_server, backend):
        replies = backend.complete([PROMPT, huge, PROMPT])
    assert [type(reply) for reply in replies] == [BackendReply, TooLargeError, BackendReply]


def test_a_document_that_the_server_dislikes_stops_no_other():
    def respond(request):
        return failure("openai", 400, "not safe") if "Odd" in json.dumps(request.body) else success("openai", ANSWER)

    with fake_provider("openai", respond, hosted_parallel=1) as (_server, backend):
        replies = backend.complete([replace(PROMPT, parts=("Odd",)), PROMPT, PROMPT])
    assert [type(reply) for reply in replies] == [AnswerError, BackendReply, BackendReply]


def test_documents_wait_together_for_a_server_that_is_down_and_not_one_after_the_other():
    clock = FakeClock()
    with fake_provider("openai", failure("openai", 503, "down"), clock=clock, hosted_parallel=1) as (
        server,
        backend,
    ):
        answers = PictureExtractor(backend).extract_many(
            [[with_blank_image(page_of(["Total 1,00"]))]] * 4, load_schema("receipt")
        )
    assert [type(answer) for answer in answers] == [ModelError] * 4
    assert len(server.received) == 6, "the attempts of one"


def test_when_the_server_is_gone_the_rest_of_the_documents_is_not_sent():
    with fake_provider("openai", success("openai", ANSWER), failure("openai", 401, "no"), hosted_parallel=1) as (
        server,
        backend,
    ):
        replies = backend.complete([PROMPT] * 5)
    assert [type(reply) for reply in replies] == [BackendReply] + [ModelError] * 4
    assert len(server.received) == 2


def test_the_key_does_not_follow_a_redirect():
    with (
        fake_server("openai") as other,
        fake_provider("openai", CannedResponse({}, 307, {"location": other.url})) as (_server, backend),
        pytest.raises(ModelError, match="HTTP 307"),
    ):
        single_reply(backend)
    assert other.received == []
