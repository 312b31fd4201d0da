"""Typed tables: each schema has a table, and each of its lists a child table, that people query at once.

In: a schema, and the extraction to show. Out: tables that have a column for every field, and the rows in them.
Names are SQL words that need no quotes; a column is never dropped, and one whose type changed gets a neighbour.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    inspect,
    select,
)
from sqlalchemy import Time as TimeOfDay
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql.base import PGIdentifierPreparer
from sqlalchemy.dialects.sqlite.base import SQLiteIdentifierPreparer
from sqlalchemy.types import TypeEngine

from docpipe.data import Extraction
from docpipe.paths import FieldPath
from docpipe.schema_ports import ColumnType
from docpipe.store.connect import VERSION_TABLE
from docpipe.store.results.rows import without_enum
from docpipe.store.tables import (
    Amount,
    CleanText,
    Key,
    clean,
    documents,
    extractions,
    metadata,
    typed_columns,
    typed_tables,
)

if TYPE_CHECKING:
    from docpipe.schema import Schema

MAX_NAME_BYTES = 60  # PostgreSQL cuts names at 63
MAX_INTEGER = 2**63 - 1
SQLITE_TIME = {"storage_format": "%(hour)02d:%(minute)02d:%(second)02d", "regexp": r"(\d+):(\d+):(\d+)"}

TYPES: Mapping[ColumnType, TypeEngine[Any]] = {
    "text": CleanText(),
    "decimal": Amount(),
    "date": Date(),
    "datetime": DateTime(),  # as printed, so without a zone
    "time": TimeOfDay().with_variant(sqlite.TIME(**SQLITE_TIME), "sqlite"),  # type: ignore[no-untyped-call]
    "integer": BigInteger(),
    "boolean": Boolean(),
    "float": Double(),
}

ACCEPTED_TYPES: Mapping[ColumnType, tuple[type, ...]] = {
    "decimal": (int, float, Decimal),
    "date": (date,),
    "datetime": (datetime,),
    "time": (time,),
    "integer": (int,),
    "boolean": (bool,),
    "float": (int, float, Decimal),
}
CONVERTERS: Mapping[ColumnType, Callable[[Any], object]] = {
    "decimal": lambda value: Decimal(str(value)),
    "float": float,
    "datetime": lambda value: value.replace(tzinfo=None),
    "time": lambda value: value.replace(tzinfo=None, microsecond=0),  # a column of times of day to the second
}

RESERVED = PGIdentifierPreparer.reserved_words | SQLiteIdentifierPreparer.reserved_words
_WORD_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class TypedPath(NamedTuple):
    """A field of a schema (`line_items[].amount`) and the type of its column: a field whose type changed gets a new
    column."""

    path: str
    type: str


@dataclass(frozen=True)
class TypedTable:
    """One typed table. `columns` maps the schema's path (`line_items[].amount`) to the column."""

    table: Table
    list_path: str
    columns: Mapping[str, str]
    types: Mapping[str, ColumnType]


def sql_name(text: str, taken: Iterable[str] = ()) -> str:
    """A name that needs no quotes in SQL: `GrossTotal` and `gross-total` are gross_total, `order` is order_.
    A name in `taken` gets a trailing underscore too."""
    taken = frozenset(taken)
    snake = _WORD_BOUNDARY.sub("_", unicodedata.normalize("NFKC", clean(text)))
    name = re.sub(r"_+", "_", re.sub(r"\W", "_", snake)).strip("_").lower() or "field"
    if name[0].isdigit():
        name = f"n{name}"
    if len(name.encode()) > MAX_NAME_BYTES:
        digest = sha256(name.encode()).hexdigest()[:8]
        name = name.encode()[: MAX_NAME_BYTES - 9].decode(errors="ignore") + "_" + digest
    while name in taken or name in RESERVED:
        name += "_"
    return name


def ensure_tables(connection: Connection, schema: Schema) -> list[TypedTable]:
    """The schema's tables, its own first; what is missing is made. Call inside `connect.lock_setup`."""
    by_list: dict[str, dict[str, ColumnType]] = {"": {}}
    for spec in schema.fields:
        by_list.setdefault(spec.list_path or "", {})[spec.path] = spec.kind.column
    return [_ensure_table(connection, schema.name, list_path, types) for list_path, types in by_list.items()]


def _ensure_table(connection: Connection, schema: str, list_path: str, types: Mapping[str, ColumnType]) -> TypedTable:
    """`types` by path."""
    owner = (typed_tables.c.schema == schema) & (typed_tables.c.list_path == list_path)
    name = connection.scalar(select(typed_tables.c.table_name).where(owner))
    if name is None:
        existing = {*inspect(connection).get_table_names(), *inspect(connection).get_view_names()}
        taken = {*metadata.tables, VERSION_TABLE, *existing}
        name = sql_name(f"{schema}_{list_path}" if list_path else schema, taken)
        connection.execute(typed_tables.insert().values(table_name=name, schema=schema, list_path=list_path))
        known: dict[TypedPath, str] = {}
    else:
        rows = connection.execute(select(typed_columns).where(typed_columns.c.table_name == name))
        known = {TypedPath(row.path, row.type): row.column_name for row in rows}
    added = _new_columns(list_path, types, known)
    table = _table(name, list_path, {**known, **added})
    if not inspect(connection).has_table(name):
        table.create(connection)
    else:
        _add_columns(connection, table, added.values())
    if added:
        new_rows = [{"table_name": name, "column_name": column, **field._asdict()} for field, column in added.items()]
        connection.execute(typed_columns.insert(), new_rows)
    names = {**known, **added}
    columns = {path: names[TypedPath(path, column_type)] for path, column_type in types.items()}
    return TypedTable(table, list_path, columns, types)


def _new_columns(
    list_path: str, types: Mapping[str, ColumnType], known: Mapping[TypedPath, str]
) -> dict[TypedPath, str]:
    """Names for the fields that have no column yet. A field whose type changed gets `<name>_<type>`: the old
    column stays as it was, and going back to the old schema finds it again."""
    taken = {column.name for column in _own_columns(list_path)} | set(known.values())
    known_paths = {field.path for field in known}
    added: dict[TypedPath, str] = {}
    for path, column_type in types.items():
        field = TypedPath(path, column_type)
        if field in known:
            continue
        heading = FieldPath.parse(path).column
        name = sql_name(f"{heading}_{column_type}" if path in known_paths else heading, taken)
        added[field] = name
        taken.add(name)
    return added


def _own_columns(list_path: str) -> list[Column[Any]]:
    """The columns that every typed table has. A row belongs to the document; the newest extraction fills it."""
    of_document = ForeignKey(documents.c.id, ondelete="CASCADE")
    of_extraction = ForeignKey(extractions.c.id, ondelete="CASCADE")
    document: Column[str] = Column("document_id", CleanText, of_document, primary_key=True)
    extraction: Column[int] = Column("extraction_id", Key, of_extraction, nullable=False)
    if list_path:
        return [document, Column("position", Integer, primary_key=True, autoincrement=False), extraction]
    return [
        document,
        extraction,
        Column("file", CleanText, nullable=False),
        Column("status", CleanText, nullable=False),
    ]


def _table(name: str, list_path: str, columns: Mapping[TypedPath, str]) -> Table:
    typed = [Column(column, TYPES[field.type]) for field, column in columns.items()]  # type: ignore[index]
    return Table(name, MetaData(), *_own_columns(list_path), *typed)


@lru_cache(maxsize=256)  # SQLAlchemy compiles a statement again for each new Table: 1 ms, three times a document
def _table_without_fields(name: str, list_path: str) -> Table:
    """With docpipe's own columns alone."""
    return _table(name, list_path, {})


def _add_columns(connection: Connection, table: Table, names: Iterable[str]) -> None:
    from alembic.migration import MigrationContext  # heavy: 0.2 s, needed only when a schema gained a field
    from alembic.operations import Operations  # heavy: as above

    operations = Operations(MigrationContext.configure(connection))
    for name in names:
        operations.add_column(table.name, Column(name, table.c[name].type))


def write_typed(
    connection: Connection, tables: list[TypedTable], extraction: Extraction, row: Mapping[str, Any]
) -> None:
    """Replace the document's rows in all tables of this schema. `row` has document_id, extraction_id, file, status."""
    document_id = row["document_id"]
    for name, list_path in connection.execute(
        select(typed_tables.c.table_name, typed_tables.c.list_path).where(typed_tables.c.schema == extraction.schema)
    ).all():
        table = _table_without_fields(name, list_path)  # lists that the schema no longer has are emptied as well
        connection.execute(table.delete().where(table.c.document_id == document_id))
    own, items = _values_of(extraction)
    for typed in tables:
        if not typed.list_path:
            connection.execute(typed.table.insert(), {**row, **_typed_row(typed, own)})
            continue
        rows = [
            {
                "document_id": document_id,
                "extraction_id": row["extraction_id"],
                "position": index + 1,
                **_typed_row(typed, values),
            }
            for index, values in sorted(items.get(typed.list_path, {}).items())
        ]
        if rows:
            connection.execute(typed.table.insert(), rows)


def _values_of(extraction: Extraction) -> tuple[dict[str, object], dict[str, dict[int, dict[str, object]]]]:
    """The values by path, and those of lists by list, index and template path."""
    own: dict[str, object] = {}
    items: dict[str, dict[int, dict[str, object]]] = {}
    for item in extraction.fields:
        path = FieldPath.parse(item.path)
        if path.list_path is None or path.row_number is None:
            own[item.path] = item.value
        else:
            row = items.setdefault(path.list_path, {}).setdefault(path.row_number, {})
            row[path.template] = item.value
    return own, items


def _typed_row(typed: TypedTable, values: Mapping[str, object]) -> dict[str, object]:
    return {column: column_value(values.get(path), typed.types[path]) for path, column in typed.columns.items()}


def column_value(value: object, column: ColumnType) -> object:
    """The value as its column takes it. None where it does not fit; `fields` keeps what it was."""
    value = without_enum(value)
    if column == "text":
        return value if value is None or isinstance(value, str) else str(value)
    if not isinstance(value, ACCEPTED_TYPES[column]) or isinstance(value, bool) != (column == "boolean"):
        return None
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        return None
    return CONVERTERS[column](value) if column in CONVERTERS else value
