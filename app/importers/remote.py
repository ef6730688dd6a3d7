"""Sources behind an address: an object store by fsspec, or one file of the web. Off unless addresses are allowed.

The web goes through `addresses` (public hosts only, each redirect checked again). Of fsspec only object stores are
taken, by their own names and without chains: nothing that reads this machine's files or its network.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from app.importers import addresses
from app.importers.stores import EntryFault, Store
from db.errors import BadInput

STORES = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "hf", "memory")
MAX_BYTES = 20 * 1024**3  # of one file that is fetched whole: an archive, a manifest, a video


def is_remote(path: str) -> bool:
    """Whether a source is an address and no path."""
    return "://" in path


@contextmanager
def fetched(url: str) -> Iterator[Path | Store]:
    """The store behind an address, or the file once it is here, for the length of a `with`. Raises BadInput."""
    if not addresses.allowed():
        raise BadInput(f"sources behind an address are off. Set {addresses.VARIABLE}=1 to allow them.")
    with tempfile.TemporaryDirectory(prefix="pairwright-") as folder:
        if addresses.is_address(url):
            yield _from_web(url, Path(folder))
        else:
            yield _from_store(url, Path(folder))


def _from_web(url: str, folder: Path) -> Path:
    target = folder / _name(urlsplit(url).path)
    try:
        with target.open("wb") as file:
            addresses.download(url, file, MAX_BYTES)
    except EntryFault as fault:
        raise BadInput(f"the address cannot be fetched: {fault}.") from fault
    return target


def _from_store(url: str, folder: Path) -> "Path | RemoteStore":
    scheme = url.partition("://")[0].lower()
    if scheme not in STORES or "::" in url:
        known = ", ".join(f"{one}://" for one in (*STORES, *addresses.SCHEMES))
        raise BadInput(f"an address of {known} expected, got '{url[:120]}'. Chains of addresses are not taken.")
    files, root = _opened(url)
    with _explained(url):
        if not files.isfile(root):
            return RemoteStore(files, root)
        if files.size(root) > MAX_BYTES:
            raise BadInput(f"'{url[:120]}' is larger than {MAX_BYTES // 1024**3} GB. Split it.")
        target = folder / _name(root)
        files.get_file(root, str(target))
    return target


def _opened(url: str) -> tuple[Any, str]:
    import fsspec

    try:
        files, root = fsspec.url_to_fs(url)
    except ImportError as error:
        raise BadInput(f"{url.partition(':')[0]}:// needs a package that is missing ({error}).") from error
    except Exception as error:  # each store has errors of its own
        raise BadInput(f"'{url[:120]}' cannot be opened ({type(error).__name__}: {error}).") from error
    return files, str(root)


@contextmanager
def _explained(url: str) -> Iterator[None]:
    try:
        yield
    except BadInput:
        raise
    except Exception as error:  # each store has errors of its own
        raise BadInput(f"'{url[:120]}' cannot be read ({type(error).__name__}: {str(error)[:160]}).") from error


def _name(path: str) -> str:
    """A plain file name with the ending of the path."""
    name = PurePosixPath(path).name
    return "".join(letter for letter in name if letter.isalnum() or letter in "._-").lstrip(".")[-120:] or "file"


class RemoteStore:
    """Files below one folder of an object store, listed once and read one by one."""

    def __init__(self, files: Any, root: str) -> None:
        self._files, self._root = files, root.rstrip("/")
        self.faults: list[tuple[str, str]] = []
        found = (str(one) for one in files.find(self._root))
        inside = (one.removeprefix(f"{self._root}/") for one in found if one.startswith(f"{self._root}/"))
        self.names = sorted(one for one in inside if not any(p.startswith(".") for p in one.split("/")))
        if not self.names:
            raise BadInput("there is nothing behind the address. Check bucket, folder and permissions.")

    def read(self, name: str, limit: int) -> bytes:
        if name not in self._there:
            raise EntryFault("there is no such file behind the address")
        try:
            with self._files.open(f"{self._root}/{name}", "rb") as file:
                return bytes(file.read(limit + 1))
        except Exception as error:  # each store has errors of its own
            raise EntryFault(f"the store does not give it ({type(error).__name__})") from error

    @property
    def _there(self) -> set[str]:
        if not hasattr(self, "_known"):
            self._known = set(self.names)
        return self._known

    def close(self) -> None: ...
