"""report.html of a simulated run: one page with curves that works offline, everything inside."""

from collections.abc import Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from app.curve import Row

INK, PAPER, ACCENT = "#1f2933", "#ffffff", "#2563eb"
COLOURS = {"ari": ACCENT, "nmi": "#0d9488", "accuracy": "#b45309", "pair_f1": "#be185d", "knn_accuracy": "#6d28d9"}
NAMES = {
    "ari": "ARI",
    "nmi": "NMI",
    "accuracy": "clustering accuracy",
    "pair_f1": "pair F1",
    "pair_precision": "pair precision",
    "pair_recall": "pair recall",
    "knn_accuracy": "kNN accuracy",
    "recall_at_10": "recall@10",
    "clusters": "groups",
    "conflicts_open": "open conflicts",
    "wrong_answers": "wrong answers",
    "model_version": "model version",
    "screens": "screens",
    "pair_verdicts": "pair verdicts",
    "seconds": "seconds",
}
CONFIG = {"displaylogo": False, "displayModeBar": False, "responsive": True}
STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1f2933; background: #f5f7fa; margin: 0; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 28px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 36px 0 8px; }
.lead { color: #52606d; margin: 0 0 24px; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; }
.card, .plot { background: #fff; border: 1px solid #e4e7eb; border-radius: 12px; padding: 14px 16px; }
.card b { display: block; font-size: 26px; font-variant-numeric: tabular-nums;}
.card span { color: #52606d; font-size: 14px; }
.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 12px; }
@media (max-width: 900px) { .pair { grid-template-columns: minmax(0, 1fr); } }
.pair > div { min-width: 0; } .plot { overflow: hidden; }
table { border-collapse: collapse; font-size: 14px; } td { padding: 3px 16px 3px 0; vertical-align: top; }
td:first-child { color: #52606d; }
"""


def page(summary: dict[str, Any], rows: Sequence[Row]) -> str:
    """The whole page as text."""
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        f"<title>{escape(_title(summary))}</title><style>{STYLE}</style><script>{get_plotlyjs()}</script></head><body><main>"
        f"<h1>{escape(_title(summary))}</h1><p class='lead'>{escape(_lead(summary))}</p>"
        f"<div class='cards'>{''.join(_cards(summary))}</div>{''.join(_plots(summary, rows))}"
        f"<h2>How it was run</h2>{_facts(summary)}</main></body></html>"
    )


def _title(summary: dict[str, Any]) -> str:
    plan = summary["arguments"]
    return f"{plan['collection']}: {plan['criterion']}"


def _lead(summary: dict[str, Any]) -> str:
    plan, final = summary["arguments"], summary["final"] or {}
    ended = " Stopped early." if summary["stopped"] else ""
    return (
        f"{summary['items']} images, {final.get('screens', 0):.0f} screens answered by {plan['oracle']}"
        f" (noise {plan['noise']:.0%}, abstains {plan['abstain']:.0%}), asked by {plan['acquisition']},"
        f" seed {plan['seed']}.{ended}"
    )


def _cards(summary: dict[str, Any]) -> list[str]:
    first, final, areas = summary["first"] or {}, summary["final"] or {}, summary["areas"]
    shown = [
        (_number(first.get("ari")), "ARI before any answer"),
        (_number(final.get("ari")), "ARI at the end"),
        (_number(final.get("knn_accuracy")), "kNN accuracy at the end"),
        (_number(areas["ari_by_screens"]), "mean ARI over screens"),
        (_number(areas["ari_by_pair_verdicts"]), "mean ARI over pair verdicts"),
        (_number(summary["kmeans_ari"]), "ARI of k-means, told the number of groups"),
    ]
    return [f"<div class='card'><b>{value}</b><span>{escape(name)}</span></div>" for value, name in shown]


def _number(value: float | None) -> str:
    return "–" if value is None or value != value else f"{value:.3f}"


def _plots(summary: dict[str, Any], rows: Sequence[Row]) -> list[str]:
    quality = ("ari", "nmi", "accuracy", "pair_f1", "knn_accuracy")
    return [
        "<h2>Quality by screens</h2>" + _plot(rows, "screens", quality, top=1.0, level=summary["kmeans_ari"]),
        "<div class='pair'><div><h2>ARI by pair verdicts</h2>" + _plot(rows, "pair_verdicts", ("ari",), top=1.0),
        "</div><div><h2>ARI by seconds of answering</h2>" + _plot(rows, "seconds", ("ari",), top=1.0) + "</div></div>",
        "<div class='pair'><div><h2>Groups found</h2>" + _plot(rows, "screens", ("clusters",)),
        "</div><div><h2>Doubt</h2>" + _plot(rows, "screens", ("wrong_answers", "conflicts_open")) + "</div></div>",
        "<div class='pair'><div><h2>Precision and recall of pairs</h2>",
        _plot(rows, "screens", ("pair_precision", "pair_recall"), top=1.0),
        "</div><div><h2>Neighbours</h2>",
        _plot(rows, "screens", ("knn_accuracy", "recall_at_10"), top=1.0) + "</div></div>",
    ]


def _plot(
    rows: Sequence[Row], effort: str, figures: Sequence[str], *, top: float | None = None, level: float | None = None
) -> str:
    figure = go.Figure()
    palette = [ACCENT, "#be185d", "#0d9488", "#b45309"]
    for place, name in enumerate(figures):
        colour = COLOURS.get(name, palette[place % len(palette)])
        line = {"color": colour, "width": 3 if name == "ari" else 1.8}
        x, y = [row[effort] for row in rows], [row[name] for row in rows]
        figure.add_scatter(x=x, y=y, name=NAMES[name], mode="lines+markers", line=line, marker={"size": 5})
    if level is not None:
        words = {"annotation_text": "k-means ARI", "annotation_position": "bottom right"}
        figure.add_hline(y=level, line_dash="dot", line_color="#7b8794", **words)
    figure.update_layout(
        height=380,
        margin={"l": 48, "r": 16, "t": 12, "b": 44},
        paper_bgcolor=PAPER,
        plot_bgcolor=PAPER,
        font={"color": INK, "family": "system-ui, sans-serif"},
        hovermode="x unified",
        legend={"orientation": "h", "y": 1.08},
        showlegend=len(figures) > 1,
    )
    figure.update_xaxes(title=NAMES[effort], gridcolor="#eef1f4", zeroline=False, rangemode="tozero")
    figure.update_yaxes(gridcolor="#eef1f4", zeroline=False, range=[0, top * 1.03] if top else None, rangemode="tozero")
    drawn = figure.to_html(full_html=False, include_plotlyjs=False, config=CONFIG)
    return f"<div class='plot'>{drawn}</div>"


def _facts(summary: dict[str, Any]) -> str:
    facts = summary["arguments"] | summary["machine"] | summary["versions"]
    facts |= {"took": f"{summary['took_s']:.0f} s", "finished": summary["finished_at"]}
    rows = "".join(f"<tr><td>{escape(str(k))}</td><td>{escape(str(v))}</td></tr>" for k, v in facts.items())
    return f"<table>{rows}</table>"
