"""The door of the web process: one ASGI layer that every request passes, Gradio's own routes included.

It refuses writes that another site asked a browser to send, bodies that are too large and visitors who are not signed
in, and it sets the headers that keep the page self-contained (no other host is ever contacted).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from anyio import to_thread
from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import problem
from app.auth import Doorkeeper, Person, bearer, cookie
from app.limits import Limits, Verdict

UPLOADS = "/api/v1/imports"
PICTURES = "/api/v1/search/picture"
PICTURE = 26 * 2**20
SMALL = 8 * 2**20
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Gradio's own doors for files, which nothing here uses.
CLOSED = ("/gradio_api/upload", "/gradio_api/file", "/gradio_api/proxy", "/gradio_api/stream", "/monitoring")
OPEN = (
    "/login",
    "/healthz",
    "/readyz",
    "/api/v1/healthz",
    "/api/v1/readyz",
    "/openapi.json",
    "/favicon.ico",
    "/robots.txt",
    "/theme.css",
)
OPEN_FOLDERS = ("/ui/", "/assets/", "/static/", "/svelte/")
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "SAMEORIGIN",
    "cross-origin-opener-policy": "same-origin",
    # Gradio compiles templates in the page, hence 'unsafe-eval'; nothing may be fetched from another host.
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; "
        "base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
    ),
}


def is_open(path: str) -> bool:
    """Paths that need nobody signed in: the login page, code and styles, health."""
    return path in OPEN or path.startswith(OPEN_FOLDERS)


def foreign(headers: Headers) -> str | None:
    """Why this write looks as if another site sent it, or None when it does not.

    Browsers say where a request comes from (Sec-Fetch-Site, Origin); one with a cookie that says neither is refused.
    """
    site, origin, host = headers.get("sec-fetch-site"), headers.get("origin"), headers.get("host", "")
    if site is not None and site != "same-origin":
        return f"Sec-Fetch-Site must be same-origin, got '{site}'"
    if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
        return f"Origin must be this server ('{host}'), got '{origin}'"
    if site is None and origin is None and cookie(headers):
        return "a write with a session cookie must carry Origin or Sec-Fetch-Site"
    return None


@dataclass
class Gate:
    """ASGI middleware. welcome: may sign a visitor in by itself (the demo on localhost); returns a cookie header."""

    app: ASGIApp
    doorkeeper: Doorkeeper
    limit: int
    limits: Limits
    welcome: Callable[[Request], str | None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._other(scope, receive, send)
        elif refusal := await self._refusal(scope):
            await refusal(scope, receive, with_headers(send))
        else:
            counted: Verdict | None = scope["state"].get("rate") if "state" in scope else None
            shown = with_headers(send, counted.headers if counted else {})
            await self.app(scope, limited(receive, self._limit(scope["path"])), shown)

    def _limit(self, path: str) -> int:
        """Largest body in bytes: only imports may be big, and a picture to search with as big as a picture."""
        return self.limit if path == UPLOADS else min(self.limit, PICTURE if path == PICTURES else SMALL)

    async def _other(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lifespan passes; there are no websockets here."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        await self.app(scope, receive, send)

    async def _refusal(self, scope: Scope) -> Response | None:
        """What to reply instead of going on, or None."""
        request = Request(scope)
        if request.url.path.startswith(CLOSED):
            return problem(404, "there is nothing here.", request)
        token = bearer(request.headers)
        if request.method not in SAFE and token is None:
            why = foreign(request.headers)
            if why:
                return problem(403, f"this write was refused because it may come from another site: {why}.", request)
        limit = self._limit(request.url.path)
        if int_header(request.headers, "content-length") > limit:
            return problem(413, too_large(limit), request)
        if is_open(request.url.path):
            return None
        person = await self._person(token or cookie(request.headers))
        request.state.person = person
        return self._turn_away(request) if person is None else self._count(request, person)

    def _count(self, request: Request, person: Person) -> Response | None:
        """Too many requests, or None; what is left goes into the headers of the reply."""
        counted = self.limits.ask(person, request.method, request.url.path)
        request.state.rate = counted
        if counted is None or counted.allowed:
            return None
        said = f"'{person.name}' may send {counted.limit} requests a minute here. Wait {counted.wait_s} s, then go on."
        reply = problem(429, said, request, "too-many-requests")
        reply.headers.update(counted.headers)
        return reply

    async def _person(self, token: str | None) -> Person | None:
        return await to_thread.run_sync(self.doorkeeper.identify, token) if token else None

    def _turn_away(self, request: Request) -> Response:
        """A page visitor is shown the way in; a program gets a problem document."""
        page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
        if not page or request.url.path.startswith(("/api/", "/gradio_api/")):
            reply = problem(401, "sign in first, or send 'Authorization: Bearer TOKEN'.", request)
            reply.headers["www-authenticate"] = "Bearer"
            return reply
        ticket = self.welcome(request) if self.welcome else None
        if ticket:
            return RedirectResponse(request.url.path, 303, headers={"set-cookie": ticket})
        return RedirectResponse(f"/login?next={quote(request.url.path)}", 303)


def int_header(headers: Headers, name: str) -> int:
    """A header as a whole number; 0 when absent or not a number."""
    given = headers.get(name, "0")
    return int(given) if given.isdigit() else 0


def too_large(limit: int) -> str:
    """What to say about a body over the limit."""
    return f"the request is larger than {limit // 2**20} MB. For more, import a folder that is on the server."


def limited(receive: Receive, limit: int) -> Receive:
    """`receive` that counts the body and stops it at the limit, for senders that do not announce a length."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise HTTPException(413, too_large(limit))
        return message

    return counted


def with_headers(send: Send, more: Mapping[str, str] | None = None) -> Callable[[Message], Awaitable[None]]:
    """`send` that adds the security headers, and perhaps some more, to every reply."""

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in {**HEADERS, **(more or {})}.items():
                headers.setdefault(name, value)
        await send(message)

    return wrapped
