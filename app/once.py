"""Idempotency for every write over REST: with an Idempotency-Key, a request that is sent again is not done again.

Follows draft-ietf-httpapi-idempotency-key-header. Answers are not handled here: the log stores their key, in the same
transaction. For the rest the key is taken before the work and the reply kept after it, so that what a killed
server had finished but not yet replied to may be done once more; these writes are harmless when repeated or refuse it.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import problem
from db import replies
from db.engine import Database
from db.errors import PairwrightError
from db.replies import Reply

COVERED = "/api/v1/"
OWN = re.compile(
    r"/api/v1/(answers|sessions|synthetic|compare/grade|conflicts/answer|groups)(/|$)"
)  # keep the key themselves
SECRETS = re.compile(r"/api/v1/users(/\d+/(password|tokens))?$")
MOST = 256 * 1024  # a longer reply is not kept; none of ours is
Result = TypeVar("Result")


@dataclass
class Once:
    """ASGI middleware, inside the gate: it needs to know who asks."""

    app: ASGIApp
    database: Database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = _key(scope)
        if key is None:
            await self.app(scope, receive, send)
        else:
            await self._once(key, scope, receive, send)

    async def _once(self, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Reply as before, or do it and keep the reply."""
        request = Request(scope)
        source = request.state.person.name
        asked, receive = await _asked(scope, receive)
        try:
            known = await self._write(lambda s: replies.begin(s, source, key, asked))
        except PairwrightError as error:
            await problem(error.status, str(error), request, "idempotency-key")(scope, receive, send)
            return
        if known is not None:
            await _again(known, request)(scope, receive, send)
            return
        heard = _Heard(send)
        try:
            await self.app(scope, receive, heard)
        finally:
            kept = heard.reply(secret=bool(SECRETS.match(request.url.path)))
            await self._write(lambda s: replies.end(s, source, key, kept))

    async def _write(self, work: Callable[..., Result]) -> Result:
        def inside() -> Result:
            with self.database.write() as s:
                return work(s)

        return await to_thread.run_sync(inside)


def _key(scope: Scope) -> str | None:
    """The idempotency key of a write that is handled here, or None."""
    if scope["type"] != "http" or scope["method"] != "POST" or scope.get("state", {}).get("person") is None:
        return None
    path = scope["path"]
    if not path.startswith(COVERED) or OWN.match(path):
        return None
    return Headers(scope=scope).get("idempotency-key", "").strip() or None


async def _asked(scope: Scope, receive: Receive) -> tuple[str, Receive]:
    """SHA-256 of what is asked, and `receive` as if nothing had been read. An upload is known by its address alone."""
    hashed = hashlib.sha256(f"{scope['path']}?{scope['query_string'].decode('latin-1')}\n".encode())
    if not Headers(scope=scope).get("content-type", "").startswith("application/json"):
        return hashed.hexdigest(), receive
    read: list[Message] = []
    while not read or read[-1].get("more_body"):
        read.append(await receive())
        hashed.update(read[-1].get("body", b""))

    async def replayed() -> Message:
        return read.pop(0) if read else await receive()

    return hashed.hexdigest(), replayed


def _again(known: Reply, request: Request) -> Response:
    """The reply of the first time, marked as such."""
    if known.body is None:
        said = "this was done already, and what it replied was shown only then. Make a new one if it got lost."
        return problem(409, said, request, "shown-once")
    return Response(known.body, known.status, {"idempotency-replayed": "true"}, known.media_type)


class _Heard:
    """`send` that listens to the reply as it passes."""

    def __init__(self, send: Send) -> None:
        self.send, self.status, self.media_type, self.body = send, 500, "", bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            self.status, self.media_type = message["status"], headers.get("content-type", "")
            headers["idempotency-replayed"] = "false"
        elif message["type"] == "http.response.body" and len(self.body) <= MOST:
            self.body += message.get("body", b"")
        await self.send(message)

    def reply(self, *, secret: bool) -> Reply | None:
        """What to keep: a success, whole. A refusal is not kept, so that it can be corrected and sent again."""
        if not 200 <= self.status < 300 or len(self.body) > MOST:
            return None
        return Reply(self.status, self.media_type, None if secret else self.body.decode())
