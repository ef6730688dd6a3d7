"""One review: the rule and the ledger of the product, asked and answered in memory, to the last misaligned caption."""

import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.captions.sets import dealt, load
from db.nouns import Statement, Verdict
from oracle import plugins
from oracle.captions import FAMILY
from oracle.ledger import Fits, Ledger, rates_of
from oracle.proofread import progress
from oracle.weighing import checkpoint
from trainer import towers
from trainer.captions import Pairs, pairs_of
from trainer.proofreading import Proofreader

RANDOM = "random"
RECALLS = (0.5, 0.7, 0.8, 0.9)
PEOPLE = ("ann", "bo", "cy")  # who take turns
EVERY = 100  # answers from one scoring to the next
WAITING = 5  # questions put at once
MOST = 2.0  # reviews end after so many answers per caption


def measure(system: str, name: str, noise: float, seed: int, workspace: Path, archives: Path) -> dict[str, Any]:
    """A line of results. system: `random`, or towers joined by +. noise: how often each annotator is wrong."""
    data = load(name, workspace, archives)
    shown, bad = dealt(data.texts, seed)
    names = () if system == RANDOM else tuple(system.split("+"))
    began = time.process_time()
    pairs = _pairs(name, names, seed, workspace, archives) if names else None
    run = _Run(shown, bad, noise, seed, pairs)
    first = run.precision(len(bad)) if pairs is not None else None
    told = run.until(RECALLS[-1], stop=pairs is not None)
    spent = time.process_time() - began
    return {"set": name, "system": system, "noise": noise, "seed": seed, "captions": len(shown), "wrong": len(bad),
            "precision_before": first, "cpu_s": spent, **told}  # fmt: skip


@cache
def _read(tower: str, texts: tuple[str, ...]) -> dict[str, np.ndarray]:
    rows = plugins.load(towers.FAMILY, tower)(list(texts))
    return dict(zip(texts, rows, strict=True))


def _pairs(name: str, names: tuple[str, ...], seed: int, workspace: Path, archives: Path) -> Pairs:
    """As `trainer.captions.pairs_of`; every tower reads every text of a set once, whatever the deal."""
    data = load(name, workspace, archives)
    shown, _ = dealt(data.texts, seed)
    texts = tuple(sorted(set(data.texts.values())))
    return pairs_of(
        data.features,
        data.ids,
        shown,
        names,
        read=lambda tower, some: np.stack([_read(tower, texts)[one] for one in some]),
    )


class _Run:
    """One review on its way."""

    def __init__(
        self, shown: dict[int, str], bad: frozenset[int], noise: float, seed: int, pairs: Pairs | None
    ) -> None:
        self.bad, self.noise, self.seed, self.pairs = bad, noise, seed, pairs
        self.random = np.random.default_rng([seed, 1])
        self.said: list[Statement] = []
        self.ledger, self.fits = Ledger(), Fits({}, shown, 0)
        self.proofreader, self.rates = Proofreader(seed), dict[str, float]()
        self.rule = plugins.load(FAMILY, RANDOM if pairs is None else "mixed", seed=seed)
        self._score()

    def until(self, recall: float, *, stop: bool) -> dict[str, Any]:
        """Answers for each recall up to this one; where the advice to stop came, and what was found by then."""
        needed, advice = dict[str, int]({}), None
        while len(self.said) < MOST * len(self.fits.texts) and (str(recall) not in needed or (stop and not advice)):
            if not self._ask():
                break
            found = self.found()
            needed |= {str(one): len(self.said) for one in RECALLS if found >= one and str(one) not in needed}
            if stop and advice is None and progress(self.fits, self.ledger).stop:
                advice = {"answers": len(self.said), "recall": found}
        return {"answers": {str(one): needed.get(str(one)) for one in RECALLS}, "advice": advice}

    def found(self) -> float:
        """Share of the wrong captions that the answers reject."""
        return sum(self.ledger.rejected(item) for item in self.bad) / len(self.bad)

    def precision(self, count: int) -> float:
        """Share of wrong ones among so many of the most suspicious, before any answer."""
        ranked = sorted(self.fits.texts, key=lambda item: (self.fits.of(item), item))[:count]
        return sum(item in self.bad for item in ranked) / count

    def _ask(self) -> bool:
        """A few questions, as many as wait for people at any time, and their answers."""
        asked = self.rule.propose(self.fits, self.ledger, WAITING) or self._again()
        for one in asked:
            item, number = one.anchor, len(self.said)
            fine = (item not in self.bad) != (self.random.random() < self.noise)
            verdict = Verdict.SAME if fine else Verdict.DIFFERENT
            self.said.append(Statement(number, item, item, verdict, PEOPLE[number % len(PEOPLE)], audit=one.audit))
        if self.pairs is not None and len(self.said) // EVERY > (len(self.said) - len(asked)) // EVERY:
            self._score()
        self._read(len(asked))
        return bool(asked)

    def _again(self) -> list[Any]:
        """Random review that has seen everything begins anew: what was looked at least often, by chance."""
        if self.pairs is not None:
            return []
        rule = plugins.load(FAMILY, RANDOM, seed=self.seed + len(self.said))
        fewest = min(self.ledger.votes.values())
        left = {item: text for item, text in self.fits.texts.items() if self.ledger.votes[item] == fewest}
        return list(rule.propose(Fits({}, left, 0), Ledger(size=len(self.said)), WAITING))

    def _score(self) -> None:
        if self.pairs is not None:
            chances = self.proofreader.chances(self.pairs, self.ledger)
            self.fits = Fits(chances, self.fits.texts, self.fits.version)

    def _read(self, new: int) -> None:
        """The ledger of now; annotators are judged when the log has grown by a quarter."""
        length = len(self.said)
        if self.pairs is not None and checkpoint(length) != checkpoint(length - new):
            self.rates = rates_of(self.said, self.fits)
        self.ledger = Ledger.of(self.said, self.rates)
