"""Rows that are added once per (source, key), however often they are sent."""

import hashlib
import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import checks, horizon
from db.dialects import upsert
from db.errors import BadInput, Conflict


def signed(source: str, key: str, *said: Any) -> dict[str, str]:
    """The columns that know a row again. said: all that makes it another one under the same key. Raises BadInput."""
    return {
        "source": checks.text(source, "a source", 200),
        "key": checks.text(key, "an idempotency key", 200),
        "body": hashlib.sha256(json.dumps(checks.plain(said)).encode()).hexdigest(),
    }


def earlier(s: Session, table: Any, row: dict[str, Any]) -> Any:
    """The row that has this source and key already, None without one. Raises BadInput if it says something else."""
    found = s.scalar(select(table).where(table.source == row["source"], table.key == row["key"]))
    if found is not None and found.body != row["body"]:
        raise BadInput(f"the idempotency key '{row['key']:.80}' was used for something else. Use a new key for each.")
    return found


def add(s: Session, table: Any, row: dict[str, Any]) -> int:
    """Id of a new row of a log. Raises Conflict if another connection is adding the same one, or superseded it."""
    numbered = {"xid": horizon.transaction(s)} if hasattr(table, "xid") else {}  # before the row takes its id
    made = s.scalar(upsert(s, table).on_conflict_do_nothing().returning(table.id), {**row, **numbered})
    if made is None:
        raise Conflict("the same is being said on another connection. Send it again.")
    return int(made)
