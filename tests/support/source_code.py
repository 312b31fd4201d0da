"""The source of the repository, for tests that hold it to its rules: which files there are, and what is in them."""

from __future__ import annotations

import ast
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support.repository import ROOT


def _tracked() -> list[Path]:
    """The files of the repository; those of the tree where it is not a git checkout of this user's."""
    git, listing = shutil.which("git"), b""
    if git is not None:
        listing = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout
    found = [ROOT / name for name in listing.decode().split("\0") if name] or [
        path for folder in ("docpipe", "tests", "benchmarks", "docs") for path in (ROOT / folder).rglob("*")
    ]
    return [path for path in found if path.is_file()]


TRACKED = _tracked()
PYTHON = [path for path in TRACKED if path.suffix == ".py"]
SHIPPED = [path for path in PYTHON if path.relative_to(ROOT).parts[0] == "docpipe"]
DOCS = [path for path in TRACKED if path.suffix == ".md"]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def place(path: Path, node: ast.AST | None = None) -> str:
    """`docpipe/data.py:12`"""
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def functions(paths: list[Path]) -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in paths:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node
