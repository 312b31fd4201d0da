"""Texts that several commands share, and options that mean the same everywhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

import click
import pytest

from docpipe.cli import docpipe
from docpipe.cli.wording import counted, duration, explained, failure_note, printable_url, without_password
from docpipe.errors import CorruptError, DocpipeError

SAME_EVERYWHERE = {"--db", "--jobs", "--model", "--accept-error"}


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("redis://clerk:geheim@host:6379/0", "redis://clerk:***@host:6379/0"),
        ("redis://:geheim@[::1]:6379/0", "redis://:***@[::1]:6379/0"),
        ("amqp://clerk:ge@he/im@host/", "amqp://clerk:***@host/"),
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("512 MiB", "512 MiB"),
    ],
)
def test_a_setting_is_printed_without_its_password(text: str, printed: str):
    assert without_password(text) == printed


def test_a_database_is_named_as_users_name_it():
    assert printable_url("postgresql://clerk:geheim@host/docs") == "postgresql://clerk:***@host/docs"
    assert printable_url("a.db") == "sqlite:///a.db"


def test_a_message_ends_with_one_full_stop_before_its_hint():
    assert explained("it is damaged", "Ask for it again.") == "it is damaged. Ask for it again."
    assert explained("is it there?", "") == "is it there?"


def test_numbers_and_times_are_written_as_people_write_them():
    assert [counted(number, "page") for number in (0, 1, 2)] == ["0 pages", "1 page", "2 pages"]
    spans = (timedelta(seconds=-1), timedelta(seconds=59), timedelta(seconds=60), timedelta(hours=5), timedelta(days=3))
    assert [duration(span) for span in spans] == ["0 s", "59 s", "1 min", "5 h", "3 d"]


def test_a_failure_note_says_what_is_wrong_what_to_do_and_whose_it_is():
    note = failure_note(CorruptError("no page in it"), document="ab12", job="cd34").splitlines()
    assert note[0] == "No page in it."
    assert note[1].startswith("What to do: The file is damaged")
    assert note[-3:] == ["code: corrupt", "document: ab12", "job: cd34"]
    assert "job" not in failure_note(DocpipeError("oops"))


def commands(group: click.Group, context: click.Context) -> Iterator[click.Command]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield command
        if isinstance(command, click.Group):
            yield from commands(command, context)


def test_an_option_of_several_commands_says_the_same_everywhere():
    helps = defaultdict(set)
    for command in commands(docpipe, click.Context(docpipe)):
        for option in command.params:
            if isinstance(option, click.Option):
                helps[option.opts[0]].add(option.help)
    assert set(helps) >= SAME_EVERYWHERE
    assert {name: texts for name, texts in helps.items() if name in SAME_EVERYWHERE and len(texts) > 1} == {}
