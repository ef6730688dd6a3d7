"""A simulated review of captions: ask about the words beside a picture, answer, score anew; how many were found when.

    items + features -> chances -> [ question -> answer -> log -> ledger ] x 50 -> chances -> ...

A wrong caption counts as found while the answers that stand reject it. The same queue and log as people use, in a
database of its own (`log.sqlite`).
"""

import csv
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from app.scratch import new_scratch
from app.transcript import versions
from db import catalog, queue
from db.engine import Database
from db.errors import BadInput
from db.nouns import Item, Verdict
from oracle import plugins
from oracle.captions import FAMILY
from oracle.ledger import Fits
from oracle.proofread import progress
from oracle.session import Session
from trainer.fits import Reader
from trainer.proofreading import Proofreader, towers_of

if TYPE_CHECKING:
    from app.simulate import Plan

EVERY, CHECKPOINT = 50, 10  # answers from one scoring to the next; from one row of the curve to the next
RECALLS = (0.5, 0.7, 0.8, 0.9)
COLUMNS = ("screens", "seconds", "found", "recall", "precision", "left_expected", "wrong_answers", "advice_stop")
WRONG_ANSWER = {True: Verdict.DIFFERENT, False: Verdict.SAME}
Told = Callable[[str, float, float], None]
Row = dict[str, float]


@dataclass
class Review:
    """One review on its way. bad: ids of the items whose words do not belong; for scoring only."""

    database: Database
    about: catalog.Criterion
    answerer: Any
    rule: Any
    features: np.ndarray
    ids: np.ndarray
    bad: frozenset[int]
    proofreader: Proofreader
    screens: int = 0
    seconds: float = 0.0
    wrong: int = 0
    reader: Reader = field(init=False)

    def __post_init__(self) -> None:
        with self.database.read() as s:
            texts = catalog.texts(s, self.about)
        self.reader = Reader(self.about, Fits({}, texts, 0))
        self.pairs = self.proofreader.pairs(self.features, self.ids, texts)
        self.score()
        self._session = Session(self.database, self.about.id, self.answerer, refresh=self._propose, name="simulation")

    def score(self) -> None:
        """Chances anew, with what was answered so far."""
        assert self.reader.fits is not None
        chances = self.proofreader.chances(self.pairs, self.reader.graph)
        self.reader.fits = replace(self.reader.fits, chance=chances)
        self._read()

    def ask(self) -> bool:
        """Ask one question; False where nothing is left to ask or nobody answers."""
        step = self._session.step()
        if step is None or step.answer is None:
            return False
        self.screens += 1
        self.seconds += step.seconds
        self.wrong += step.answer.verdicts[0].verdict is WRONG_ANSWER[step.question.anchor not in self.bad]
        if self.screens % EVERY == 0:
            self.score()
        self._read()
        return True

    @property
    def found(self) -> set[int]:
        """Items whose words the answers reject."""
        return {item for item in self.reader.graph.nats if self.reader.graph.rejected(item)}

    def row(self) -> Row:
        """The figures of this moment."""
        assert self.reader.fits is not None
        found, now = self.found, progress(self.reader.fits, self.reader.graph)
        right = len(found & self.bad)
        return {
            "screens": self.screens, "seconds": self.seconds, "found": len(found),
            "recall": right / max(len(self.bad), 1), "precision": right / max(len(found), 1),
            "left_expected": now.left, "wrong_answers": self.wrong, "advice_stop": float(now.stop),
        }  # fmt: skip

    def _propose(self) -> None:
        asked = self.rule.propose(self.reader.fits, self.reader.graph, 1, criterion=self.about.id)
        with self.database.write() as s:
            queue.put(s, self.about.id, asked)

    def _read(self) -> None:
        with self.database.read() as s:
            self.reader.catch_up(s)


def review(
    plan: "Plan", captions: str, words: str, items: Sequence[Item], prompt: str, features: np.ndarray, answerer: Any,
    report: Path, told: Told = lambda *_: None,
) -> dict[str, Any]:  # fmt: skip
    """Run the plan; writes curve.csv and summary.json into `report`; returns the summary. captions: the column;
    words: who reads it.

    answerer: from items, their captions set to the words asked about, who answers and ids of what does not belong."""
    began = time.monotonic()
    rule = plugins.load(FAMILY, plan.acquisition, seed=plan.seed)
    report.mkdir(parents=True, exist_ok=True)
    (report / "summary.json").unlink(missing_ok=True)
    database, number, there = new_scratch(report, items, plan.collection, plan.criterion, prompt, captions=captions,
                                          words=words)  # fmt: skip
    try:
        with database.read() as s:
            about = catalog.criterion(s, number)
        oracle, bad = answerer([replace(one, caption=one.words(captions)) for one in there])
        ids = np.array([one.id for one in there])
        made = Review(database, about, oracle, rule, features, ids, bad, Proofreader(plan.seed, towers_of(words)))
        rows = _run(made, plan, told)
    finally:
        database.close()
    return _written(report, plan, rows, len(items), len(bad), time.monotonic() - began)


def _run(made: Review, plan: "Plan", told: Told) -> list[Row]:
    """Until the budget is spent; one row before any answer, after every tenth and at the end."""
    rows = [made.row()]
    spent = {"screens": lambda: made.screens, "verdicts": lambda: made.screens, "seconds": lambda: made.seconds}
    while spent[plan.unit]() < plan.budget and made.ask():
        told("answering", spent[plan.unit](), plan.budget)
        if made.screens % CHECKPOINT == 0:
            rows.append(made.row())
    if rows[-1]["screens"] != made.screens:
        rows.append(made.row())
    return rows


def needed(rows: Sequence[Row], recall: float) -> float | None:
    """Answers after which the recall stays reached as far as the curve goes, between two rows in proportion."""
    for before, after in pairwise(rows):
        if after["recall"] >= recall > before["recall"]:
            share = (recall - before["recall"]) / (after["recall"] - before["recall"])
            return before["screens"] + share * (after["screens"] - before["screens"])
    return None


def _written(report: Path, plan: "Plan", rows: list[Row], items: int, bad: int, took_s: float) -> dict[str, Any]:
    with (report / "curve.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows({name: round(row[name], 6) for name in COLUMNS} for row in rows)
    summary = {
        "arguments": asdict(plan), "seed": plan.seed, "items": items, "wrong_captions": bad, "stopped": False,
        "first": rows[0], "final": rows[-1], "answers_for_recall": {str(one): needed(rows, one) for one in RECALLS},
        "by_chance": {str(one): one * items for one in RECALLS}, "took_s": round(took_s, 2),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"), "versions": versions(),
        "machine": {"platform": platform.platform(), "cores": os.cpu_count(), "processor": platform.machine()},
    }  # fmt: skip
    text = orjson.dumps(summary, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY)
    (report / "summary.part").write_bytes(text + b"\n")
    (report / "summary.part").replace(report / "summary.json")
    return summary


def wrong_words(spec: str, items: Sequence[Item]) -> frozenset[int]:
    """Ids of the items whose words do not belong, by `captions:COLUMN`. Raises BadInput for another oracle."""
    kind, _, column = spec.partition(":")
    if kind != "captions" or not column:
        raise BadInput(f"this criterion asks about captions: oracle = captions:COLUMN expected, got '{spec}'.")
    judge = plugins.load("oracle.answerers", "captions", items=items, column=column)
    return frozenset(one.id for one in items if judge.verdict(one.id, one.id).verdict is Verdict.DIFFERENT)
