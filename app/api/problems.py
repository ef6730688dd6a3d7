"""Errors as RFC 9457 problem documents: one sentence a person can act on, one status a program can branch on."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from app.auth import SignIn
from db.errors import BadInput, Broken, Conflict, Forbidden, NotFound, PairwrightError, StaleLease

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "Bad request",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    422: "Bad input",
    429: "Too many requests",
    500: "Our fault",
    503: "Not available now",
}
SLUGS = {
    NotFound: "not-found",
    BadInput: "bad-input",
    Forbidden: "forbidden",
    StaleLease: "stale-lease",
    Conflict: "conflict",
    Broken: "broken",
}
logger = logging.getLogger("pairwright.api")


def problem(status: int, detail: str, request: Request | None = None, slug: str = "", **more: object) -> JSONResponse:
    """A problem document. `slug` names the kind of error; programs compare `type`, people read `detail`."""
    body: dict[str, object] = {
        "type": f"urn:pairwright:problem:{slug}" if slug else "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
    }
    if request is not None:
        body["instance"] = request.url.path
    return JSONResponse({**body, **more}, status, media_type=MEDIA_TYPE)


def _ours(request: Request, error: Exception) -> JSONResponse:
    """An error of our own tree; its message is already written for the reader."""
    assert isinstance(error, PairwrightError)
    slug = next((slug for kind, slug in SLUGS.items() if isinstance(error, kind)), "refused")
    if error.status >= 500:
        logger.error("%s %s: %s", request.method, request.url.path, error)
    return problem(error.status, str(error), request, slug)


def _sign_in(request: Request, error: Exception) -> JSONResponse:
    reply = problem(401, str(error), request, "sign-in")
    reply.headers["www-authenticate"] = "Bearer"
    return reply


def _malformed(request: Request, error: Exception) -> JSONResponse:
    """A request that does not have the documented shape: says which field, never echoes what was sent."""
    assert isinstance(error, RequestValidationError)
    fields = [
        {"field": ".".join(str(part) for part in one["loc"][1:]) or str(one["loc"][0]), "reason": one["msg"]}
        for one in error.errors()
    ]
    first = fields[0] if fields else {"field": "body", "reason": "not readable"}
    return problem(422, f"{first['field']}: {first['reason']}.", request, "bad-input", errors=fields)


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    reply = problem(error.status_code, str(error.detail), request)
    reply.headers.update(error.headers or {})
    return reply


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    """Anything else is our fault: the log has the traceback, the reply has none of it."""
    logger.exception("%s %s", request.method, request.url.path, exc_info=error)
    return problem(500, "something broke on our side; the server's log says what. Nothing was half-written.", request)


def install(app: FastAPI) -> None:
    """Make every error of this app a problem document."""
    app.add_exception_handler(PairwrightError, _ours)
    app.add_exception_handler(SignIn, _sign_in)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)
