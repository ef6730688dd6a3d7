"""Where this installation keeps its things, and how big a request may be. Read once, at the door.

Every field can come from the environment as PAIRWRIGHT_<FIELD>, or, where it is secret, from the file that
PAIRWRIGHT_<FIELD>_FILE names; an argument wins over the environment.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from db.errors import BadInput

if TYPE_CHECKING:
    from db.artifacts import ArtifactStore
    from db.engine import Database

DEFAULT_WORKSPACE = "workspace"
DEFAULT_UPLOAD_MB = 2048
DEFAULT_RATE = 12_000  # requests a minute of one caller: no person comes near it, no program starves the others


def _environment(name: str, default: str) -> str:
    """The value of PAIRWRIGHT_<NAME>, or what is in its file, or the default where both are unset or empty."""
    variable = f"PAIRWRIGHT_{name}"
    return os.environ.get(variable, "") or _from_file(f"{variable}_FILE") or default


def _from_file(variable: str) -> str:
    """What the file that this variable names holds. Raises BadInput where it cannot be read."""
    name = os.environ.get(variable, "")
    try:
        return Path(name).expanduser().read_text(encoding="utf-8").strip() if name else ""
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise BadInput(f"{variable} must name a file that can be read, got '{name}' ({why}).") from error


def _megabytes(given: str) -> int:
    """A positive whole number of megabytes, or an error that names the variable."""
    if not given.isdigit() or int(given) < 1:
        raise BadInput(f"PAIRWRIGHT_UPLOAD_MB must be a whole number of megabytes above 0, got '{given}'.")
    return int(given)


def _number(name: str, given: float | None, default: str) -> float:
    """A number that is not negative, from the environment where nothing was given."""
    text = _environment(name.upper(), default) if given is None else str(given)
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < 1e6:
        raise BadInput(f"{name} must be a number that is not negative, got '{text}'.")
    return found


def _engine(wanted: str) -> str:
    """The name of a search engine, or "auto"."""
    from oracle import plugins

    known = ["auto", *plugins.names("trainer.engines")]
    if wanted not in known:
        raise BadInput(f"PAIRWRIGHT_SEARCH must be one of {', '.join(known)}, got '{wanted}'.")
    return wanted


@dataclass(frozen=True)
class Settings:
    """One installation.

    workspace: folder with media, thumbnails, artifacts and (by default) the database.
    database_url: sqlite:///... or postgresql+psycopg://...; None: SQLite in the workspace.
    upload_mb: largest request body; a bigger one is refused with 413.
    trainer: start the trainer as a child of `serve`; off when it runs on another machine.
    training: KEY=VALUE texts that say how it trains, see `trainer.choices`.
    rate: requests a minute of one caller over REST, 0 for no limit; a faster one is told to wait with 429.
    refresh_every: answers after which the trainer asks for a deep refresh; 0: only people do.
    backup_every: hours between two backups; 0: only people make them. backup_keep: how many of them stay.
    search: engine that searches collections too large to compare all items, "auto" for what fits.
    """

    workspace: Path | None = None
    database_url: str | None = None
    upload_mb: int | None = None
    trainer: bool = True
    training: tuple[str, ...] = ()
    refresh_every: int | None = None
    rate: int | None = None
    backup_every: float | None = None
    backup_keep: int | None = None
    search: str = ""

    def __post_init__(self) -> None:
        folder = Path(self.workspace or _environment("WORKSPACE", DEFAULT_WORKSPACE)).expanduser().absolute()
        url = self.database_url or _environment("DATABASE_URL", f"sqlite:///{folder / 'pairwright.sqlite'}")
        limit = self.upload_mb or _megabytes(_environment("UPLOAD_MB", str(DEFAULT_UPLOAD_MB)))
        every = _environment("REFRESH_EVERY", "0") if self.refresh_every is None else str(self.refresh_every)
        if not every.isdigit():
            raise BadInput(f"refresh_every must be a whole number of answers, 0 for never, got '{every}'.")
        object.__setattr__(self, "refresh_every", int(every))
        rate = _environment("RATE", str(DEFAULT_RATE)) if self.rate is None else str(self.rate)
        if not rate.isdigit():
            raise BadInput(
                f"PAIRWRIGHT_RATE must be a whole number of requests a minute, 0 for no limit, got '{rate}'."
            )
        object.__setattr__(self, "rate", int(rate))
        object.__setattr__(self, "backup_every", _number("backup_every", self.backup_every, "0"))
        object.__setattr__(self, "backup_keep", int(_number("backup_keep", self.backup_keep, "7")))
        object.__setattr__(self, "search", _engine(self.search or _environment("SEARCH", "auto")))
        object.__setattr__(self, "workspace", folder)
        object.__setattr__(self, "database_url", url)
        object.__setattr__(self, "upload_mb", limit)

    @property
    def folder(self) -> Path:
        """The workspace as an absolute path, never None."""
        return Path(self.workspace or DEFAULT_WORKSPACE)

    @property
    def url(self) -> str:
        """The address of the database, never None."""
        return str(self.database_url)

    @property
    def backups(self) -> Path:
        """Where backups are: PAIRWRIGHT_BACKUPS, better on another disk, or a folder of the workspace."""
        return Path(_environment("BACKUPS", str(self.folder / "backups"))).expanduser().absolute()

    @property
    def artifacts(self) -> str:
        """Where models and maps are: PAIRWRIGHT_ARTIFACTS, a folder or s3://bucket/folder; else in the workspace."""
        return _environment("ARTIFACTS", str(self.folder / "artifacts"))

    def store(self) -> "ArtifactStore":
        """Models and maps; of a store elsewhere the workspace keeps copies. Raises Broken where it cannot be opened."""
        from db.artifacts import ArtifactStore

        return ArtifactStore(self.artifacts, cache=self.folder / "artifacts")

    @property
    def proxies(self) -> str:
        """Addresses of the proxies whose X-Forwarded headers are believed: PAIRWRIGHT_PROXIES, separated by commas."""
        return _environment("PROXIES", "127.0.0.1,::1")

    @property
    def upload_bytes(self) -> int:
        """Largest accepted request body in bytes."""
        return int(self.upload_mb or DEFAULT_UPLOAD_MB) * 1024 * 1024

    @property
    def per_minute(self) -> int:
        """Requests a minute that one caller may send over REST; 0: as many as they like."""
        return DEFAULT_RATE if self.rate is None else self.rate

    def open(self) -> "Database":
        """The database, migrated to today's tables. Creates the workspace.

        Raises: Broken when the folder cannot be made or the database cannot be reached.
        """
        from db.engine import open_database

        self.make_workspace()
        return open_database(self.url)

    def make_workspace(self) -> None:
        """Create the workspace folder; it and what is in it belong to this user alone."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise BadInput(f"workspace must be a folder, got '{self.folder}', which is a file.") from error
        except PermissionError as error:
            raise BadInput(f"no permission to create the workspace '{self.folder}'. Choose another folder.") from error
