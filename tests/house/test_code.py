"""The rules of the house for code: sizes, names, arguments, imports inside functions."""

from __future__ import annotations

import ast
import re
from collections import defaultdict

from tests.support.source_code import PYTHON, SHIPPED, functions, place, tree

FILE_LINES = 400
FUNCTION_LINES = 60  # a screen
ARGUMENTS = 6
TYPE_NAME = re.compile(r"^_?[A-Z]\w*[a-z]")  # of an alias; constants are upper case
NAMES_THAT_SAY_NOTHING = re.compile(r"(^|_)(utils?|manager|helpers?|misc|common)(_|$)|^base")  # a tax has a base


def test_no_file_is_longer_than_four_hundred_lines():
    counts = {place(path): len(path.read_text("utf-8").splitlines()) for path in PYTHON}
    assert {name: lines for name, lines in counts.items() if lines > FILE_LINES} == {}


def test_a_function_fits_a_screen():
    spans = {place(path, node): (node.end_lineno or 0) - node.lineno + 1 for path, node in functions(SHIPPED)}
    assert {name: lines for name, lines in spans.items() if lines > FUNCTION_LINES} == {}


def test_a_function_takes_at_most_six_arguments():
    """A tuple of fixed length counts as often as it has elements: what belongs together is a dataclass."""
    aliases = _tuple_aliases()
    too_many = {}
    for path, node in functions(SHIPPED):
        if _is_command(node):  # click hands over one argument for each option
            continue
        arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        count = sum(_elements(each.annotation, aliases) for each in arguments if each.arg not in ("self", "cls"))
        if count > ARGUMENTS:
            too_many[place(path, node)] = f"{node.name}: {count}"
    assert too_many == {}


def _tuple_aliases() -> dict[str, int]:
    """`Span = tuple[int, int]` -> 2, for the whole package."""
    return {
        target.id: _elements(node.value, {})
        for path in SHIPPED
        for node in tree(path).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Subscript)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _elements(annotation: ast.expr | None, aliases: dict[str, int]) -> int:
    """Of an argument: 1, or the length of its tuple (`tuple[int, str] | None` has 2)."""
    if isinstance(annotation, ast.BinOp):
        return max(_elements(annotation.left, aliases), _elements(annotation.right, aliases))
    if isinstance(annotation, ast.Name):
        return aliases.get(annotation.id, 1)
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "tuple":
        elements = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        return 1 if any(isinstance(e, ast.Constant) and e.value is Ellipsis for e in elements) else len(elements)
    return 1


def test_a_type_name_means_one_thing():
    homes = defaultdict(list)
    for path in SHIPPED:
        for node in tree(path).body:
            names = [node.name] if isinstance(node, ast.ClassDef) else []
            if isinstance(node, ast.Assign):
                names = [each.id for each in node.targets if isinstance(each, ast.Name) and TYPE_NAME.search(each.id)]
            for name in names:
                homes[name.strip("_")].append(place(path, node))
    assert {name: places for name, places in homes.items() if len(places) > 1} == {}


def _is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("command" in ast.unparse(decorator) for decorator in node.decorator_list)


def test_every_module_opens_with_what_goes_in_and_what_comes_out():
    assert [place(path) for path in SHIPPED if tree(path).body and not ast.get_docstring(tree(path))] == []


def test_no_file_or_definition_has_a_name_that_says_nothing():
    found = [place(path) for path in SHIPPED if NAMES_THAT_SAY_NOTHING.search(path.stem)]
    for path in SHIPPED:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and NAMES_THAT_SAY_NOTHING.search(_snake(node.name)):
                found.append(place(path, node))
    assert found == []


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def test_an_import_inside_a_function_says_what_is_heavy_about_it():
    silent = []
    for path, function in functions(SHIPPED):
        lines = path.read_text("utf-8").splitlines()
        imports = [node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom)]
        silent += [place(path, node) for node in imports if not _says_heavy(lines, node)]
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


def test_no_test_module_imports_another():
    """What several need is in tests/support: an imported test module brings its fixtures and cases along."""
    imported = {
        place(path, node): node.module
        for path in PYTHON
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[-1].startswith("test_")
    }
    assert imported == {}
