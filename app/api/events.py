"""Server-sent events: what happened, to every open page, from one reader of the database."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated

import anyio
from fastapi import APIRouter, Header
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from app.api.context import Here, Viewer
from db import events
from db.engine import Database
from db.errors import Broken

router = APIRouter(tags=["events"])
LOOK_S = 0.2
BEHIND = 1000  # events a slow page may lag before it is cut off; it reconnects and catches up
PING_S = 15
GRACE_S = 2.0


@dataclass
class Hub:
    """One task reads new events and hands them to every page. It reads only while somebody listens."""

    database: Database
    _queues: set[asyncio.Queue[events.Event | None]] = field(default_factory=set)
    _task: asyncio.Task[None] | None = None
    closing: bool = False

    def _join(self) -> asyncio.Queue[events.Event | None]:
        queue: asyncio.Queue[events.Event | None] = asyncio.Queue(BEHIND)
        self._queues.add(queue)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._read())
        return queue

    async def listen(self, after: int | None) -> AsyncIterator[events.Event]:
        """Events as they happen; with `after`, first those that came since then."""
        queue = self._join()
        seen = await run_in_threadpool(self._latest) if after is None else after
        try:
            while not self.closing:
                for event in await self._missed(seen) if after is not None else []:
                    yield event
                    seen = event.id
                after = None
                told = await queue.get()
                if told is None:
                    return
                if told.id > seen:
                    yield told
                    seen = told.id
        finally:
            self._queues.discard(queue)

    async def _missed(self, after: int) -> list[events.Event]:
        return await run_in_threadpool(self._since, after, BEHIND)

    def _latest(self) -> int:
        with self.database.read() as s:
            return events.latest(s)

    def _since(self, after: int, limit: int) -> list[events.Event]:
        with self.database.read() as s:
            return events.since(s, after, limit)

    async def _read(self) -> None:
        """Poll while anybody listens. A database that is away for a while only delays the news."""
        seen: int | None = None
        while self._queues and not self.closing:
            try:
                seen = await run_in_threadpool(self._latest) if seen is None else seen
                for event in await run_in_threadpool(self._since, seen, 200):
                    self._tell(event)
                    seen = event.id
            except Broken:
                pass
            await asyncio.sleep(LOOK_S)

    def _tell(self, event: events.Event | None) -> None:
        for queue in list(self._queues):
            try:
                queue.put_nowait(event)
            except asyncio.QueueFull:
                self._queues.discard(queue)
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(None)

    async def close(self) -> None:
        """End every stream, so that the server can stop at once."""
        self.closing = True
        self._tell(None)
        if self._task is not None:
            self._task.cancel()


@router.get("/events", response_class=EventSourceResponse)
async def stream(
    here: Here, _: Viewer, last: Annotated[str | None, Header(alias="Last-Event-ID", max_length=20)] = None
) -> EventSourceResponse:
    """Answers, training progress, promotions and jobs as they happen. Reconnecting continues where it stopped."""
    after = int(last) if last and last.isdecimal() else None

    async def lines() -> AsyncIterator[ServerSentEvent]:
        async for event in here.hub.listen(after):
            body = {**event.payload, "criterion": event.criterion, "at": event.created_at.isoformat()}
            yield ServerSentEvent(json.dumps(body), event=event.kind, id=str(event.id), retry=1000)

    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    # When the server stops, `Hub.close` ends every stream properly; only what hangs longer is cut.
    return EventSourceResponse(
        lines(), ping=PING_S, headers=headers, shutdown_event=anyio.Event(), shutdown_grace_period=GRACE_S
    )
