"""`python -m app.cli.python_page > docs/python.md`: what a program may import, read from the source itself."""

import ast
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from db.errors import BadInput

HEAD = """# Python

Made by `make docs` from the code itself; a test fails when it is out of date. Worked examples:
[the taught embedding elsewhere](elsewhere.md), [a program that answers](program.md), [a robot](robot.md),
[simulated sessions in tests](simulate.md), [bring your data](bring.md), [plugins](plugins.md). Whatever is not listed
here or in [plugins](plugins.md) may change without notice.
"""
PUBLIC = {
    "trainer.taught": ("load", "Taught"),
    "trainer.transformer": ("PictureEmbedding",),
    "trainer.pair_dataset": ("PairDataset", "EvenPairs", "indices_tuple"),
    "app.importers.samples": ("import_samples",),
    "app.client": ("Client", "asked"),
    "app.scripted": ("Scripted",),
}


Function = ast.FunctionDef | ast.AsyncFunctionDef


def page() -> str:
    """The whole page as Markdown."""
    parts = [HEAD]
    for module, names in PUBLIC.items():
        tree = ast.parse(_source(module))
        parts.append(f"\n## {module}\n\n{_words(tree).partition(chr(10) * 2)[0]}\n")
        there = {one.name: one for one in tree.body if isinstance(one, Function | ast.ClassDef)}
        parts += [_entry(module, there[name]) for name in names]
    return "".join(parts)


def _source(module: str) -> str:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise BadInput(f"PUBLIC names '{module}', and there is no such module.")
    return Path(spec.origin).read_text(encoding="utf-8")


def _entry(module: str, thing: Function | ast.ClassDef) -> str:
    head = f"\n### {module}.{thing.name}\n\n"
    if not isinstance(thing, ast.ClassDef):
        return f"{head}```py\n{_signed(thing)}\n```\n\n{_words(thing)}\n"
    made = next((_signed(one, thing.name) for one in _functions(thing) if one.name == "__init__"), "")
    shown = f"```py\n{made.removesuffix(' -> None')}\n```\n\n" if made else ""
    return f"{head}{shown}{_words(thing)}\n\n" + "".join(_methods(thing))


def _methods(thing: ast.ClassDef) -> Iterator[str]:
    """Public methods that have words, and what calling an instance does."""
    for one in _functions(thing):
        if _words(one) and (not one.name.startswith("_") or one.name == "__call__"):
            yield f"- `{_signed(one)}`: {' '.join(_words(one).split())}\n"


def _functions(thing: ast.ClassDef) -> list[Function]:
    return [one for one in thing.body if isinstance(one, Function)]


def _signed(thing: Function, name: str = "") -> str:
    """The name with its parameters, without `self` or `cls`."""
    if thing.args.args and thing.args.args[0].arg in ("self", "cls"):
        del thing.args.args[0]
    plain = any(isinstance(one, ast.Name) and one.id == "property" for one in thing.decorator_list)
    back = f" -> {ast.unparse(thing.returns)}" if thing.returns else ""
    return f"{name or thing.name}{'' if plain else f'({ast.unparse(thing.args)})'}{back}".replace("'", '"')


def _words(thing: Function | ast.ClassDef | ast.Module) -> str:
    return ast.get_docstring(thing) or ""


if __name__ == "__main__":
    sys.stdout.write(page())
