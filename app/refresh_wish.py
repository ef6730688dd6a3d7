"""What a refresh is asked to do, and how it ended."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from app.training_start import Lesson, planned
from db.errors import BadInput
from trainer.judging import Judgement
from trainer.modest import Pauses
from trainer.systems import DEFAULT

BASE = "lite0"
LAST = {"lite0": "lite0_last"}  # a pretrained backbone whose last block can be taught alone
PLAN = {"batch": "64", "rate": "1e-3"}  # of a last block; measured in docs/why.md
PARTLY = {"trainable": "partly", "batch": "64", "rate": "3e-4"}  # of another pretrained backbone
EPOCHS = 8


@dataclass(frozen=True)
class Wish:
    """What to refresh. options: KEY -> text, of the method or of TrainSettings. beside: keep what the pretrained
    backbone sees beside what the refreshed one does. share: of the time it may work; threads: 0 for half the cores."""

    criterion: str
    method: str = DEFAULT
    options: Mapping[str, str] = field(default_factory=dict)
    epochs: int | None = None
    seed: int = 0
    beside: bool = True
    share: float = 1.0
    threads: int = 0

    def __post_init__(self) -> None:
        """Raises: BadInput or NotFound in one sentence for a method, setting or number that is none."""
        Pauses(self.share)
        if self.threads < 0:
            raise BadInput(f"threads = 0 or more expected, got {self.threads}.")
        planned(self.lesson(""))

    def lesson(self, collection: str, base: str = BASE) -> Lesson:
        """The training run of it."""
        backbone = self.options.get("backbone", LAST.get(base, base))
        how = PLAN if backbone in LAST.values() else {} if backbone == "small" else PARTLY
        usual = {"backbone": backbone, **how}
        epochs = self.epochs or (EPOCHS if "epochs" not in self.options else None)
        return Lesson(
            self.method, collection, self.criterion, options=usual | dict(self.options), epochs=epochs, seed=self.seed
        )

    @classmethod
    def of(cls, payload: Mapping[str, Any], criterion: str) -> "Wish":
        """From a job's payload."""
        known = cls.__dataclass_fields__.keys() - {"criterion"}
        return cls(criterion, **{name: payload[name] for name in known if name in payload})

    def payload(self) -> dict[str, Any]:
        """For a job."""
        said = asdict(self) | {"options": dict(self.options)}
        del said["criterion"]
        return said


@dataclass(frozen=True)
class Refreshed:
    """How it ended. served: whether the new version asks the questions now. judgement: what held-out answers say."""

    finished: bool
    steps: int = 0
    of: int = 0
    version: int | None = None
    encoder: str | None = None
    served: bool = False
    reason: str = ""
    judgement: Judgement | None = None
    run: int | None = None
    warnings: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """For a job's result."""
        return asdict(self) | {"warnings": list(self.warnings)}
