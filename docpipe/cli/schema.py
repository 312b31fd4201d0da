"""`docpipe schema`: what docpipe looks for.

In: a schema's name, class or file. Out: its fields, kinds and prompts, or JSON Schema.
"""

from __future__ import annotations

import json
from typing import Any

import click

from docpipe.cli.options import json_option
from docpipe.schema import Schema, list_schemas, load_schema
from docpipe.schema_fields import FieldSpec


@click.group("schema")
def schema_group() -> None:
    """List and show schemas: what docpipe looks for."""


@schema_group.command("list")
@json_option("Print one JSON object a line.")
def list_command(as_json: bool) -> None:
    """List the schemas that ship with docpipe.

    Your own need no registration: give `--schema FILE.py:Class`, `module:Class` or a JSON Schema `FILE.json`.
    """
    for schema in map(load_schema, list_schemas()):
        if as_json:
            click.echo(json.dumps(_summary(schema)))
        else:
            click.echo(f"{schema.name:<10} {len(schema.fields):>3} fields  {schema.description}")


@schema_group.command()
@click.argument("name")
@json_option("Print the JSON Schema of a result.")
def show(name: str, as_json: bool) -> None:
    """Show the fields of NAME with their kinds and prompts.

    NAME is a shipped schema, FILE.py:Class, module:Class or FILE.json. A star marks what a document must have to be
    complete.
    """
    schema = load_schema(name)
    if as_json:
        click.echo(json.dumps(schema.json_schema(), indent=2, ensure_ascii=False))
        return
    click.echo(f"{schema.name} (version {schema.version}): {schema.description}\n")
    if schema.choices:
        click.echo("It has no fields of its own: `docpipe schema show NAME` shows those of each.")
        return
    width = max(len(spec.path) for spec in schema.fields)
    for spec in schema.fields:
        click.echo(_field_line(spec, width))
    if schema.rules:
        click.echo("\nRules that the values must satisfy together:")
    for rule in schema.rules:
        click.echo(f"  {rule.code}: {', '.join(rule.paths)}")


def _summary(schema: Schema) -> dict[str, Any]:
    paths = [spec.path for spec in schema.fields]
    return {
        "name": schema.name,
        "version": schema.version,
        "fields": paths,
        "description": schema.description,
    }


def _field_line(spec: FieldSpec, width: int) -> str:
    star = "*" if spec.required else " "
    return f"{star} {spec.path:<{width}}  {spec.kind.name:<11} {spec.prompt}"
