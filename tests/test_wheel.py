"""The wheel holds everything that an installation needs: built, installed into a fresh environment, run there."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LEFT_OUT = (".git", ".venv", "workspace", "build", "dist", "tests", "benchmarks")


def run(*command: object, **options: object) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is left in the work tree."""
    import shutil

    source, out = tmp_path_factory.mktemp("source") / "pairwright", tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*LEFT_OUT, "__pycache__", "*.egg-info", ".*_cache"))
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, source)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it; its dependencies are lent by this one."""
    place = tmp_path_factory.mktemp("fresh") / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", place)
    python = place / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", "--quiet", wheel)
    (site / "zz_lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def elsewhere(tmp_path: Path) -> dict[str, object]:
    """Options to run a command away from the source tree."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHONPATH", "PAIRWRIGHT_"))}
    return {"cwd": tmp_path, "env": kept}


def test_the_wheel_holds_migrations_and_static_files(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = [
        path for folder in ("app", "oracle", "trainer", "db", "migrations") for path in (ROOT / folder).rglob("*")
    ]
    shipped = (".py", ".js", ".css", ".html", ".mako")
    missing = {str(p.relative_to(ROOT)) for p in wanted if p.suffix in shipped and "__pycache__" not in p.parts} - names
    assert not missing
    assert any(name.endswith("licenses/LICENSE") for name in names) and any(
        name.endswith("licenses/NOTICE") for name in names
    )


def test_the_installed_command_prints_its_version(python: Path, tmp_path: Path) -> None:
    said = json.loads(run(python.parent / "pairwright", "version", "--json", **elsewhere(tmp_path)))
    assert said["pairwright"] == "0.1.0"


def test_the_installed_package_migrates_a_database_by_itself(python: Path, tmp_path: Path) -> None:
    where = ("--workspace", tmp_path / "workspace", "--json")
    assert json.loads(run(python.parent / "pairwright", "criterion", "list", *where, **elsewhere(tmp_path))) == []
    assert (tmp_path / "workspace" / "pairwright.sqlite").exists()
    place = run(python, "-c", "import migrations; print(migrations.__file__)", **elsewhere(tmp_path)).strip()
    assert Path(place).is_relative_to(python.parents[1]), "the migrations came from the source tree"
