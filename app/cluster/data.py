"""Rows through workers of Ray Data, and back in order. Each worker makes its tool once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from app.cluster.start import Reach, hushed, running
from db.errors import Broken, PairwrightError

Row = Mapping[str, Any]
Tool = Callable[[Sequence[Row]], list[dict[str, Any]]]  # one row for each, in order


class Bench:
    """A worker's place: the tool, made where it is used, and the rows that come by."""

    def __init__(self, make: Callable[[], Tool]) -> None:
        self.tool = make()

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[Any]]:
        names = list(batch)
        rows = [dict(zip(names, values, strict=True)) for values in zip(*batch.values(), strict=True)]
        done = self.tool(rows)
        return {name: [row[name] for row in done] for name in done[0]}


def mapped(reach: Reach, rows: Sequence[Row], make: Callable[[], Tool], at_once: int) -> Iterator[Row]:
    """What a tool makes of every row. at_once: rows handed to a worker together.

    A worker that is lost is replaced, and what it held is done again. Raises: Broken where that does not help.
    """
    if not rows:
        return
    with running(reach) as has:
        import ray
        import ray.data

        with hushed():
            ray.data.DataContext.get_current().execution_options.preserve_order = True
            data = ray.data.from_items([dict(row) for row in rows], override_num_blocks=-(-len(rows) // at_once))
            made = data.map_batches(
                Bench, fn_constructor_args=(make,), batch_size=at_once, concurrency=min(reach.count, len(rows)),
                num_cpus=1, num_gpus=1 if has.get("GPU") else 0,
            )  # fmt: skip
            try:
                yield from made.iter_rows()
            except ray.exceptions.RayError as error:
                raise _ours(error) from error


def _ours(error: Any) -> PairwrightError:
    """What a worker met, in its own words where they are ours."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, PairwrightError):
        return cause
    lines = str(cause or error).strip().splitlines() or [type(error).__name__]
    return Broken(f"workers of Ray failed ({lines[-1].strip().rstrip('.')[:200]}). What was done is kept; repeat.")
