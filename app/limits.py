"""How often one caller may ask: so many requests a minute for each token, so that one program cannot starve the others.

Costly routes have budgets of their own. Pictures, pages and event streams are not counted. Counted in this process's
memory: of several web processes each has budgets of its own.
"""

import math
import time
from dataclasses import dataclass, field

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from app.auth import Person

COUNTED = "/api/v1/"
FREE = ("/api/v1/media/", "/api/v1/events", "/api/v1/healthz", "/api/v1/readyz")
COSTLY = {  # decode a picture, start a process or hash a password: requests a minute
    ("POST", "/api/v1/search/picture"): 120,
    ("POST", "/api/v1/imports"): 120,
    ("POST", "/api/v1/users"): 120,
}


@dataclass(frozen=True)
class Verdict:
    """Whether one more request is in order. left: requests that remain; wait_s: until there are some again."""

    allowed: bool
    limit: int
    left: int
    wait_s: int

    @property
    def headers(self) -> dict[str, str]:
        """RateLimit fields (draft-ietf-httpapi-ratelimit-headers), and Retry-After with a refusal."""
        shown = {
            "ratelimit-policy": f'"minute";q={self.limit};w=60',
            "ratelimit": f'"minute";r={self.left};t={self.wait_s}',
        }
        return shown if self.allowed else {**shown, "retry-after": str(self.wait_s)}


@dataclass
class Limits:
    """per_minute: requests of one caller; 0 counts nothing."""

    per_minute: int
    _counter: SlidingWindowCounterRateLimiter = field(
        default_factory=lambda: SlidingWindowCounterRateLimiter(MemoryStorage())
    )

    def ask(self, person: Person, method: str, path: str) -> Verdict | None:
        """Count this request; None where nothing is counted. The scarcer of two budgets decides."""
        if not self.per_minute or not path.startswith(COUNTED) or path.startswith(FREE):
            return None
        found = self._hit(RateLimitItemPerMinute(self.per_minute), person.name)
        costly = COSTLY.get((method, path))
        if found.allowed and costly is not None:
            own = self._hit(RateLimitItemPerMinute(min(costly, self.per_minute)), person.name, method, path)
            found = min(found, own, key=lambda one: one.left - (not one.allowed))
        return found

    def _hit(self, item: RateLimitItem, *key: str) -> Verdict:
        allowed = self._counter.hit(item, *key)
        window = self._counter.get_window_stats(item, *key)
        wait = max(1, math.ceil(window.reset_time - time.time()))
        return Verdict(allowed, item.amount, max(0, int(window.remaining)), wait)
