"""Annotators as programs: they claim and answer over REST from threads, and send again what got no reply."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from app.client import Client, Unreachable, asked
from app.settings import Settings
from db import users
from db.engine import Database
from db.tables import AnswerRow

Truth = Callable[[int, int], str]


def tokens(database: Database, count: int) -> list[str]:
    """An admin, so that the server makes none, and tokens of so many new annotators."""
    with database.write() as s:
        users.add(s, "admin", "admin")
        for number in range(count):
            users.add(s, f"annotator {number}", "annotator")
        return [users.issue_token(s, f"annotator {number}", "test") for number in range(count)]


@dataclass
class Annotator:
    """Claims and answers until told to stop; what got no reply is sent again with its key, to the next address.

    said: key -> question and acknowledgement. overlap: how many may answer one question.
    """

    name: str
    token: str
    addresses: Sequence[str]
    stopping: threading.Event
    overlap: int = 1
    truth: Truth = lambda a, b: "same"
    said: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    turn: int = 0
    pause_s: float = 0.02

    def work(self) -> None:
        with self.doors() as doors:
            while not self.stopping.is_set():
                for question in self.until_heard(doors, self.claim) or []:
                    key = f"{self.name} {question['id']}"
                    heard = self.until_heard(doors, lambda door, q=question, k=key: self.answer(door, q, k))
                    if heard is not None:
                        self.said[key] = question, heard
                self.stopping.wait(self.pause_s)

    @contextmanager
    def doors(self) -> Iterator[list[Client]]:
        """One client for each address."""
        tries = 2 if len(self.addresses) == 1 else 1
        with ExitStack() as opened:
            yield [
                opened.enter_context(Client(address, self.token, tries=tries, timeout_s=10))
                for address in self.addresses
            ]

    def until_heard(self, doors: list[Client], send: Callable[[Client], Any]) -> Any:
        """One door after the other, until there is a reply."""
        while not self.stopping.is_set():
            self.turn += 1
            try:
                return send(doors[self.turn % len(doors)])
            except Unreachable:
                time.sleep(0.05)
        return None

    def claim(self, door: Client) -> Any:
        return door.claim("kind", overlap=self.overlap, resume=self.overlap > 1)

    def answer(self, door: Client, question: Any, key: str) -> Any:
        first = question["anchor"]["id"]
        return door.answer(question, [self.truth(first, one["id"]) for one in asked(question)], key=key)

    def said_again(self, address: str) -> dict[str, Any]:
        """Every acknowledged answer once more with its key, and what comes back at this address."""
        with Client(address, self.token) as client:
            return {key: self.answer(client, question, key) for key, (question, _) in self.said.items()}


@contextmanager
def at_work(all_: Sequence[Annotator]) -> Iterator[None]:
    """Everybody answers for the length of a `with`."""
    threads = [threading.Thread(target=one.work) for one in all_]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        all_[0].stopping.set()
        for thread in threads:
            thread.join()


def wait_for_more(all_: Sequence[Annotator], count: int) -> None:
    """Until so many more answers are acknowledged."""
    wanted, end = heard(all_) + count, time.monotonic() + 300
    while heard(all_) < wanted:
        assert time.monotonic() < end, "the clients do not get through again"
        time.sleep(0.005)


def heard(all_: Sequence[Annotator]) -> int:
    return sum(len(one.said) for one in all_)


def acknowledged(all_: Sequence[Annotator]) -> dict[str, Any]:
    """key -> acknowledgement."""
    return {key: answer for one in all_ for key, (_, answer) in one.said.items()}


def log(settings: Settings) -> list[AnswerRow]:
    """Every answer that is stored."""
    with closing(settings.open()) as database, database.read() as s:
        return list(s.scalars(select(AnswerRow)))
