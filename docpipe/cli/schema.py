"""`docpipe schema`: what docpipe looks for.

In: a schema's name, class or file. Out: its fields, kinds and prompts, or JSON Schema.
"""

from __future__ import annotations

import json

import click

from docpipe.schema import list_schemas, load_schema
from docpipe.schema_fields import FieldSpec


@click.group()
def schema() -> None:
    """List and show schemas: what docpipe looks for."""


@schema.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_command(as_json: bool) -> None:
    """The schemas that ship with docpipe.

    Your own need no registration: give `--schema FILE.py:Class`, `module:Class` or a JSON Schema `FILE.json`.
    """
    for name in list_schemas():
        found = load_schema(name)
        if as_json:
            click.echo(
                json.dumps(
                    {
                        "name": found.name,
                        "version": found.version,
                        "fields": [spec.path for spec in found.fields],
                        "description": found.description,
                    }
                )
            )
        else:
            click.echo(f"{found.name:<10} {len(found.fields):>3} fields  {found.description}")


@schema.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="The JSON Schema of a result.")
def show(name: str, as_json: bool) -> None:
    """The fields of NAME with their kinds and prompts.

    NAME is a shipped schema, FILE.py:Class, module:Class or FILE.json. A star marks what a document must have to be
    complete.
    """
    found = load_schema(name)
    if as_json:
        click.echo(json.dumps(found.json_schema(), indent=2, ensure_ascii=False))
        return
    click.echo(f"{found.name} (version {found.version}): {found.description}\n")
    if found.choices:
        click.echo("It has no fields of its own: `docpipe schema show NAME` shows those of each.")
        return
    width = max(len(spec.path) for spec in found.fields)
    for spec in found.fields:
        click.echo(_line(spec, width))
    if found.rules:
        click.echo("\nRules that the values must satisfy together:")
    for rule in found.rules:
        click.echo(f"  {rule.code}: {', '.join(rule.paths)}")


def _line(spec: FieldSpec, width: int) -> str:
    star = "*" if spec.required else " "
    return f"{star} {spec.path:<{width}}  {spec.kind.name:<11} {spec.prompt}"
