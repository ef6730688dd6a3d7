"""How an update trains, and how somebody says so in words: `--set negatives=hcl --set negatives.beta=0.5`.

negatives=NAME  negatives.KEY=VALUE     a file of trainer/negatives/ and its settings
objective=NAME  objective.KEY=VALUE     the contrastive objective, a file of trainer/objectives/, and its settings
weights.NAME=W                          weight of an objective beside it; 0 leaves it out
positives=NAME,NAME                     files of trainer/positives/
steps, batch, rate, decay, noise, drop, partners, calibrate
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from db.errors import BadInput, unknown
from oracle.plugins import checked, find, load, settings_of
from trainer.priors import as_settings

PARTS = ("negatives", "objective", "weights", "positives")


@dataclass(frozen=True)
class UpdateSettings:
    """steps, batch: how long and how wide. rate, decay: of AdamW. noise: size of the jitter that makes a view, relative
    to a unit row. drop: share of the reduced features hidden in a view. partners: items that answers join to the batch
    or hold apart from it, added to the candidates of each step. calibrate: fit the chances of open pairs to the audits.

    positives: names. negatives: a name, with its settings. objectives: name -> weight, the contrastive one first;
    objective_settings: its settings.
    """

    steps: int = 150
    batch: int = 256
    rate: float = 1e-3
    decay: float = 1e-2
    noise: float = 0.3
    drop: float = 0.1
    partners: int = 64
    calibrate: bool = True
    positives: tuple[str, ...] = ("own_view", "must_links", "pseudo_members")
    negatives: str = "soft_elimination"
    negative_settings: Mapping[str, Any] = field(default_factory=dict)
    objectives: Mapping[str, float] = field(default_factory=lambda: {"supcon": 1.0, "pair": 0.5, "keep": 1.0})
    objective_settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, least in {"steps": 1, "batch": 2, "rate": 0.0, "decay": 0.0, "noise": 0.0, "partners": 0}.items():
            if not getattr(self, name) >= least:
                raise BadInput(f"{name} = a number of at least {least} expected, got {getattr(self, name)}.")
        if not 0 <= self.drop < 1:
            raise BadInput(f"drop = a share from 0 to below 1 expected, got {self.drop}. Try 0.1.")
        if not self.objectives or min(self.objectives.values()) < 0:
            raise BadInput(
                f"objectives = one or more with weights of at least 0 expected, got {dict(self.objectives)}."
            )

    @property
    def objective(self) -> str:
        """Name of the contrastive objective."""
        return next(iter(self.objectives))

    def document(self) -> dict[str, Any]:
        """Plain values, as kept with a version and a run."""
        return {**asdict(self), "positives": list(self.positives)}

    def policy(self, seed: int, share: float | None = None) -> Any:
        """The negative policy; where nobody said how, it draws by the seed and its prior is the share of same that
        audits show. Raises NotFound or BadInput."""
        takes = settings_of("trainer.negatives", self.negatives)
        given = as_settings(share, takes) | ({"seed": seed} if "seed" in takes else {})
        return load("trainer.negatives", self.negatives, **{**given, **self.negative_settings})

    def losses(self, share: float | None = None) -> dict[str, Any]:
        """The objectives by name, the first with the share of same as its prior where it takes one."""
        given = as_settings(share, settings_of("trainer.objectives", self.objective))
        own = {self.objective: {**given, **self.objective_settings}}
        return {name: load("trainer.objectives", name, **own.get(name, {})) for name in self.objectives}

    def sources(self) -> list[Any]:
        """The positive sources in order."""
        return [load("trainer.positives", name) for name in self.positives]


def chosen(texts: Iterable[str], start: UpdateSettings | None = None) -> UpdateSettings:
    """Settings as KEY=VALUE texts say, the others as they were; the order of the texts does not matter.

    Raises: BadInput for a text of another form, a wrong value, or NotFound for a name or key there is none of.
    """
    said = dict(_split(text) for text in texts)
    made = start or UpdateSettings()
    parts = {key: said.pop(key) for key in list(said) if key.split(".")[0] in PARTS}
    names = {one.name for one in fields(UpdateSettings) if one.type in (int, float, bool)}
    for key in said:
        if key not in names:
            raise unknown("training setting", key, {*names, *PARTS})
    made = replace(made, **checked(UpdateSettings, "the update", said), **_parts(made, parts))
    made.policy(0), made.losses(), made.sources()  # a wrong setting shows here, not in the first lesson
    return made


def _split(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not (key.strip() and sign and value.strip()):
        raise BadInput(f"--set takes KEY=VALUE, got '{text}'. Try --set negatives=uniform.")
    return key.strip(), value.strip()


def _parts(start: UpdateSettings, said: Mapping[str, str]) -> dict[str, Any]:
    """The fields that name parts and their settings."""
    changed: dict[str, Any] = {}
    for key in said:
        if key == "weights" or key.startswith("positives."):
            raise BadInput(f"'{key}' cannot be set. Set weights.NAME=WEIGHT and positives=NAME,NAME.")
    if "positives" in said:
        changed["positives"] = tuple(name.strip().replace("-", "_") for name in said["positives"].split(","))
    if "negatives" in said:
        changed["negatives"] = said["negatives"].replace("-", "_")
        changed["negative_settings"] = {}
    kept = changed.get("negative_settings", start.negative_settings)
    changed["negative_settings"] = {**kept, **_typed("negatives", changed.get("negatives", start.negatives), said)}
    return changed | _objectives(start, said)


def _objectives(start: UpdateSettings, said: Mapping[str, str]) -> dict[str, Any]:
    """The contrastive objective first, then the others by weight."""
    name = said.get("objective", start.objective).replace("-", "_")
    kept = start.objective_settings if name == start.objective else {}
    others = {other: weight for other, weight in start.objectives.items() if other not in (start.objective, name)}
    weights = {name: start.objectives[start.objective], **others}
    for key, value in said.items():
        if key.startswith("weights."):
            weights[key.removeprefix("weights.").replace("-", "_")] = _number(key, value)
    main = {name: weights.pop(name)}
    weights = main | {other: weight for other, weight in weights.items() if weight}
    return {"objectives": weights, "objective_settings": {**kept, **_typed("objectives", name, said)}}


def _typed(family: str, name: str, said: Mapping[str, str]) -> dict[str, Any]:
    """The settings meant for this part, of the right types."""
    word = {"negatives": "negatives.", "objectives": "objective."}[family]
    given = {key.removeprefix(word): value for key, value in said.items() if key.startswith(word)}
    return checked(find(f"trainer.{family}", name), f"trainer.{family} {name}", given)


def _number(key: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadInput(f"{key} = a number expected, got '{text}'.") from None
