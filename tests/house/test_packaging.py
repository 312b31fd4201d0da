"""What an installation brings: the package `docpipe`, whole, and no other name in site-packages. A program that has
folders of its own named `schemas` and `workers` works beside it, with the wheel and with an editable installation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from docpipe.config import PREFIX
from tests.support.repository import ROOT
from tests.support.serving import pdf

BUILD_INPUTS = ("pyproject.toml", "README.md", "LICENSE", "NOTICE")
"""What the build reads beside the package itself, as in the Dockerfile."""

SCRIPT = """
import schemas, workers
from workers.jobs import NAME
from docpipe import extract, load_schema
print(NAME, load_schema("schemas.order:Order").name, extract("bill.pdf", schema="receipt").schema.name)
"""
ORDER = "from pydantic import BaseModel\n\nclass Order(BaseModel):\n    number: str | None = None\n"


@pytest.fixture(scope="session")
def source_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy: a build leaves a folder `build` in its source tree."""
    folder = tmp_path_factory.mktemp("source")
    for name in BUILD_INPUTS:
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "docpipe", folder / "docpipe", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def build(source_tree: Path, hook: str, target: Path) -> Path:
    """A wheel, built by a hook of PEP 517 or PEP 660, as pip calls it; no network is needed."""
    target.mkdir()
    program = f"from setuptools import build_meta; print(build_meta.{hook}({str(target)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=source_tree, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return target / done.stdout.split()[-1]


@pytest.fixture(scope="session")
def wheel(source_tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(source_tree, "build_wheel", tmp_path_factory.mktemp("built") / "wheel")


@pytest.fixture(scope="session", params=["build_wheel", "build_editable"])
def installed_python(
    request: pytest.FixtureRequest, source_tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A Python in which docpipe is installed as users install it; what docpipe needs is borrowed from this one."""
    if request.param == "build_wheel":
        built = request.getfixturevalue("wheel")
    else:
        built = build(source_tree, request.param, tmp_path_factory.mktemp("built") / "editable")
    environment = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    paths = sysconfig.get_paths(vars={"base": str(environment), "platbase": str(environment)})
    with zipfile.ZipFile(built) as archive:
        archive.extractall(paths["purelib"])
    # a path file that is found through another one is not read: the docpipe of this Python stays out
    borrowed = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    Path(paths["purelib"], "zz_dependencies.pth").write_text("\n".join(borrowed))
    return python


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A program of somebody else, with packages that have common names."""
    for name in ("schemas", "workers"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    (tmp_path / "schemas" / "order.py").write_text(ORDER)
    (tmp_path / "workers" / "jobs.py").write_text("NAME = 'own'\n")
    (tmp_path / "program.py").write_text(SCRIPT)
    (tmp_path / "bill.pdf").write_bytes(pdf())
    return tmp_path


def run_in(project: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith((PREFIX, "PYTHON"))}
    environment[f"{PREFIX}DATABASE_URL"] = f"sqlite:///{project / 'docpipe.db'}"
    return subprocess.run(
        [str(part) for part in command], cwd=project, env=environment, capture_output=True, text=True, check=False
    )


def test_nothing_but_docpipe_lands_in_site_packages(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
        (metadata,) = {top for top in tops if top.endswith(".dist-info")}
        assert tops - {metadata} == {"docpipe"}
        assert archive.read(f"{metadata}/top_level.txt").split() == [b"docpipe"]


def test_the_wheel_has_every_file_of_the_package(wheel: Path, source_tree: Path):
    """Weights, word lists and the type marker too: without them the first document fails."""
    source = {path.relative_to(source_tree).as_posix() for path in (source_tree / "docpipe").rglob("*")
              if path.is_file() and "__pycache__" not in path.parts}  # fmt: skip
    with zipfile.ZipFile(wheel) as archive:
        built = {name for name in archive.namelist() if name.startswith("docpipe/") and not name.endswith("/")}
    assert built == source
    assert {"docpipe/py.typed", "docpipe/vlm/weights/network.onnx"} <= built


def test_a_script_beside_its_own_schemas_and_workers_works(installed_python: Path, project: Path):
    where = run_in(project, installed_python, "-c", "import docpipe; print(docpipe.__file__)")
    assert not where.stdout.startswith(str(ROOT)), "another docpipe than the installed one would be tested"
    done = run_in(project, installed_python, "program.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["own", "order", "receipt"]


def test_commands_work_in_such_a_folder(installed_python: Path, project: Path):
    command = ("run", "bill.pdf", "--schema", "schemas.order:Order", "--output", "-", "--jobs", "1")
    done = run_in(project, installed_python, "-m", "docpipe", *command)
    assert done.returncode == 0, done.stderr
    assert '"schema": "order"' in done.stdout
    started = run_in(project, installed_python, "-m", "celery", "-A", "docpipe.workers.app", "report")
    assert started.returncode == 0, started.stderr
    assert "docpipe.workers.tasks" in started.stdout
