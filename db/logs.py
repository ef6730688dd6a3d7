"""One log for every process of an installation, on standard error: lines to read, or one JSON object a line.

Every line of a request carries its id, and so does what the request caused in the same process.
"""

import logging
import os
import sys

import structlog

from db.errors import BadInput

VARIABLE = "PAIRWRIGHT_LOG"
STYLES = ("text", "json")
TEXT = "%(asctime)s %(levelname)s %(message)s"


def style() -> str:
    """How lines look, from the environment. Raises BadInput."""
    given = os.environ.get(VARIABLE, "") or STYLES[0]
    if given not in STYLES:
        raise BadInput(f"{VARIABLE} = {' or '.join(STYLES)} expected, got '{given}'.")
    return given


def begin(level: int = logging.INFO) -> None:
    """Send what Pairwright says to standard error; of the libraries, warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_json() if style() == "json" else logging.Formatter(TEXT))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("pairwright").setLevel(level)


def bind(**values: object) -> None:
    """What every following line of this request says, too."""
    structlog.contextvars.bind_contextvars(**values)


def unbind() -> None:
    """Forget it: the next request is another one."""
    structlog.contextvars.clear_contextvars()


def _json() -> logging.Formatter:
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper("iso", utc=True),
    ]
    last = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last)  # type: ignore[arg-type]
