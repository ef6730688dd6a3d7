"""`version` and `doctor`: is everything there, and does it work?"""

import platform
from importlib.metadata import version as installed_version

import typer

from app.cli.run import Run, command


def register(app: typer.Typer) -> None:
    command(app, "doctor", DOCTOR)(doctor)
    command(app, "version", VERSION)(version)


VERSION = """
pairwright version
pairwright version --json
"""


def version(run: Run) -> None:
    """Print the version."""
    found = installed_version("pairwright")
    run.show({"pairwright": found, "python": platform.python_version()}, f"pairwright {found}")


DOCTOR = """
pairwright doctor
pairwright doctor --workspace /data/pairwright --json
"""


def doctor(run: Run) -> None:
    """Check the workspace, the database, the encoder and the machine. Exits with 1 if something is broken."""
    from app.doctor import examine

    findings = examine(run.settings)
    lines = [f"{'ok    ' if f.ok else 'BROKEN'}  {f.name}: {f.words}" for f in findings]
    run.show({"ok": all(f.ok for f in findings), "findings": findings}, "\n".join(lines))
    if not all(f.ok for f in findings):
        raise typer.Exit(1)
