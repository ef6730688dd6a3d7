"""Who may sign in, and as what. Passwords are stored as argon2 hashes, tokens as SHA-256: neither can be read back."""

import hashlib
import math
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Double, cast, func, or_, select, update
from sqlalchemy.orm import Session

from db import checks, scopes
from db.clock import now
from db.dialects import upsert
from db.errors import BadInput, Conflict, Forbidden, NotFound, Refused, unknown
from db.tables import TokenRow, UserRow

RANKS = {"viewer": 0, "annotator": 1, "robot": 1, "curator": 2, "admin": 3}
SESSION_S = 30 * 86_400.0
FREE_TRIES = 5  # wrong passwords before the account waits
LONGEST_WAIT_S = 900.0

_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)  # OWASP's minimum: quick under a write lock
_NOBODY = _hasher.hash(secrets.token_hex(16))  # compared when the name is unknown, so that both take the same time


@dataclass(frozen=True)
class User:
    """A person or robot. role: viewer < annotator < curator < admin; a robot may do what an annotator may.

    scopes: what the token that was shown is limited to; None for all that the role allows.
    """

    id: int
    name: str
    role: str
    active: bool
    created_at: datetime
    scopes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Token:
    """A session or bearer token as the list shows it; the secret itself was shown once, when it was issued."""

    id: int
    user: str
    kind: str
    label: str
    expires_at: datetime | None
    revoked: bool
    created_at: datetime
    scopes: tuple[str, ...] | None = None


def add(s: Session, name: str, role: str, password: str | None = None) -> str:
    """Add a user; returns the password, generated if none was given. Raises BadInput, Conflict if the name is taken."""
    given = checks.name(name, "user")
    checks.one_of(role, "role", RANKS)
    secret = _password(password) if password is not None else secrets.token_urlsafe(12)
    row = {"name": given, "role": role, "password": _hasher.hash(secret), "active": True, "failures": 0}
    statement = upsert(s, UserRow).values(**row).on_conflict_do_nothing().returning(UserRow.id)
    if s.scalar(statement) is None:
        raise Conflict(f"a user named '{given}' exists already. Choose another name.")
    return secret


def login(s: Session, name: str, password: str) -> str:
    """Check a password; returns a session token. Commits, so that a wrong try is counted although it raises.

    Raises: Forbidden, with the same sentence for a wrong name and a wrong password, or while the account waits after
    too many wrong tries.
    """
    row = s.scalar(select(UserRow).where(UserRow.name == str(name).strip()))
    if row is not None and (wait := _wait_s(s, row)) > 0:
        raise Forbidden(f"too many wrong passwords for this name. Wait {math.ceil(wait)} s, then try again.")
    if not _matches(row.password if row else _NOBODY, str(password)) or row is None or not row.active:
        if row is not None:
            _count_failure(s, row)
        raise Forbidden("the name or the password is wrong. Try again, or ask an admin for a new password.")
    row.failures, row.locked_until = 0, None
    return _issue(s, row.id, "session", "", SESSION_S)


def issue_token(s: Session, name: str, label: str, days: float | None = None, only: Iterable[str] | None = None) -> str:
    """A bearer token for a robot or program, shown this once; it ends after so many days and is good for these scopes.

    Raises: NotFound, BadInput.
    """
    lasts_s = None if days is None else 86_400 * checks.number(days, "days", 0, 3650, open_low=True)
    limited = scopes.scopes(only)
    return _issue(s, _row(s, name).id, "token", checks.text(label, "a label", 200), lasts_s, limited)


def whoami(s: Session, token: str) -> User | None:
    """Who a token belongs to; None if it is unknown, expired or revoked, or the user is not active."""
    fresh = or_(TokenRow.expires_at.is_(None), TokenRow.expires_at > now())
    query = select(UserRow, TokenRow.scopes).join(TokenRow, TokenRow.user_id == UserRow.id)
    good = (UserRow.active, fresh, TokenRow.hash == _fingerprint(token), TokenRow.revoked_at.is_(None))
    found = s.execute(query.where(*good)).one_or_none()
    return None if found is None else _user(*found)


def logout(s: Session, token: str) -> None:
    """This token opens nothing any more."""
    s.execute(update(TokenRow).where(TokenRow.hash == _fingerprint(token)).values(revoked_at=now()))


def revoke(s: Session, token_id: int) -> Token:
    """The token with this id opens nothing any more; returns it. Raises NotFound."""
    row = s.get(TokenRow, checks.row_id(token_id, "a token's id"))
    if row is None:
        raise NotFound(f"no token with id {token_id}. Reload the list of tokens.")
    if row.revoked_at is None:
        row.revoked_at = now()
        s.flush()
    owner = s.scalar(select(UserRow.name).where(UserRow.id == row.user_id))
    return _token(row, str(owner))


def change(
    s: Session, name: str, *, password: str | None = None, role: str | None = None, active: bool | None = None
) -> None:
    """Give a user another password, role, or (in)activity; a new password ends every session.

    Raises: NotFound; Refused where nobody would be left to administer.
    """
    row = _row(s, name)
    if row.role == "admin" and row.active and (role not in (None, "admin") or active is False):
        _another_admin(s, row)
    row.role = row.role if role is None else checks.one_of(role, "role", RANKS)
    row.active = row.active if active is None else active
    if password is not None:
        row.password, row.failures, row.locked_until = _hasher.hash(_password(password)), 0, None
        mine = (TokenRow.user_id == row.id, TokenRow.kind == "session")
        s.execute(update(TokenRow).where(*mine).values(revoked_at=now()))
    s.flush()


def new_password(s: Session, name: str) -> str:
    """Give a user a generated password, shown this once; every session of theirs ends. Raises NotFound."""
    secret = secrets.token_urlsafe(12)
    change(s, name, password=secret)
    return secret


def user(s: Session, id: int) -> User:
    """One user. Raises NotFound."""
    row = s.get(UserRow, checks.row_id(id, "a user's id"))
    if row is None:
        raise NotFound(f"no user with id {id}. Reload the list of users.")
    return _user(row)


def users(s: Session, after: int = 0, limit: int | None = None) -> list[User]:
    """Everybody, by name; those behind the one with the id `after`."""
    query = select(UserRow).order_by(UserRow.name).limit(limit)
    if after:
        query = query.where(UserRow.name > select(UserRow.name).where(UserRow.id == after).scalar_subquery())
    return [_user(row) for row in s.scalars(query)]


def tokens(s: Session, name: str, before: int | None = None, limit: int | None = None) -> list[Token]:
    """A user's sessions and bearer tokens, newest first; those older than the id `before`. Raises NotFound."""
    query = select(TokenRow).where(TokenRow.user_id == _row(s, name).id).order_by(TokenRow.id.desc()).limit(limit)
    if before is not None:
        query = query.where(TokenRow.id < before)
    return [_token(row, name) for row in s.scalars(query)]


def good_tokens(s: Session) -> dict[int, int]:
    """How many bearer tokens still open something, by user id."""
    fresh = or_(TokenRow.expires_at.is_(None), TokenRow.expires_at > now())
    query = select(TokenRow.user_id, func.count()).where(TokenRow.kind == "token", TokenRow.revoked_at.is_(None), fresh)
    return {row[0]: row[1] for row in s.execute(query.group_by(TokenRow.user_id))}


def allows(role: str, needed: str) -> bool:
    """Whether a role may do what needs another."""
    return RANKS[role] >= RANKS[needed]


def _another_admin(s: Session, row: UserRow) -> None:
    others = select(UserRow.id).where(UserRow.role == "admin", UserRow.active, UserRow.id != row.id).limit(1)
    if s.scalar(others.with_for_update()) is None:
        raise Refused(f"'{row.name}' is the only active admin. Make somebody else an admin first.")


def _wait_s(s: Session, row: UserRow) -> float:
    """Seconds until the next try is allowed, by the database's clock."""
    left = cast(UserRow.locked_until, Double) - cast(now(), Double)
    return max(0.0, s.scalar(select(left).where(UserRow.id == row.id)) or 0.0)


def _count_failure(s: Session, row: UserRow) -> None:
    """After FREE_TRIES wrong passwords every further one doubles the wait."""
    quiet, mine = {"synchronize_session": False}, update(UserRow).where(UserRow.id == row.id)
    counted = mine.values(failures=UserRow.failures + 1).returning(UserRow.failures)
    failures = s.scalar(counted, execution_options=quiet) or 0
    if failures >= FREE_TRIES:
        wait = min(2.0 ** (failures - FREE_TRIES), LONGEST_WAIT_S)
        s.execute(mine.values(locked_until=now() + wait), execution_options=quiet)
    s.commit()


def _matches(hashed: str, password: str) -> bool:
    try:
        return _hasher.verify(hashed, password[:1000])
    except (VerificationError, InvalidHashError):
        return False


def _password(given: str) -> str:
    if len(given) < 8:
        raise BadInput("a password must have at least 8 characters. Choose a longer one.")
    return checks.text(given, "a password", 1000)


def _issue(
    s: Session, user_id: int, kind: str, label: str, lasts_s: float | None, only: list[str] | None = None
) -> str:
    token = f"pw_{secrets.token_urlsafe(32)}"
    ends = None if lasts_s is None else now() + lasts_s
    about = {"user_id": user_id, "kind": kind, "label": label, "scopes": only}
    s.add(TokenRow(**about, hash=_fingerprint(token), expires_at=ends, revoked_at=None))
    s.flush()
    return token


def _fingerprint(token: str) -> str:
    return hashlib.sha256(str(token).encode("utf-8", "replace")).hexdigest()


def _row(s: Session, name: str) -> UserRow:
    row = s.scalar(select(UserRow).where(UserRow.name == name))
    if row is None:
        raise unknown("user", name, s.scalars(select(UserRow.name)), remedy="Add one with: pairwright users add NAME.")
    return row


def _user(row: UserRow, only: list[str] | None = None) -> User:
    limited = None if only is None else tuple(only)
    return User(row.id, row.name, row.role, row.active, row.created_at, limited)


def _token(row: TokenRow, owner: str) -> Token:
    limited = None if row.scopes is None else tuple(row.scopes)
    gone = row.revoked_at is not None
    return Token(row.id, owner, row.kind, row.label, row.expires_at, gone, row.created_at, limited)
