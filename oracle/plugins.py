"""Load a part by its file name: the folder is the registry, `oracle/acquisition/random.py` is 'random'.

A file defines one class of the family's name. Third parties add theirs by entry points of the group
`pairwright.<family>`, for instance `pairwright.oracle.acquisition`.
"""

from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from typing import Any

from db.errors import BadInput, unknown

CLASSES = {
    "oracle.acquisition": "Acquisition",
    "oracle.answerers": "Answerer",
    "trainer.positives": "PositiveSource",
    "trainer.negatives": "NegativePolicy",
    "trainer.objectives": "Objective",
    "trainer.methods": "Method",
    "trainer.encoders": "Encoder",
    "trainer.backbones": "Backbone",
    "trainer.towers": "Tower",
    "trainer.selectors": "Selector",
}


def names(family: str) -> list[str]:
    """Every plugin of the family, sorted: the files of its folder, then what other packages register."""
    folder = import_module(family)
    own = {module.name for module in iter_modules(folder.__path__) if not module.name.startswith("_")}
    return sorted(own | {point.name for point in _registered(family)})


@cache  # reading the metadata of every installed package takes a quarter of a second
def _registered(family: str) -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=f"pairwright.{family}"))


def find(family: str, name: str) -> type:
    """The class behind a name; '-' and '_' are the same. Raises NotFound with the nearest spelling."""
    wanted = name.replace("-", "_")
    if wanted not in names(family):
        path = f"{family.replace('.', '/')}/{wanted}.py"
        raise unknown(f"{family} plugin", name, names(family), remedy=f"To add one, create {path}.")
    for point in _registered(family):
        if point.name == wanted:
            return point.load()
    return _class_of(import_module(f"{family}.{wanted}"), family)


def load(family: str, name: str, **settings: Any) -> Any:
    """Build a plugin by name. Settings are its dataclass fields; numbers and yes/no may come as text."""
    found = find(family, name)
    return found(**checked(found, f"{family} {name}", settings))


def settings_of(family: str, name: str) -> dict[str, Any]:
    """The settings a plugin takes, with their defaults (None where there is none)."""
    return {field.name: _default(field) for field in fields(find(family, name)) if field.init}


def checked(found: type, title: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Settings that exist and have the right type. Raises BadInput naming the nearest spelling."""
    known = {field.name: field for field in fields(found) if field.init} if is_dataclass(found) else {}
    for key in settings:
        if key not in known:
            raise unknown(f"setting of {title}", key, known)
    missing = [name for name, field in known.items() if _required(field) and name not in settings]
    if missing:
        raise BadInput(f"{title} needs {', '.join(missing)}, which was not given. Add {missing[0]}=... .")
    return {key: _typed(title, key, value, known[key].type) for key, value in settings.items()}


def _class_of(module: Any, family: str) -> type:
    wanted = CLASSES.get(family, "Plugin")
    if not hasattr(module, wanted):
        raise BadInput(f"{module.__name__} must define a class named {wanted}, and does not. Rename its class.")
    return getattr(module, wanted)


def _required(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _default(field: Any) -> Any:
    if field.default is not MISSING:
        return field.default
    return None if field.default_factory is MISSING else field.default_factory()


def _typed(title: str, key: str, value: Any, kind: Any) -> Any:
    """Text from a command line or a form as the number or yes/no the field wants."""
    name = kind if isinstance(kind, str) else getattr(kind, "__name__", "")
    if not isinstance(value, str) or name not in ("int", "float", "bool"):
        return value
    if name == "bool" and value.lower() in ("true", "false", "yes", "no", "1", "0"):
        return value.lower() in ("true", "yes", "1")
    try:
        return {"int": int, "float": float}[name](value)
    except (KeyError, ValueError):
        raise BadInput(f"{key} of {title} = {name} expected, got '{value}'. Give a value of that type.") from None
