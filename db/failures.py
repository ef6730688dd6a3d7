"""What the databases say when something breaks, as one sentence a person can act on."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from db.errors import BadInput, Broken, Conflict, PairwrightError

_SAFE = "Nothing of this change is saved"
_FULL = f"the disk of the database is full. {_SAFE}; free some space and try again."
_BUSY = f"the database stayed busy with other writers for too long. {_SAFE}; try again."
_CORRUPT = "the database file is damaged or not a database. Restore the latest backup."
_READ_ONLY = "the database file cannot be written. Check its owner and permissions."
_NO_FILE = "the database file cannot be opened. Check that its folder exists and may be written."
_SCHEMA = "the database lacks a table or column. Run the migrations: python -m db.migrate upgrade --database-url URL."
_GONE = (
    "the database cannot be reached or dropped the connection. Check that it runs, then send the same request again."
)
_DEADLOCK = f"two writers waited for each other. {_SAFE}; try again."

# First match wins; SQLite speaks in words, PostgreSQL in SQLSTATE codes.
_WORDS = (
    ("disk is full", _FULL),
    ("no space left", _FULL),
    ("disk i/o error", "the disk of the database failed to read or write. Check the disk, then try again."),
    ("database is locked", _BUSY),
    ("table is locked", _BUSY),
    ("readonly database", _READ_ONLY),
    ("unable to open database", _NO_FILE),
    ("malformed", _CORRUPT),
    ("file is not a database", _CORRUPT),
    ("no such table", _SCHEMA),
    ("no such column", _SCHEMA),
)
_STATES = (
    ("53100", _FULL),
    ("53300", "the database has no free connection left. Raise max_connections or run fewer processes."),
    ("40P01", _DEADLOCK),
    ("40001", _DEADLOCK),
    ("55P03", _BUSY),
    ("57014", _BUSY),
    ("42P01", _SCHEMA),
    ("42703", _SCHEMA),
    ("28", "the database refused the user name or password. Correct the database URL."),
    ("3D000", "the database named in the URL does not exist. Create it or correct the URL."),
    ("XX", _CORRUPT),
)


def sentence(error: exc.SQLAlchemyError) -> PairwrightError:
    """The error of our tree for one of SQLAlchemy's; the original stays its cause."""
    if isinstance(error, exc.TimeoutError):
        return Broken(f"every database connection is in use. {_SAFE}; try again.")
    original = getattr(error, "orig", None)
    words, state = str(original or error).lower(), str(getattr(original, "sqlstate", None) or "")
    if isinstance(error, exc.IntegrityError):
        return Conflict(f"somebody else changed the same row first ({_first_line(original)}). Reload and try again.")
    if isinstance(error, exc.DataError):
        return BadInput(f"the database cannot hold a given value ({_first_line(original)}). Correct the value.")
    known = [said for code, said in _STATES if state and state.startswith(code)]
    known += [said for word, said in _WORDS if word in words]
    if isinstance(error, exc.DBAPIError) and not known and (error.connection_invalidated or _is_network(state, words)):
        known = [_GONE]
    return Broken(known[0] if known else f"the database failed: {_first_line(original or error)}. {_SAFE}; try again.")


def _is_network(state: str, words: str) -> bool:
    return state[:2] in {"08", "57"} or any(
        word in words for word in ("connect", "server closed", "terminat", "timeout")
    )


def _first_line(error: object) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0][:200]


@contextmanager
def explained() -> Iterator[None]:
    """Errors of the driver leave the block as one sentence (Broken, Conflict or BadInput)."""
    try:
        yield
    except exc.StatementError as error:
        if isinstance(error, exc.DBAPIError):
            raise sentence(error) from error
        raise
    except exc.TimeoutError as error:
        raise sentence(error) from error
