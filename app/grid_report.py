"""report.html of a grid: bands over seeds, seconds of human time, the verdict in words; light and dark, no script."""

from collections.abc import Sequence
from html import escape

import numpy as np

from app.grid_verdict import Band, Line, Verdict, band

WIDE, HIGH, LEFT, BELOW, ABOVE = 520, 300, 46, 40, 12
STYLE = """
:root { color-scheme: light dark; --ink: #1f2933; --soft: #52606d; --paper: #f5f7fa; --card: #fff; --line: #e4e7eb;
  --c0: #2563eb; --c1: #b45309; --c2: #0d9488; --c3: #be185d; --c4: #6d28d9; --c5: #4d7c0f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --soft: #9aa5b1; --paper: #11161c; --card: #1a2129;
  --line: #323f4b; --c0: #7aa7ff; --c1: #f2b25c; --c2: #4fd1c5; --c3: #f687b3; --c4: #b794f4; --c5: #a3d65c; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 28px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 36px 0 8px; } .lead { color: var(--soft); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 16px; margin: 12px 0;
  overflow-x: auto; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 12px; }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font-size: 12px; } .axis { stroke: var(--line); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 3px 18px 3px 0; text-align: left; }
th { color: var(--soft); font-weight: 600; }
.key { display: inline-block; width: 12px; height: 12px; border-radius: 3px; }
"""
Lines = dict[str, dict[str, list[Line]]]  # by oracle, by strategy, seed by seed


def page(title: str, lead: str, lines: Lines, verdicts: Sequence[Verdict]) -> str:
    """The whole page as text."""
    said = {one.oracle: one for one in verdicts}
    parts = [_oracle(name, several, said.get(name)) for name, several in lines.items()]
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main><h1>{escape(title)}</h1>"
        f"<p class='lead'>{escape(lead)}</p>{''.join(parts)}</main></body></html>"
    )


def _oracle(name: str, lines: dict[str, list[Line]], said: Verdict | None) -> str:
    words = said.words if said else "One strategy alone, or no labels to score against: nothing to compare."
    bands = [{one: band(several, by) for one, several in lines.items()} for by in (0, 1)]
    plots = [
        _plot(drawn, f"ARI by {unit} of {name}") for drawn, unit in zip(bands, ("screens", "seconds"), strict=True)
    ]
    titles = ("ARI by screens", "ARI by seconds of answering")
    shown = "".join(f"<div class='card'><b>{t}</b>{p}</div>" for t, p in zip(titles, plots, strict=True))
    return (
        f"<h2>{escape(name)}</h2><div class='card'>{escape(words)}</div><div class='pair'>{shown}</div>{_table(lines)}"
    )


def _table(lines: dict[str, list[Line]]) -> str:
    head = "<tr><th></th><th>asked by</th><th>seeds</th><th>ARI at the end</th><th>screens</th><th>human time</th></tr>"
    rows = "".join(_row(place, name, several) for place, (name, several) in enumerate(lines.items()))
    return f"<div class='card'><table>{head}{rows}</table></div>"


def _row(place: int, name: str, several: list[Line]) -> str:
    ends = np.array([[line[0][-1], line[1][-1], line[2][-1]] for line in several])
    mean, spread = ends.mean(0), ends[:, 2].std(ddof=1) if len(ends) > 1 else float("nan")
    cells = (escape(name), str(len(ends)), f"{mean[2]:.3f}" + (f" ± {spread:.3f}" if len(ends) > 1 else ""),
             f"{mean[0]:.0f}", f"{mean[1]:.0f} s")  # fmt: skip
    key = f"<td><span class='key' style='background: var(--c{place % 6})'></span></td>"
    return f"<tr>{key}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _plot(bands: dict[str, Band], name: str) -> str:
    """One drawing: a line for each strategy's mean, and its 95 % band behind it."""
    right = max(one.effort[-1] for one in bands.values()) or 1.0
    heights = [
        v for one in bands.values() for v in (one.mean - np.nan_to_num(one.half), one.mean + np.nan_to_num(one.half))
    ]
    known = np.concatenate(heights)
    known = known[np.isfinite(known)]
    low, high = (min(0.0, known.min()), max(1.0, known.max())) if len(known) else (0.0, 1.0)
    x = lambda value: LEFT + (WIDE - LEFT - 10) * value / right  # noqa: E731
    y = lambda value: ABOVE + (HIGH - ABOVE - BELOW) * (high - value) / (high - low)  # noqa: E731
    parts = []
    for tick in np.linspace(low, high, 6):
        parts.append(f"<line class='axis' x1='{LEFT}' x2='{WIDE - 10}' y1='{y(tick):.1f}' y2='{y(tick):.1f}'/>")
        parts.append(f"<text x='{LEFT - 6}' y='{y(tick) + 4:.1f}' text-anchor='end'>{tick:.1f}</text>")
    parts += [
        f"<text x='{x(tick):.1f}' y='{HIGH - 16}' text-anchor='middle'>{tick:.3g}</text>"
        for tick in np.linspace(0, right, 5)
    ]
    for place, one in enumerate(bands.values()):
        parts += _drawn(one, place, x, y)
    label = escape(name, quote=True)
    return f"<svg viewBox='0 0 {WIDE} {HIGH}' role='img' aria-label='{label}'>{''.join(parts)}</svg>"


def _drawn(one: Band, place: int, x: object, y: object) -> list[str]:
    if not np.isfinite(one.mean).all():
        return []
    point = lambda effort, value: f"{x(effort):.1f},{y(value):.1f}"  # type: ignore[operator]  # noqa: E731
    colour, parts = f"var(--c{place % 6})", []
    if np.isfinite(one.half).all():
        upper = [point(*pair) for pair in zip(one.effort, one.mean + one.half, strict=True)]
        lower = [point(*pair) for pair in zip(one.effort, one.mean - one.half, strict=True)]
        parts.append(f"<polygon points='{' '.join(upper + lower[::-1])}' style='fill: {colour}; opacity: .18'/>")
    line = " ".join(point(*pair) for pair in zip(one.effort, one.mean, strict=True))
    parts.append(f"<polyline points='{line}' style='fill: none; stroke: {colour}; stroke-width: 2.5'/>")
    return parts
