"""A session with a scripted oracle over plain arrays: ask, answer, learn, look at the partition."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from app.course import Course
from app.curve import Curve
from app.scratch import new_scratch
from app.simulate import EARLY, EVERY
from db.engine import Database
from db.errors import BadInput, Refused
from db.nouns import Answer, Item, PairVerdict, Question, Verdict
from oracle import plugins
from oracle.answerers import from_spec
from oracle.noise import Faults, Ground, faulty
from trainer.learner import Learner

COLUMN = "label"


@dataclass
class Held:
    """Says what was put into its hand, else what the oracle says."""

    oracle: Any
    verdicts: Sequence[Verdict] | None = None

    def answer(self, question: Question) -> Answer | None:
        """The answer to the question that was shown."""
        if self.verdicts is None:
            return self.oracle.answer(question)  # type: ignore[no-any-return]
        pairs = zip(question.pairs(), self.verdicts, strict=True)
        return Answer(question.id or 0, tuple(PairVerdict(a, b, v) for (a, b), v in pairs), "test", "")


@dataclass
class Scripted:
    """One open session. Item i of the features has the id i + 1. curve: a row before any answer and at each checkpoint.

    It learns when `simulate` does: after 3 and 6 screens, then after every tenth.
    """

    database: Database
    course: Course
    curve: Curve
    budget: int
    _held: Held
    _shown: Question | None = None

    @classmethod
    def open(
        cls,
        folder: Path,
        features: Any,
        labels: Sequence[Any],
        *,
        noise: float = 0.0,
        abstain: float = 0.0,
        noise_models: Sequence[str] = (),
        budget: int = 100,
        acquisition: str = "mixed",
        seed: int = 0,
    ) -> "Scripted":
        """Begin. features: (N, D) numbers, labels: N values, None where unknown. Raises BadInput in one sentence."""
        rows = np.ascontiguousarray(features, np.float32)
        if rows.ndim != 2 or len(rows) != len(labels) or len(rows) < 2 or not np.isfinite(rows).all():
            raise BadInput(
                f"features = (N, D) finite numbers with N labels, N of at least 2, expected,"
                f" got {rows.shape} and {len(labels)} labels. Give one label for each row."
            )
        if budget < 1:
            raise BadInput(f"budget = at least 1 screen expected, got {budget}.")
        named = [sha256(str(number).encode()).hexdigest() for number in range(len(rows))]
        known = [{} if label is None else {COLUMN: str(label)} for label in labels]
        made = [Item(n + 1, 1, name, 1, 1, f"media/{name}", attributes=known[n]) for n, name in enumerate(named)]
        database, criterion, items = new_scratch(folder, made, "simulated", "same", "Same?")
        unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        ground = Ground(items, COLUMN, {item.id: row for item, row in zip(items, unit, strict=True)}, seed)
        build = lambda spec: from_spec(spec, items, noise=noise, abstain=abstain, seed=seed)  # noqa: E731
        held = Held(faulty(build, f"labels:{COLUMN}", Faults(tuple(noise_models)), ground))
        learner = Learner(rows, np.array([item.id for item in items]), seed=seed)
        course = Course(
            database=database,
            criterion=criterion,
            items=items,
            truth=[item.attributes.get(COLUMN) for item in items],
            learner=learner,
            answerer=held,
            acquisition=plugins.load("oracle.acquisition", acquisition, seed=seed),
            snapshot=learner.start(),
        )
        curve = Curve(folder / "curve.csv")
        curve.add(course.row())
        return cls(database, course, curve, budget, held)

    @property
    def spent(self) -> int:
        """Screens answered so far."""
        return self.course.effort.screens

    @property
    def partition(self) -> np.ndarray:
        """(N,) group of every item now, in the order of the features."""
        return self.course.groups()

    def ask(self) -> Question | None:
        """The next question; the same one until it is answered. None once the budget is spent or nothing is left."""
        if self._shown is None and self.spent < self.budget:
            self._shown = self.course.show()
        return self._shown

    def answer(self, verdicts: Sequence[str | bool] | None = None) -> None:
        """Answer the question that was asked: one verdict for each of its pairs, True and False for same and different.

        Without verdicts the oracle answers. Raises: Refused where nothing was asked, BadInput for other verdicts.
        """
        if self._shown is None:
            raise Refused("no question is open. Call ask() first.")
        self._held.verdicts = None if verdicts is None else _read(verdicts, len(self._shown.pairs()))
        self._shown = None
        self.course.ask()
        if self.spent in EARLY or self.spent % EVERY == 0:
            self.course.learn()
            self.curve.add(self.course.row())

    def run(self, screens: int) -> int:
        """Let the oracle answer so many screens; returns how many it were before the budget or the questions ended."""
        for number in range(screens):
            if self.ask() is None:
                return number
            self.answer()
        return screens

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()


def _read(verdicts: Sequence[str | bool], count: int) -> list[Verdict]:
    words = [("same" if one else "different") if isinstance(one, bool) else one for one in verdicts]
    known = [verdict.value for verdict in Verdict]
    if len(words) != count or not set(words) <= set(known):
        raise BadInput(f"answer = {count} of True, False, {', '.join(known)} expected, got {list(verdicts)}.")
    return [Verdict(one) for one in words]
