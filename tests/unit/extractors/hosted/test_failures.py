"""Models behind an HTTP API that fail: each way of failing, against a real server. Nobody waits: time is the test's."""

from __future__ import annotations

import email.utils
import json
import logging
import socket
from dataclasses import replace

import pytest

from docpipe.components import hosted_backend
from docpipe.config import load_settings
from docpipe.errors import AnswerError, DocpipeError, ModelError, TooLargeError
from docpipe.extractors.generative.backend import Reply
from docpipe.extractors.generative.extractor import GenerativeExtractor
from docpipe.schema import load_schema
from tests.support.fake_backend import drawn
from tests.support.hosted_server import (
    ANSWER,
    KEY,
    KINDS,
    QUESTION,
    VARIABLES,
    Answer,
    Clock,
    fails,
    one,
    says,
    serving,
    set_keys,
    talking,
)
from tests.support.pages import page_of


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    set_keys(monkeypatch)


def _text(reply: Reply) -> str:
    return reply.written[0].text


@pytest.mark.parametrize("kind", KINDS)
def test_too_many_requests_are_waited_for_as_long_as_the_server_says(kind: str):
    clock = Clock()
    limit = fails(kind, 429, "slow down", {"retry-after": "7"})
    with talking(kind, limit, limit, says(kind, ANSWER), clock=clock) as (server, backend):
        assert _text(one(backend)) == ANSWER
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
    clock = Clock()
    script = (fails("openai", 429, "slow down", headers), says("openai", ANSWER))
    with talking("openai", *script, clock=clock) as (_server, backend):
        one(backend)
    assert clock.slept == [waited]


def test_google_says_in_the_body_how_long_to_wait():
    clock = Clock()
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "31s"}]
    script = (fails("gemini", 429, "quota", details=details), says("gemini", ANSWER))
    with talking("gemini", *script, clock=clock) as (_server, backend):
        one(backend)
    assert clock.slept == [31.0]


def test_a_server_that_wants_to_be_left_alone_for_an_hour_is_left_alone():
    clock = Clock()
    with (
        talking("openai", fails("openai", 429, "slow down", {"retry-after": "3600"}), clock=clock) as (server, backend),
        pytest.raises(ModelError, match="too many requests"),
    ):
        one(backend)
    assert (clock.slept, len(server.received)) == ([], 1)


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 529])
@pytest.mark.parametrize("kind", KINDS)
def test_what_passes_is_tried_again_each_time_later(kind: str, status: int):
    clock = Clock()
    broken = fails(kind, status, "try later")
    with talking(kind, broken, broken, broken, says(kind, ANSWER), clock=clock) as (_server, backend):
        assert _text(one(backend)) == ANSWER
    assert clock.slept == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_stays_broken_is_given_up_after_some_attempts(kind: str):
    clock = Clock()
    with (
        talking(kind, fails(kind, 500, "oh no"), clock=clock) as (server, backend),
        pytest.raises(ModelError, match=r"failed at .*:some-model \(HTTP 500\): oh no") as caught,
    ):
        one(backend)
    assert len(server.received) == 6
    assert clock.slept == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert caught.value.retryable


def test_a_server_may_say_itself_that_trying_again_is_of_no_use():
    with (
        talking("openai", fails("openai", 500, "a bug", {"x-should-retry": "false"})) as (server, backend),
        pytest.raises(ModelError, match="a bug"),
    ):
        one(backend)
    assert len(server.received) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_that_is_cut_off_is_asked_for_again(kind: str):
    cut = replace(says(kind, ANSWER), cut=True)
    with talking(kind, cut, says(kind, ANSWER)) as (server, backend):
        assert _text(one(backend)) == ANSWER
    assert len(server.received) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_that_is_cut_off_each_time_is_an_error(kind: str):
    with (
        talking(kind, replace(says(kind, ANSWER), cut=True)) as (_server, backend),
        pytest.raises(ModelError, match="the answer broke off"),
    ):
        one(backend)


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_of_a_proxy_in_the_place_of_an_answer_is_asked_past(kind: str):
    page = Answer(b"{ <html>Please wait</html>")
    with talking(kind, page, says(kind, ANSWER)) as (_server, backend):
        assert _text(one(backend)) == ANSWER


@pytest.mark.parametrize("kind", KINDS)
def test_no_answer_in_time_is_tried_again_and_then_said(kind: str):
    with talking(kind, Answer(b"", silent=True), hosted_seconds=0.1) as (server, backend):
        reply = one(backend)
    assert (reply.written[0].finish, reply.written[0].text) == ("timeout", "")
    assert len(server.received) == 6


@pytest.mark.parametrize("kind", KINDS)
def test_one_late_answer_does_no_harm(kind: str):
    with talking(kind, Answer(b"", silent=True), says(kind, ANSWER), hosted_seconds=0.5) as (_server, backend):
        assert _text(one(backend)) == ANSWER


@pytest.mark.parametrize("kind", KINDS)
def test_where_no_server_is_the_error_says_who_was_looked_for(kind: str):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = load_settings({f"DOCPIPE_{kind.upper()}_URL": f"http://127.0.0.1:{port}"})
    backend = hosted_backend(kind, "some-model", settings, Clock().patience())
    with pytest.raises(ModelError, match=f"127.0.0.1:{port} cannot be reached") as caught:
        one(backend)
    backend.close()
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
    clock = Clock()
    with (
        talking(kind, fails(kind, status, "because I say so"), clock=clock) as (server, backend),
        pytest.raises(DocpipeError, match=says_what) as caught,
    ):
        one(backend)
    assert isinstance(caught.value, AnswerError if status in (400, 422) else ModelError)
    assert clock.slept == []
    assert len(server.received) == (2 if status in (400, 422) else 1)  # once more without a schema: nobody blamed it
    assert "because I say so" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_key_is_not_shown_even_when_the_server_repeats_it(kind: str, caplog: pytest.LogCaptureFixture):
    with (
        caplog.at_level(logging.DEBUG),
        talking(kind, fails(kind, 401, f"Incorrect key: {KEY}!")) as (_server, backend),
        pytest.raises(ModelError) as caught,
    ):
        one(backend)
    assert "Incorrect key: …!" in caught.value.message
    assert VARIABLES[kind] in caught.value.hint
    assert KEY not in caplog.text
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_that_is_too_large_fails_for_good(kind: str):
    for answer in (fails(kind, 413, "request too large"), fails(kind, 400, "prompt is too long: 250000 tokens")):
        with talking(kind, answer) as (_server, backend), pytest.raises(TooLargeError, match="too large for"):
            one(backend)


@pytest.mark.parametrize("code", ["insufficient_quota", "billing_hard_limit_reached"])
def test_an_account_without_credit_is_not_asked_again_and_again(code: str):
    with (
        talking("openai", fails("openai", 429, "You exceeded your current quota", code=code)) as (server, backend),
        pytest.raises(ModelError, match="wants to be paid"),
    ):
        one(backend)
    assert len(server.received) == 1


REFUSALS = {
    "openai": [says("openai", None, refusal="I cannot help with that"), says("openai", "", "content_filter")],
    "anthropic": [says("anthropic", "", "refusal"), says("anthropic", None, "refusal")],
    "gemini": [
        says("gemini", None, "SAFETY"),
        says("gemini", "", "PROHIBITED_CONTENT"),
        Answer({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 900}}),
    ],
}


@pytest.mark.parametrize(
    ("kind", "number"), [(kind, number) for kind in KINDS for number in range(len(REFUSALS[kind]))]
)
def test_a_refusal_is_said_and_not_argued_with(kind: str, number: int, caplog: pytest.LogCaptureFixture):
    with talking(kind, REFUSALS[kind][number]) as (server, backend):
        reply = one(backend)
    assert reply.written[0].finish == "refused"
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
    with talking(kind, says(kind, '{"invoice_number": "R-1', finish)) as (server, backend):
        (written,) = one(backend).written
    assert (written.text, written.finish) == ('{"invoice_number": "R-1', "length")
    assert len(server.received) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("useless", ["I am sorry, I see no invoice.", '{"invoice_number": "R-1', "[1, 2]", ""])
def test_what_is_no_json_object_is_asked_for_once_more_with_the_schema_in_words(kind: str, useless: str):
    with talking(kind, says(kind, useless), says(kind, ANSWER)) as (server, backend):
        reply = one(backend)
    assert _text(reply) == ANSWER
    assert (reply.tokens_in, reply.tokens_out) == (2000, 40)  # both were paid for
    assert "JSON Schema" not in server.texts(0)
    assert '"invoice_number"' in server.texts(1)
    assert server.schema(1) is None


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_json_object_twice_is_an_error_that_says_what_it_cost(kind: str):
    with (
        talking(kind, says(kind, "Hello!")) as (server, backend),
        pytest.raises(AnswerError, match="answered twice with something that is no JSON object") as caught,
    ):
        one(backend)
    assert len(server.received) == 2
    assert caught.value.cost["tokens_in"] == 2000


def test_no_choices_at_all_are_asked_past():
    empty = says("openai", None)
    empty = replace(empty, body={**empty.body, "choices": []})
    with talking("openai", empty, says("openai", ANSWER)) as (_server, backend):
        assert _text(one(backend)) == ANSWER
    with talking("openai", empty) as (_server, backend), pytest.raises(AnswerError, match="nothing at"):
        one(backend)


def test_a_fence_around_an_answer_does_no_harm():
    fenced = f"Here it is:\n```json\n{ANSWER}\n```"
    with talking("openai", says("openai", fenced)) as (server, backend):
        assert _text(one(backend)) == fenced
    assert len(server.received) == 1


def test_one_document_that_fails_does_not_take_the_others_with_it():
    def answer(request):
        return fails("openai", 413, "too large") if "Huge" in json.dumps(request.body) else says("openai", ANSWER)

    huge = replace(QUESTION, parts=("Huge",))
    with talking("openai", answer) as (_server, backend):
        replies = backend.answer([QUESTION, huge, QUESTION])
    assert [type(reply) for reply in replies] == [Reply, TooLargeError, Reply]


def test_a_document_that_the_server_dislikes_stops_no_other():
    def answer(request):
        return fails("openai", 400, "not safe") if "Odd" in json.dumps(request.body) else says("openai", ANSWER)

    with talking("openai", answer, hosted_parallel=1) as (_server, backend):
        replies = backend.answer([replace(QUESTION, parts=("Odd",)), QUESTION, QUESTION])
    assert [type(reply) for reply in replies] == [AnswerError, Reply, Reply]


def test_documents_wait_together_for_a_server_that_is_down_and_not_one_after_the_other():
    clock = Clock()
    with talking("openai", fails("openai", 503, "down"), clock=clock, hosted_parallel=1) as (server, backend):
        found = GenerativeExtractor(backend).extract_many(
            [[drawn(page_of(["Total 1,00"]))]] * 4, load_schema("receipt")
        )
    assert [type(answer) for answer in found] == [ModelError] * 4
    assert len(server.received) == 6, "the attempts of one"


def test_when_the_server_is_gone_the_rest_of_the_documents_is_not_sent():
    with talking("openai", says("openai", ANSWER), fails("openai", 401, "no"), hosted_parallel=1) as (server, backend):
        replies = backend.answer([QUESTION] * 5)
    assert [type(reply) for reply in replies] == [Reply] + [ModelError] * 4
    assert len(server.received) == 2


def test_the_key_does_not_follow_a_redirect():
    with (
        serving("openai") as other,
        talking("openai", Answer({}, 307, {"location": other.url})) as (_server, backend),
        pytest.raises(ModelError, match="HTTP 307"),
    ):
        one(backend)
    assert other.received == []
