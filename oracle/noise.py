"""Build a faulty oracle from what a user types: noise models stacked up, people side by side, a change of mind.

    labels:material -> uniform:0.05 -> abstain:0.1 -> latency:4        one person, from the inside out
    ann=uniform:0.05+latency:3, bo=adversarial                         several, who take turns
    drift shape@40                                                     another column from screen 41 on

A noise model is any file of oracle/answerers that wraps another one (it has `inner`) and says in MAIN which of its
settings stands after the colon; further settings follow as KEY=VALUE. The names below are short for file names.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from db.errors import BadInput, unknown
from db.nouns import Item
from oracle import plugins
from oracle.answerers import FAMILY
from oracle.answerers._scripted import chance

SHORT = {
    "uniform": "noisy",
    "classes": "confused",
    "similar": "misled",
    "abstain": "abstaining",
    "latency": "timed",
}
LAST = "timed"  # the seconds belong to the whole answer, so it goes outermost


@dataclass(frozen=True)
class Faults:
    """What is wrong with the oracle. models: of a single person. people: NAME=MODEL+MODEL each; then models are theirs.

    latency: MEDIAN or MEDIAN,spread=S in seconds, of everybody who has none. drift: COLUMN@N.
    """

    models: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    latency: str | None = None
    drift: str | None = None


@dataclass(frozen=True)
class Ground:
    """What models may need: the items, the column of classes, and what the items look like, (D,) unit rows by id."""

    items: Sequence[Item]
    column: str | None = None
    vectors: Mapping[int, np.ndarray] = field(default_factory=dict)
    seed: int = 0


def model_names() -> list[str]:
    """Every noise model by the name one types, sorted."""
    own = [name for name in plugins.names(FAMILY) if hasattr(plugins.find(FAMILY, name), "MAIN")]
    long_ = {file: short for short, file in SHORT.items()}
    return sorted(long_.get(name, name) for name in own)


def faulty(build: Callable[[str], Any], spec: str, faults: Faults, ground: Ground) -> Any:
    """The oracle `build(spec)` with everything that is wrong with it. Raises BadInput, NotFound."""
    base = build(spec)
    if faults.drift is None:
        return _company(base, faults, ground)
    column, at = drift_of(faults.drift)
    name, _, _ = spec.partition(":")
    if name.replace("-", "_") not in ("labels", "attribute", "positive_only"):
        raise BadInput(f"drift needs an oracle that reads a column, such as labels:COLUMN, got '{spec}'. Name one.")
    after = _company(build(f"{name}:{column}"), faults, replace(ground, column=column))
    return plugins.load(FAMILY, "drifting", inner=_company(base, faults, ground), after=after, at=at)


def drift_of(text: str) -> tuple[str, int]:
    """`shape@40` as column and screen. Raises BadInput where it has another form."""
    column, _, screen = text.rpartition("@")
    if not column or not screen.isdecimal() or int(screen) < 1:
        raise BadInput(f"drift = COLUMN@SCREEN expected, with a screen of at least 1, got '{text}'. Try shape@40.")
    return column, int(screen)


def _company(base: Any, faults: Faults, ground: Ground) -> Any:
    """One person, or several who take turns."""
    if not faults.people:
        return _person(base, faults.models, faults.latency, ground, ground.seed)
    members: dict[str, Any] = {}
    for text in faults.people:
        name, models = person_of(text)
        if name in members:
            raise BadInput(f"two annotators are called '{name}'. Give each a name of their own.")
        seed = int(chance(ground.seed, f"seed of {name}", 0, 0) * 2**31)
        members[name] = _person(base, (*faults.models, *models), faults.latency, ground, seed)
    return plugins.load(FAMILY, "crew", members=members, seed=ground.seed)


def person_of(text: str) -> tuple[str, tuple[str, ...]]:
    """`ann=uniform:0.05+latency:3` as name and models; a bare name is somebody without faults. Raises BadInput."""
    name, _, models = text.partition("=")
    if not name.strip() or not name.strip().replace("_", "").replace("-", "").isalnum():
        raise BadInput(f"annotator = NAME=MODEL+MODEL expected, got '{text}'. Try ann=uniform:0.05+latency:3.")
    return name.strip(), tuple(part.strip() for part in models.split("+") if part.strip())


def _person(base: Any, models: Sequence[str], latency: str | None, ground: Ground, seed: int) -> Any:
    found, read = base, [model_of(text) for text in models]
    if latency is not None and not any(file == LAST for file, _ in read):
        read.append(model_of(f"latency:{latency}"))
    for number, (file, settings) in enumerate(sorted(read, key=lambda one: one[0] == LAST)):
        own = int(chance(seed, f"seed of model {number}", 0, 0) * 2**31)
        found = plugins.load(FAMILY, file, inner=found, **_lent(file, ground, own), **settings)
    return found


def model_of(text: str) -> tuple[str, dict[str, str]]:
    """`similar:0.3,width=0.1` as file name and settings. Raises NotFound for an unknown model."""
    name, _, rest = text.partition(":")
    file = SHORT.get(name, name.replace("-", "_"))
    if file not in plugins.names(FAMILY) or not hasattr(plugins.find(FAMILY, file), "MAIN"):
        raise unknown("noise model", name, model_names())
    known, own = plugins.settings_of(FAMILY, file), {}
    main: list[str] = []
    for part in filter(None, (one.strip() for one in rest.split(","))):
        key, equals, value = part.partition("=")
        if equals and key in known and key not in ("inner", "items", "vectors", "seed", "column", "budget", "source"):
            own[key] = value
        else:
            main.append(part)
    if main:
        own[vars(plugins.find(FAMILY, file))["MAIN"]] = ",".join(main)
    return file, own


def _lent(file: str, ground: Ground, seed: int) -> dict[str, Any]:
    """What a model needs beside its own settings."""
    known = plugins.settings_of(FAMILY, file)
    if "column" in known and ground.column is None:
        raise BadInput(
            f"the noise model '{file}' needs a column of classes, got an oracle without. Add --labels COLUMN."
        )
    lent = {"items": ground.items, "column": ground.column, "vectors": ground.vectors, "seed": seed}
    return {name: value for name, value in lent.items() if name in known}
