"""docs/benchmarks/scale.md and its plot from the results file."""

from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks._runs import Line
from benchmarks.negatives.report import table
from benchmarks.scale.model import Cost, between, fits
from benchmarks.scale.steps import STEPS

PLOT = "scale.svg"
FROM = 10_000  # items: the model is fitted from here on where three sizes or more were measured
ENOUGH = 100_000  # items below which memory is still that of libraries that warm up
FAR = (10**7, 10**8, 10**9)
MILLION = 10**6
HEAD = """# What every step costs as collections grow

Made by `python -m benchmarks.scale report` from `benchmarks/results/scale.jsonl`; run with
`python -m benchmarks.scale run --archives FOLDER --sizes 10000 100000 1000000`. Machine: {machine}.
{dates}, seed {seeds}, load {load} before the steps; one thread (`OMP_NUM_THREADS=1`), low priority; every step in a
process of its own.

The embeddings are those of {real} real pictures (photographs, drawings, garments) by the backbone that is the default;
larger collections are these and, beyond them, each moved along the difference of two of its real neighbours
(`benchmarks/scale/sets.py`). *Clock* is what somebody waits on this machine, often a busy one, *processor* what
the work takes by itself. *Memory* is the most that the process held, libraries and memory-mapped pages included.
"""
MODEL = """
## The cost model

For every step three families are fitted in log space by least squares (`benchmarks/scale/model.py`): a + b n,
a + b n ln n, a n^b. The one with the smallest residuals stands; a power below 1 never does, as no step does less for
the next item than for the last. Memory of steps that were not measured at 100,000 items is not modelled: it is that of
libraries. *Off by* is the largest factor between it and a
measurement it was fitted to. Beyond {largest} items all of it is extrapolation: in brackets the least and the most of
the families that fit about as well, which is how far the choice between them matters. Processor time, one thread, so
machines and threads share it where the step can be shared.
"""
PLOTTED = """
![Processor time by number of items, measured and fitted]({plot})
"""
KINDS = """
An online update is the gradient steps on a log of about 1,000 verdicts and embedding every item anew; neighbours and
groups of the new version are rows of their own, and it is served when they are there. 32 questions are proposed after
each of five new screens of twelve, with 1,000 verdicts in the log; the median counts.
"""
WHY = """
## What is not met, and why

- *Questions at a million items* took 1.24 s until the last two steps of the walk were multiplied out, once for every
  new snapshot: ten entries for an item where one step has twenty, and one product where there were three. What is left
  goes over the table of items by groups: after every screen every group's mass moves a little, so shares, start groups
  and the best of every group are read again. The slowest screens still took more than a second, as all starts of the
  belief are sought again now and then. The first look at a new snapshot lays out the walk, once: "new snapshot and
  log".
- *By the clock.* Questions at every size, and neighbours by inverted lists, groups and update of a million items were
  measured with nothing else at work. All other rows were measured beside other work, at low priority: look at their
  processor time.
- *An update that is served.* The update itself embeds all items with one matrix product. Its version is served when its
  neighbours and groups are known, two to three minutes later at a million items, in the background; questions go on
  from the version before. Three runs of Leiden are most of that. Groups of more than 100,000 items are taken apart one
  by one.
- *Memory.* An update holds the 256 principal components of every item, a gigabyte for a million; backbone features are
  read from the disk piece by piece beyond 100,000 items. Proposing holds the graph and the two steps multiplied out.
- *pgvector* is tested for the same results and recall; it was not measured here.
- *A billion.* Search, embedding and import are linear and can be shared among machines. Groups and questions need the
  whole graph in one memory: at 10 million and beyond they need more than this machine has, and the figures say by how
  much. Nothing beyond a million has been run.

Before what this page made us mend, at a million items: the exact neighbours of a snapshot would have taken half an
hour of processor time (fitted above), now inverted lists take about a minute. An update embedded every item five times,
at the end from the raw features: 23 s of processor time and 7.5 GB with only the first four of these mended.
"""


def write(lines: Sequence[Line], docs: Path) -> None:
    """The page, and the plot where there is something to plot."""
    (docs / "benchmarks").mkdir(parents=True, exist_ok=True)
    (docs / "benchmarks" / "scale.md").write_text(page(lines), encoding="utf-8")
    if lines:
        draw(lines, docs / "benchmarks" / PLOT)


def page(lines: Sequence[Line]) -> str:
    """docs/benchmarks/scale.md."""
    if not lines:
        return "# What every step costs as collections grow\n\nNothing measured yet.\n"
    loads, dates = [line["load"] for line in lines], sorted({line["date"] for line in lines})
    one = lines[-1]["machine"]
    head = HEAD.format(
        machine=f"{one['processors']} cores of {one['processor']}, shared with other work",
        dates=" to ".join(dict.fromkeys((dates[0], dates[-1]))), load=f"{min(loads):.1f} to {max(loads):.1f}",
        real=f"{lines[-1]['real']:,}", seeds=", ".join(map(str, sorted({line["seed"] for line in lines}))),
    )  # fmt: skip
    largest = f"{max(line['items'] for line in lines):,}"
    modelled_as = (("Time", "cpu_s", seconds), ("Memory", "memory_mb", megabytes), ("Disk", "disk_mb", megabytes))
    models_ = [f"### {title}\n\n{modelled(lines, figure, words)}\n" for title, figure, words in modelled_as]
    parts = [head, goals(lines), "\n## Measured\n", measured(lines), KINDS, PLOTTED.format(plot=PLOT),
             MODEL.format(largest=largest), *models_, WHY]  # fmt: skip
    return "\n".join(part for part in parts if part).rstrip() + "\n"


def goals(lines: Sequence[Line]) -> str:
    """What was promised for a million items, and what it is."""
    at = {line["step"]: line for line in lines if line["items"] == MILLION}
    if not at:
        return ""
    rows = [
        [words, f"{most:g} {unit}", _said(at.get(step), found, most, unit)] for words, step, found, most, unit in GOALS
    ]
    memory = max(at.values(), key=lambda line: float(line["memory_mb"]))
    held = f"{memory['memory_mb'] / 1024:.1f} GB ({STEPS[memory['step']].title})"
    rows.append(
        ["most memory of any step", "4 GB", f"{held}: {'met' if memory['memory_mb'] <= 4096 else '**missed**'}"]
    )
    return "## Goals at a million items\n\n" + table(["what", "goal", "measured"], rows)


GOALS: tuple[tuple[str, str, Callable[[Line], tuple[float, str]], float, str], ...] = (
    (
        "32 questions after a screen of answers",
        "propose",
        lambda x: (x["seconds"], f"processor {x['cpu_s']:.2f} s"),
        1,
        "s",
    ),
    ("online update", "update", lambda x: (x["seconds"], f"processor {x['cpu_s']:.1f} s"), 10, "s"),
    ("a search", "index_lists", lambda x: (x["search_ms"], f"recall@10 {x['found_at_10']:.3f}"), 5, "ms"),
)


def _said(line: Line | None, found: Callable[[Line], tuple[float, str]], most: float, unit: str) -> str:
    if line is None:
        return "not measured"
    value, beside = found(line)
    return f"{value:.2f} {unit} ({beside}): {'met' if value <= most else '**missed**'}"


def measured(lines: Sequence[Line]) -> str:
    """A row for every step and size."""
    rows = [
        [STEPS[name].title, f"{line['items']:,}", seconds(line["seconds"]), seconds(line["cpu_s"]),
         megabytes(line["memory_mb"]), megabytes(line["disk_mb"]) if "disk_mb" in line else "", _more(line)]
        for name in STEPS for line in _of(lines, name)
    ]  # fmt: skip
    return table(["step", "items", "clock", "processor", "memory", "disk", "more"], rows)


def _more(line: Line) -> str:
    """What else a step has to say."""
    said = {
        "added": lambda: f"{line['items'] / line['seconds']:.0f} a second",
        "computed": lambda: f"{1000 * line['cpu_s'] / line['items']:.1f} ms of processor each",
        "search_ms": lambda: f"{line['kind']}: a search {line['search_ms']:.2f} ms (p95 {line['search_p95_ms']:.2f}), "
                             f"recall@10 {line['found_at_10']:.3f}",
        "cold_ms": lambda: f"new snapshot and log: {seconds(line['cold_ms'] / 1000)}",
        "learn_s": lambda: f"learning {seconds(line['learn_s'])}, embedding {seconds(line['embed_s'])}",
        "apart_s": lambda: f"groups {seconds(line['start_s'])}, taking apart {seconds(line['apart_s'])}",
        "save_s": lambda: f"write {seconds(line['save_s'])}, read {seconds(line['load_s'])}",
    }  # fmt: skip
    return next((words() for name, words in said.items() if name in line), "")


def modelled(lines: Sequence[Line], figure: str, words: Callable[[float], str]) -> str:
    """A row for every step with three sizes or more."""
    rows = []
    for name in STEPS:
        found = models(lines, name, figure)
        if found and (figure != "memory_mb" or max(found[0].sizes) >= ENOUGH):
            first = found[0]
            far = [f"{words(first.at(n))} ({' - '.join(map(words, between(found, n)))})" for n in FAR]
            rows.append([STEPS[name].title, first.words, f"{first.worst:.2f}", _span(first), *far])
    return table(["step", "model", "off by", "fitted on", *(f"{n:.0e}".replace("+0", "") for n in FAR)], rows)


def models(lines: Sequence[Line], step: str, figure: str) -> list[Cost]:
    """The fits of one figure of a step, the one that stands first. A power below 1 is a constant cost in disguise: no
    step does less for the next item than for the last."""
    points = [(line["items"], line[figure]) for line in _of(lines, step) if line.get(figure, 0) > 0]
    large = [point for point in points if point[0] >= FROM]
    points = large if len({items for items, _ in large}) >= 3 else points
    found = fits(*zip(*points, strict=True)) if points else []
    return [one for one in found if one.family != "power" or one.b >= 1]


def _span(cost: Cost) -> str:
    return f"{min(cost.sizes):,} to {max(cost.sizes):,}"


def _of(lines: Sequence[Line], step: str) -> list[Line]:
    """Its lines by size and seed, the newest of each."""
    newest = {(line["items"], line["seed"]): line for line in lines if line["step"] == step}
    return [newest[key] for key in sorted(newest)]


def seconds(value: float) -> str:
    """In the unit somebody would use."""
    for unit, size in (("years", 31_557_600.0), ("days", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if value >= 2 * size:
            return f"{value / size:,.3g} {unit}"
    return f"{value:.3g} s" if value >= 1 else f"{1000 * value:.3g} ms"


def megabytes(value: float) -> str:
    """In the unit somebody would use."""
    for unit, size in (("TB", 1024.0**2), ("GB", 1024.0)):
        if value >= size:
            return f"{value / size:,.3g} {unit}"
    return f"{value:.3g} MB"


def draw(lines: Sequence[Line], path: Path) -> None:
    """Write the plot as SVG; the same results give the same bytes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "pairwright", "svg.fonttype": "none", "font.size": 8}):
        figure = Figure(figsize=(6.4, 4.2), layout="constrained")
        axis = figure.subplots()
        for number, name in enumerate(name for name in STEPS if _of(lines, name)):
            mine, colour = _of(lines, name), f"C{number}"
            axis.plot([x["items"] for x in mine], [x["cpu_s"] for x in mine], "o", ms=3, color=colour,
                      label=STEPS[name].title)  # fmt: skip
            if found := models(lines, name, "cpu_s"):
                sizes = [min(found[0].sizes) * 10 ** (k / 8) for k in range(49)]
                sizes = [n for n in sizes if n <= FAR[-1]]
                axis.plot(sizes, [found[0].at(n) for n in sizes], "--", lw=0.8, color=colour)
        axis.set(xscale="log", yscale="log", xlabel="items", ylabel="processor time, s")
        axis.grid(alpha=0.2)
        axis.legend(fontsize=6, frameon=False, loc="upper left")
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
