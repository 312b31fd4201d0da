"""`docpipe cost`: what reading has cost, and what that is for a page.

In: the results and the failed attempts in the database. Out: a table, or JSON lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from docpipe.cli.connections import opened_database
from docpipe.cli.options import database_option, json_option, settings_with
from docpipe.cli.terminal import open_console, plain_table, print_record
from docpipe.cli.wording import printable_url
from docpipe.store.results.costs import GROUPS, CostStore, CostSum

JSON_DIGITS = 10  # a sum of floats ends in noise after fifteen; a token of a cheap model costs 1e-8
UNKNOWN = "not known"  # of an attempt that failed before it was clear
NAME_WIDTH = 24  # columns for the name of a group, at least; a longer one goes on in the next line
UNLIMITED_WIDTH = 10_000  # columns; a table is measured as if there were so many


def _integer(value: float) -> str:
    return f"{value:,.0f}"


def _seconds(value: float) -> str:
    return f"{value:,.1f}" if value >= 10 else f"{value:.2f}"


def _money(value: float) -> str:
    """With the digits that say something: a page of a cheap model costs a hundredth of a cent."""
    if not value:
        return "0"
    if value >= 100:
        return f"{value:,.2f}"
    return f"{value:.4f}" if value >= 0.01 else f"{value:.6f}" if value >= 1e-4 else f"{value:.2g}"


COLUMNS: Mapping[str, tuple[str, Callable[[float], str]]] = {
    "documents": ("documents", _integer),
    "results": ("results", _integer),
    "failed": ("failed", _integer),
    "pages": ("pages", _integer),
    "seconds": ("seconds", _seconds),
    "tokens_in": ("tokens\nin", _integer),
    "image_tokens": ("of\nimages", _integer),
    "tokens_out": ("tokens\nout", _integer),
    "money": ("money", _money),
}
ALWAYS_SHOWN = ("documents", "pages", "seconds", "money")


class GroupNames(click.ParamType[tuple[str, ...]]):
    """Some of GROUPS, with commas between them."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        names = tuple(dict.fromkeys(name.strip() for name in value.split(",")))
        for name in names:
            if name not in GROUPS:
                self.fail(f"{name!r} is none of {', '.join(GROUPS)}", param, ctx)
        return names


@click.command()
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="Count only from this day on (2026-01-31, in UTC).",
)
@click.option(
    "--by",
    type=GroupNames(),
    default="extractor",
    show_default=True,
    metavar="NAMES",
    help=f"What to group the sums by, separated by commas: {', '.join(GROUPS)}.",
)
@json_option("Print one JSON object a line for each sum, without the total.")
@database_option
def cost(since: datetime | None, by: tuple[str, ...], as_json: bool, database: str | None) -> None:
    """Sum up what reading has cost: pages, seconds, tokens and money.

    Counted are all results in the database, each once: those of `docpipe run` and of the service, also those that a
    newer result has replaced, and the attempts that failed after a model was paid. Not counted are documents that were
    deleted, and what a process had spent when it died. Seconds are those of the model. Tokens in are the prompt with
    its images. Money is in the currency of the model's prices, 0 for a model on this machine. A page's share is all
    that was spent over the pages of the results.
    """
    settings = settings_with(database)
    day = None if since is None else since.date()
    with opened_database(settings) as opened:
        store = CostStore(opened)
        sums, (total,) = store.sums(*by, since=day), store.sums(since=day)
    if as_json:
        for cost_sum in sums:
            print_record(_record(cost_sum))
    elif not sums:
        since_text = "" if day is None else f" since {day}"
        url = printable_url(settings.database_url)
        click.echo(f"Nothing was read{since_text}: there is no result in {url}.", err=True)
    else:
        console = open_console()
        console.print(*_tables(console, sums, total), sep="\n")


def _record(cost: CostSum) -> dict[str, Any]:
    """What `--json` prints of a sum."""
    numbers = asdict(cost)
    record = numbers.pop("by") | numbers | {"per_page": cost.per_page()}
    return {name: _rounded(value) for name, value in record.items()}


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _rounded(part) for name, part in value.items()}
    return round(value, JSON_DIGITS) if isinstance(value, float) else value


def _columns(total: CostSum) -> list[str]:
    """Those that say something here."""
    names = [name for name in COLUMNS if name in ALWAYS_SHOWN or getattr(total, name)]
    return [name for name in names if name != "results" or total.results != total.documents]


def _tables(console: Console, sums: Sequence[CostSum], total: CostSum) -> list[RenderableType]:
    """One table; where that is too wide for the terminal, a small one for each sum."""
    rows = {tuple(name or UNKNOWN for name in cost.by.values()): cost for cost in sums}
    table = _wide_table(rows, total, list(sums[0].by))
    if _width_of(table, console, name_columns=len(sums[0].by)) <= console.width:
        return [table]
    all_rows = rows | ({("all",): total} if len(sums) > 1 else {})
    return [part for names, cost in all_rows.items() for part in (Text(", ".join(names)), _small_table(cost, total))]


def _wide_table(rows: Mapping[tuple[str, ...], CostSum], total: CostSum, by: Sequence[str]) -> Table:
    """Two lines for each sum: all of it, and a page's share."""
    table = plain_table()
    for index, name in enumerate(by):
        longest = max(len(names[index]) for names in rows)
        table.add_column(name, overflow="fold", min_width=min(NAME_WIDTH, longest))
    for name in _columns(total):
        table.add_column(COLUMNS[name][0], justify="right", no_wrap=True)
    for names, cost in rows.items():
        _add_rows(table, names, cost, total)
    if len(rows) > 1:
        table.add_section()
        _add_rows(table, ("all", *[""] * (len(by) - 1)), total, total)
    return table


def _width_of(table: Table, console: Console, name_columns: int) -> int:
    """Columns of the terminal, when the names of the groups go on in further lines and no number is cut."""
    for column in table.columns[:name_columns]:
        column.max_width = NAME_WIDTH
    width = Measurement.get(console, console.options.update_width(UNLIMITED_WIDTH), table).minimum
    for column in table.columns[:name_columns]:
        column.max_width = None
    return width


def _add_rows(table: Table, names: Sequence[str], cost: CostSum, total: CostSum) -> None:
    cells = [_cells(cost, name) for name in _columns(total)]
    table.add_row(*(Text(name) for name in names), *(value for value, _ in cells))
    if cost.pages:
        table.add_row("  a page", *[""] * (len(names) - 1), *(share for _, share in cells), style="dim")


def _small_table(cost: CostSum, total: CostSum) -> Table:
    """One sum, with a line for each number."""
    table = plain_table()
    for title in ("", "all", "a page"):
        table.add_column(title, justify="right" if title else "left", no_wrap=True)
    for name in _columns(total):
        table.add_row(COLUMNS[name][0].replace("\n", " "), *_cells(cost, name))
    return table


def _cells(cost: CostSum, name: str) -> tuple[str, str]:
    """A number and a page's share of it."""
    text_of, per_page = COLUMNS[name][1], cost.per_page() or {}
    return text_of(getattr(cost, name)), text_of(per_page[name]) if name in per_page else ""
