"""Pairwright itself on frozen features: the same snapshot, graph, acquisition and belief as in the program.

pairs     one pair a question, one verdict a screen
screens   whatever questions the acquisition likes to show; each verdict on a screen may be wrong on its own
picks     the same with up to five candidates, answered at once: right, or a random one of them or none
+learn    every 25 screens the head is taught anew and the features change, as the online update does
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.label_efficiency.trial import BudgetSpent, System, Trial
from db.errors import BadInput
from db.nouns import Question, Snapshot, Statement, Verdict
from oracle import plugins
from oracle.belief import infer
from oracle.constraints import ConstraintGraph
from trainer.snapshot import build

DEFAULT = "pairwright"
TRACE = 10  # screens between two points of the trace
LEARN = 25  # screens between two updates of the head
FAMILY = "oracle.acquisition"
SCREEN: dict[str, dict[str, int]] = {"pairs": {"screen": 1}, "screens": {}, "picks": {"screen": 5}}  # by mode


@dataclass(frozen=True)
class Mode:
    """What a system's name says: MODE[:ACQUISITION][+learn]."""

    name: str
    acquisition: str
    learn: bool

    @classmethod
    def of(cls, name: str) -> "Mode":
        """Raises BadInput where the name has another form."""
        rest, _, learn = name.partition("+")
        mode, _, acquisition = rest.partition(":")
        if mode not in SCREEN or learn not in ("", "learn"):
            raise BadInput(f"system = {', '.join(SCREEN)}, then :ACQUISITION, then +learn, expected, got '{name}'.")
        return cls(mode, acquisition or DEFAULT, bool(learn))

    def plugin(self, seed: int, settings: dict[str, str]) -> Any:
        """The acquisition with its seed; of so many candidates a screen where it can be told so."""
        known = plugins.settings_of(FAMILY, self.acquisition)
        fixed: dict[str, Any] = {"seed": seed} | SCREEN[self.name]
        wanted = {key: value for key, value in fixed.items() if key in known} | settings
        return plugins.load(FAMILY, self.acquisition, **wanted)


def system(name: str, settings: dict[str, str]) -> System:
    """The system that a name and settings of its acquisition stand for."""
    mode = Mode.of(name)

    def run(trial: Trial) -> None:
        asker = mode.plugin(trial.seed, settings)
        _Session(trial, asker, mode).run()

    return run


class _Session:
    """One run: what is known so far, and the loop around it."""

    def __init__(self, trial: Trial, asker: Any, mode: Mode) -> None:
        self.trial, self.asker, self.mode = trial, asker, mode
        self.graph = ConstraintGraph()
        self.snapshot: Snapshot = build(np.arange(1, len(trial.features) + 1), trial.features, seed=trial.seed)
        self.learn: Callable[[], Snapshot] | None = _learner(self) if mode.learn else None

    def run(self) -> None:
        """Ask until the budget is spent or there is nothing left to ask."""
        try:
            while questions := self.asker.propose(self.snapshot, self.graph, 1):
                self._ask(questions[0])
        except BudgetSpent:
            return
        self.trial.ended(self.labels)

    def labels(self) -> np.ndarray:
        """The partition now."""
        return infer(self.snapshot, self.graph).labels

    def _ask(self, question: Question) -> None:
        pairs = question.pairs()[:1] if self.mode.name == "pairs" else question.pairs()
        rows = [(a - 1, b - 1) for a, b in pairs]
        said = self.trial.screen(rows, self.labels, at_once=self.mode.name == "picks")
        answer = self.trial.oracle.screens
        for (a, b), same in zip(pairs, said, strict=True):
            self.graph.add(Statement(answer, a, b, Verdict.SAME if same else Verdict.DIFFERENT, "oracle"))
        if self.learn is not None and answer % LEARN == 0:
            self.snapshot = self.learn()
        if answer % TRACE == 0:
            self.trial.point(self.labels())


def _learner(session: _Session) -> Callable[[], Snapshot]:
    """A function that teaches the untaught head the whole log and embeds everything with it."""
    import torch

    from trainer.head import Head
    from trainer.update import update

    features, first = session.trial.features, session.snapshot
    head = Head.from_features(features, size=features.shape[1], seed=session.trial.seed)
    reduced = head.reduce(features)

    def learn() -> Snapshot:
        taught = update(head, features, first.ids, session.graph, session.snapshot, seed=session.trial.seed,
                        reduced=reduced)  # fmt: skip
        with torch.no_grad():
            vectors = taught(reduced).numpy()
        return replace(build(first.ids, vectors, session.snapshot.version + 1), start=first.start,
                       finer=first.finer)  # fmt: skip

    return learn
