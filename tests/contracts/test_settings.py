"""Every number that a plugin is set to is looked at before anything runs: nonsense is one sentence, no wrong result."""

from dataclasses import is_dataclass
from typing import Any

import pytest

from db.errors import BadInput
from oracle import plugins
from oracle.bounds import plain
from trainer.recipe import build

METHODS = "trainer.methods"
ANY = {"label_frequency", "bias"}  # below 0 it is read off the answers; a logit


def numbers() -> list[tuple[str, str, str, float]]:
    """Family, plugin, setting and default of every number."""
    return [
        (family, name, key, default)
        for family in plugins.CLASSES
        for name in plugins.names(family)
        if is_dataclass(plugins.find(family, name)) and not wanting(family, name)
        for key, default in plugins.settings_of(family, name).items()
        if isinstance(default, int | float) and not isinstance(default, bool)
    ]


def made(family: str, name: str, settings: dict[str, Any]) -> Any:
    """As the command line and the forms make it."""
    return build(name, settings) if family == METHODS else plugins.load(family, name, **settings)


def wanting(family: str, name: str) -> bool:
    """Whether it takes something that has no default. The contract of answerers looks at theirs."""
    return any(default is None for default in plugins.settings_of(family, name).values())


ALL = numbers()


def test_there_are_hundreds_of_numbers_in_many_families() -> None:
    assert len(ALL) > 300 and len({family for family, *_ in ALL}) > 6


@pytest.mark.parametrize(("family", "name", "key", "default"), ALL, ids=[":".join(one[:3]) for one in ALL])
def test_nonsense_is_refused_in_one_sentence(family: str, name: str, key: str, default: float) -> None:
    nonsense = [] if key in ANY else ["-1000000000"]
    nonsense += ["nan", "inf"] if isinstance(default, float) else []
    for value in nonsense:
        with pytest.raises(BadInput, match=key) as said:
            made(family, name, {key: value})
        assert "\n" not in str(said.value)


@pytest.mark.parametrize(("family", "name", "key", "default"), ALL, ids=[":".join(one[:3]) for one in ALL])
def test_what_is_the_default_may_be_said(family: str, name: str, key: str, default: float) -> None:
    bounds = plain(next(one.type for one in _fields(family, name) if one.name == key))[1]
    assert bounds is None or bounds.hold(default)
    made(family, name, {key: str(default)})


def _fields(family: str, name: str) -> Any:
    return plugins.find(family, name).__dataclass_fields__.values()  # type: ignore[attr-defined]
