"""`docpipe cost`: what reading has cost, and what that is for a page.

In: the results and the failed attempts in the database. Out: a table, or JSON lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from docpipe.cli.job_table import console
from docpipe.cli.service_access import database_option, opened_database, settings_with, shown_url
from docpipe.export import json_line
from docpipe.store.results.costs import GROUPS, CostStore, CostSum

JSON_DIGITS = 10  # a sum of floats ends in noise after fifteen; a token of a cheap model costs 1e-8
UNKNOWN = "not known"  # of an attempt that failed before it was clear
NARROWEST = 24  # columns for the name of a group; a longer one goes on in the next line
BOUNDLESS = 10_000  # columns; a table is measured as if there were so many


def _whole(value: float) -> str:
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
    "documents": ("documents", _whole),
    "results": ("results", _whole),
    "failed": ("failed", _whole),
    "pages": ("pages", _whole),
    "seconds": ("seconds", _seconds),
    "tokens_in": ("tokens\nin", _whole),
    "image_tokens": ("of\nimages", _whole),
    "tokens_out": ("tokens\nout", _whole),
    "money": ("money", _money),
}
ALWAYS = ("documents", "pages", "seconds", "money")


class Names(click.ParamType[tuple[str, ...]]):
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
    "--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="Only from this day on (2026-01-31, in UTC)."
)
@click.option(
    "--by",
    type=Names(),
    default="extractor",
    show_default=True,
    metavar="NAMES",
    help=f"What each sum is of, with commas between several: {', '.join(GROUPS)}.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line for each sum, and none for all together.")
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
        for each in sums:
            click.echo(json_line(_facts(each)), nl=False)
    elif not sums:
        when = "" if day is None else f" since {day}"
        click.echo(f"Nothing was read{when}: there is no result in {shown_url(settings.database_url)}.", err=True)
    else:
        screen = console()
        screen.print(*_screen(screen, sums, total), sep="\n")


def _facts(cost: CostSum) -> dict[str, Any]:
    """What `--json` prints of a sum."""
    facts = asdict(cost)
    facts = facts.pop("by") | facts | {"per_page": cost.per_page()}
    return {name: _rounded(value) for name, value in facts.items()}


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _rounded(each) for name, each in value.items()}
    return round(value, JSON_DIGITS) if isinstance(value, float) else value


def _shown(total: CostSum) -> list[str]:
    """The columns that say something here."""
    shown = [name for name in COLUMNS if name in ALWAYS or getattr(total, name)]
    return [name for name in shown if name != "results" or total.results != total.documents]


def _screen(console: Console, sums: Sequence[CostSum], total: CostSum) -> list[RenderableType]:
    """One table; where that is too wide for the terminal, a small one for each sum."""
    rows = {tuple(name or UNKNOWN for name in each.by.values()): each for each in sums}
    table = _table(rows, total, list(sums[0].by))
    if _needed(table, console, names=len(sums[0].by)) <= console.width:
        return [table]
    whole = {("all",): total} if len(sums) > 1 else {}
    return [part for names, each in (rows | whole).items() for part in (Text(", ".join(names)), _card(each, total))]


def _table(rows: Mapping[tuple[str, ...], CostSum], total: CostSum, by: Sequence[str]) -> Table:
    """Two lines for each sum: the whole, and a page's share."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(by):
        widest = max(len(names[place]) for names in rows)
        table.add_column(name, overflow="fold", min_width=min(NARROWEST, widest))
    for name in _shown(total):
        table.add_column(COLUMNS[name][0], justify="right", no_wrap=True)
    for names, each in rows.items():
        _add(table, names, each, total)
    if len(rows) > 1:
        table.add_section()
        _add(table, ("all", *[""] * (len(by) - 1)), total, total)
    return table


def _needed(table: Table, console: Console, names: int) -> int:
    """Columns of the terminal, when the names of the groups go on in further lines and no number is cut."""
    for column in table.columns[:names]:
        column.max_width = NARROWEST
    needed = Measurement.get(console, console.options.update_width(BOUNDLESS), table).minimum
    for column in table.columns[:names]:
        column.max_width = None
    return needed


def _add(table: Table, names: Sequence[str], cost: CostSum, total: CostSum) -> None:
    cells = [_cells(cost, name) for name in _shown(total)]
    table.add_row(*(Text(name) for name in names), *(whole for whole, _ in cells))
    if cost.pages:
        table.add_row("  a page", *[""] * (len(names) - 1), *(share for _, share in cells), style="dim")


def _card(cost: CostSum, total: CostSum) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for head in ("", "all", "a page"):
        table.add_column(head, justify="right" if head else "left", no_wrap=True)
    for name in _shown(total):
        table.add_row(COLUMNS[name][0].replace("\n", " "), *_cells(cost, name))
    return table


def _cells(cost: CostSum, name: str) -> tuple[str, str]:
    spell, share = COLUMNS[name][1], cost.per_page() or {}
    return spell(getattr(cost, name)), spell(share[name]) if name in share else ""
