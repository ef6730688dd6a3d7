"""`pairwright refresh`: teach the backbone itself what the answers say; held-out answers decide whether it is served.

    the log so far, a tenth of the items held out of it (trainer.holding)
        -> a method with these answers, step by step (stored, resumable) -> features of every item, beside the old ones
        -> two heads taught the same answers, one on each -> held-out answers compare them (trainer.judging)
        -> a head taught all answers of now, on the new features -> one transaction: served, or kept

People go on answering meanwhile and the online head goes on learning. A kill at any point leaves what is served as it
is, and the same refresh goes on where it was: its folder says what it began with.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from app.features import ensure_features
from app.refresh_wish import BASE, Refreshed, Wish
from app.refreshed import learnt_all, stored_version
from app.refreshing import KIND
from app.settings import Settings
from app.training_answers import Answers
from app.training_start import Prepared, Told, planned, prepare
from db import catalog, feedback, runs, versions
from db.artifacts import ArtifactStore
from db.engine import Database
from db.errors import BadInput
from trainer.choices import chosen
from trainer.holding import parted
from trainer.judging import Judgement, judged
from trainer.learner import Learner
from trainer.learner import Settings as Teaching
from trainer.modest import Pauses
from trainer.provenance import checked
from trainer.readers import of_method, store_reader
from trainer.reporting import Reporter
from trainer.run import Outcome, run
from trainer.trained import Pretrained, about_of, is_trained, new_name, store_encoder

STATE, BEGUN = "state.safetensors", "begun.json"
MOST = 2000  # pictures trained on: all that answers name, others drawn by the seed
SAMPLE = 512  # pictures from which the scales are taken


def refresh(
    settings: Settings, wish: Wish, told: Told, cancelled: Callable[[], bool], *, again: bool = False
) -> Refreshed:
    """Refresh a criterion's backbone, or go on with a refresh that was stopped; `again` begins anew.

    Raises: NotFound for an unknown criterion, BadInput for a setting, or where there is nothing to learn from.
    """
    database = settings.open()
    try:
        work = _Work(settings, database, wish, told, cancelled)
        if again:
            shutil.rmtree(work.folder, ignore_errors=True)
        return work.go()
    finally:
        database.close()


class _Work:
    """One refresh, stage by stage."""

    def __init__(
        self, settings: Settings, database: Database, wish: Wish, told: Told, cancelled: Callable[[], bool]
    ) -> None:
        self.settings, self.database, self.wish, self.told, self.cancelled = settings, database, wish, told, cancelled
        self.store = settings.store()
        with database.read() as s:
            self.criterion = catalog.criterion(s, wish.criterion).id
            number = catalog.criterion(s, wish.criterion).collection
            self.collection = next(one.name for one in catalog.collections(s) if one.id == number)
            self.served = versions.current(s, self.criterion)
        self.lesson = wish.lesson(self.collection, _base(self.store, self.served.encoder if self.served else BASE))
        words = f"{self.lesson.name}-{self.criterion}" + ("" if wish.beside else "-alone")
        self.folder: Path = settings.folder / "training" / f"{KIND}-{words}"

    def go(self) -> Refreshed:
        """All stages. None of them matters before the last one's transaction."""
        if (made := self._made()) is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            return made
        known = self._answers()
        ready = prepare(
            self.settings, self.database, self.lesson, planned(self.lesson), self.folder, self.told, self.cancelled,
            known=known, only=self._pictures(known),
        )  # fmt: skip
        if ready is None:
            return Refreshed(False)
        warnings = checked(self.folder / STATE, ready.about)
        reporter = self._reporter(known)
        try:
            outcome = self._train(ready, reporter)
            if outcome.finished:
                return self._finish(ready, outcome, reporter, (*warnings, *outcome.warnings))
            return self._stopped(ready, reporter)
        except BaseException as error:
            reporter.end("failed", str(error)[:500] or type(error).__name__)
            raise

    # what it begins with ------------------------------------------------------------------------------------------
    @cached_property
    def begun(self) -> Mapping[str, Any]:
        """What was known at the first start: a refresh that goes on learns from the same answers."""
        path = self.folder / BEGUN
        if path.exists():
            return dict(json.loads(path.read_bytes()))
        with self.database.read() as s:
            last = feedback.last_event(s, self.criterion)
        old = self.served.encoder if self.served else BASE
        said = {"last_event": last, "old": old, "encoder": new_name(self.lesson.method)}
        self.folder.mkdir(parents=True, exist_ok=True)
        (new := path.with_suffix(".new")).write_text(json.dumps(said), encoding="utf-8")
        new.replace(path)
        return said

    def _made(self) -> Refreshed | None:
        """The version, where a kill came after it was stored."""
        if not (self.folder / BEGUN).exists():
            return None
        with self.database.read() as s:
            known = versions.versions(s, self.criterion)
        made = next((one for one in known if one.encoder == self.begun["encoder"]), None)
        if made is None:
            return None
        reason = str(made.metrics.get("reason", ""))
        return Refreshed(True, version=made.id, encoder=made.encoder, served=made.status == "promoted", reason=reason)

    def _answers(self) -> Answers:
        """The lesson: a head taught it on the old features says who is likely to belong together."""
        old, ids = self._features(self.begun["old"])
        with self.database.read() as s:
            said = [one for one in feedback.statements(s, self.criterion) if one.answer <= self.begun["last_event"]]
        lesson, witnesses = parted(said)
        if not lesson.size:
            raise BadInput(f"nobody has answered about '{self.wish.criterion}' yet. Answer some questions first.")
        self.told("looking at the answers", 0, 1)
        learner = self._learner(old, ids)
        learner.start()
        taught = learner.learn(lesson)
        assert taught is not None
        return Answers(
            self.criterion, taught.snapshot, lesson, lesson, witnesses, self.served, self.begun["last_event"]
        )

    def _features(self, encoder: str) -> tuple[np.ndarray, np.ndarray]:
        """(N, D) and (N,) ids of the collection under an encoder; missing ones are computed."""
        store, _ = ensure_features(
            self.database, self.settings.folder, self.collection, encoder,
            progress=lambda done, of: self.told("embedding", done, of), cancelled=self.cancelled,
        )  # fmt: skip
        ids, vectors = store.load()
        return vectors, ids

    def _learner(self, vectors: np.ndarray, ids: np.ndarray) -> Learner:
        """Heads learn here as they do online."""
        return Learner(vectors, ids, seed=self.wish.seed, settings=Teaching(update=chosen(self.settings.training)))

    def _pictures(self, known: Answers) -> set[int]:
        """Items to train on: all that are named in the lesson, others by chance."""
        named = {item for one in known.graph.statements for item in (one.a, one.b)}
        others = np.setdiff1d(known.snapshot.ids, np.array(sorted(named), np.int64))
        drawn = np.random.default_rng(self.wish.seed).permutation(others)[: max(MOST - len(named), 0)]
        return named | set(drawn.tolist())

    def _reporter(self, known: Answers) -> Reporter:
        """A row among the criterion's training runs; rows that a kill left open are closed."""
        with self.database.write() as s:
            runs.close_left(s, self.criterion, lambda one: one.trigger.startswith(KIND))
        words = {"method": self.lesson.method, "last_event": known.last_event, **self.wish.payload()}
        return Reporter(self.database, self.criterion, words, trigger=f"{KIND} {self.lesson.method}")

    # the stages ---------------------------------------------------------------------------------------------------
    def _train(self, ready: Prepared, reporter: Reporter) -> Outcome:
        """The steps; between two of them it pauses, and may be stopped."""
        from app.training import negative_watch

        pauses, seen, training = Pauses(self.wish.share), [""], ready.training

        def progress(step: int, of: int, report: Mapping[str, Any]) -> None:
            seen[0] = f", loss {report['loss']:.3f}"
            reporter(step, of, report)

        def after(step: int, of: int) -> None:
            self.told(f"training {self.lesson.method}{seen[0]}", step, of)
            pauses()

        after(training.done, training.steps)
        return run(
            training, state=self.folder / STATE, about=ready.about, progress=progress, cancelled=self.cancelled,
            watch=negative_watch(training), after=after,
        )  # fmt: skip

    def _finish(self, ready: Prepared, outcome: Outcome, reporter: Reporter, warnings: tuple[str, ...]) -> Refreshed:
        """Features for everybody, the decision, and the version."""
        name, training = str(self.begun["encoder"]), ready.training
        if not is_trained(self.store, name):
            self._store(ready, name)
        new, ids = self._features(name)
        if self.cancelled():
            return self._stopped(ready, reporter)
        judgement = self._judge(new, ids)
        if self.cancelled():
            return self._stopped(ready, reporter)
        known, candidate = learnt_all(self.database, self.criterion, self._learner(new, ids), self.told)
        last = outcome.reports[max(outcome.reports)] if outcome.reports else {}
        words = {
            "method": self.lesson.method,
            "training_steps": training.steps,
            "report": last,
            "trigger": f"{KIND} {self.lesson.method}",
        }
        made, served = stored_version(
            self.settings, self.database, known, candidate, name, str(self.begun["old"]), judgement, words, reporter.run
        )
        shutil.rmtree(self.folder, ignore_errors=True)
        return Refreshed(
            True,
            training.steps,
            training.steps,
            made,
            name,
            served,
            judgement.reason,
            judgement,
            reporter.run,
            warnings,
        )

    def _store(self, ready: Prepared, name: str) -> None:
        """The encoder: what the network learnt, beside what the pretrained one sees."""
        from app.training import doubts_of

        training, plan = ready.training, ready.training.settings
        about = {"collection": self.collection, "steps": training.steps, "run": dict(ready.about)}
        network, base = training.encoders.network.eval().backbone, _base(self.store, str(self.begun["old"]))
        beside = self._scales(ready, base) if self.wish.beside else None
        _, more = doubts_of(training, ready.items, self.store)
        store_reader(self.store, name, self.lesson.method, of_method(self.lesson.options), training)
        store_encoder(
            self.store, self.lesson.method, plan.backbone, network, about, name=name, beside=beside, more=more
        )

    def _scales(self, ready: Prepared, base: str) -> Pretrained:
        """So that both halves are about as long, over some of the pictures."""
        training = ready.training
        old, ids = self._features(base)
        length = float(np.linalg.norm(old[np.isin(ids, training.ids.cpu().numpy())], axis=1).mean())
        new = float(np.linalg.norm(training.encoders.embed(training.pictures[:SAMPLE]), axis=1).mean())
        return Pretrained(base, (1 / max(length, 1e-6), 1 / max(new, 1e-6)))

    def _judge(self, new: np.ndarray, ids: np.ndarray) -> Judgement:
        """Teach a head on the old features and one on the new the same lesson, that of now; ask the witnesses."""
        with self.database.read() as s:
            lesson, witnesses = parted(feedback.statements(s, self.criterion))
            served = versions.current(s, self.criterion)
        seen = []
        for number, (vectors, known) in enumerate((self._features(served.encoder if served else BASE), (new, ids))):
            learner = self._learner(vectors, known)
            learner.start()
            share = lambda step, of, _, n=number: self.told("comparing on held-out answers", n * of + step, 2 * of)  # noqa: E731
            taught = learner.learn(lesson, progress=share)
            assert taught is not None
            seen.append(taught.snapshot)
        return judged(seen[0], seen[1], witnesses)

    def _stopped(self, ready: Prepared, reporter: Reporter) -> Refreshed:
        done, of = ready.training.done, ready.training.steps
        reporter.end("cancelled", f"stopped after step {done} of {of}; the same refresh goes on from there")
        return Refreshed(False, done, of, run=reporter.run)


def _base(store: ArtifactStore, encoder: str) -> str:
    """The pretrained backbone behind an encoder."""
    if not is_trained(store, encoder):
        return encoder
    return str(about_of(store, encoder).get("beside", {}).get("name", BASE))
