"""The rules of the house for docs: they say what the code does, lead where they say, and fit a screen."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from docpipe import errors
from docpipe.cli import COMMANDS
from tests.support.repository import ROOT
from tests.support.source_code import DOCS, SHIPPED, place, tree

CODE = re.compile(r"[a-z]+(_[a-z]+)+")
COLUMNS = 120
TYPE_IN_GLOSSARY = re.compile(r"`([A-Z][a-z]\w+)`")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
FILE = re.compile(r"\b((?:docpipe|schemas|workers|tests|benchmarks|examples|docs)/[\w/.-]+\.(?:py|md))\b")


def test_every_command_is_documented():
    reference = (ROOT / "docs/cli.md").read_text("utf-8")
    assert [name for name in COMMANDS if f"## `docpipe {name}" not in reference] == []


def _error_codes() -> set[str]:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.DocpipeError)]
    return {kind.code for kind in kinds}


def _issue_codes() -> dict[str, str]:
    """Code -> where it is used: `Issue("code", …)`, `Parsed(value, "code", …)`, `code: str = "code"` of a rule,
    constants that these name, and pairs of a code and its message."""
    found: dict[str, str] = {}
    for path in SHIPPED:
        constants = {
            target.id: node.value.value
            for node in tree(path).body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree(path)):
            for code in _codes_in(node):
                text = constants.get(code.id) if isinstance(code, ast.Name) else getattr(code, "value", None)
                if isinstance(text, str) and (CODE.fullmatch(text) or isinstance(node, ast.Call)):
                    found[text] = place(path, node)
    return found


def _codes_in(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        place = {"Issue": 0, "Parsed": 1}.get(node.func.id)
        return [] if place is None else node.args[place : place + 1]
    if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "code" and node.value is not None:
        return [node.value]
    if isinstance(node, ast.Tuple):
        pairs = zip(node.elts, node.elts[1:], strict=False)
        return [left for left, right in pairs if ast.unparse(right).startswith(("message", "f'", 'f"'))]
    return []


def test_every_code_that_a_user_can_see_is_documented():
    text = (ROOT / "docs/errors.md").read_text("utf-8")
    used = _issue_codes() | dict.fromkeys(_error_codes(), "docpipe/errors.py")
    assert len(used) > 30, "the search for codes finds too little"
    assert {code: place for code, place in used.items() if f"`{code}`" not in text} == {}


def test_no_code_is_documented_that_nothing_uses():
    issues = (ROOT / "docs/errors.md").read_text("utf-8").partition("## Issues of values")[2].splitlines()
    cells = [line.split("|")[1] for line in issues if line.startswith("| `")]
    documented = {code for cell in cells for code in re.findall(r"`(\w+)`", cell)}
    assert len(documented) > 30, "the search for codes finds too little"
    assert documented - set(_issue_codes()) == set()


@pytest.mark.parametrize("document", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path):
    targets = [target for target in LINK.findall(document.read_text("utf-8")) if "://" not in target]
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_files_that_the_documents_name_are_there():
    """`docpipe/read/ocr_models.py` and `tests/house/test_docs.py` in running text, not only links."""
    lost = {}
    for document in DOCS:
        for name in FILE.findall(_text(document)):
            if not (ROOT / name).exists():
                lost[name] = place(document)
    assert lost == {}


def _text(document: Path) -> str:
    return "" if document.name == "CHANGELOG.md" else document.read_text("utf-8")


def test_the_index_of_the_docs_is_complete():
    index = (ROOT / "docs/README.md").read_text("utf-8")
    pages = [path.relative_to(ROOT / "docs") for path in DOCS if path.is_relative_to(ROOT / "docs")]
    assert [str(page) for page in pages if page.name != "README.md" and f"({page})" not in index] == []


def test_the_layers_of_the_architecture_are_those_of_the_import_rules():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (layers,) = [each["layers"] for each in project["tool"]["importlinter"]["contracts"] if each["type"] == "layers"]
    modules = [{name.strip().removeprefix("docpipe.") for name in layer.split("|")} for layer in layers]
    section = (ROOT / "docs/architecture.md").read_text("utf-8").partition("| layer | modules")[2].partition("\n\n")[0]
    rows = [line.split("|")[2] for line in section.splitlines() if line.startswith("| ")]
    assert [set(re.findall(r"`([\w.]+)`", row)) for row in rows] == modules


def test_prose_fits_a_screen():
    """Tables and what stands in code fences may be wider."""
    wide = []
    for document in DOCS:
        fenced = False
        for number, line in enumerate(document.read_text("utf-8").splitlines(), start=1):
            fenced ^= line.lstrip().startswith("```")
            if len(line) > COLUMNS and not fenced and not line.startswith("|"):
                wide.append(f"{document.relative_to(ROOT)}:{number}")
    assert wide == []


def test_the_types_that_the_glossary_names_are_there():
    text = (ROOT / "docs/glossary.md").read_text("utf-8")
    named = set(TYPE_IN_GLOSSARY.findall(text))
    defined = {node.name for path in SHIPPED for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)}
    assert len(named) > 50, "the glossary names too few types"
    assert named - defined == set()


def test_every_term_of_the_glossary_says_where_it_is_from():
    lines = (ROOT / "docs/glossary.md").read_text("utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    assert [row for row in rows if len(row) != 3 or not all(row)] == []
