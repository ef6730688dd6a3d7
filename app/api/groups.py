"""Reading groups: pages of groups, pages of one group's items, the evidence for two of them."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query

from app.api import views
from app.api.context import Context, Here, PathId, Viewer
from app.api.group_shapes import (
    EvidenceOut,
    GroupNameOut,
    GroupOut,
    GroupsOut,
    LinkOut,
    MemberIdsOut,
    MemberOut,
    MembersOut,
)
from app.api.looking import Look, look
from app.api.shapes import Id, Which
from app.partition import Partition
from db import catalog, feedback, group_names
from db.errors import NotFound
from db.nouns import Item, Statement
from oracle.constraints import Implied
from oracle.evidence import Pair, pair_of

router = APIRouter(prefix="/groups", tags=["groups"])
Stand = Annotated[str | None, Query(max_length=40)]


@router.get("")
def groups(
    here: Here,
    _: Viewer,
    criterion: Which,
    sort: Literal["size", "confirmed", "doubt"] = "size",
    after: Annotated[int, Query(ge=0, le=2**53 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    items: Annotated[int, Query(ge=1, le=60)] = 12,
    stand: Stand = None,
) -> GroupsOut:
    """Groups, each with its first items. sort: largest, least confirmed, or most doubtful first; ties by size."""
    seen = look(here, criterion, stand)
    found = seen.partition
    order = _order(seen, sort)
    page = order[after : after + limit]
    return GroupsOut(
        groups=_described(here, seen, page, items),
        next=after + limit if after + limit < len(order) else None,
        stand=found.stand,
        fresh=seen.fresh,
        job=seen.job,
        total=len(order),
        items=len(found.order),
    )


def _order(seen: Look, sort: str) -> np.ndarray:
    found = seen.partition
    if sort == "confirmed":
        return np.argsort(seen.told.groups / found.sizes, kind="stable")
    return np.argsort(-found.doubt, kind="stable") if sort == "doubt" else np.arange(len(found.sizes))


def _described(here: Context, seen: Look, page: np.ndarray, items: int) -> list[GroupOut]:
    found = seen.partition
    shown = {int(group): found.members(int(group))[:items].tolist() for group in page}
    with here.database.read() as s:
        known = catalog.items_by_id(s, sorted(item for some in shown.values() for item in some))
        named = names_by_group(s, seen)
    return [
        GroupOut(
            id=int(found.numbers[group]), anchor=some[0], size=int(found.sizes[group]),
            confirmed=int(seen.told.groups[group]), doubt=_known(1 - found.doubt[group], 1), names=named.get(group, []),
            items=[views.media(known[item]) for item in some if item in known],
        )
        for group, some in shown.items()
    ]  # fmt: skip


def _known(sure: float, minus: int = 0) -> float | None:
    """A chance, or with minus=1 the doubt it leaves; None where no answer tells."""
    return round(float(minus - sure if minus else sure), 4) if sure > 0 else None


def names_by_group(s: Any, seen: Look) -> dict[int, list[GroupNameOut]]:
    """Names of every group that has some, the newest first."""
    found: dict[int, list[GroupNameOut]] = {}
    for one in reversed(group_names.names(s, seen.about).values()):
        group = seen.partition.group_of(one.item)
        if group is not None:
            found.setdefault(group, []).append(GroupNameOut(id=one.id, item=one.item, name=one.name, source=one.source))
    return found


@router.get("/of/{id}")
def members(
    here: Here,
    _: Viewer,
    id: PathId,
    criterion: Which,
    after: Annotated[int, Query(ge=0, le=2**53 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    stand: Stand = None,
) -> MembersOut:
    """Items of the group that holds an item, page by page, the surest first."""
    seen = look(here, criterion, stand)
    found = seen.partition
    group = _group_of(found, id)
    rows = found.order[found.starts[group] : found.starts[group + 1]][after : after + limit]
    with here.database.read() as s:
        known = catalog.items_by_id(s, found.snapshot.ids[rows].tolist())
    return MembersOut(
        group=_described(here, seen, np.array([group]), 9)[0],
        members=[
            MemberOut(
                **views.media(known[item]).model_dump(), confirmed=bool(seen.told.rows[row]),
                sure=_known(found.sure[row]),
            )
            for row, item in zip(rows.tolist(), found.snapshot.ids[rows].tolist(), strict=True) if item in known
        ],
        next=after + limit if after + limit < int(found.sizes[group]) else None,
        stand=found.stand, fresh=seen.fresh, job=seen.job,
    )  # fmt: skip


@router.get("/of/{id}/ids")
def ids(here: Here, _: Viewer, id: PathId, criterion: Which, stand: Stand = None) -> MemberIdsOut:
    """All items of the group that holds an item, the surest first: ids alone, to say something about each of them."""
    found = look(here, criterion, stand).partition
    return MemberIdsOut(ids=found.members(_group_of(found, id)).tolist(), stand=found.stand)


def _group_of(found: Partition, item: int) -> int:
    group = found.group_of(item)
    if group is None:
        raise NotFound(f"the model has not seen item {item} yet. Try again when the trainer has looked at it.")
    return group


@router.get("/evidence")
def evidence(
    here: Here, _: Viewer, criterion: Which, a: Annotated[Id, Query()], b: Annotated[Id, Query()]
) -> EvidenceOut:
    """Why two items are together or apart: the chain of answers between them, or that there is none."""
    seen = look(here, criterion)
    found, rows = seen.partition, [seen.partition.snapshot.position.get(item) for item in (a, b)]
    if rows[0] is None or rows[1] is None or a == b:
        raise NotFound("choose two different pictures that the model has seen.")
    implied = seen.told.graph.implied(a, b)
    with here.database.read() as s:
        links = _chain(s, seen.told.said, _walked(implied, a)) if implied else []
        known = catalog.items_by_id(s, [a, b])
    vectors = found.snapshot.vectors
    return EvidenceOut(
        a=views.media(known[a]), b=views.media(known[b]), chain=links,
        verdict=implied.verdict if implied else None, confidence=implied.confidence if implied else None,
        cosine=round(float(vectors[rows[0]] @ vectors[rows[1]]), 4),
        together=bool(found.place[rows[0]] == found.place[rows[1]]),
    )  # fmt: skip


def _walked(implied: Implied, a: int) -> list[tuple[int, int, int]]:
    """(answer, from, to) of every link, in walking order from a."""
    found = []
    for answer, (one, other) in zip(implied.chain, implied.links, strict=True):
        here, there = (one, other) if one == a else (other, one)
        found.append((answer, here, there))
        a = there
    return found


def _chain(s: Any, said: Sequence[Statement], links: Sequence[tuple[int, int, int]]) -> list[LinkOut]:
    """Links with their pictures, who said them and when."""
    items: dict[int, Item] = catalog.items_by_id(s, sorted({item for link in links for item in link[1:]}))
    wanted: set[tuple[int, Pair]] = {(answer, pair_of(one, other)) for answer, one, other in links}
    told = {key: one for one in said if (key := (one.answer, pair_of(one.a, one.b))) in wanted}
    when = feedback.times(s, sorted({answer for answer, _, _ in links}))
    found = []
    for answer, one, other in links:
        statement = told[answer, pair_of(one, other)]
        found.append(
            LinkOut(
                a=views.media(items[one]), b=views.media(items[other]), verdict=statement.verdict, answer=answer,
                source=statement.source, at=when[answer],
            )
        )  # fmt: skip
    return found
