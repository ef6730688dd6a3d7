"""Imports go one way, each heavy library lives in one package, and nothing is ever unpickled."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
ROAD = ["db", "oracle", "trainer", "app"]  # each may import itself and those before it
PACKAGES = [*ROAD, "migrations"]
ONLY_HERE = {
    "gradio": {"app"},
    "fastapi": {"app"},
    "starlette": {"app"},
    "uvicorn": {"app"},
    "typer": {"app"},
    "torch": {"trainer"},
    "torchvision": {"trainer"},
    "timm": {"trainer"},
    "faiss": {"trainer"},
    "apscheduler": {"trainer"},
    "umap": {"trainer"},
    "sqlalchemy": {"db", "migrations"},
    "alembic": {"db", "migrations"},
}
SESSION_TYPE = "sqlalchemy.orm"  # annotations may name the session that db's functions take
UNSAFE_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
UNSAFE_KEYWORDS = {("allow_pickle", True), ("shell", True), ("weights_only", False)}
COMES_WITH = {"starlette", "anyio"}  # parts of fastapi
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def allowed(package: str) -> set[str]:
    if package == "migrations":
        return {"migrations", "db"}
    extra = {"migrations"} if package == "db" else set()
    return set(ROAD[: ROAD.index(package) + 1]) | extra


def imports(path: Path) -> list[tuple[str, bool]]:
    """(dotted module, is it only for annotations?) for every import of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in typing_only) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append((node.module, id(node) in typing_only))
    return found


def package_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_road(path: Path) -> None:
    package = package_of(path)
    wrong = [m for m, _ in imports(path) if m.split(".")[0] in PACKAGES and m.split(".")[0] not in allowed(package)]
    assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}; {package} may import {sorted(allowed(package))}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_heavy_library_lives_in_one_package(path: Path) -> None:
    package = package_of(path)
    wrong = [
        module
        for module, _ in imports(path)
        for homes in [ONLY_HERE.get(module.split(".")[0])]
        if homes is not None and package not in homes and module != SESSION_TYPE
    ]
    assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}, which is not for {package}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_unpickled_and_no_shell_is_started(path: Path) -> None:
    assert not [module for module, _ in imports(path) if module.split(".")[0] in UNSAFE_MODULES]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant):
            assert (node.arg, node.value.value) not in UNSAFE_KEYWORDS, f"{path}:{node.value.lineno}"
        if isinstance(node, ast.keyword):
            assert node.arg != "allowed_paths", f"{path}:{node.value.lineno}: images leave only through the media route"
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in ("os.system", "os.popen", "eval", "exec"), f"{path}:{node.lineno}"


def test_the_shared_nouns_import_no_other_part() -> None:
    ours = [m for m, _ in imports(ROOT / "db" / "nouns.py") if m.split(".")[0] in PACKAGES]
    assert ours == []


def test_no_file_holds_an_absolute_path_of_a_machine() -> None:
    place = re.compile(r"/(work|home|root|Users)/[A-Za-z]")
    found = [str(path) for path in FILES if place.search(path.read_text(encoding="utf-8"))]
    assert not found


def test_every_library_that_is_imported_is_declared() -> None:
    """Distribution names differ from module names; the metadata of what is installed says which belongs to which."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    declared = {canonicalize_name(re.match(r"[\w.-]+", line)[0]) for line in lines}
    homes = packages_distributions()
    modules = (
        {m.split(".")[0] for path in FILES for m, _ in imports(path)} - set(sys.stdlib_module_names) - set(PACKAGES)
    )
    undeclared = {m for m in modules if m in homes and not declared & {canonicalize_name(h) for h in homes[m]}}
    assert not undeclared - COMES_WITH, f"add to pyproject.toml and constraints.txt: {sorted(undeclared - COMES_WITH)}"
