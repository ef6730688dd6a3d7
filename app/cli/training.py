"""`train` and `methods`: run a named system of the literature, and see which there are."""

import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import partial
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.failing import guarded
from app.cli.run import RayAddress, Run, command, table
from app.together import LOST, STOPPED, together
from db.errors import BadInput, LostPeer, Refused
from trainer.systems import DEFAULT

if TYPE_CHECKING:
    from app.training import Learnt, Lesson

Told = Callable[[str, int, int], None]  # what is going on, done, of


def register(app: typer.Typer) -> None:
    command(app, "train", TRAIN)(train)
    command(app, "methods", METHODS)(methods)


NAMED = 5  # suspects in words

TRAIN = r"""
pairwright train --collection trash --criterion material
pairwright train simclr --collection photos
pairwright train fnc_attraction --collection trash --criterion material --labels material --epochs 40
pairwright train hcl --collection trash --set beta=.5 --set backbone=lite0 --set trainable=partly --set batch=32
pairwright train moco --collection trash --criterion material --set negatives=soft_elimination
pairwright train supcon --collection trash --taught-by material
pairwright train jest --collection photos --set confirmed=checked
pairwright train cloob --collection photos --set selector=easy_reference --set selector.filter=.5
pairwright train simclr --collection photos --processes 2
pairwright train simclr --collection photos --ray 6 --ray-address 10.0.0.1:6379
torchrun --nnodes 2 --nproc-per-node 4 -m app.cli train simclr --collection photos --workspace /shared/pairwright
"""


def train(
    run: Run,
    collection: Annotated[str, typer.Option(help="Name of the collection.")],
    method: Annotated[str, typer.Argument(help="Name of the system, as `pairwright methods` lists it.")] = DEFAULT,
    criterion: Annotated[str | None, typer.Option(help="Learn from this criterion's answers, too.")] = None,
    labels: Annotated[str | None, typer.Option(help="Metadata column to measure kNN accuracy against.")] = None,
    taught_by: Annotated[str | None, typer.Option(help="Learn from this metadata column's labels, too.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE: a setting of the system or of training; repeatable.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Times each picture is seen.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same network.", min=0)] = 0,
    processes: Annotated[
        int,
        typer.Option(
            help="Share every batch among so many processes, one a GPU; the gradients are those of one.", min=1
        ),
    ] = 1,
    ray: Annotated[
        int | None, typer.Option(help="The same by so many workers of Ray, on several machines, too.", min=1)
    ] = None,
    ray_address: RayAddress = None,
    again: Annotated[bool, typer.Option("--again", help="Begin anew where the same run was stopped.")] = False,
) -> None:
    """Teach a network a collection's pictures with a named system. Ctrl-C keeps what was done: run it again to go on.

    Ends with a new encoder and its features; with a criterion also with a model version, kept and not yet served.
    """
    from app.training import Lesson, planned

    lesson = Lesson(method, collection, criterion, labels, taught_by, options(set_ or []), epochs, seed)
    planned(lesson)
    if ray is not None and processes > 1:
        raise BadInput(f"either --processes or --ray starts the processes, got --processes {processes} --ray {ray}.")
    if ray is not None:
        raise typer.Exit(_by_ray(run, lesson, again, ray, ray_address))
    if processes > 1:
        raise typer.Exit(together(processes, partial(_member, run, lesson, again)))
    with stoppable() as stopped:
        _train(run, lesson, again, stopped)


def _by_ray(run: Run, lesson: "Lesson", again: bool, count: int, address: str | None) -> int:
    """Workers of Ray do it; what the first of them has to say is said here."""
    from app.cluster.start import Reach
    from app.cluster.workers import Workers
    from app.training import forget

    if again:  # here and once: a worker that Ray starts anew goes on
        forget(run.settings, lesson)
    workers = Workers(Reach(count, address), run.settings.folder / "training" / f"ray-{lesson.name}")
    with run.telling() as told, stoppable() as stopped:
        ended = workers.do(partial(_distant, run, lesson), told, stopped)
    sys.stdout.write(ended.out)
    sys.stderr.write(ended.err)
    return ended.code


def _distant(run: Run, lesson: "Lesson", told: Told, stopped: Callable[[], bool]) -> int:
    """One worker of Ray."""
    return _member(run, lesson, False, stopped, told)


def _member(run: Run, lesson: "Lesson", again: bool, stopped: Callable[[], bool], told: Told | None = None) -> int:
    """One of several processes; the one that started them says which of them was lost."""

    def attempt() -> None:
        try:
            _train(run, lesson, again, stopped, told)
        except LostPeer as error:
            raise typer.Exit(LOST) from error

    return guarded(attempt, debug=run.debug)


def _train(run: Run, lesson: "Lesson", again: bool, stopped: Callable[[], bool], told: Told | None = None) -> None:
    """Train in this process, alone or as one rank of several. Only the first rank tells what happens."""
    from trainer import ranks

    with ranks.joined():
        if ranks.rank() == 0:
            _tell(run, lesson, again, stopped, told)
        else:
            _follow(run, lesson, stopped)


def _follow(run: Run, lesson: "Lesson", stopped: Callable[[], bool]) -> None:
    """What the first rank meets, too, is left to it to say."""
    from app.training import train as run_lesson

    try:
        learnt = run_lesson(run.settings, lesson, lambda what, done, of: None, stopped)
    except LostPeer as error:
        raise typer.Exit(LOST) from error
    except (BadInput, Refused) as error:
        raise typer.Exit(error.exit_code) from error
    if not learnt.finished:
        raise typer.Exit(STOPPED)


def _tell(run: Run, lesson: "Lesson", again: bool, stopped: Callable[[], bool], told: Told | None) -> None:
    """Train under a progress bar, or one that is drawn elsewhere; then print how it went."""
    from app.training import train as run_lesson

    with nullcontext(told) if told is not None else run.telling() as bar:
        learnt = run_lesson(run.settings, lesson, bar, stopped, again=again)
    for warning in learnt.warnings:
        run.say(f"warning: {warning}")
    run.show(learnt, in_words(learnt))
    if not learnt.finished:
        raise typer.Exit(STOPPED)


def options(given: list[str]) -> dict[str, str]:
    """KEY=VALUE texts as a mapping. Raises BadInput for another form."""
    pairs = [text.partition("=") for text in given]
    for (key, sign, _), text in zip(pairs, given, strict=True):
        if not sign or not key:
            raise BadInput(f"--set needs KEY=VALUE, got '{text}'.")
    return {key: value for key, _, value in pairs}


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Ctrl-C asks for a stop between two steps; a second one stops at once."""
    asked = Event()

    def stop(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def in_words(learnt: "Learnt") -> str:
    """The outcome in a few lines."""
    if not learnt.finished and not learnt.steps:
        return "stopped before the first step; nothing is lost"
    if not learnt.finished:
        return f"stopped after {learnt.steps} of {learnt.of} steps; the same command goes on from there"
    report, figures = learnt.report, learnt.figures
    lines = [f"{learnt.steps} steps, loss {report['loss']:.4f}, effective rank {report['rank']:.1f}"]
    if report.get("negatives", {}).get("unlabelled", 1) < 1:  # else nobody was chosen, and there is nothing to tell
        lines.append(what_pushed(report["negatives"]))
    if "knn_accuracy" in figures:
        lines.append(f"kNN accuracy {figures['knn_accuracy_before']:.4f} before, {figures['knn_accuracy']:.4f} now")
    if "suspects" in figures:
        names = ", ".join(one["name"] for one in figures["suspects"][:NAMED])
        lines.append(f"words doubted most: {names}; all of them in artifacts/encoders/{learnt.encoder}")
        lines.append(
            f"a review of '{figures['words']}' asks about {figures['asked_first']} of them first, on the Label screen; "
            f"to begin one: pairwright criterion add NAME --collection NAME --captions {figures['words']}"
        )
    if "reason" in figures:
        lines.append(str(figures["reason"]))
    lines.append(f"encoder {learnt.encoder}; its features are kept")
    if learnt.reads:
        lines.append(f"to see which captions do not fit: pairwright match --encoder {learnt.encoder} --collection NAME")
    if learnt.version is not None:
        lines.append(f"version {learnt.version}; to serve it: pairwright versions promote {learnt.version}")
    return "\n".join(lines)


def what_pushed(negatives: Mapping[str, float]) -> str:
    """The last step's report about its negatives; only what there is."""
    shares = {name: negatives[name] for name in ("confirmed", "unlabelled", "removed", "synthetic") if negatives[name]}
    words = ["negative mass: " + ", ".join(f"{share:.0%} {name}" for name, share in shares.items())]
    if negatives["detected"]:
        words.append(f"{negatives['detected']:.1f} taken for false negatives per anchor")
        if "detected_precision" in negatives:
            asked = negatives["detected_asked"]
            words[-1] += f" ({negatives['detected_precision']:.0%} of {asked:.0f} asked are)"
    if negatives.get("tau_plus"):
        words.append(f"expected share of false negatives {negatives['tau_plus']:.0%}")
    if negatives["clamped"]:
        words.append(f"{negatives['clamped']:.0%} at the clamp")
    return "; ".join(words)


METHODS = """
pairwright methods
pairwright methods hcl
"""


def methods(run: Run, name: Annotated[str | None, typer.Argument(help="One system, in full.")] = None) -> None:
    """List the named systems: family, parts, source, what each needs and how it was checked."""
    from trainer.systems import any_system, named

    if name is not None:
        found = any_system(name)
        run.show(found, table(f"{found.name}: {found.title}", ["what", "value"], _rows(found)))
        return
    known = named()
    rows = [[one.name, one.said["Family"], one.title.partition(": ")[2], one.said["Status"]] for one in known]
    run.show(
        known,
        table("Named systems; pairwright methods NAME tells all of one", ["name", "family", "idea", "status"], rows),
    )


def _rows(found: Any) -> list[list[Any]]:
    rows = [["formula", found.formula], ["", found.prose]] if found.prose else [["formula", found.formula]]
    rows += [[section.lower(), words] for section, words in found.said.items()]
    given = ", ".join(f"{key}={value}" if value else f"{key} (must be said)" for key, value in found.settings.items())
    return [*rows, ["settings", given], ["command", f"{found.command} --collection COLLECTION"]]
