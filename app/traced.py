"""Every request gets an id, a line in the log and a place in the histogram of durations.

The id of `X-Request-ID` is kept where it is plain, so that a request can be followed through a proxy; the reply carries
it. What is logged: id, who, method, route (never the query: it may hold what people look for), status and
milliseconds.
"""

import logging
import re
import time
import uuid
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.health import Counters
from db import logs

HEADER = "x-request-id"
PLAIN = re.compile(r"[A-Za-z0-9._-]{1,64}")
QUIET = ("/ui/", "/assets/", "/static/", "/healthz", "/readyz", "/api/v1/media/", "/api/v1/healthz", "/api/v1/readyz")
logger = logging.getLogger("pairwright.requests")


@dataclass
class Traced:
    """ASGI middleware, the outermost: what the gate refuses is seen, too."""

    app: ASGIApp
    counters: Counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request, began, status = _id(scope), time.perf_counter(), 500
        logs.bind(request=request)

        async def heard(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = request
            await send(message)

        try:
            await self.app(scope, receive, heard)
        finally:
            self._note(scope, status, time.perf_counter() - began)
            logs.unbind()

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = _route(scope)
        if not route.endswith("/events"):  # a stream lasts as long as somebody looks
            self.counters.requests.labels(scope["method"], route, f"{status // 100}xx").observe(seconds)
        if scope["path"].startswith(QUIET) and status < 500:
            return
        person = scope.get("state", {}).get("person")
        told = {"person": getattr(person, "name", None), "method": scope["method"], "route": route, "status": status}
        level = logging.WARNING if status >= 500 else logging.INFO
        said = f"{scope['method']} {route} {status} in {1000 * seconds:.0f} ms"
        logger.log(level, said, extra={**told, "ms": round(1000 * seconds, 1)})


def _id(scope: Scope) -> str:
    """The sender's id where it is plain, else one of our own."""
    given = Headers(scope=scope).get(HEADER, "")
    return given if PLAIN.fullmatch(given) else uuid.uuid4().hex


def _route(scope: Scope) -> str:
    """The route as it was declared, so that ids do not make a name each; "other" for what has none."""
    if "endpoint" not in scope:
        return "other"
    names = {str(value): f"{{{name}}}" for name, value in scope.get("path_params", {}).items()}
    return "/".join(names.get(part, part) for part in scope["path"].split("/"))
