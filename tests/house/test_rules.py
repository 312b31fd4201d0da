"""The rules of the house, checked on the source: sizes, names, imports, and docs that say what the code does."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import requires
from pathlib import Path

import pytest

from docpipe import errors
from docpipe.cli import COMMANDS
from tests.support.repository import ROOT

FILE_LINES = 400
FUNCTION_LINES = 60  # a screen
ARGUMENTS = 6
HEAVY = {
    *("numpy", "scipy", "torch", "onnxruntime", "cv2", "rapidocr", "tokenizers", "PIL", "pypdfium2", "pdf2image"),
    *("pi_heif", "sqlalchemy", "alembic", "pydantic", "babel", "stdnum", "rapidfuzz", "reportlab", "openpyxl", "rich"),
    *("celery", "kombu", "redis", "fastapi", "starlette", "uvicorn", "fsspec", "prometheus_client", "opentelemetry"),
}
NAMES_THAT_SAY_NOTHING = re.compile(r"(^|_)(utils?|manager|helpers?|misc|common)(_|$)|^base")  # a tax has a base
CODE = re.compile(r"[a-z]+(_[a-z]+)+")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
FILE = re.compile(r"\b((?:docpipe|schemas|workers|tests|benchmarks|examples|docs)/[\w/.-]+\.(?:py|md))\b")
# Distributions whose module has another name.
MODULES = {
    "opencv-python-headless": "cv2", "pillow": "PIL", "pi-heif": "pi_heif", "python-stdnum": "stdnum",
    "pydantic-settings": "pydantic_settings",
}  # fmt: skip
# Their files are used, not their code: the models that the rapidocr wheel brings (docpipe/read/ocr_models.py).
DATA_ONLY = {"rapidocr"}


def _tracked() -> list[Path]:
    """The files of the repository; those of the tree where it is not a git checkout."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    names = listing.stdout.decode().split("\0")
    found = [ROOT / name for name in names if name] or [
        path for folder in ("docpipe", "tests", "benchmarks", "docs") for path in (ROOT / folder).rglob("*")
    ]
    return [path for path in found if path.is_file()]


TRACKED = _tracked()
PYTHON = [path for path in TRACKED if path.suffix == ".py"]
SHIPPED = [path for path in PYTHON if path.relative_to(ROOT).parts[0] == "docpipe"]
DOCS = [path for path in TRACKED if path.suffix == ".md"]


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def _named(path: Path, node: ast.AST | None = None) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def _functions(paths: list[Path]) -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path in paths:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node


def test_no_file_is_longer_than_four_hundred_lines():
    counts = {_named(path): len(path.read_text("utf-8").splitlines()) for path in PYTHON}
    assert {name: lines for name, lines in counts.items() if lines > FILE_LINES} == {}


def test_a_function_fits_a_screen():
    spans = {_named(path, node): (node.end_lineno or 0) - node.lineno + 1 for path, node in _functions(SHIPPED)}
    assert {name: lines for name, lines in spans.items() if lines > FUNCTION_LINES} == {}


def test_a_function_takes_at_most_six_arguments():
    too_many = []
    for path, node in _functions(SHIPPED):
        if _is_command(node):  # click hands over one argument for each option
            continue
        names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        if len([name for name in names if name not in ("self", "cls")]) > ARGUMENTS:
            too_many.append(_named(path, node))
    assert too_many == []


def _is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("command" in ast.unparse(decorator) for decorator in node.decorator_list)


def test_every_module_opens_with_what_goes_in_and_what_comes_out():
    assert [_named(path) for path in SHIPPED if _tree(path).body and not ast.get_docstring(_tree(path))] == []


def test_no_file_or_definition_has_a_name_that_says_nothing():
    found = [_named(path) for path in SHIPPED if NAMES_THAT_SAY_NOTHING.search(path.stem)]
    for path in SHIPPED:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and NAMES_THAT_SAY_NOTHING.search(_snake(node.name)):
                found.append(_named(path, node))
    assert found == []


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def test_an_import_inside_a_function_says_what_is_heavy_about_it():
    silent = []
    for path, function in _functions(SHIPPED):
        lines = path.read_text("utf-8").splitlines()
        imports = [node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
        silent += [_named(path, node) for node in imports if not _says_heavy(lines, node)]
    assert sorted(set(silent)) == []


def _says_heavy(lines: list[str], node: ast.stmt) -> bool:
    """One comment is enough for a block of imports."""
    words = ("import ", "from ", "# heavy: ")
    first, last = node.lineno - 1, node.end_lineno or node.lineno
    while lines[first - 1].lstrip().startswith(words):
        first -= 1
    while lines[last].lstrip().startswith(words):
        last += 1
    return any("# heavy: " in line for line in lines[first:last])


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
        for node in ast.walk(_tree(path))
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
            for node in _tree(path).body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(_tree(path)):
            for code in _codes_in(node):
                text = constants.get(code.id) if isinstance(code, ast.Name) else getattr(code, "value", None)
                if isinstance(text, str) and (CODE.fullmatch(text) or isinstance(node, ast.Call)):
                    found[text] = _named(path, node)
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
    """`docpipe/read/ocr_models.py` and `tests/house/test_rules.py` in running text, not only links."""
    lost = {}
    for document in DOCS:
        for name in FILE.findall(_text(document)):
            if not (ROOT / name).exists():
                lost[name] = _named(document)
    assert lost == {}


def _text(document: Path) -> str:
    return "" if document.name == "CHANGELOG.md" else document.read_text("utf-8")


def test_the_index_of_the_docs_is_complete():
    index = (ROOT / "docs/README.md").read_text("utf-8")
    pages = [path.relative_to(ROOT / "docs") for path in DOCS if path.is_relative_to(ROOT / "docs")]
    assert [str(page) for page in pages if page.name != "README.md" and f"({page})" not in index] == []


def test_every_target_of_the_makefile_says_what_it_does():
    text = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)[1].split()
    assert [name for name in phony if not re.search(rf"^{name}:.*## \S", text, re.MULTILINE)] == []


def test_nothing_of_the_repository_reads_documents_from_outside_it():
    reading = [path for path in PYTHON if re.search(r"[\"'](?:\.\./|/work/)shared", path.read_text("utf-8"))]
    assert [_named(path) for path in reading if path != Path(__file__)] == []


def test_no_document_of_others_is_in_the_repository():
    """Samples and test documents are drawn when they are needed; pictures of them are the only binary files."""
    documents = {".pdf", ".tif", ".tiff", ".jpg", ".jpeg", ".webp", ".heic", ".xml", ".zip"}
    pictures = [path for path in TRACKED if path.suffix.lower() == ".png" and "pictures" not in path.parts]
    assert [_named(path) for path in TRACKED if path.suffix.lower() in documents] + pictures == []


def test_no_two_files_differ_by_case_alone():
    """On macOS and Windows they would be one file."""
    names = [str(path.relative_to(ROOT)) for path in TRACKED]
    assert len({name.lower() for name in names}) == len(names)
