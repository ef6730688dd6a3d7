"""Every REST route, gathered in one router."""

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException

from app.api import (
    admin,
    answers,
    backups,
    catalog,
    chosen,
    compare,
    conflicts,
    dropped,
    events,
    exports,
    group_answers,
    groups,
    health,
    imports,
    items,
    maps,
    progress,
    quality,
    questions,
    refresh,
    search,
    sessions,
    synthetic,
    versions,
)

PREFIX = "/api/v1"
PARTS = (
    health,
    chosen,  # before those that take anything for an id
    questions,
    answers,
    items,
    groups,
    group_answers,
    versions,
    catalog,
    imports,
    exports,
    progress,
    dropped,
    quality,
    compare,
    conflicts,
    refresh,
    admin,
    backups,
    maps,
    search,
    sessions,
    synthetic,
    events,
)


def install(app: FastAPI) -> None:
    """Hang every route on the app; health and metrics also where load balancers and Prometheus look for them."""
    api = APIRouter(prefix=PREFIX)
    for part in PARTS:
        api.include_router(part.router)
    app.include_router(api)
    app.add_api_route("/healthz", health.healthz, include_in_schema=False)
    app.add_api_route("/readyz", health.readyz, include_in_schema=False, response_model=None)
    app.add_api_route("/metrics", health.metrics, include_in_schema=False)
    app.add_api_route("/media/{id}", items.media, include_in_schema=False)
    app.add_api_route(
        "/api/{rest:path}", _nothing, methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False
    )


def _nothing(rest: str) -> None:
    raise HTTPException(404, "there is no such route, or not with this method. /openapi.json lists them all.")
