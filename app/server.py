"""The web process, put together: FastAPI owns sign-in, REST, pictures and events; Gradio draws the page at "/"."""

import asyncio
import contextlib
import os
import socket
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI, Request
from starlette.middleware.cors import CORSMiddleware
from starlette.staticfiles import StaticFiles

from app import login
from app.api import openapi, problems, routes
from app.api.context import Context
from app.api.events import Hub
from app.api.health import Counters
from app.auth import Doorkeeper
from app.children import Comparer, Importer, Keeper, Mapper, Measurer, Refresher, Trainer
from app.eye import Eye
from app.gate import Gate
from app.limits import Limits
from app.maps import store_of
from app.once import Once
from app.partitions import Partitions
from app.settings import Settings
from app.sorters import Sorters
from app.traced import Traced
from db import logs, users
from db.engine import Database
from db.errors import Conflict, Refused

ADMIN = "admin"
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - compared with, not bound to
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")
Welcome = Callable[[Request], str | None]


def create_app(settings: Settings, *, welcome: Welcome | None = None, database: Database | None = None) -> FastAPI:
    """The whole app, ready to be served. Children start with its lifespan.

    welcome: signs a visitor in by itself (a Set-Cookie value) or returns None.
    """
    database = database or settings.open()
    doorkeeper = Doorkeeper(database)
    eye = Eye(settings)
    here = Context(
        settings=settings,
        database=database,
        doorkeeper=doorkeeper,
        hub=Hub(database),
        counters=Counters(),
        trainer=Trainer(settings),
        importer=Importer(settings, database),
        measurer=Measurer(settings, database),
        comparer=Comparer(settings, database),
        refresher=Refresher(settings, database),
        mapper=Mapper(settings, database),
        keeper=Keeper(settings, database),
        eye=eye,
        partitions=Partitions(store_of(settings)),
        sorters=Sorters(settings, database, eye),
    )
    app = FastAPI(
        title="Pairwright",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        version="1",
        generate_unique_id_function=openapi.operation_id,
    )
    app.state.context = here
    problems.install(app)
    openapi.install(app)
    routes.install(app)
    app.include_router(login.router)
    in_a_loop(lambda: mount_page(app))
    app.add_middleware(Once, database=database)
    # No other origin may read anything; having our own keeps Gradio from adding its own, which reflects any origin.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    app.add_middleware(
        Gate, doorkeeper=doorkeeper, limit=settings.upload_bytes, limits=Limits(settings.per_minute), welcome=welcome
    )
    app.add_middleware(Traced, counters=here.counters)
    return app


def in_a_loop(build: Callable[[], None]) -> None:
    """Run `build` inside an event loop: outside one, Gradio opens four of its own and never closes them."""

    async def inside() -> None:
        build()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(inside())
    else:
        build()


def mount_page(app: FastAPI) -> None:
    """Hang our static files at /ui and the Gradio page at "/". Gradio may serve no file of this machine."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio as gr

    from app import pages
    from app.components import STATIC, head

    app.mount("/ui", StaticFiles(directory=STATIC), name="ui")
    gr.mount_gradio_app(
        app,
        pages.build(),
        path="/",
        auth_dependency=_person_name,
        footer_links=[],
        run_history=False,
        show_error=False,
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        max_file_size="1kb",
        theme=pages.theme(),
        head=head(),
    )


def _person_name(request: Request) -> str | None:
    """Whom Gradio believes it serves; the gate has already looked."""
    person = getattr(request.state, "person", None)
    return person.name if person is not None else None


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Start the children with the app, stop them with it."""
    here: Context = app.state.context
    here.importer.start()
    here.measurer.start()
    here.comparer.start()
    here.mapper.start()
    here.keeper.start()
    if here.settings.trainer:
        here.refresher.start()
        here.trainer.start()
    try:
        yield
    finally:
        await here.hub.close()
        here.importer.stop()
        here.measurer.stop()
        here.comparer.stop()
        here.mapper.stop()
        here.keeper.stop()
        here.eye.stop()
        here.refresher.stop()
        here.trainer.stop()
        here.database.close()


def first_admin(database: Database) -> str | None:
    """On the first start, create the admin; returns the generated password, to be shown this once."""
    with contextlib.suppress(Conflict), database.write() as s:  # Conflict: a process that starts beside us was first
        return None if users.users(s) else users.add(s, ADMIN, "admin")
    return None


@dataclass(frozen=True)
class LocalWelcome:
    """Signs a browser on this very machine in, for the demo. Never through a proxy, never under another host name."""

    token: str

    def __call__(self, request: Request) -> str | None:
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
        peer = request.client.host if request.client else ""
        proxied = any(name in request.headers for name in FORWARDED)
        if peer not in LOOPBACK or host not in LOOPBACK or proxied:
            return None
        return login.ticket(self.token, secure=False)


def _local_welcome(database: Database) -> LocalWelcome:
    """A welcome as the first active admin."""
    with database.write() as s:
        name = next((one.name for one in users.users(s) if one.role == "admin" and one.active), None)
        if name is None:
            raise Refused("nobody is an admin here, so nobody can be signed in. Add one with: pairwright users add.")
        return LocalWelcome(users.issue_token(s, name, "signed in by itself on this machine"))


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises Refused with one sentence when the port is taken or the host is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, or asyncio leaves Nagle's delay on: 40 ms on every reply.
    door = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
        door.listen(128)
    except OSError as error:
        door.close()
        raise Refused(f"cannot listen on {host}:{port} ({error.strerror}). Choose another with --port.") from error
    door.set_inheritable(False)
    return door


def serve(
    settings: Settings, host: str = "127.0.0.1", port: int = 7860, open_browser: bool = False, auto_login: bool = False
) -> None:
    """Serve until Ctrl-C or SIGTERM: one web process, and its trainer beside it.

    auto_login: sign a browser on this machine in by itself (the demo). Raises Refused when the port is taken.
    """
    logs.begin()
    door = listen(host, port)
    database = settings.open()
    password = first_admin(database)
    if password:
        print(f"\nFirst start: sign in as '{ADMIN}' with the password  {password}\nIt is shown only now.\n", flush=True)
    welcome = _local_welcome(database) if auto_login else None
    app = create_app(settings, welcome=welcome, database=database)
    shown = "127.0.0.1" if host in EVERYWHERE else host
    address = f"http://{f'[{shown}]' if ':' in shown else shown}:{door.getsockname()[1]}"
    _run(app, door, address, open_browser)


def _run(app: FastAPI, door: socket.socket, address: str, open_browser: bool) -> None:
    """Run uvicorn on an open socket, say where it is once it answers."""

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                print(f"Pairwright is at {address} (Ctrl-C stops it)", flush=True)
                if open_browser:
                    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            await app.state.context.hub.close()
            await super().shutdown(sockets)

    with contextlib.suppress(KeyboardInterrupt), door:
        Server(configured(app)).run(sockets=[door])


def configured(app: FastAPI) -> uvicorn.Config:
    """How uvicorn serves the app."""
    return uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=3, ws="none",
        forwarded_allow_ips=app.state.context.settings.proxies,
    )  # fmt: skip
