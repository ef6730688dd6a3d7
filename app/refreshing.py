"""What the web process knows of refreshes, without torch: which job it is, and what is refused at the door."""

from collections.abc import Mapping
from typing import Any

from db.errors import BadInput, unknown
from trainer.refreshing import ENDED, KIND, WAITING
from trainer.systems import EXCHANGED, PARTS, system

__all__ = ["ENDED", "KIND", "WAITING", "refusal"]


def refusal(payload: Mapping[str, Any]) -> None:
    """Raises: NotFound or BadInput in one sentence for a method or a setting that is none."""
    chosen = system(str(payload["method"]))
    if "tower" not in chosen.settings and any(key.partition(".")[0] == "selector" for key in payload["options"]):
        raise BadInput(f"a selector chooses pictures by their words, and {chosen.name} reads none. Try clip.")
    for key in payload["options"]:
        part, dot, _ = key.partition(".")
        if dot and part not in PARTS:
            raise unknown("part with settings", part, PARTS)
        if not dot and key not in {*chosen.settings, *EXCHANGED, *TRAINING}:
            raise unknown(f"setting of {chosen.name} or of training", key, {*chosen.settings, *EXCHANGED, *TRAINING})


TRAINING = (
    "backbone", "size", "pretrained", "trainable", "projection", "epochs", "batch", "rate", "decay", "warm_up",
    "answered", "partners", "feedback", "probe",
)  # fmt: skip  # the fields of trainer.training.TrainSettings, held equal by a test
