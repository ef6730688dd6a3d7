"""Run a simulation again from its transcript, and say whether everything came out the same."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from app import transcript
from app.settings import Settings
from app.simulate import Plan, Told, simulate
from app.transcript import Recorded
from db.errors import BadInput


@dataclass(frozen=True)
class Replayed:
    """screens: answered again. same_curve: curve.csv is the same, byte for byte. departures: sentences, in order."""

    run: str
    report: str
    screens: int
    same_curve: bool
    departures: tuple[str, ...]


def replay(settings: Settings, run: Path, report: Path, told: Told = lambda *_: None) -> Replayed:
    """Ask the same, answer as recorded, learn again; writes the same files into `report`.

    Raises: NotFound without a transcript, collection or criterion; BadInput for a damaged one, or report = run.
    """
    if report.resolve() == run.resolve():
        raise BadInput(f"report = another folder than the run itself expected, got '{report}'. Name a new one.")
    recorded = transcript.read(run)
    before = (run / "curve.csv").read_bytes() if (run / "curve.csv").is_file() else b""
    simulate(settings, plan_of(recorded.head["plan"]), report, told, again=recorded)
    after, new = (report / "curve.csv").read_bytes(), transcript.read(report)
    same = after == before
    found = list(_changed(recorded.head, new.head))
    found += _departed(recorded, new)
    if not same:
        found.append(_first_difference(before, after))
    return Replayed(str(run), str(report), len(new.screens), same, tuple(found))


def plan_of(given: dict[str, Any]) -> Plan:
    """A plan from its JSON. Raises BadInput where it is of another version."""
    known = {one.name for one in fields(Plan)}
    if not set(given) <= known:
        raise BadInput(f"the plan has settings this version does not know: {sorted(set(given) - known)}. Update it.")
    settings: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
    return Plan(**settings)


def _changed(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What computes, or is computed with, and is not what it was."""
    pairs = {name: (old["versions"].get(name), value) for name, value in new["versions"].items()}
    said = [f"{name} is {now} here and was {was}" for name, (was, now) in pairs.items() if was != now]
    prints = old["fingerprint"]
    return said + [
        f"the {name} are not those of the run" for name, now in new["fingerprint"].items() if prints[name] != now
    ]


def _departed(old: transcript.Transcript, new: transcript.Transcript) -> list[str]:
    for number, (was, now) in enumerate(zip(old.screens, new.screens, strict=False), start=1):
        if was["question"] != now["question"]:
            return [f"screen {number} asks about {_short(now)}, and asked about {_short(was)}; the replay ends there"]
    if len(new.screens) < len(old.screens):
        return [f"it ends after {len(new.screens)} of {len(old.screens)} screens"]
    return []


def _short(line: dict[str, Any]) -> str:
    question = line["question"]
    return f"{question['anchor'][:8]} ({question['kind']}, {len(question['candidates'])} candidates)"


def _first_difference(before: bytes, after: bytes) -> str:
    old, new = before.decode().splitlines(), after.decode().splitlines()
    for number, (was, now) in enumerate(zip(old, new, strict=False), start=1):
        if was != now:
            return f"curve.csv differs from line {number} on: {now} here, {was} in the run"
    return f"curve.csv has {len(new)} lines here and {len(old)} in the run"


__all__ = ["Recorded", "Replayed", "plan_of", "replay"]
