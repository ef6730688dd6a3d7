"""Who is asking: session cookies for browsers, bearer tokens for robots, roles for both.

A cookie is SameSite=Lax and HttpOnly, and Secure when the request came over TLS. Passwords, throttling and hashing of
tokens are the database's (`db.users`); this module only carries the token back and forth.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from threading import Lock
from typing import Protocol

from fastapi import Request

from db import users
from db.engine import Database
from db.errors import Forbidden

COOKIE = "pairwright_session"
SCOPE_OF_TAG = {  # of routes that are not GET
    "admin": "admin",
    "answers": "answer",
    "backups": "admin",
    "catalog": "import",
    "chosen": "answer",
    "compare": "train",
    "conflicts": "answer",
    "groups": "answer",
    "imports": "import",
    "map": "train",
    "quality": "train",
    "questions": "answer",
    "search": "read",
    "sessions": "answer",
    "synthetic": "answer",
    "training": "train",
}
COOKIE_AGE_S = 30 * 24 * 3600
CACHE_S = 1.0  # how long another web process may believe what was true before
CACHE_SIZE = 4096


class Person(Protocol):
    """What the rest of the app needs to know about a user."""

    @property
    def name(self) -> str: ...

    @property
    def role(self) -> str: ...

    @property
    def scopes(self) -> tuple[str, ...] | None: ...


class SignIn(Exception):
    """Nobody is signed in, or the token is not ours (HTTP 401)."""


def may(person: Person, role: str) -> bool:
    """Whether this person's role reaches `role`."""
    return users.allows(person.role, role)


def need(role: str) -> Callable[[Request], Person]:
    """A FastAPI dependency: the person asking, whose role reaches `role`.

    Raises: SignIn when nobody is signed in, Forbidden when the role does not reach.
    """

    def person(request: Request) -> Person:
        asking: Person | None = getattr(request.state, "person", None)
        if asking is None:
            raise SignIn("sign in first, or send 'Authorization: Bearer TOKEN'.")
        if not may(asking, role):
            raise Forbidden(f"this needs the role {role} or above, '{asking.name}' has {asking.role}. Ask an admin.")
        wanted = scope_of(request)
        if asking.scopes is not None and wanted not in asking.scopes:
            raise Forbidden(f"this needs a token with the scope {wanted}, yours has {', '.join(asking.scopes)}.")
        return asking

    return person


def scope_of(request: Request) -> str:
    """The scope that a route asks of a token: `read` to look, else what its tag says."""
    route = request.scope["route"]
    return "read" if request.method == "GET" else SCOPE_OF_TAG[route.tags[0]]


def bearer(headers: Mapping[str, str]) -> str | None:
    """The token of an Authorization header, or None."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def cookie(headers: Mapping[str, str], name: str = COOKIE) -> str | None:
    """The session token in the cookies, or None."""
    try:
        jar = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return None
    return jar[name].value or None if name in jar else None


@dataclass
class Doorkeeper:
    """Turns a token into a person; remembers the answer for a second so that images do not each cost a query."""

    database: Database
    _seen: dict[str, tuple[float, Person | None]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def identify(self, token: str) -> Person | None:
        """The person behind a token, or None. Blocks on the database; call it from a thread."""
        with self._lock:
            found = self._seen.get(token)
        if found and found[0] > time.monotonic():
            return found[1]
        with self.database.read() as s:
            person = users.whoami(s, token)
        self._remember(token, person)
        return person

    def _remember(self, token: str, person: Person | None) -> None:
        with self._lock:
            if len(self._seen) >= CACHE_SIZE:
                self._seen.clear()
            self._seen[token] = (time.monotonic() + CACHE_S, person)

    def forget(self, token: str) -> None:
        """Drop what is remembered about a token: it has just been revoked."""
        with self._lock:
            self._seen.pop(token, None)

    def forget_all(self) -> None:
        """Somebody's role, password or token has changed: ask the database again about everybody."""
        with self._lock:
            self._seen.clear()
