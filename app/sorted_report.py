"""report.html of a replayed session: how well it sorted and how often it asked, by objects seen."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import orjson
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from app.report import ACCENT, CONFIG, INK, PAPER, STYLE

SHOWN = {"recent_accuracy": "of the last 50 things", "held_out_accuracy": "of things held out"}
COLOURS = (ACCENT, "#b45309")


def finish(report: Path, summary: dict[str, Any], rows: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Write summary.json and report.html; returns the summary."""
    text = orjson.dumps(summary, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY)  # nan becomes null
    (report / "summary.json").write_bytes(text + b"\n")
    (report / "report.html").write_text(page(summary, rows), encoding="utf-8")
    return summary


def page(summary: Mapping[str, Any], rows: Sequence[Mapping[str, float]]) -> str:
    """The whole page as text; it works offline."""
    title = escape(f"{Path(summary['arguments']['recording']).name}: sorting")
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        f"<title>{title}</title><style>{STYLE}</style><script>{get_plotlyjs()}</script></head><body><main>"
        f"<h1>{title}</h1><p class='lead'>{escape(lead(summary))}</p>"
        f"<div class='cards'>{''.join(_cards(summary))}</div>"
        f"<h2>Sorting accuracy by things seen</h2>{_plot(rows, SHOWN, top=1.0)}"
        f"<h2>Questions asked by things seen</h2>{_plot(rows, {'asked': 'questions', 'placed': 'placements'})}"
        f"<h2>How it was run</h2>{_facts(summary)}</main></body></html>"
    )


def lead(summary: Mapping[str, Any]) -> str:
    """What the replay came to, in one sentence."""
    final = summary["final"]
    held = (
        f", and {percent(final['held_out_accuracy'])} of {summary['held']} that were held out"
        if summary["held"]
        else ""
    )
    return (
        f"{summary['things']} things came by. The robot asked about {final['asked']:.0f}, {final['placed']:.0f} were "
        f"placed, and before any help its first choice was right for {percent(final['recent_accuracy'])} of the last "
        f"{min(50, summary['things'])}{held}."
    )


def percent(share: float | None) -> str:
    """A share for people."""
    return "–" if share is None or math.isnan(share) else f"{share:.1%}"


def _cards(summary: Mapping[str, Any]) -> list[str]:
    final = summary["final"]
    shown = [
        (percent(final["recent_accuracy"]), "right of the last 50 things"),
        (percent(final["held_out_accuracy"]), "right of those held out"),
        (f"{final['asked']:.0f}", "questions asked"),
        (f"{final['p50_ms']:.0f} / {final['p95_ms']:.0f} ms", "to an answer, median / p95"),
    ]
    return [f"<div class='card'><b>{value}</b><span>{escape(name)}</span></div>" for value, name in shown]


def _plot(rows: Sequence[Mapping[str, float]], figures: Mapping[str, str], *, top: float | None = None) -> str:
    figure = go.Figure()
    for colour, (name, words) in zip(COLOURS, figures.items(), strict=True):
        x, y = [row["objects"] for row in rows], [row[name] for row in rows]
        figure.add_scatter(x=x, y=y, name=words, mode="lines+markers", line={"color": colour, "width": 2.4})
    figure.update_layout(
        height=360, margin={"l": 48, "r": 16, "t": 12, "b": 44}, paper_bgcolor=PAPER, plot_bgcolor=PAPER,
        font={"color": INK, "family": "system-ui, sans-serif"}, hovermode="x unified",
        legend={"orientation": "h", "y": 1.08},
    )  # fmt: skip
    figure.update_xaxes(title="things seen", gridcolor="#eef1f4", zeroline=False, rangemode="tozero")
    figure.update_yaxes(gridcolor="#eef1f4", zeroline=False, range=[0, top * 1.03] if top else None, rangemode="tozero")
    return f"<div class='plot'>{figure.to_html(full_html=False, include_plotlyjs=False, config=CONFIG)}</div>"


def _facts(summary: Mapping[str, Any]) -> str:
    facts = summary["arguments"] | summary["machine"] | {
        "took": f"{summary['took_s']:.0f} s", "finished": summary["finished_at"],
    }  # fmt: skip
    rows = "".join(f"<tr><td>{escape(str(k))}</td><td>{escape(str(v))}</td></tr>" for k, v in facts.items())
    return f"<table>{rows}</table>"
