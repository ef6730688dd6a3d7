"""Pairwright from a program: a thin typed client of the REST interface. Needs httpx and nothing else of Pairwright.

    with Client("http://127.0.0.1:7860", token) as pairwright:
        for question in pairwright.claim("material"):
            pairwright.answer(question, ["same" if alike(question, one) else "different" for one in asked(question)])

A request that gets no reply, or is told to wait, is sent again with the same idempotency key: whatever happens to the
network or the server, it is done once. What comes back are plain dictionaries, typed in `app.client_shapes`.
"""

import base64
import json
import random
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self, cast

import httpx

from app.client_shapes import (
    AnswerOut,
    CollectionOut,
    CriterionOut,
    GroupOut,
    ItemOut,
    JobOut,
    Kind,
    LeaseOut,
    LoggedOut,
    MediaOut,
    NeighboursOut,
    ObservationOut,
    PersonOut,
    PlacementOut,
    ProgressOut,
    QualityOut,
    QuestionOut,
    SearchOut,
    SessionOut,
    UndoOut,
    Verdict,
    VerdictIn,
    VersionOut,
)

AGAIN = {429, 502, 503, 504}  # worth another try
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 10.0
FIRST_REPLY_S, MISSING_S = (
    10,
    60,
)  # silence after which an event stream is opened anew; the server sends something every 15 s


class Refused(Exception):
    """The server said no. status, type and errors are those of the problem document; str() is its sentence."""

    def __init__(self, status: int, detail: str, type: str = "", errors: Sequence[Mapping[str, str]] = ()) -> None:
        super().__init__(detail)
        self.status, self.type, self.errors = status, type, list(errors)


class Unreachable(Exception):
    """No reply, however often it was tried. A write may or may not have been done: send it again with the same key."""


class Client:
    """One installation, as the owner of a token sees it. tries: how often a request is sent before giving up."""

    def __init__(
        self,
        address: str,
        token: str,
        *,
        timeout_s: float = 30,
        tries: int = 6,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"authorization": f"Bearer {token}", "user-agent": "pairwright-client/1"}
        base = address.rstrip("/") + "/api/v1/"
        self._http = httpx.Client(base_url=base, headers=headers, timeout=timeout_s, transport=transport)
        self._tries = tries

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    # Questions and answers

    def claim(
        self,
        criterion: int | str,
        count: int = 1,
        *,
        kinds: Iterable[Kind] = (),
        tab: str = "",
        resume: bool = False,
        overlap: int = 1,
        lease_s: float = 180,
    ) -> list[QuestionOut]:
        """Lease up to `count` questions; nobody else gets them for `lease_s` seconds. Empty: ask again in a moment."""
        body = {
            "criterion": criterion, "count": count, "kinds": list(kinds), "tab": tab, "resume": resume,
            "overlap": overlap, "lease_s": lease_s,
        }  # fmt: skip
        return cast(list[QuestionOut], self.post("questions/claim", body)["questions"])

    def renew(self, question: QuestionOut, lease_s: float = 180) -> LeaseOut:
        """Keep a question longer. Raises Refused (409) when somebody else has it by now."""
        body = {"token": question["token"], "lease_s": lease_s}
        return cast(LeaseOut, self.post(f"questions/{question['id']}/renew", body))

    def release(self, question: QuestionOut) -> None:
        """Give a question back unanswered."""
        self.post(f"questions/{question['id']}/release", {"token": question["token"]})

    def answer(
        self,
        question: QuestionOut,
        verdicts: Sequence[Verdict | VerdictIn],
        *,
        seconds: float | None = None,
        key: str | None = None,
    ) -> AnswerOut:
        """One verdict for each of `asked(question)`, in order: a word, or a whole VerdictIn. Stored for good on return.

        key: idempotency key; give one of your own to be safe against this program's end, too.
        """
        about = asked(question)
        if len(about) != len(verdicts):
            raise ValueError(
                f"question {question['id']} needs {len(about)} verdicts, got {len(verdicts)}. See asked()."
            )
        said = [_verdict(question, item, one) for item, one in zip(about, verdicts, strict=True)]
        body = {"question": question["id"], "verdicts": said, "seconds": seconds, "lease": question["token"]}
        return cast(AnswerOut, self.post("answers", body, key=key))

    def undo(self, answer: int | AnswerOut) -> UndoOut:
        """Take an answer back."""
        said = answer if isinstance(answer, int) else answer["id"]
        return cast(UndoOut, self.post(f"answers/{said}/undo", {}, key=f"undo-{said}"))

    def answers(self, criterion: int | str, *, mine: bool = False) -> Iterator[LoggedOut]:
        """Standing answers, newest first."""
        return cast(Iterator[LoggedOut], self.pages("answers", "answers", "before", criterion=criterion, mine=mine))

    # What there is

    def me(self) -> PersonOut:
        """Whose token this is."""
        return cast(PersonOut, self.get("me"))

    def collections(self) -> Iterator[CollectionOut]:
        """Every collection, by name."""
        return cast(Iterator[CollectionOut], self.pages("collections", "collections", "after"))

    def criteria(self, collection: int | str | None = None) -> Iterator[CriterionOut]:
        """Every criterion, or those of one collection."""
        return cast(Iterator[CriterionOut], self.pages("criteria", "criteria", "after", collection=collection))

    def add_criterion(
        self, name: str, collection: int | str, prompt: str = "", captions: str = "", words: str = ""
    ) -> CriterionOut:
        """Say what "same" shall mean, or which column of captions is to be reviewed and who reads it; the very same one
        again is no change."""
        given = {"name": name, "collection": collection, "prompt": prompt, "captions": captions, "words": words}
        return cast(CriterionOut, self.post("criteria", {key: value for key, value in given.items() if value}))

    def items(self, collection: int | str) -> Iterator[ItemOut]:
        """Every item of a collection, by id."""
        return cast(Iterator[ItemOut], self.pages("items", "items", "after", collection=collection, limit=500))

    def item(self, id: int) -> ItemOut:
        """One item with its attributes."""
        return cast(ItemOut, self.get(f"items/{id}"))

    def neighbours(self, id: int, criterion: int | str, limit: int = 10) -> NeighboursOut:
        """What the serving version finds most alike."""
        return cast(NeighboursOut, self.get(f"items/{id}/neighbours", criterion=criterion, limit=limit))

    def picture(self, id: int, size: int = 512) -> bytes:
        """The picture of an item as WebP, its longer side at most 128, 256, 512 or 1024 pixels."""
        return self._send("GET", f"media/{id}", params={"size": size}).content

    def upload(
        self,
        collection: str,
        files: Iterable[Path | tuple[str, bytes]],
        metadata: str | None = None,
        *,
        packed: bool = False,
    ) -> JobOut:
        """Bring pictures (or one archive) into a collection; `wait` for the job. metadata: the manifest among them.
        packed: keep the pictures in few big files."""
        read = [(one.name, one.read_bytes()) if isinstance(one, Path) else one for one in files]
        form = {"collection": collection, "metadata": metadata or "", "packed": "true" if packed else ""}
        sent = [("files", one) for one in cast(list[tuple[str, bytes | BinaryIO]], read)]
        headers = {"idempotency-key": secrets.token_hex(16)}
        return cast(JobOut, self._send("POST", "imports", data=form, files=sent, headers=headers).json())

    def import_path(
        self,
        collection: str,
        path: Path | str,
        metadata: str | None = None,
        *,
        packed: bool = False,
        in_place: bool = False,
    ) -> JobOut:
        """Bring in a folder or archive that is on the server (admins only); `wait` for the job. packed: keep the
        pictures in few big files. in_place: leave them in the tar or Parquet files they lie in."""
        given = {"collection": collection, "path": str(path), "metadata": metadata}
        return cast(JobOut, self.post("imports", {**given, "packed": packed, "in_place": in_place}))

    # What has been learnt

    def export(self, table: str, criterion: int | str, to: Path, format: str | None = None) -> int:
        """Write pairs, groups, captions, embeddings or answers to a file; its number of rows. format: by its ending."""
        wanted = {"criterion": criterion, "format": format or to.suffix.lstrip(".")}
        reply = self._send("GET", f"exports/{table}", params=wanted)
        partial = to.with_name(f".{to.name}.partial")
        partial.write_bytes(reply.content)
        partial.replace(to)
        return int(reply.headers["x-rows"])

    def groups(self, criterion: int | str, items: int = 12) -> Iterator[GroupOut]:
        """Groups of the current partition, the largest first, each with its first items (up to 60)."""
        return cast(Iterator[GroupOut], self.pages("groups", "groups", "after", criterion=criterion, items=items))

    def versions(self, criterion: int | str) -> Iterator[VersionOut]:
        """Model versions, newest first."""
        return cast(Iterator[VersionOut], self.pages("versions", "versions", "before", criterion=criterion))

    def promote(self, version: int) -> VersionOut:
        """Let this version ask the questions."""
        return cast(VersionOut, self.post(f"versions/{version}/promote"))

    def progress(self, criterion: int | str) -> ProgressOut:
        """How far a criterion is."""
        return cast(ProgressOut, self.get("progress", criterion=criterion))

    def quality(self, criterion: int | str) -> QualityOut:
        """How good its groups are, as far as that was measured."""
        return cast(QualityOut, self.get("quality", criterion=criterion))

    def search(self, criterion: int | str, items: Sequence[int], **more: Any) -> SearchOut:
        """What looks like these items. more: liked, disliked, where, after, limit."""
        return cast(SearchOut, self.post("search", {"criterion": criterion, "items": list(items), **more}))

    # Sessions of robots

    def begin_session(
        self, criterion: int | str, name: str = "robot", *, ask_s: float = 4, wrong_s: float = 20,
        key: str | None = None,
    ) -> SessionOut:  # fmt: skip
        """Open a session. ask_s, wrong_s: what a question and a wrong bin cost a person, in seconds."""
        body = {"criterion": criterion, "name": name, "ask_s": ask_s, "wrong_s": wrong_s}
        return cast(SessionOut, self.post("sessions", body, key=key))

    def session(self, id: int) -> SessionOut:
        """A session with its state and the bins under its criterion."""
        return cast(SessionOut, self.get(f"sessions/{id}"))

    def sessions(self, criterion: int | str | None = None) -> Iterator[SessionOut]:
        """Sessions, newest first."""
        return cast(Iterator[SessionOut], self.pages("sessions", "sessions", "before", criterion=criterion))

    def pause_session(self, id: int) -> SessionOut:
        """Take nothing until it is resumed."""
        return cast(SessionOut, self.post(f"sessions/{id}/pause"))

    def resume_session(self, id: int) -> SessionOut:
        """Go on."""
        return cast(SessionOut, self.post(f"sessions/{id}/resume"))

    def close_session(self, id: int) -> SessionOut:
        """End it; what it taught stays."""
        return cast(SessionOut, self.post(f"sessions/{id}/close"))

    def see(
        self, session: int, image: bytes | None = None, *, item: int | None = None, object: str = "",
        seen_at: str | None = None, place: str = "", key: str | None = None,
    ) -> ObservationOut:  # fmt: skip
        """Show one look at a thing, a picture or an item; where it goes. object: what the robot calls it.

        key: idempotency key; give one of your own to be safe against this program's end, too.
        """
        shown = {"image": base64.b64encode(image).decode()} if image is not None else {"item": item}
        body = {**shown, "object": object, "seen_at": seen_at, "place": place}
        return cast(ObservationOut, self.post(f"sessions/{session}/observations", body, key=key))

    def put(
        self,
        seen: ObservationOut,
        bin: str | None,
        kind: Literal["placement", "correction", "abstention"] = "placement",
        *,
        key: str | None = None,
    ) -> PlacementOut:
        """Say into which bin a thing was put. kind: a correction, or an abstention without a bin."""
        body = {"observation": seen["id"], "kind": kind, "bin": bin}
        return cast(PlacementOut, self.post(f"sessions/{seen['session']}/placements", body, key=key))

    # Work in the background, and news

    def job(self, id: int) -> JobOut:
        """One job with its progress."""
        return cast(JobOut, self.get(f"jobs/{id}"))

    def wait(self, job: int | JobOut, timeout_s: float = 3600) -> JobOut:
        """Until a job has ended. Raises TimeoutError; the job goes on."""
        number = job if isinstance(job, int) else job["id"]
        until = time.monotonic() + timeout_s
        while (found := self.job(number))["status"] not in ("done", "failed", "cancelled"):
            if time.monotonic() > until:
                raise TimeoutError(f"job {number} is still {found['status']} ({found['progress']:.0%}). It goes on.")
            time.sleep(0.5)
        return found

    def events(self, after: int | None = None) -> Iterator[dict[str, Any]]:
        """Answers, training progress, promotions and jobs as they happen: {"id", "kind", ...}. Never ends by itself.

        after: id of the last event that was seen; those since then come first. A connection that breaks is opened anew
        where it stopped.
        """
        last, failed = after, 0
        while True:
            try:
                for event in self._listen(last):
                    last, failed = event["id"], 0
                    yield event
            except httpx.TransportError as error:
                failed += 1
                if failed >= self._tries:
                    raise Unreachable(f"no events from {self._http.base_url}: {error!r}.") from error
            time.sleep(_wait_s(failed))

    def _listen(self, last: int | None) -> Iterator[dict[str, Any]]:
        headers = {"accept": "text/event-stream", **({} if last is None else {"last-event-id": str(last)})}
        timeout = httpx.Timeout(FIRST_REPLY_S, read=MISSING_S)
        with self._http.stream("GET", "events", headers=headers, timeout=timeout) as reply:
            if reply.is_error:
                reply.read()
                raise _refused(reply)
            fields: dict[str, str] = {}
            for line in reply.iter_lines():
                name, _, value = line.partition(":")
                if line and name:
                    fields[name] = value.removeprefix(" ")
                elif not line and "data" in fields:
                    yield {**json.loads(fields["data"]), "id": int(fields["id"]), "kind": fields["event"]}
                    fields = {}

    # Every other route

    def get(self, path: str, **query: Any) -> Any:
        """GET a route below /api/v1/; query values that are None are left out."""
        return self._send("GET", path, params={key: one for key, one in query.items() if one is not None}).json()

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, key: str | None = None) -> Any:
        """POST to a route below /api/v1/, once however often it has to be sent."""
        headers = {"idempotency-key": key or secrets.token_hex(16)}
        reply = self._send("POST", path, json=dict(body or {}), headers=headers)
        return reply.json() if reply.content else None

    def pages(self, path: str, rows: str, key: str, **query: Any) -> Iterator[Any]:
        """Every row of a list that comes in pages, all of one state where that is told. key: after or before."""
        while True:
            page = self.get(path, **query)
            yield from page[rows]
            if page["next"] is None:
                return
            query |= {key: page["next"]} | ({"stand": page["stand"]} if "stand" in page else {})

    def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send until there is a reply that says more than "not now". Raises Refused, Unreachable."""
        for failed in range(1, self._tries + 1):
            try:
                reply = self._http.request(method, path, **request)
            except httpx.TransportError as error:
                if failed == self._tries:
                    raise Unreachable(f"no reply from {self._http.base_url}{path}: {error!r}.") from error
                time.sleep(_wait_s(failed))
                continue
            if not reply.is_error:
                return reply
            if reply.status_code not in AGAIN or failed == self._tries:
                raise _refused(reply)
            time.sleep(_asked_s(reply) or _wait_s(failed))
        raise Unreachable(f"tries must be at least 1, got {self._tries}.")


def asked(question: QuestionOut) -> list[MediaOut]:
    """What is asked about, beside the anchor: every candidate; of two groups to merge, one stands for all."""
    return question["candidates"][:1] if question["kind"] == "merge" else question["candidates"]


def _verdict(question: QuestionOut, item: MediaOut, said: Verdict | VerdictIn) -> VerdictIn:
    """A verdict about the anchor and this item."""
    if not isinstance(said, str):
        return said
    return {"a": question["anchor"]["id"], "b": item["id"], "verdict": said}


def _refused(reply: httpx.Response) -> Refused:
    try:
        problem = reply.json()
    except ValueError:
        problem = {}
    detail = problem.get("detail") or f"{reply.status_code} {reply.reason_phrase}"
    return Refused(reply.status_code, detail, problem.get("type", ""), problem.get("errors", ()))


def _wait_s(failed: int) -> float:
    """Seconds before the next try: twice as long each time, and never the same for two programs."""
    return min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**failed) * random.uniform(0.5, 1)


def _asked_s(reply: httpx.Response) -> float | None:
    """Seconds that the server asks to wait."""
    given = reply.headers.get("retry-after", "")
    return min(60.0, float(given)) if given.isdecimal() else None
