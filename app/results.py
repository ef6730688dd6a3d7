"""What a simulated run leaves behind: answers.jsonl, summary.json, report.html."""

import csv
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from app.curve import Curve
from app.differing import GROUPS
from app.report import page
from app.transcript import versions
from db import feedback
from db.engine import Database
from db.nouns import Item

if TYPE_CHECKING:
    from app.simulate import Plan


def finish(
    report: Path,
    plan: "Plan",
    curve: Curve,
    *,
    kmeans: float | None,
    items: int,
    stopped: bool,
    took_s: float,
    annotators: Mapping[str, Any],
    drawn: bool = True,
) -> dict[str, Any]:
    """Write summary.json and report.html; returns the summary. annotators: what was found out about each, by name.

    drawn: with report.html. The summary comes last and in one piece: where it is, the run is whole.
    """
    summary = {
        "arguments": asdict(plan),
        "seed": plan.seed,
        "items": items,
        "stopped": stopped,
        "final": curve.rows[-1] if curve.rows else None,
        "first": curve.rows[0] if curve.rows else None,
        "areas": areas(curve),
        "kmeans_ari": kmeans,
        "annotators": dict(annotators),
        "took_s": round(took_s, 2),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "machine": {"platform": platform.platform(), "cores": os.cpu_count(), "processor": platform.machine()},
    }
    text = orjson.dumps(summary, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY)  # nan becomes null
    if drawn:
        (report / "report.html").write_text(page(summary, curve.rows), encoding="utf-8")
    (report / "summary.part").write_bytes(text + b"\n")
    (report / "summary.part").replace(report / "summary.json")
    return summary


def areas(curve: Curve) -> dict[str, float | None]:
    """Areas under ARI by each unit of effort: the mean height (area over range), and the area itself as `..._raw`."""
    found: dict[str, float | None] = {}
    for effort in ("screens", "pair_verdicts", "seconds"):
        area = curve.area(effort) if curve.rows else None
        found[f"ari_by_{effort}"] = area.mean if area else None
        found[f"ari_by_{effort}_raw"] = area.raw if area else None
    return found


def write_answers(out: Path, database: Database, criterion: int, items: Sequence[Item]) -> None:
    """One answer a line, images by content hash: `--oracle replay:answers.jsonl` gives the same answers again."""
    sha = {item.id: item.sha256 for item in items}
    with database.read() as s:
        said = feedback.statements(s, criterion)
    with out.open("wb") as file:
        for one in said:
            line = {
                "answer": one.answer,
                "a": sha[one.a],
                "b": sha[one.b],
                "verdict": one.verdict.value,
                "confidence": one.confidence,
                "background": one.background,
                "source": one.source,
            }
            file.write(orjson.dumps(line) + b"\n")


def write_groups(out: Path, items: Sequence[Item], labels: Sequence[Any]) -> None:
    """groups.csv: the partition at the end, images by content hash."""
    with (out / GROUPS).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("sha256", "group"))
        writer.writerows((item.sha256, int(label)) for item, label in zip(items, labels, strict=True))
