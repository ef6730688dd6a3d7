"""Pictures behind an http address in a manifest: off unless allowed, and then only from the open internet.

The name is looked up once, every address it has must be public, and the connection goes to the one that was checked: a
name that changes its mind in between leads nowhere. Each redirect is checked like the first address. No proxy, no
credentials, no cookie; size and time have limits.
"""

import ipaddress
import os
import socket
import time
from collections.abc import Callable
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

import httpx

from app.importers.stores import EntryFault
from db.errors import BadInput

VARIABLE = "PAIRWRIGHT_ADDRESSES"
SCHEMES = ("http", "https")
REDIRECTS, SECONDS, DOWNLOAD_S, WAIT_S = 4, 60.0, 7200.0, 10.0
# Special networks that Python's ipaddress takes for public: IETF protocols, 6to4 relays, site-local, local NAT64.
SPECIAL = [ipaddress.ip_network(one) for one in ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10", "64:ff9b:1::/48")]
EMBEDDED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96"))  # an IPv4 address in the last bits
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_address(path: str) -> bool:
    """Whether a manifest's path is an address of the web."""
    return path.lower().startswith(("http://", "https://"))


def allowed() -> bool:
    """Whether this installation fetches addresses. Raises BadInput."""
    given = os.environ.get(VARIABLE, "").strip().lower()
    if given not in ("", "0", "1"):
        raise BadInput(f"{VARIABLE} = 1 or 0 expected, got '{given}'. 1 lets imports fetch pictures from the internet.")
    return given == "1"


def fetch(url: str, limit: int) -> bytes:
    """Up to limit + 1 bytes behind an address. Raises EntryFault."""
    body = bytearray()
    _receive(url, limit, SECONDS, "image/*", body.extend)
    return bytes(body[: limit + 1])


def download(url: str, file: BinaryIO, limit: int) -> None:
    """Write what is behind an address to a file. Raises EntryFault, also where there is more than `limit`."""
    if _receive(url, limit, DOWNLOAD_S, "*/*", file.write) > limit:
        raise EntryFault(f"there is more than {limit // 1024**3} GB behind its address")


def _receive(url: str, limit: int, seconds: float, accept: str, take: Callable[[bytes], object]) -> int:
    """Hand over what is behind an address, block by block, until it is more than the limit; returns how many bytes."""
    until = time.monotonic() + seconds
    for _ in range(REDIRECTS + 1):
        host, ip = checked(url)
        try:
            with (
                httpx.Client(transport=_Pinned(host, ip), trust_env=False, timeout=WAIT_S) as client,
                client.stream("GET", url, headers={"accept": accept}) as reply,
            ):
                if not reply.is_redirect:
                    return _body(reply, limit, until, take)
                url = urljoin(url, reply.headers["location"])
        except httpx.HTTPError as error:
            raise EntryFault(f"'{host}' does not give it ({type(error).__name__})") from error
    raise EntryFault(f"its address is redirected more than {REDIRECTS} times")


def checked(url: str) -> tuple[str, str]:
    """(host, the public address to connect to). Raises EntryFault for anything that is not on the open internet."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise EntryFault(f"its address cannot be read ({error})") from error
    if parts.scheme not in SCHEMES or not host:
        raise EntryFault("its address does not begin with http:// or https:// and a host")
    if parts.username is not None or parts.password is not None:
        raise EntryFault("its address holds a name or password")
    try:
        found = socket.getaddrinfo(host, port or parts.scheme, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise EntryFault(f"there is no host '{host[:80]}'") from error
    addresses = [str(one[4][0]).partition("%")[0] for one in found]
    if not addresses or not all(is_public(one) for one in addresses):
        raise EntryFault(f"'{host[:80]}' is not on the open internet, and nothing else is fetched")
    return host, addresses[0]


def is_public(address: str) -> bool:
    """Whether an IP address is one that anybody can reach; so must be one that it only wraps."""
    ip: Address | None = ipaddress.ip_address(address)
    while ip is not None:
        if not ip.is_global or ip.is_multicast or ip.is_reserved or any(ip in network for network in SPECIAL):
            return False
        ip = _wrapped(ip)
    return True


def _wrapped(ip: Address) -> Address | None:
    """The IPv4 address inside an IPv6 one: mapped, 6to4, Teredo, NAT64; None where there is none."""
    if ip.version == 4:
        return None
    if any(ip in network for network in EMBEDDED):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)


class _Pinned(httpx.HTTPTransport):
    """Connects to the address that was checked; certificate and Host stay those of the name."""

    def __init__(self, host: str, ip: str) -> None:
        super().__init__(trust_env=False)
        self.host, self.ip = host, ip

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(host=self.ip)
        request.extensions = {**request.extensions, "sni_hostname": self.host}
        return super().handle_request(request)


def _body(reply: httpx.Response, limit: int, until: float, take: Callable[[bytes], object]) -> int:
    if reply.status_code != 200:
        raise EntryFault(f"its address replies {reply.status_code}")
    count = 0
    for block in reply.iter_bytes():
        take(block)
        count += len(block)
        if count > limit:
            break
        if time.monotonic() > until:
            raise EntryFault("its address takes too long")
    return count
