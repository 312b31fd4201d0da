"""Finds the class that a textual schema reference means.

In: `invoice`, `module:Class`, `path/to/file.py:Class`, `file.json`, or the text of a JSON Schema: `{"type": …}`.
Out: the Pydantic class, and the reference that finds it from another directory and process.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docpipe.errors import SchemaError

SCHEMA_PACKAGE = "docpipe.schemas"
"""The package that holds the shipped schemas, the kinds and the rules. Imported by name, never statically."""

NAME_DIGITS = 12


def shipped() -> Mapping[str, str]:
    """The names of the schemas that ship with docpipe, and where their classes are."""
    references: Mapping[str, str] = importlib.import_module(SCHEMA_PACKAGE).SHIPPED
    return references


def kinds() -> Any:
    """The module with the kinds."""
    return importlib.import_module(f"{SCHEMA_PACKAGE}.kinds")


def _from_json() -> Any:
    return importlib.import_module(f"{SCHEMA_PACKAGE}.from_json")


def find_class(reference: str) -> tuple[Any, str]:
    """The object behind a reference, and the reference freed of the current directory. Raises SchemaError."""
    if reference in shipped():
        return find_class(shipped()[reference])[0], reference
    if reference.lstrip().startswith("{"):
        return _from_json().model_from_text(reference), reference
    if reference.lower().endswith(".json"):
        path = Path(os.path.expanduser(reference)).resolve()
        return _from_json().model_from_file(path), str(path)
    source, colon, class_name = reference.rpartition(":")
    if not colon or not source or not class_name:
        raise SchemaError(
            f"there is no schema named {reference!r}",
            hint=f"Shipped are {', '.join(shipped())}; your own is FILE.py:Class, module:Class or FILE.json.",
        )
    if source.endswith(".py"):
        source = str(Path(os.path.expanduser(source)).resolve())
        target: Any = _module_from_file(Path(source))
    else:
        target = _module_named(source)
    for part in class_name.split("."):
        target = getattr(target, part, None)
    if target is None:
        raise SchemaError(f"{source} has no class {class_name}", hint="Check the name after the colon.")
    return target, f"{source}:{class_name}"


def _module_named(name: str) -> types.ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise SchemaError(
            f"cannot import the module {name}: {error}", hint="Check that it is installed, or name a .py file."
        ) from error


def _module_from_file(path: Path) -> types.ModuleType:
    """The module in a file. It is registered under a name made of path and content, so that Pydantic can resolve its
    annotations, loading it twice gives the same class, and a changed file is loaded anew."""
    if not path.is_file():
        raise SchemaError(f"there is no file {path}", hint="Check the path before the colon.")
    digest = hashlib.sha256(bytes(path) + b"\0" + path.read_bytes()).hexdigest()[:NAME_DIGITS]
    name = f"docpipe_schema_{path.stem}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SchemaError(f"{path} is not a Python file", hint="Give a file that ends in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise SchemaError(
            f"{path} cannot be loaded: {type(error).__name__}: {error}", hint="Run the file with python to see why."
        ) from error
    return module
