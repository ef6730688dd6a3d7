"""One trainer per criterion at a time: a lease with a fencing token, renewed while this process lives.

A process that was paused past its lease may wake up and go on; the token it holds is then refused by `check` inside the
transaction that would have stored its result.
"""

import time
from collections.abc import Callable

from sqlalchemy.orm import Session

from db import jobs
from db.engine import Database
from db.errors import StaleLease

LEASE_S = 12.0  # a killed leader is replaced after this long


class Lead:
    """The lead of one name. holder: unique to this process."""

    def __init__(
        self,
        database: Database,
        name: str,
        holder: str,
        *,
        lease_s: float = LEASE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.database, self.name, self.holder, self.lease_s, self.clock = database, name, holder, lease_s, clock
        self.token: int | None = None
        self.asked_at = float("-inf")

    def hold(self) -> bool:
        """Become or stay the leader; asks the database once in a quarter of the lease. True while we lead."""
        now = self.clock()
        if now - self.asked_at >= self.lease_s / 4:
            with self.database.write() as s:
                self.token = jobs.lead(s, self.name, self.holder, self.lease_s)
            self.asked_at = now
        return self.token is not None

    def check(self, s: Session) -> None:
        """Go on only as the leader, to the end of this transaction. Raises StaleLease."""
        if self.token is None:
            raise StaleLease(f"this process does not lead '{self.name}'. Nothing was stored.")
        jobs.check_lead(s, self.name, self.token)

    def resign(self) -> None:
        """Let the next one lead at once."""
        if self.token is not None:
            with self.database.write() as s:
                jobs.resign(s, self.name, self.token)
            self.token, self.asked_at = None, float("-inf")
