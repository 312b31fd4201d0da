"""API keys: shown once, kept as a hash, refused when they are wrong or revoked."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from docpipe.errors import UsageError
from docpipe.store.database import Database
from docpipe.store.jobs.api_keys import ROLES, ApiKeyStore
from docpipe.store.jobs.tables import api_keys


@pytest.fixture
def keys(database: Database) -> ApiKeyStore:
    return ApiKeyStore(database)


def test_a_key_says_whose_it_is(keys):
    entry, key = keys.create("shop", ["submit", "read"], per_minute=60, max_bytes=1_000)
    other, other_key = keys.create("audit", ["review"])
    assert keys.check(key) == entry
    assert keys.check(other_key) == other
    assert (entry.name, entry.roles, entry.per_minute, entry.max_bytes) == ("shop", ("read", "submit"), 60, 1_000)
    assert keys.all() == [entry, other]


def test_the_secret_is_nowhere_in_the_database(database, keys):
    _, key = keys.create("shop", ["submit"])
    secret = key.split("_", 2)[2]
    with database.reading() as connection:
        (row,) = connection.execute(select(api_keys)).all()
    assert secret not in str(row)


def test_two_keys_have_nothing_in_common(keys):
    secrets = [keys.create("shop", ["submit"])[1] for _ in range(5)]
    assert len({key.split("_", 2)[1] for key in secrets}) == len({key.split("_", 2)[2] for key in secrets}) == 5


def test_a_key_that_is_wrong_in_any_place_is_refused(keys):
    _, key = keys.create("shop", ["submit"])
    _, other = keys.create("shop", ["submit"])
    last = "A" if key[-1] != "A" else "B"
    swapped = "_".join(["dp", key.split("_", 2)[1], other.split("_", 2)[2]])
    for wrong in (
        key[:-1] + last,
        key[:-1],
        key + "A",
        key.upper(),
        f" {key}",
        f"{key}\n",
        swapped,
        "",
        "dp__",
        "é" * 9,
    ):
        assert keys.check(wrong) is None, wrong
    assert keys.check(key) is not None


def test_a_revoked_key_is_refused_and_the_others_are_not(keys):
    entry, key = keys.create("shop", ["submit"])
    _, other = keys.create("shop", ["submit"])
    assert keys.revoke(entry.id)
    assert keys.check(key) is None
    assert keys.check(other) is not None
    assert not keys.revoke(entry.id), "it was revoked before"
    assert not keys.revoke("0" * 12)
    assert keys.all()[0].revoked is not None


@pytest.mark.parametrize("roles", [[], ["root"], ["submit", "Read"]])
def test_a_role_that_there_is_not_is_refused_with_those_that_there_are(keys, roles):
    with pytest.raises(UsageError) as caught:
        keys.create("shop", roles)
    assert "review" in caught.value.hint
    assert keys.all() == []


def test_a_role_allows_what_it_says_and_no_more(tmp_path):
    database = Database(str(tmp_path / "docpipe.db"))
    keys = ApiKeyStore(database)
    may = {role: {other for other in ROLES if keys.create("k", [role])[0].may(other)} for role in ROLES}
    assert may == {
        "submit": {"submit"}, "read": {"read"}, "review": {"review", "read"}, "admin": set(ROLES),
    }  # fmt: skip
    assert [role for role in ROLES if keys.create("k", [role])[0].sees_all] == ["review", "admin"]
    database.close()
