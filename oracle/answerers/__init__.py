"""Who says: one file per answerer, each `.answer(question) -> Answer or None`. None: it has no more to say.

`from_spec("labels:material", items, noise=0.1)` builds one from what a user types.
"""

from collections.abc import Sequence
from typing import Any

from db.errors import BadInput
from db.nouns import Item
from oracle import plugins

FAMILY = "oracle.answerers"


def from_spec(
    spec: str, items: Sequence[Item], noise: float = 0.0, abstain: float = 0.0, seed: int = 0, **settings: Any
) -> Any:
    """The answerer a text names: labels:COLUMN, attribute:COLUMN, positive-only:COLUMN, replay:FILE, rule:MODULE:NAME.

    Args:
        noise: share of pairs it is wrong about, in [0, 1). abstain: share of pairs it is unsure about, in [0, 1).
        settings: further settings of the named answerer, for instance `budget=100`.
    Raises: NotFound for an unknown name or column, BadInput for a spec that cannot be read.
    """
    for name, share in (("noise", noise), ("abstain", abstain)):
        if not 0 <= share < 1:
            raise BadInput(f"{name} = a number from 0 to below 1 expected, got {share}. Try 0.1.")
    found = _named(spec, items, noise, seed, settings)
    return plugins.load(FAMILY, "abstaining", inner=found, rate=abstain, seed=seed) if abstain else found


def _named(spec: str, items: Sequence[Item], noise: float, seed: int, settings: dict[str, Any]) -> Any:
    name, _, argument = spec.partition(":")
    known = plugins.settings_of(FAMILY, name)
    if "inner" in known:  # a wrapper: what it wraps is wrong, not the wrapper
        inner = argument if ":" in argument else f"labels:{argument}"
        return plugins.load(FAMILY, name, inner=_named(inner, items, noise, seed, {}), **settings)
    found = plugins.load(FAMILY, name, **_given(spec, name, argument, items, known), **settings)
    return plugins.load(FAMILY, "noisy", inner=found, rate=noise, seed=seed) if noise else found


def _given(spec: str, name: str, argument: str, items: Sequence[Item], known: dict[str, Any]) -> dict[str, Any]:
    """Items, and what stands after the colon under the name the answerer gives it."""
    field = getattr(plugins.find(FAMILY, name), "ARGUMENT", None)
    if field is None:
        raise BadInput(f"'{spec}' cannot be built from text alone. Use labels:COLUMN, or build it in Python.")
    if not argument:
        raise BadInput(f"'{spec}' lacks its {field} (expected {name}:{field.upper()}). Add it after the colon.")
    return {field: argument} | ({"items": items} if "items" in known else {})
