"""The command line: one file per group of commands, all of them thin."""

from app.cli.main import app, main

__all__ = ["app", "main"]
