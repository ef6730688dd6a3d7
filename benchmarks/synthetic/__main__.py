"""Are pictures that a generator makes of an item of its class, and do they help? On Fashion-MNIST, equal budget.

    python -m benchmarks.synthetic run --seeds 0
    python -m benchmarks.synthetic heard --seeds 0 --archives ../shared/data
    python -m benchmarks.synthetic report

Appends to benchmarks/results/synthetic.jsonl and skips what is there. `report` writes docs/benchmarks/synthetic.md from
that file and runs nothing. Set OMP_NUM_THREADS=1. `run` needs Debian's dataset-fashion-mnist; `heard`, which is about
pictures made of sounds, needs fsdd_audio.zip.
"""

import argparse
from functools import partial
from pathlib import Path

from benchmarks._command import Command, archives
from benchmarks._runs import Job
from benchmarks.synthetic import heard, report
from benchmarks.synthetic.trial import GENERATORS, START, generate, plain_is_plain, train

SYSTEMS = (START, "simclr", "interpolate", "clsp:clsp:accepted", "clsp:clsp:all", "wu:wu:accepted", "wu:wu:all")


def add(found: argparse.ArgumentParser) -> None:
    """Its own options."""
    found.add_argument("--generators", nargs="*", default=list(GENERATORS), choices=list(GENERATORS))
    found.add_argument(
        "--systems", nargs="*", default=list(SYSTEMS), help="METHOD, METHOD@KEY=VALUE or METHOD:GENERATOR:USE"
    )
    found.add_argument("--work", type=Path, default=Path("workspace/synthetic"), help="folder of what is made")
    archives(found)


def jobs(given: argparse.Namespace) -> list[Job]:
    """What `run` or `heard` has to do."""
    given.work.mkdir(parents=True, exist_ok=True)
    return _heard(given) if given.what == "heard" else _jobs(given)


def _heard(given: argparse.Namespace) -> list[Job]:
    return [
        (("heard", "audiotoken", seed), partial(heard.measure, seed, given.work, given.archives))
        for seed in given.seeds
    ]


def _jobs(given: argparse.Namespace) -> list[Job]:
    jobs: list[Job] = []
    for seed in given.seeds:
        jobs.append((("plain", "clsp:w=1", seed), partial(plain_is_plain, seed)))
        made = [(("generate", name, seed), partial(generate, name, seed, given.work)) for name in given.generators]
        taught = [(("train", name, seed), partial(train, name, seed, given.work)) for name in given.systems]
        plain = [job for job in made if "w=1" in job[0][1]]  # a control, so it comes last
        jobs += [job for job in made if job not in plain] + taught + plain
    return jobs


main = Command("synthetic", __doc__, ("experiment", "system", "seed"), add, jobs, report.write, (0,), ("heard",))


if __name__ == "__main__":
    main()
