"""Collections and criteria: what there is, and what "same" means."""

from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from app.api.context import Curator, Here, Viewer
from app.api.paging import After, cut
from app.api.shapes import CollectionIn, CollectionOut, CollectionsOut, CriteriaOut, CriterionIn, CriterionOut, Which
from app.reading import checked_words
from db import audit, catalog

router = APIRouter(tags=["catalog"])
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/collections")
def collections(here: Here, _: Viewer, after: After = 0, limit: Limit = 1000) -> CollectionsOut:
    """Collections with their number of items, by name."""
    with here.database.read() as s:
        found, following = cut(catalog.collections(s, after, limit + 1), limit)
        shown = [_collection(one, catalog.credit(s, one.id)) for one in found]
    return CollectionsOut(collections=shown, next=following)


@router.post("/collections", status_code=201)
def add_collection(here: Here, _: Curator, given: CollectionIn) -> CollectionOut:
    """A new, empty collection; one that exists is returned as it is."""
    with here.database.write() as s:
        new = catalog.add_collection(s, given.name)
        return next(_collection(one) for one in catalog.collections(s) if one.id == new)


def _collection(one: catalog.Collection, credit: str = "") -> CollectionOut:
    return CollectionOut(id=one.id, name=one.name, items=one.items, created_at=one.created_at, credit=credit)


@router.get("/criteria")
def criteria(
    here: Here, _: Viewer, collection: Which | None = None, after: After = 0, limit: Limit = 1000
) -> CriteriaOut:
    """Every criterion, or those of one collection."""
    with here.database.read() as s:
        about = catalog.collection_id(s, collection) if isinstance(collection, str) else collection
        found, following = cut(catalog.criteria(s, about, after, limit + 1), limit)
    return CriteriaOut(criteria=[_criterion(one) for one in found], next=following)


@router.post("/criteria", status_code=201)
def add_criterion(here: Here, person: Curator, given: CriterionIn) -> CriterionOut:
    """A new criterion; the very same one again is no change, another one of that name is a conflict."""
    with here.database.write() as s:
        about = given.collection if isinstance(given.collection, int) else catalog.collection_id(s, given.collection)
        prompt = given.prompt or (catalog.CAPTION_PROMPT if given.captions else "")
        new = catalog.criterion(s, _added(s, given, about, prompt))
        audit.note(s, person.name, "add criterion", new.name, prompt=new.prompt)
        return _criterion(new)


def _added(s: Session, given: CriterionIn, about: int, prompt: str) -> int:
    return catalog.add_criterion(s, given.name, about, prompt, given.captions, checked_words(given.words))


def _criterion(one: catalog.Criterion) -> CriterionOut:
    return CriterionOut(
        id=one.id, name=one.name, collection=one.collection, prompt=one.prompt, captions=one.captions, words=one.words
    )
