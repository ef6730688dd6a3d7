"""Server-sent events: one reader, many listeners, and nothing missed over a reconnect."""

import asyncio

import pytest

from app.api.events import Hub
from db import events
from tests.app.conftest import World

pytestmark = pytest.mark.anyio


def tell(world: World, count: int) -> None:
    """Publish some training steps."""
    with world.database.write() as s:
        for step in range(count):
            events.publish(s, "training", {"step": step}, world.criterion)


async def hear(hub: Hub, count: int, after: int | None) -> list[int]:
    """The steps of the next `count` events."""
    heard: list[int] = []
    async for event in hub.listen(after):
        heard.append(event.payload["step"])
        if len(heard) == count:
            break
    return heard


async def test_every_listener_hears_what_happens_in_order(world: World) -> None:
    hub = Hub(world.database)
    listeners = [asyncio.create_task(hear(hub, 5, None)) for _ in range(3)]
    await asyncio.sleep(0.5)  # they are listening by now; events before that are not theirs
    await asyncio.to_thread(tell, world, 5)
    assert await asyncio.wait_for(asyncio.gather(*listeners), 20) == [[0, 1, 2, 3, 4]] * 3
    await hub.close()


async def test_a_page_that_reconnects_hears_what_it_missed(world: World) -> None:
    tell(world, 4)
    with world.database.read() as s:
        first = events.since(s, 0)[0].id
    hub = Hub(world.database)
    assert await asyncio.wait_for(hear(hub, 3, first), 20) == [1, 2, 3]
    await hub.close()


async def test_closing_ends_every_stream(world: World) -> None:
    hub = Hub(world.database)
    listener = asyncio.create_task(hear(hub, 1, None))
    await asyncio.sleep(0.3)
    await hub.close()
    assert await asyncio.wait_for(listener, 20) == []
