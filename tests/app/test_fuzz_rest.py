"""Schemathesis over every documented route: whatever is sent, no reply is our fault, and each is as documented."""

import os
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.server import create_app
from app.settings import Settings
from db import users
from db.engine import Database
from db.errors import NotFound
from tests.app.conftest import Template, World
from tests.app.test_roles import WHO
from tests.app.test_versions import keep_snapshot

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ENDLESS = {("GET", "/api/v1/events")}
ROUTES = sorted(set(WHO) - ENDLESS)
EXAMPLES = settings(
    max_examples=int(os.environ.get("PAIRWRIGHT_FUZZ", "10")),  # of each route; 200 for a long look
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


@pytest.fixture(scope="module")
def fuzzed(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, object]]:
    """The database and schema of an installation that may be ruined."""
    folder = tmp_path_factory.mktemp("fuzzed") / "workspace"
    copytree(template.folder, folder)
    where = Settings(Path(folder), None, trainer=False, rate=0)
    database = where.open()
    app = create_app(where, database=database)
    keep_snapshot(
        World(where, database, app, template.items, template.criterion, template.questions, template.tokens), folder
    )
    yield database, schemathesis.openapi.from_asgi("/openapi.json", app)
    app.state.context.eye.stop()
    database.close()


def known(case: schemathesis.Case, id: int) -> None:
    """Make a request about something that is there, so that it reaches more than the first door."""
    real = {"criterion": "shape", "collection": "shapes", "id": id, "version": 1}
    for there in (case.path_parameters, case.query, case.body):
        if isinstance(there, dict):
            there.update({name: value for name, value in real.items() if name in there})


def token(database: Database, name: str) -> str:
    """A new one for every request: the one before may have been revoked, its owner turned away."""
    with database.write() as s:
        try:
            users.change(s, name, role=name, active=True)
        except NotFound:
            users.add(s, name, name)
        return users.issue_token(s, name, "fuzz")


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_no_request_breaks_it(fuzzed: tuple[Database, schemathesis.BaseSchema], method: str, path: str) -> None:
    database, schema = fuzzed
    operation = schema[path][method]
    role = "admin" if "admin" in operation.tags else "curator"  # a path on the server is for admins: not fuzzed

    @EXAMPLES
    @given(case=operation.as_strategy(), real=st.booleans(), id=st.integers(1, 6))
    def one(case: schemathesis.Case, real: bool, id: int) -> None:
        if real:
            known(case, id)
        case.call_and_validate(headers={"authorization": f"Bearer {token(database, role)}"}, checks=CHECKS)

    one()
