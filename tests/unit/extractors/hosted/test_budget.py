"""A day's budget for hosted models: over processes, with retries and failures, in tokens and in money."""

from __future__ import annotations

import datetime
import json
import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.service.servers import START_SECONDS
from docpipe.components import hosted_backend
from docpipe.config import load_settings
from docpipe.errors import ModelError, TooLargeError, UsageError
from docpipe.extractors.hosted.budget import DayBudget, Price, read_price
from docpipe.extractors.hosted.choose import spending_file
from tests.support.hosted_server import (
    ANSWER,
    PROMPT,
    CannedResponse,
    FakeClock,
    failure,
    fake_provider,
    set_keys,
    single_reply,
    success,
)

TODAY = datetime.date(2026, 11, 22)


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    set_keys(monkeypatch)


def _budget(folder: Path, tokens: int | None = None, money: float | None = None, day: int = 0) -> DayBudget:
    return DayBudget(folder / "deep" / "spending.json", tokens, money, lambda: TODAY + datetime.timedelta(days=day))


def _counted(file: Path) -> int:
    return json.loads(file.read_text("utf-8"))["tokens"]


def test_a_request_that_may_not_fit_into_the_day_is_not_sent(tmp_path: Path):
    budget = _budget(tmp_path, tokens=1000)
    budget.reserve(600, 0.0)
    with pytest.raises(ModelError, match="budget of 1,000 tokens is used up") as caught:
        budget.reserve(500, 0.0)
    assert caught.value.retryable  # tomorrow
    assert "midnight UTC" in caught.value.hint
    budget.reserve(400, 0.0)


def test_what_was_reserved_too_much_is_given_back_when_the_server_has_counted(tmp_path: Path):
    budget = _budget(tmp_path, tokens=1000)
    budget.settle(budget.reserve(900, 0.0), 100, 0.0)
    budget.reserve(900, 0.0)
    assert _counted(budget.file) == 1000


def test_what_was_never_answered_stays_counted(tmp_path: Path):
    budget = _budget(tmp_path, tokens=1000)
    budget.reserve(900, 0.0)
    with pytest.raises(ModelError):
        _budget(tmp_path, tokens=1000).reserve(200, 0.0)


def test_money_has_a_budget_of_its_own(tmp_path: Path):
    budget = _budget(tmp_path, money=1.0)
    budget.settle(budget.reserve(10, 0.8), 10, 0.5)
    budget.reserve(10, 0.4)
    with pytest.raises(ModelError, match="budget of 1 is used up"):
        budget.reserve(10, 0.2)


def test_a_new_day_begins_with_nothing_and_yesterdays_requests_do_not_lower_it(tmp_path: Path):
    yesterday, today = _budget(tmp_path, tokens=1000), _budget(tmp_path, tokens=1000, day=1)
    late = yesterday.reserve(900, 0.0)
    today.reserve(800, 0.0)
    today.settle(late, 100, 0.0)
    assert _counted(today.file) == 800


def _spend(folder: Path, times: int) -> None:
    budget = _budget(folder, tokens=10_000_000)
    for _ in range(times):
        budget.settle(budget.reserve(50, 0.0), 30, 0.0)


def test_processes_share_the_day(tmp_path: Path):
    context = multiprocessing.get_context("spawn")  # a fork would inherit the locks of this process's threads
    children = [context.Process(target=_spend, args=(tmp_path, 40)) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(START_SECONDS)
    assert [child.exitcode for child in children] == [0, 0, 0]
    assert _counted(_budget(tmp_path).file) == 3 * 40 * 30


@pytest.mark.parametrize("content", ["", "{", "[]", '{"day": "2026-11-22"}', '{"day": 1, "tokens": "x", "money": 0}'])
def test_an_account_that_cannot_be_read_is_no_leave_to_spend(tmp_path: Path, content: str):
    budget = _budget(tmp_path, tokens=1000)
    budget.reserve(1, 0.0)
    budget.file.write_text(content, "utf-8")
    with pytest.raises(ModelError, match="no account of a day's spending"):
        budget.reserve(1, 0.0)


def test_an_account_that_cannot_be_kept_is_no_leave_to_spend(tmp_path: Path):
    (tmp_path / "deep").write_text("a file where a folder should be", "utf-8")
    with pytest.raises(ModelError, match="cannot be kept"):
        _budget(tmp_path, tokens=1000).reserve(1, 0.0)


def test_without_a_limit_nothing_is_written(tmp_path: Path):
    budget = _budget(tmp_path)
    budget.settle(budget.reserve(10**9, 10.0**9), 1, 1.0)
    assert list(tmp_path.iterdir()) == []


def test_the_account_lies_where_programs_keep_their_state():
    assert spending_file({"XDG_STATE_HOME": "/state"}) == Path("/state/docpipe/spending.json")
    assert spending_file({}) == Path.home() / ".local/state/docpipe/spending.json"
    with pytest.raises(UsageError, match="no folder ~no-such-user/state") as refused:
        spending_file({"XDG_STATE_HOME": "~no-such-user/state"})
    assert "XDG_STATE_HOME" in refused.value.hint


def test_a_request_reserves_what_it_may_cost_and_is_charged_what_it_did(tmp_path: Path):
    file = tmp_path / "spending.json"
    counted_during = []

    def respond(_request):
        counted_during.append(_counted(file))
        return success("openai", ANSWER)

    with fake_provider("openai", respond, day_tokens=100_000, spending_file=file) as (_server, backend):
        single_reply(backend)
    assert counted_during[0] > 4096 + 70 + 1120  # thinking, answer, picture
    assert _counted(file) == 1020


def test_attempts_count_when_they_may_have_been_billed_and_not_when_they_were_refused(tmp_path: Path):
    file = tmp_path / "spending.json"
    settings = {"day_tokens": 100_000, "spending_file": file}
    with fake_provider("openai", failure("openai", 429, "slow down"), success("openai", ANSWER), **settings) as (
        _server,
        backend,
    ):
        single_reply(backend)
    assert _counted(file) == 1020
    with fake_provider(
        "openai", replace(success("openai", ANSWER), cut=True), success("openai", ANSWER), **settings
    ) as (
        _server,
        backend,
    ):
        single_reply(backend)
    assert _counted(file) > 2 * 1020 + 4096


def test_a_request_counts_for_the_day_on_which_it_is_sent(tmp_path: Path):
    clock, file = FakeClock(), tmp_path / "spending.json"
    with fake_provider("openai", clock=clock, day_tokens=100_000, spending_file=file) as (_server, backend):
        single_reply(backend)
        single_reply(backend)
        assert _counted(file) == 2 * 1020
        clock.time += 24 * 60 * 60
        single_reply(backend)
    assert _counted(file) == 1020


def test_retries_end_when_the_day_is_spent(tmp_path: Path):
    clock = FakeClock()
    with (
        fake_provider(
            "openai",
            failure("openai", 500, "oh no"),
            clock=clock,
            day_tokens=15_000,
            spending_file=tmp_path / "spending.json",
        ) as (server, backend),
        pytest.raises(ModelError, match="budget of 15,000 tokens is used up"),
    ):
        single_reply(backend)
    assert len(server.received) == 2


def test_documents_after_the_last_that_fits_are_not_sent(tmp_path: Path):
    costly = success("openai", ANSWER, usage={"prompt_tokens": 1000, "completion_tokens": 4000})
    settings = {"day_tokens": 13_000, "spending_file": tmp_path / "spending.json", "hosted_parallel": 1}
    with fake_provider("openai", costly, **settings) as (server, backend):
        replies = backend.complete([PROMPT] * 6)
    assert [isinstance(reply, ModelError) for reply in replies] == [False] * 2 + [True] * 4
    assert len(server.received) == 2


def test_a_document_may_use_so_many_tokens_over_all_attempts():
    with (
        fake_provider("openai", CannedResponse(b"", 500), document_tokens=15_000) as (server, backend),
        pytest.raises(TooLargeError, match=r"15,000 are allowed, of which [\d,]+ are used"),
    ):
        single_reply(backend)
    assert len(server.received) == 2
    with (
        fake_provider("openai", document_tokens=3_000) as (server, backend),
        pytest.raises(TooLargeError, match="3,000 are allowed") as caught,
    ):
        single_reply(backend)
    assert server.received == []
    assert not caught.value.retryable


def test_what_a_model_was_seen_to_need_is_reserved_from_then_on(tmp_path: Path):
    """Some models count a picture tenfold: the estimate learns it from the first answer."""
    file, counted_during = tmp_path / "spending.json", []

    def respond(_request):
        counted_during.append(_counted(file))
        return success("openai", ANSWER, usage={"prompt_tokens": 30_000, "completion_tokens": 20})

    with fake_provider("openai", respond, day_tokens=200_000, spending_file=file) as (_server, backend):
        single_reply(backend)
        single_reply(backend)
    assert counted_during[1] - 30_020 > 30_000 > counted_during[0]


def test_money_cannot_be_limited_for_a_model_without_a_price(tmp_path: Path):
    prices = tmp_path / "prices.json"
    prices.write_text('{"openai:other": {"in": 1, "out": 2}}', "utf-8")
    for settings in ({"DOCPIPE_DAY_MONEY": "5"}, {"DOCPIPE_DAY_MONEY": "5", "DOCPIPE_PRICES": str(prices)}):
        with pytest.raises(UsageError, match="no price for openai:some-model") as caught:
            hosted_backend("openai", "some-model", load_settings(settings))
        assert "DOCPIPE_PRICES" in caught.value.hint


def test_a_price_without_one_for_cached_tokens_counts_them_as_others(tmp_path: Path):
    prices = tmp_path / "prices.json"
    prices.write_text('{"openai:one": {"in": 1, "out": 2}}', "utf-8")
    assert read_price(prices, "openai:one") == Price(1.0, 2.0, 1.0)
    assert read_price(prices, "openai:other") is None
    assert read_price(None, "openai:one") is None


@pytest.mark.parametrize(
    "content",
    [
        "", "[]", '{"openai:one": 3}', '{"openai:one": {"in": 1}}', '{"openai:one": {"in": "1", "out": 2}}',
        '{"openai:one": {"in": -1, "out": 2}}', '{"openai:one": {"in": NaN, "out": 2}}',
        '{"openai:one": {"in": 1, "out": 2, "input": 3}}', '{"openai:one": {"in": true, "out": 2}}',
    ],
)  # fmt: skip
def test_a_price_list_that_cannot_be_understood_is_not_guessed_at(tmp_path: Path, content: str):
    prices = tmp_path / "prices.json"
    prices.write_text(content, "utf-8")
    with pytest.raises(UsageError, match="the price list"):
        read_price(prices, "openai:one")
