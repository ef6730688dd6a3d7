"""The way in and out: a page with a form, a session cookie, and patience with those who guess.

Wrong passwords are counted in the audit log, so by all web processes together.
"""

from html import escape
from pathlib import Path
from string import Template
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.api.context import Context, Here
from app.auth import COOKIE, COOKIE_AGE_S, cookie
from db import audit, users
from db.errors import Forbidden

router = APIRouter(include_in_schema=False)
PAGE = Template((Path(__file__).parent / "components" / "static" / "login.html").read_text("utf-8"))
TRIES = 20  # wrong passwords from one address within WINDOW_S; `db.users` throttles by account besides
WINDOW_S = 60.0
REFUSED = "sign-in refused"


def here_only(wanted: str) -> str:
    """A path on this server to go on to; anything else becomes the first page."""
    plain = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted
    return wanted if plain and wanted.isprintable() else "/"


def ticket(token: str, *, secure: bool) -> str:
    """The Set-Cookie header of a session."""
    value = f"{COOKIE}={quote(token)}; Path=/; Max-Age={COOKIE_AGE_S}; HttpOnly; SameSite=Lax"
    return f"{value}; Secure" if secure else value


def _page(next_path: str, error: str = "", status: int = 200) -> HTMLResponse:
    notice = f'<p class="bad" role="alert">{escape(error)}</p>' if error else ""
    text = PAGE.substitute(next=escape(here_only(next_path), quote=True), notice=notice)
    return HTMLResponse(text, status, headers={"cache-control": "no-store"})


@router.get("/login")
def form(next: str = "/") -> Response:
    """The form."""
    return _page(next)


@router.post("/login")
async def login(
    here: Here,
    request: Request,
    name: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=2000)] = "",
    next: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Check a password; a session cookie if it is right."""
    address = request.client.host if request.client else ""
    if await run_in_threadpool(_too_many, here, address):
        return _page(next, "Too many wrong passwords from here. Wait a minute, then try again.", 429)
    try:
        token = await run_in_threadpool(_session, here, name, password, address)
    except Forbidden as error:
        await run_in_threadpool(_noted, here, REFUSED, name, address)
        return _page(next, str(error), 403)
    reply = RedirectResponse(here_only(next), 303)
    reply.headers["set-cookie"] = ticket(token, secure=request.url.scheme == "https")
    return reply


def _session(here: Context, name: str, password: str, address: str) -> str:
    with here.database.write() as s:
        token = users.login(s, name, password)
        audit.note(s, name.strip(), "sign in", address)
        return token


def _too_many(here: Context, address: str) -> bool:
    """Whether this address has to wait."""
    with here.database.read() as s:
        return audit.lately(s, REFUSED, address, WINDOW_S) >= TRIES


def _noted(here: Context, action: str, name: str, address: str) -> None:
    with here.database.write() as s:
        audit.note(s, name.strip(), action, address)


@router.post("/logout")
async def logout(here: Here, request: Request) -> Response:
    """End this session, here and in the database."""
    token = cookie(request.headers)
    if token:
        await run_in_threadpool(_end, here, token)
    reply = RedirectResponse("/login", 303)
    reply.headers["set-cookie"] = f"{COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
    return reply


def _end(here: Context, token: str) -> None:
    with here.database.write() as s:
        person = users.whoami(s, token)
        users.logout(s, token)
        if person is not None:
            audit.note(s, person.name, "sign out")
    here.doorkeeper.forget(token)
