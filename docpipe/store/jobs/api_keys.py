"""API keys: made once, shown once, kept as a hash.

In: a name and roles. Out: a key `dp_<id>_<secret>`; later, the entry of a key. The secret has 256 random bits, so a
plain sha256 of it cannot be guessed back; a slow hash is for passwords that people choose.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select, update

from docpipe.errors import UsageError
from docpipe.store.database import Database
from docpipe.store.jobs.tables import api_keys

ROLES: Mapping[str, str] = {
    "submit": "send documents, retry and delete one's own",
    "read": "see one's own documents and their results",
    "review": "see everybody's documents and results, and the metrics",
    "admin": "all of that, for everybody's documents",
}
DEFAULT_PER_MINUTE = 600
_KEY_PATTERN = re.compile(r"dp_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class ApiKey:
    id: str
    name: str
    roles: tuple[str, ...]
    per_minute: int
    max_bytes: int | None
    created: datetime
    revoked: datetime | None

    def may(self, role: str) -> bool:
        """An admin may everything; who may review may read."""
        return role in self.roles or "admin" in self.roles or (role == "read" and "review" in self.roles)

    @property
    def sees_all(self) -> bool:
        return "admin" in self.roles or "review" in self.roles


class ApiKeyStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self, name: str, roles: Sequence[str], *, per_minute: int = DEFAULT_PER_MINUTE, max_bytes: int | None = None
    ) -> tuple[ApiKey, str]:
        """The key's entry and the key itself, which is not stored. Raises UsageError for unknown roles."""
        unknown = sorted(set(roles) - set(ROLES))
        if unknown or not roles:
            raise UsageError(
                f"there is no role {', '.join(unknown) or '(none was given)'}", hint=f"Roles: {', '.join(ROLES)}."
            )
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        row: dict[str, Any] = {
            "id": key_id, "name": name, "secret_hash": _hash(secret), "roles": sorted(set(roles)),
            "per_minute": per_minute, "max_bytes": max_bytes, "created": datetime.now(UTC), "revoked": None,
        }  # fmt: skip
        with self._database.writing() as connection:
            connection.execute(insert(api_keys).values(row))
        return _from_row(row), f"dp_{key_id}_{secret}"

    def check(self, key: str) -> ApiKey | None:
        """The entry of this key; None for one that is wrong or was revoked. Takes as long for either."""
        match = _KEY_PATTERN.fullmatch(key)
        key_id, secret = match.groups() if match else ("", "")
        with self._database.reading() as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).mappings().one_or_none()
        expected = row["secret_hash"] if row is not None else "0" * 64
        matches = hmac.compare_digest(expected, _hash(secret))
        return _from_row(row) if row is not None and matches and row["revoked"] is None else None

    def revoke(self, key_id: str) -> bool:
        """False when there is no such key, or it was revoked before."""
        valid = (api_keys.c.id == key_id) & api_keys.c.revoked.is_(None)
        with self._database.writing() as connection:
            return connection.execute(update(api_keys).where(valid).values(revoked=datetime.now(UTC))).rowcount > 0

    def all(self) -> list[ApiKey]:
        with self._database.reading() as connection:
            rows = connection.execute(select(api_keys).order_by(api_keys.c.created)).mappings()
            return [_from_row(row) for row in rows]


def _from_row(row: Mapping[Any, Any]) -> ApiKey:
    names = set(ApiKey.__slots__) - {"roles"}
    return ApiKey(roles=tuple(row["roles"]), **{name: row[name] for name in names})


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
