"""The ticker: every tick happens, none twice at once, none is the last because it failed."""

import threading

from db.errors import StaleLease
from trainer.schedule import Patient, Ticker


def test_a_slow_tick_never_runs_beside_itself_and_others_go_on() -> None:
    running, most, fast, enough = [], [], [], threading.Event()

    def slow() -> None:
        running.append(1)
        most.append(len(running))
        enough.wait(10)
        running.pop()

    def quick() -> None:
        fast.append(1)
        if len(fast) >= 5:
            enough.set()

    with Ticker() as ticker:
        ticker.every(0.01, slow, "slow")
        ticker.every(0.02, quick, "quick")
        assert enough.wait(10)
    assert max(most) == 1 and len(fast) >= 5


def test_a_late_tick_is_not_dropped() -> None:
    with Ticker() as ticker:
        ticker.every(0.01, lambda: None, "tick")
        job = ticker.scheduler.get_job("tick")
        assert (job.misfire_grace_time, job.coalesce, job.max_instances) == (None, True, 1)


def test_leaving_waits_for_the_running_tick() -> None:
    started, done = threading.Event(), []

    def tick() -> None:
        started.set()
        threading.Event().wait(0.05)
        done.append(1)

    with Ticker() as ticker:
        ticker.every(0.01, tick, "tick")
        assert started.wait(10)
    assert done


def test_a_failing_tick_pauses_longer_each_time_and_recovers() -> None:
    now, calls, broken = [0.0], [], [True]

    def tick() -> None:
        calls.append(now[0])
        if broken[0]:
            raise OSError("disk full")

    patient = Patient(tick, "tick", clock=lambda: now[0])
    for moment in range(20):
        now[0] = float(moment)
        patient()
    assert calls == [0.0, 1.0, 3.0, 7.0, 15.0]
    broken[0], now[0] = False, 40.0
    patient()
    assert patient.failures == 0


def test_a_lost_lease_is_no_failure() -> None:
    def tick() -> None:
        raise StaleLease("somebody else leads now")

    patient = Patient(tick, "tick")
    patient()
    assert patient.failures == 0
