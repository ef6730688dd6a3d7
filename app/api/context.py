"""What every route needs: the database, the workspace, the child processes. Hung on the FastAPI app once."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Path, Request

from app.auth import Doorkeeper, Person, need
from app.settings import Settings
from db.engine import Database

if TYPE_CHECKING:
    from app.api.events import Hub
    from app.api.health import Counters
    from app.children import Comparer, Importer, Keeper, Mapper, Measurer, Refresher, Trainer
    from app.eye import Eye
    from app.partitions import Partitions
    from app.sorters import Sorters


@dataclass(frozen=True)
class Context:
    """The composition root's parts, as the routes see them."""

    settings: Settings
    database: Database
    doorkeeper: Doorkeeper
    hub: "Hub"
    counters: "Counters"
    trainer: "Trainer"
    importer: "Importer"
    measurer: "Measurer"
    comparer: "Comparer"
    refresher: "Refresher"
    mapper: "Mapper"
    keeper: "Keeper"
    eye: "Eye"
    partitions: "Partitions"
    sorters: "Sorters"


def context(request: Request) -> Context:
    """The parts of the app this request arrived at."""
    found: Context = request.app.state.context
    return found


Here = Annotated[Context, Depends(context)]
Viewer = Annotated[Person, Depends(need("viewer"))]
Annotator = Annotated[Person, Depends(need("annotator"))]
Curator = Annotated[Person, Depends(need("curator"))]
Admin = Annotated[Person, Depends(need("admin"))]
PathId = Annotated[int, Path(ge=1, le=2**53 - 1)]
