"""People, tokens and the audit log, for admins. A password and a token are shown once, in the reply that made them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from app.api.context import Admin, Here, PathId
from app.api.paging import After, Before, cut
from app.api.shapes import Id, Name, Shape
from db import audit, users

router = APIRouter(tags=["admin"])
Role = Literal["viewer", "annotator", "robot", "curator", "admin"]
Scope = Literal["read", "answer", "import", "train", "admin"]


class UserOut(Shape):
    """Somebody who may sign in. tokens: bearer tokens that still open something."""

    id: int
    name: str
    role: Role
    active: bool
    created_at: datetime
    tokens: int = 0


class UsersOut(Shape):
    """By name. next: pass it as `after` for the following page."""

    users: list[UserOut]
    next: int | None = None


class UserIn(Shape):
    """A new user. Without a password one is generated."""

    name: Name
    role: Role = "annotator"
    password: str | None = Field(default=None, min_length=8, max_length=1000)


class ChangeIn(Shape):
    """What is to be different; what is left out stays."""

    role: Role | None = None
    active: bool | None = None


class SecretOut(Shape):
    """A user and the password, which is shown only now."""

    user: UserOut
    password: str | None


class TokenIn(Shape):
    """label: what it is for. days: until it ends, none for never. scopes: what it is good for, none for all."""

    label: str = Field(min_length=1, max_length=200)
    days: float | None = Field(default=None, gt=0, le=3650)
    scopes: list[Scope] | None = Field(default=None, min_length=1, max_length=5)


class TokenOut(Shape):
    """A bearer token or a browser's session."""

    id: int
    kind: str
    label: str
    expires_at: datetime | None
    revoked: bool
    created_at: datetime
    scopes: list[Scope] | None = None


class IssuedOut(Shape):
    """The token itself, shown only now."""

    token: str
    user: str
    label: str


class TokensOut(Shape):
    """Newest first. next: pass it as `before` for the following page."""

    tokens: list[TokenOut]
    next: int | None = None


class EntryOut(Shape):
    id: int
    actor: str
    action: str
    target: str
    detail: dict[str, Any]
    at: datetime


class AuditOut(Shape):
    """Newest first. next: pass it as `before` for the following page."""

    entries: list[EntryOut]
    next: int | None


@router.get("/users")
def everybody(here: Here, _: Admin, after: After = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 1000) -> UsersOut:
    """Everybody, by name, with how many tokens of theirs are good."""
    with here.database.read() as s:
        good = users.good_tokens(s)
        found, following = cut(users.users(s, after, limit + 1), limit)
    return UsersOut(users=[_user(one, good.get(one.id, 0)) for one in found], next=following)


@router.post("/users", status_code=201)
def add(here: Here, person: Admin, given: UserIn) -> SecretOut:
    """Add a person or a robot; the password is in the reply, once."""
    with here.database.write() as s:
        secret = users.add(s, given.name, given.role, given.password)
        new = next(one for one in users.users(s) if one.name == given.name.strip())
        audit.note(s, person.name, "add user", new.name, role=new.role)
    return SecretOut(user=_user(new), password=secret if given.password is None else None)


@router.post("/users/{id}")
def change(here: Here, person: Admin, id: PathId, given: ChangeIn) -> UserOut:
    """Another role, or no entry any more; the last active admin stays one."""
    with here.database.write() as s:
        name = users.user(s, id).name
        users.change(s, name, role=given.role, active=given.active)
        audit.note(s, person.name, "change user", name, **given.model_dump(exclude_none=True))
        changed = users.user(s, id)
    here.doorkeeper.forget_all()
    return _user(changed)


@router.post("/users/{id}/password")
def new_password(here: Here, person: Admin, id: PathId) -> SecretOut:
    """A generated password in place of the old one; every session of this user ends."""
    with here.database.write() as s:
        one = users.user(s, id)
        secret = users.new_password(s, one.name)
        audit.note(s, person.name, "new password", one.name)
    here.doorkeeper.forget_all()
    return SecretOut(user=_user(one), password=secret)


@router.get("/users/{id}/tokens")
def tokens(
    here: Here, _: Admin, id: PathId, before: Before = None, limit: Annotated[int, Query(ge=1, le=200)] = 200
) -> TokensOut:
    """A user's sessions and tokens, newest first; the secrets themselves cannot be read back."""
    with here.database.read() as s:
        found, following = cut(users.tokens(s, users.user(s, id).name, before, limit + 1), limit)
    return TokensOut(tokens=[_token(one) for one in found], next=following)


@router.post("/users/{id}/tokens", status_code=201)
def issue(here: Here, person: Admin, id: PathId, given: TokenIn) -> IssuedOut:
    """A bearer token for a robot or a program."""
    with here.database.write() as s:
        one = users.user(s, id)
        token = users.issue_token(s, one.name, given.label, given.days, given.scopes)
        about = {"label": given.label, "days": given.days, "scopes": given.scopes}
        audit.note(s, person.name, "issue token", one.name, **about)
    return IssuedOut(token=token, user=one.name, label=given.label)


@router.post("/tokens/{id}/revoke")
def revoke(here: Here, person: Admin, id: PathId) -> TokenOut:
    """This token or session opens nothing any more, from now on."""
    with here.database.write() as s:
        gone = users.revoke(s, id)
        audit.note(s, person.name, "revoke token", gone.user, kind=gone.kind, label=gone.label)
    here.doorkeeper.forget_all()
    return _token(gone)


@router.get("/audit")
def log(
    here: Here,
    _: Admin,
    before: Annotated[Id | None, Query()] = None,
    actor: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> AuditOut:
    """Who did what, newest first."""
    with here.database.read() as s:
        found = audit.page(s, before=before, actor=actor, limit=limit + 1)
    entries = [EntryOut(**{name: getattr(one, name) for name in EntryOut.model_fields}) for one in found[:limit]]
    return AuditOut(entries=entries, next=entries[-1].id if len(found) > limit else None)


def _user(one: users.User, tokens: int = 0) -> UserOut:
    return UserOut(
        id=one.id, name=one.name, role=one.role, active=one.active, created_at=one.created_at, tokens=tokens  # type: ignore[arg-type]
    )  # fmt: skip


def _token(one: users.Token) -> TokenOut:
    return TokenOut(**{name: getattr(one, name) for name in TokenOut.model_fields})
