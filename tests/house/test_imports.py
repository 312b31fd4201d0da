"""The rules of the house for imports: layers, heavy libraries, dependencies that are used, explained and pinned."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import requires
from pathlib import Path

import grimp
import pytest

from tests.support.repository import ROOT
from tests.support.source_code import SHIPPED, tree

HEAVY = {
    *("numpy", "scipy", "torch", "onnxruntime", "cv2", "rapidocr", "tokenizers", "PIL", "pypdfium2", "pdf2image"),
    *("pi_heif", "sqlalchemy", "alembic", "pydantic", "babel", "stdnum", "rapidfuzz", "reportlab", "openpyxl", "rich"),
    *("celery", "kombu", "redis", "fastapi", "starlette", "uvicorn", "fsspec", "prometheus_client", "opentelemetry"),
}
# Distributions whose module has another name.
MODULES = {
    "opencv-python-headless": "cv2", "pillow": "PIL", "pi-heif": "pi_heif", "python-stdnum": "stdnum",
    "pydantic-settings": "pydantic_settings",
}  # fmt: skip
# Their files are used, not their code: the models that the rapidocr wheel brings (docpipe/read/ocr_models.py).
DATA_ONLY = {"rapidocr"}


def test_every_module_has_its_place_in_the_layers():
    """A module that no layer names would be free of the import rules."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (layers,) = [each["layers"] for each in project["tool"]["importlinter"]["contracts"] if each["type"] == "layers"]
    placed = {name.strip() for layer in layers for name in layer.split("|")}
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in SHIPPED}
    modules = {name.removesuffix(".__init__") for name in modules if name.startswith("docpipe.")}
    parents = {name for name in modules if any(each.startswith(f"{name}.") for each in placed)}
    lost = {name for name in modules - parents if not any(f"{name}.".startswith(f"{each}.") for each in placed)}
    assert lost - {"docpipe.__init__", "docpipe"} == set()
    assert placed <= modules, "a layer names a module that is not there"


def test_the_import_rules_hold():
    found = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout


def test_no_modules_import_each_other_in_a_circle():
    """Not even for their types: what two modules need of each other stands in a third one, below them."""
    graph = grimp.build_graph("docpipe", exclude_type_checking_imports=False, cache_dir=None)
    circles = {
        frozenset(chain)
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
        if (chain := graph.find_shortest_chain(importer=imported, imported=module))
    }
    assert [sorted(circle) for circle in circles] == []


@pytest.mark.parametrize(
    "program",
    [
        "import docpipe",
        "import docpipe; docpipe.UnsupportedError, docpipe.Box",
        "from docpipe.cli import invoke; assert invoke(['--help']) == 0",
        "from docpipe.cli import invoke; assert invoke([]) == 2",
    ],
)
def test_docpipe_and_its_help_load_nothing_heavy(program: str):
    report = f"{program}\nimport sys\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}), file=sys.stderr)"
    ended = subprocess.run([sys.executable, "-c", report], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(ended.stderr.splitlines()[-1].split()) & HEAVY == set()


def test_what_pyproject_asks_for_is_imported():
    """And nothing is installed on everybody's computer for the sake of one who left."""
    imported = {
        (alias.name if isinstance(node, ast.Import) else node.module or "").split(".")[0]
        for path in SHIPPED
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    wanted = {name: MODULES.get(name, name) for name in _dependencies()}
    assert {name for name, module in wanted.items() if module not in imported} == DATA_ONLY


def test_every_dependency_is_explained():
    text = (ROOT / "docs/dependencies.md").read_text("utf-8")
    assert [name for name in _dependencies() if f"| {name} |" not in text] == []


def test_every_dependency_is_pinned_for_our_own_tests():
    pinned = (ROOT / "constraints.txt").read_text("utf-8")
    assert [name for name in _dependencies() if f"\n{name}==" not in pinned] == []


def _dependencies() -> list[str]:
    """The names that a plain installation asks for."""
    asked = [line for line in requires("docpipe-extract") or [] if "extra ==" not in line]
    return [re.match(r"[\w.-]+", line)[0].lower() for line in asked]
