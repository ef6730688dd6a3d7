"""transcript.jsonl of a run: its plan first, then every screen as it was asked and answered, and a line at the end.

It is written line by line, so a run that was killed can be replayed as far as it came. Items stand there by content
hash: a replay needs the same collection, features and arguments, and no oracle.
"""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from db.errors import BadInput, NotFound
from db.nouns import Answer, Item, PairVerdict, Question, Verdict
from oracle.session import Step

NAME = "transcript.jsonl"
LIBRARIES = ("pairwright", "torch", "numpy", "scipy", "scikit-learn", "timm", "faiss-cpu", "openvino")
Line = dict[str, Any]


def versions() -> dict[str, str]:
    """What computes here."""
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def fingerprint(items: Sequence[Item], features: np.ndarray, truth: Sequence[Any] | None) -> dict[str, str]:
    """Digests of what a run depends on beside its arguments."""
    parts = {
        "items": "\n".join(item.sha256 for item in items).encode(),
        "features": np.ascontiguousarray(features, np.float32).tobytes(),
        "labels": orjson.dumps([str(one) for one in truth or ()]),
    }
    return {name: sha256(data).hexdigest() for name, data in parts.items()}


def asked(question: Question, sha: Mapping[int, str]) -> Line:
    """A question without the numbers of one database."""
    return {
        "kind": question.kind.value,
        "anchor": sha[question.anchor],
        "candidates": [sha[one] for one in question.candidates],
        "context": [sha[one] for one in question.context],
        "audit": question.audit,
    }


def pair(said: PairVerdict) -> list[Any]:
    """One verdict; whom it is about follows from the question."""
    return [said.verdict.value, said.confidence, said.background]


@dataclass
class Writer:
    """path: where to write; begun anew. items: of this run's own database."""

    path: Path
    items: Sequence[Item] = field(repr=False)
    head: Line = field(repr=False)

    def __post_init__(self) -> None:
        self._sha = {item.id: item.sha256 for item in self.items}
        self.path.write_bytes(orjson.dumps(self.head) + b"\n")

    def add(self, step: Step) -> None:
        """One screen, answered or not."""
        said = step.answer
        answer = said and {"said": [pair(one) for one in said.verdicts], "source": said.source, "seconds": said.seconds}
        self._write({"question": asked(step.question, self._sha), "answer": answer})

    def end(self) -> None:
        """The run came to its end by itself."""
        self._write({"end": True})

    def _write(self, line: Line) -> None:
        with self.path.open("ab") as file:
            file.write(orjson.dumps(line) + b"\n")


@dataclass(frozen=True)
class Transcript:
    """head: plan, versions, fingerprint. screens: in their order. ended: by itself, not by Ctrl-C or a kill."""

    head: Line
    screens: Sequence[Line]
    ended: bool


def read(run: Path) -> Transcript:
    """The transcript of a run's folder; a torn last line is left out. Raises NotFound, BadInput."""
    path = run / NAME
    if not path.is_file():
        raise NotFound(f"no {NAME} in '{run}'. Name the folder a simulation reported into (--report).")
    lines: list[Line] = []
    for text in path.read_bytes().splitlines():
        try:
            lines.append(orjson.loads(text))
        except orjson.JSONDecodeError:
            break
    if not lines or "plan" not in lines[0]:
        raise BadInput(f"'{path}' does not begin with the plan of a run. It is damaged; run the simulation again.")
    return Transcript(lines[0], [one for one in lines[1:] if "question" in one], lines[-1].get("end", False))


@dataclass
class Recorded:
    """Answers screen by screen as a transcript says, and remembers where a question was another one.

    From there on it says nothing: answers to other questions would be made up.
    """

    screens: Sequence[Line] = field(repr=False)
    items: Sequence[Item] = field(repr=False)
    at: int = 0
    departed: Line | None = None

    def __post_init__(self) -> None:
        self._sha = {item.id: item.sha256 for item in self.items}

    @property
    def over(self) -> bool:
        """Nothing is left to say."""
        return self.at >= len(self.screens) or self.departed is not None

    def answer(self, question: Question) -> Answer | None:
        """What was answered at this screen; None where nothing was, or the question is another one."""
        if self.over:
            return None
        line, now = self.screens[self.at], asked(question, self._sha)
        self.at += 1
        if line["question"] != now:
            self.departed = {"screen": self.at, "recorded": line["question"], "asked": now}
            return None
        return line["answer"] and _answer(line["answer"], question)


def _answer(line: Line, question: Question) -> Answer:
    said = tuple(
        PairVerdict(a, b, Verdict(verdict), confidence, background)
        for (a, b), (verdict, confidence, background) in zip(question.pairs(), line["said"], strict=True)
    )
    return Answer(question.id or 0, said, line["source"], f"question-{question.id or 0}", line["seconds"])
