"""Addresses in a manifest: none unless allowed, never one inside a network, never more than the limits."""

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

import pytest

from app.importers import addresses
from app.importers.stores import EntryFault
from db.errors import BadInput
from tests.importers.conftest import Desk, Paint

# Networks that are not the open internet (IANA's registries of special addresses), each by one address of it.
INSIDE = [
    "0.0.0.1", "10.1.2.3", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.9.9.9", "169.254.169.254", "172.16.0.1",
    "172.31.255.254", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.254", "198.18.0.1",
    "198.19.255.254", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2001:db8::1",
    "2002:7f00:1::", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1", "::127.0.0.1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
]  # fmt: skip
SPELLED = ["http://127.1/", "http://2130706433/", "http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://[::1]/"]
PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111"]


def named(monkeypatch: pytest.MonkeyPatch, *found: str) -> None:
    """Every name has these addresses."""
    family = {ip: socket.AF_INET6 if ":" in ip else socket.AF_INET for ip in found}
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, port, *_, **__: [(family[ip], 1, 6, "", (ip, port)) for ip in found]
    )


@pytest.mark.parametrize("ip", INSIDE)
def test_no_address_inside_a_network_is_fetched(ip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not addresses.is_public(ip)
    named(monkeypatch, "8.8.8.8", ip)  # one that is public beside it does not help
    with pytest.raises(EntryFault, match="not on the open internet"):
        addresses.fetch("http://pictures.example/a.png", 100)


@pytest.mark.parametrize("url", SPELLED)
def test_no_spelling_of_this_machine_is_fetched(url: str) -> None:
    with pytest.raises(EntryFault):
        addresses.checked(url)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://h/x", "gopher://h/", "http:///x", "http://u:p@h/", "http://h:x/"]
)
def test_only_plain_web_addresses_are_taken(url: str) -> None:
    with pytest.raises(EntryFault):
        addresses.checked(url)


@pytest.mark.parametrize("ip", PUBLIC)
def test_the_open_internet_is_public(ip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, ip)
    assert addresses.checked("https://pictures.example/a.png") == ("pictures.example", ip)


class Site(BaseHTTPRequestHandler):
    """A small web server; `hosts` hears under which names it was asked."""

    picture: ClassVar[bytes] = b""
    hosts: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        Site.hosts.append(self.headers["host"])
        if self.path == "/a.png":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(Site.picture)
        elif self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("location", self.path.removeprefix("/to/"))
            self.end_headers()
        else:
            self.send_error(404)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, paint: Paint) -> Iterator[str]:
    """Its address under a made-up name; this machine passes for public, 10.0.0.1 does not."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    Thread(target=server.serve_forever, daemon=True).start()
    Site.picture, Site.hosts = paint(5), []
    monkeypatch.setattr(addresses, "is_public", lambda ip: ip == "127.0.0.1")
    named(monkeypatch, "127.0.0.1")
    yield f"http://pictures.example:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_picture_comes_by_the_checked_address_under_its_own_name(site: str) -> None:
    assert addresses.fetch(f"{site}/a.png", 10**6) == Site.picture
    assert Site.hosts == [site.removeprefix("http://")]
    assert len(addresses.fetch(f"{site}/a.png", 10)) == 11


def test_a_redirect_is_followed_and_checked_like_the_first_address(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert addresses.fetch(f"{site}/to//a.png", 10**6) == Site.picture
    before = socket.getaddrinfo
    inner = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 80))]
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *a, **k: inner if host == "inner" else before(host, *a, **k)
    )
    with pytest.raises(EntryFault, match="'inner' is not on the open internet"):
        addresses.fetch(f"{site}/to/http://inner/latest/meta-data", 10**6)
    with pytest.raises(EntryFault, match="does not begin with http"):
        addresses.fetch(f"{site}/to/file:///etc/passwd", 10**6)
    with pytest.raises(EntryFault, match="replies 404"):
        addresses.fetch(f"{site}/none", 10**6)


def test_redirects_end(site: str) -> None:
    with pytest.raises(EntryFault, match="more than 4 times"):
        addresses.fetch(f"{site}{5 * '/to/'}/a.png", 10**6)


def test_a_manifest_with_addresses_is_imported_only_where_that_is_allowed(
    desk: Desk, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = desk.put("list.csv", f"id,path\none,{site}/a.png\ntwo,{site}/none\n".encode())
    monkeypatch.delenv(addresses.VARIABLE, raising=False)
    report = desk.run(manifest)
    assert report.added == 0 and all("PAIRWRIGHT_ADDRESSES=1" in why for _, why in report.skipped)
    assert Site.hosts == []
    monkeypatch.setenv(addresses.VARIABLE, "1")
    report = desk.run(manifest)
    assert report.added == 1 and [name for name, _ in report.skipped] == ["two"]
    assert [item.name for item in desk.items()] == ["one"]
    monkeypatch.setenv(addresses.VARIABLE, "perhaps")
    with pytest.raises(BadInput, match="PAIRWRIGHT_ADDRESSES = 1 or 0 expected, got 'perhaps'"):
        desk.run(manifest)
