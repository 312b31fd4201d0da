"""Everything that docpipe writes goes through private_files and temporary, so that it is for its owner alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.source_code import SHIPPED, place, tree

# What makes something by itself: methods of a path, functions of tempfile, and those of libraries that take a path.
MAKING = {
    "mkdir",
    "makedirs",
    "write_text",
    "write_bytes",
    "touch",
    "mkstemp",
    "mkdtemp",
    "copy2",
    "copyfile",
    "copytree",
}
MAKING |= {"NamedTemporaryFile", "TemporaryDirectory"}
OPENING = {"open", "fdopen"}
WRITING = frozenset("wax")
# Not about documents: what a person trains, draws as samples, or has written into a folder of schemas; and the two
# modules themselves. `export` writes into files that `replacing` made, `watch` takes the rights of the watched folder.
EXCEPTIONS = {
    "docpipe/private_files.py": "the place itself",
    "docpipe/temporary.py": "the place itself",
    "docpipe/schemas/to_json.py": "JSON Schemas",
    "docpipe/confidence.py": "a calibration",
    "docpipe/export/table_csv.py": "into files that export/write.py made",
    "docpipe/watch.py": "copies with the rights of the document, within the watched folder",
}


def test_nothing_is_written_but_through_the_modules_for_it():
    found = [place(path, node) for path in checked_files() for node in creations(tree(path))]
    assert found == []


def test_the_exceptions_are_needed():
    from tests.support.repository import ROOT

    assert [name for name in EXCEPTIONS if not any(creations(tree(ROOT / name)))] == []


def checked_files() -> Iterator[Path]:
    for path in SHIPPED:
        name = path.as_posix().rpartition("/docpipe/")[2]
        if f"docpipe/{name}" not in EXCEPTIONS and not name.startswith(("samples/", "vlm/training/")):
            yield path


def creations(module: ast.Module) -> Iterator[ast.Call]:
    """Calls that make a file or a folder by a path. Functions of our own module of the same names are none, nor is
    what fsspec opens on another machine (`self._files`)."""
    imported = {alias.name for node in ast.walk(module) if isinstance(node, ast.ImportFrom) for alias in node.names}
    for call in (node for node in ast.walk(module) if isinstance(node, ast.Call)):
        is_method = isinstance(call.func, ast.Attribute)
        name = call.func.attr if is_method else getattr(call.func, "id", "")
        if (not is_method and name in imported) or ast.unparse(call.func).startswith("self._files."):
            continue
        if name in MAKING or (name in OPENING and any(map(_is_writing_mode, _mode(call)))):
            yield call


def _mode(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]


def _is_writing_mode(argument: ast.expr) -> bool:
    mode = argument.value if isinstance(argument, ast.Constant) else None
    return isinstance(mode, str) and 0 < len(mode) <= 3 and set(mode) <= set("rwxabt+") and bool(WRITING & set(mode))
