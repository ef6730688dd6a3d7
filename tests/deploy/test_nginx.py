"""deploy/nginx.conf, run by nginx before two web processes: TLS, cookies, events, uploads, and a door that is shut."""

import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from app.client import Client
from app.server import configured, create_app, listen
from db import audit
from db.engine import open_database
from tests.app.conftest import World, template, world
from tests.app.test_gate import PASSWORD

__all__ = ["template", "world"]
CONFIG = Path(__file__).parents[2] / "deploy" / "nginx.conf"
pytestmark = pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is missing")


@dataclass
class Door:
    """One web process, here a thread. seen: paths that were asked for."""

    world: World
    port: int = 0
    seen: list[str] = field(default_factory=list)

    @contextmanager
    def open(self) -> Iterator["Door"]:
        database = open_database(self.world.settings.url)
        app = create_app(self.world.settings, database=database)
        config = configured(app)

        async def noted(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                self.seen.append(scope["path"])
            await app(scope, receive, send)

        config.app = noted
        self.server = uvicorn.Server(config)
        with listen("127.0.0.1", 0) as socket:
            self.port = socket.getsockname()[1]
            thread = threading.Thread(target=self.server.run, kwargs={"sockets": [socket]})
            thread.start()
            until(lambda: self.server.started)
            yield self
            self.shut()
            thread.join()

    def shut(self) -> None:
        self.server.should_exit = True


def until(true: Any) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.02)


def certificate(folder: Path) -> None:
    """A certificate of 127.0.0.1 by itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pairwright")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    host = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = made.add_extension(host, critical=False).sign(key, hashes.SHA256())
    (folder / "pairwright.crt").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "pairwright.key").write_bytes(key.private_bytes(*plain))


def free_port() -> int:
    with listen("127.0.0.1", 0) as socket:
        return int(socket.getsockname()[1])


@dataclass
class Site:
    address: str
    plain: str
    trust: ssl.SSLContext
    doors: list[Door]

    def browser(self) -> httpx.Client:
        return httpx.Client(base_url=self.address, verify=self.trust, timeout=30, headers={"origin": self.address})


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[Site]:
    certificate(tmp_path)
    plain, tls = free_port(), free_port()
    with Door(world).open() as one, Door(world).open() as other:
        changes = {
            "listen 80;": f"listen 127.0.0.1:{plain};", "listen 443 ssl;": f"listen 127.0.0.1:{tls} ssl;",
            "/etc/ssl": str(tmp_path), ":7861": f":{one.port}", ":7862": f":{other.port}",
        }  # fmt: skip
        text = CONFIG.read_text()
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"{kind}_temp_path {tmp_path / kind};\n" for kind in kinds)
        (tmp_path / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {tmp_path}/pid; error_log {tmp_path}/error.log;\n"
            f"events {{}}\nhttp {{\naccess_log off;\n{temporary}{text}}}\n"
        )
        nginx = subprocess.Popen(["nginx", "-e", str(tmp_path / "error.log"), "-c", str(tmp_path / "nginx.conf")])
        trust = ssl.create_default_context(cafile=str(tmp_path / "pairwright.crt"))
        made = Site(f"https://127.0.0.1:{tls}", f"http://127.0.0.1:{plain}", trust, [one, other])
        try:
            until(lambda: answers(made) or nginx.poll() is not None)
            assert nginx.poll() is None, (tmp_path / "error.log").read_text()
            yield made
        finally:
            nginx.terminate()
            nginx.wait()


def answers(site: Site) -> bool:
    try:
        return httpx.get(site.plain, timeout=5).status_code == 301
    except httpx.TransportError:
        return False


def test_a_browser_and_a_program_are_served_through_nginx_and_go_on_when_a_door_shuts(site: Site, world: World) -> None:
    assert httpx.get(f"{site.plain}/login").headers["location"] == "https://127.0.0.1/login"
    with site.browser() as browser:
        wrong = {"name": "admin", "password": "a wrong guess"}
        refused = browser.post("/login", data=wrong, headers={"x-forwarded-for": "203.0.113.9"})
        assert refused.status_code == 403
        with world.database.read() as s:
            assert audit.page(s, limit=1)[0].target == "127.0.0.1", "what a visitor says of himself is not believed"
        entered = browser.post("/login", data={"name": "admin", "password": PASSWORD, "next": "/"})
        assert entered.status_code == 303 and "; Secure" in entered.headers["set-cookie"]
        for door in site.doors:
            door.seen.clear()
        assert "gradio" in browser.get("/").text
        for _ in range(5):
            assert browser.get("/api/v1/me").json()["name"] == "admin"
        assert sorted(len(door.seen) for door in site.doors) == [0, 6], "one door for one browser"
        large = browser.post("/api/v1/imports", files={"files": ("a.bin", bytes(3 * 2**20))})
        assert large.headers["content-type"].startswith("application/") and large.status_code != 413
        hear_an_answer(site, world)
        mine = next(door for door in site.doors if "/api/v1/me" in door.seen)
        mine.shut()
        until(lambda: not mine.server.started or mine.server.should_exit)
        until(lambda: browser.get("/api/v1/me").status_code == 200 and "/api/v1/me" in other_of(site, mine).seen)
        assert browser.post("/logout").status_code == 303, "a write from our own page, whose port counts"


def other_of(site: Site, door: Door) -> Door:
    return next(one for one in site.doors if one is not door)


def hear_an_answer(site: Site, world: World) -> None:
    """An event that a program waits for comes through at once, whichever door the answer took."""
    with (
        Client(site.address, world.tokens["viewer"], transport=httpx.HTTPTransport(verify=site.trust)) as listener,
        Client(site.address, world.tokens["annotator"], transport=httpx.HTTPTransport(verify=site.trust)) as person,
    ):
        heard: list[Any] = []
        thread = threading.Thread(target=lambda: heard.append(next(listener.events(after=0))), daemon=True)
        thread.start()
        until(lambda: any("/api/v1/events" in door.seen for door in site.doors))
        (question,) = person.claim("shape", kinds=["pair"])
        said = person.answer(question, ["same"])
        thread.join(20)
        assert heard and heard[0]["answer"] == said["id"]
