"""Replies by idempotency key, on both databases: taken once, kept for a day, taken over from the dead."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from db import replies, users
from db.errors import Conflict
from db.replies import Reply
from db.tables import ReplyRow

ASKED, OTHER = "0" * 64, "1" * 64


def begin(database, request=ASKED, source="ann"):
    with database.write() as s:
        return replies.begin(s, source, "k", request)


def age(database, seconds):
    with database.write() as s:
        s.execute(update(ReplyRow).values(created_at=ReplyRow.created_at - seconds))


def test_a_kept_reply_comes_back(database):
    assert begin(database) is None
    reply = Reply(201, "application/json", "{}")
    with database.write() as s:
        replies.end(s, "ann", "k", reply)
    assert begin(database) == reply and begin(database, source="bob") is None
    with pytest.raises(Conflict, match="another request"):
        begin(database, OTHER)


def test_a_forgotten_key_can_be_used_again(database):
    begin(database)
    with database.write() as s:
        replies.end(s, "ann", "k", None)
    assert begin(database, OTHER) is None


def test_a_request_whose_process_died_is_taken_over_after_a_minute(database):
    assert begin(database) is None
    with pytest.raises(Conflict, match="still being worked on"):
        begin(database)
    age(database, replies.AT_WORK_S + 1)
    assert begin(database) is None
    with pytest.raises(Conflict, match="still being worked on"):
        begin(database)


def test_a_key_is_forgotten_after_a_day(database):
    begin(database)
    age(database, replies.KEPT_S + 1)
    assert begin(database, OTHER) is None


def test_of_many_at_once_one_gets_the_key(database):
    def attempt(_):
        try:
            return begin(database)
        except Conflict:
            return "taken"

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(attempt, range(8)))
    assert sorted(map(str, found)) == ["None"] + ["taken"] * 7


def test_scopes_are_kept_with_the_token(database):
    with database.write() as s:
        users.add(s, "ann", "annotator")
        limited = users.issue_token(s, "ann", "a", only=["answer", "read"])
        whole = users.issue_token(s, "ann", "b")
    with database.read() as s:
        assert users.whoami(s, limited).scopes == ("read", "answer") and users.whoami(s, whole).scopes is None
        assert [one.scopes for one in users.tokens(s, "ann")] == [None, ("read", "answer")]
