"""The kill -9 journey: writers die at random moments; what was acknowledged is stored, once, for ever."""

import random
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

from sqlalchemy import func, select, text

from db import feedback, queue
from db.tables import AnswerRow, LeaseRow, VerdictRow
from tests.db.factories import answer
from tests.measured import tell, times

ROUNDS = times(3, 67)
WRITERS = 3


def lines_until_killed(process, after):
    """Read what the writer prints and kill it after so many acknowledgements, in the middle of the next ones."""
    acknowledged = []
    for line in process.stdout:
        if not line.endswith("\n"):
            break  # cut off by the kill: never acknowledged
        if line != "ready\n":
            acknowledged.append(tuple(line.split()))
        if len(acknowledged) == after:
            process.kill()
    process.wait()
    return acknowledged


def one_round(world, chance):
    acknowledged = {}

    def run(name):
        command = [sys.executable, "-m", "tests.db.writer", world.database.url, str(world.criterion), name]
        root = Path(__file__).parents[2]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
            acknowledged[name] = lines_until_killed(process, chance.randrange(1, 25))
        assert process.returncode == -9

    threads = [threading.Thread(target=run, args=(f"writer {number}",)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return acknowledged


def test_killed_writers_lose_nothing_acknowledged_and_store_nothing_twice(world):
    chance = random.Random(7)
    world.ask(100 * ROUNDS)
    said = [
        (name, key, int(question), int(event))
        for _ in range(ROUNDS)
        for name, lines in one_round(world, chance).items()
        for key, question, event in lines
    ]
    assert len(said) >= ROUNDS * WRITERS
    with world.database.read() as s:
        stored = {(row.source, row.key): row.id for row in s.scalars(select(AnswerRow))}
        rows = s.scalar(select(func.count(AnswerRow.id)))
        verdicts = Counter(s.scalars(select(VerdictRow.answer_id)))
        slots = s.execute(select(LeaseRow.question_id, func.count()).group_by(LeaseRow.question_id)).all()
        if world.database.dialect == "sqlite":
            assert s.scalar(text("PRAGMA integrity_check")) == "ok"
    assert len(stored) == rows, "one row per key"
    assert {(name, key): event for name, key, _, event in said}.items() <= stored.items(), "acknowledged is stored"
    assert set(verdicts) == set(stored.values()), "no answer without its verdicts"
    assert set(verdicts.values()) == {1}
    assert all(count == 1 for _, count in slots), "nobody's slot was given twice"
    for name, key, question, event in said:  # every retry gets the receipt it got, or should have got
        with world.database.write() as s:
            again = feedback.record(s, answer(queue.question(s, question), key=key, source=name))
        assert (again.id, again.replayed) == (event, True)
    with world.database.read() as s:
        assert s.scalar(select(func.count(AnswerRow.id))) == rows
    tell(1, kills=ROUNDS * WRITERS, acknowledged=len(said), lost=0, doubled=0, database=world.database.dialect)
