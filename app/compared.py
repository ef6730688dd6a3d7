"""What the answers of now say of the pairs that methods would create (`app.comparing`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from db.nouns import Verdict
from oracle.constraints import ConstraintGraph
from oracle.grading import Graded, graded


@dataclass(frozen=True)
class Judged:
    """Shares of the same. precision: of what pulls. false: of what pushes, by weight. false_push: by share of the push.
    detected: of what is taken for false negatives."""

    precision: Graded
    false: Graded
    false_push: Graded
    detected: Graded


NAMES = {"precision": "positives", "false": "negatives", "false_push": "push", "detected": "detected"}


def judged(rows: Mapping[str, Sequence[Sequence[float]]], graph: ConstraintGraph) -> Judged:
    """The figures of one method by what the answers settle now."""
    return Judged(**{name: share(rows[kind], graph) for name, kind in NAMES.items()})


def share(rows: Sequence[Sequence[float]], graph: ConstraintGraph) -> Graded:
    """Share of the same among [a, b, times, ...]."""
    return graded([row[2] for row in rows], [relation(graph, row) for row in rows])


def relation(graph: ConstraintGraph, row: Sequence[float]) -> Verdict | None:
    """What the answers settle about a drawn pair."""
    return graph.relation(int(row[0]), int(row[1]))


def notes(one: Mapping[str, Any], answers: int) -> list[str]:
    """What must be said of a method's pairs in words."""
    if one["refused"]:
        return [str(one["refused"])]
    beyond = bool(one["rows"]["positives"])
    said = [] if beyond or not one["own"] else ["Positives are two views of one picture."]
    if not beyond and not one["own"]:
        said.append("Nothing pulls in these batches.")
    if one["answered"]:
        said.append("Pairs that answers put together pull as well.")
    if not one["repels"]:
        said.append("Pictures do not push each other one by one.")
    if one["synthetic"]:
        said.append(f"{one['synthetic']:.0f} made-up negatives push each picture; they are of no picture.")
    if not answers and any(word in one["needs"] for word in ("answers", "labels")):
        said.append("It can use answers, and this criterion has none yet.")
    return said
