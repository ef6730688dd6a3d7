"""Load a part by its file name: the folder is the registry, `oracle/acquisition/random.py` is 'random'.

A file defines one class of the family's name. Third parties add theirs by entry points of the group
`pairwright.<family>`, for instance `pairwright.oracle.acquisition`: each names such a class, or a module that has it.
A name of ours is never taken over by another package. How-to: docs/plugins.md.
"""

from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from typing import Any

from db.errors import BadInput, unknown
from oracle.bounds import plain

CLASSES = {
    "oracle.acquisition": "Acquisition",
    "oracle.answerers": "Answerer",
    "oracle.captions": "Acquisition",
    "trainer.positives": "PositiveSource",
    "trainer.negatives": "NegativePolicy",
    "trainer.objectives": "Objective",
    "trainer.methods": "Method",
    "trainer.encoders": "Encoder",
    "trainer.backbones": "Backbone",
    "trainer.towers": "Tower",
    "app.importers.formats": "Format",
    "app.exporters.datasets": "DataSet",
    "trainer.generators": "Generator",
    "trainer.selectors": "Selector",
    "trainer.engines": "Engine",
}


def names(family: str) -> list[str]:
    """Every plugin of the family, sorted: the files of its folder, then what other packages register."""
    folder = import_module(family)
    own = {module.name for module in iter_modules(folder.__path__) if not module.name.startswith("_")}
    return sorted(own | set(_others(family)))


def origins(family: str) -> dict[str, str]:
    """The package and version that each plugin of the family comes from, by its name; "" for our own."""
    others = _others(family)
    return {name: _package(others[name]) if name in others else "" for name in names(family)}


def _others(family: str) -> dict[str, EntryPoint]:
    """What other packages register, by name; the first one wins, and none that is called like a file of ours."""
    folder = import_module(family)
    own = {module.name for module in iter_modules(folder.__path__)}
    found: dict[str, EntryPoint] = {}
    for point in _registered(family):
        name = point.name.replace("-", "_")
        if name not in own:
            found.setdefault(name, point)
    return found


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


@cache  # reading the metadata of every installed package takes a quarter of a second
def _registered(family: str) -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=f"pairwright.{family}"))


def find(family: str, name: str) -> type:
    """The class behind a name; '-' and '_' are the same. Raises NotFound with the nearest spelling."""
    wanted = name.replace("-", "_")
    if wanted not in names(family):
        path = f"{family.replace('.', '/')}/{wanted}.py"
        raise unknown(f"{family} plugin", name, names(family), remedy=f"To add one, create {path}.")
    if (other := _others(family).get(wanted)) is not None:
        return _loaded(other, family)
    return _class_of(import_module(f"{family}.{wanted}"), family)


def _loaded(point: EntryPoint, family: str) -> type:
    """The class of another package. Raises BadInput, in one sentence, for whatever is wrong with it."""
    try:
        found = point.load()
    except Exception as error:  # other people's code may raise anything
        why = f"{type(error).__name__}: {error}"
        raise BadInput(f"the plugin '{point.name}' of {_package(point)} cannot be loaded ({why}).") from error
    found = found if isinstance(found, type) else getattr(found, CLASSES.get(family, "Plugin"), None)
    if not isinstance(found, type):
        wanted = CLASSES.get(family, "Plugin")
        raise BadInput(
            f"the plugin '{point.name}' of {_package(point)} must be a class named {wanted}, or a module with it."
        )
    return found


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
    """The value as the field wants it: numbers and yes/no may come as text; numbers have to be within its bounds."""
    kind, bounds = plain(kind)
    found = _read(title, key, value, kind)
    if bounds is not None and isinstance(found, int | float) and not bounds.hold(found):
        raise BadInput(f"{key} of {title} = {bounds} expected, got {found}.")
    return found


def _read(title: str, key: str, value: Any, kind: Any) -> Any:
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
