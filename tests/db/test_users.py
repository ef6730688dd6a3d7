"""Signing in: who may, as what, and what guessing costs."""

import pytest
from sqlalchemy import select, text, update

from db import users
from db.errors import BadInput, Conflict, Forbidden, NotFound
from db.tables import TokenRow, UserRow


def sign_in(database, password, name="ann"):
    with database.write() as s:
        return users.login(s, name, password)


def who(database, token):
    with database.read() as s:
        return users.whoami(s, token)


@pytest.fixture
def password(database):
    with database.write() as s:
        return users.add(s, "ann", "annotator")


def test_a_generated_password_signs_in_and_out(database, password):
    assert len(password) >= 16
    token = sign_in(database, password)
    assert (who(database, token).name, who(database, token).role) == ("ann", "annotator")
    with database.write() as s:
        users.logout(s, token)
    assert who(database, token) is None


def test_no_secret_is_stored(database, password):
    secrets = [password, sign_in(database, password)]
    with database.write() as s:
        secrets.append(users.issue_token(s, "ann", "robot arm"))
    with database.read() as s:
        stored = repr(s.execute(text("SELECT * FROM users")).all() + s.execute(text("SELECT * FROM tokens")).all())
    assert "argon2id" in stored
    assert not any(secret in stored for secret in secrets)


def test_a_wrong_name_and_a_wrong_password_sound_alike(database, password):
    sentences = set()
    for name, given in [("ann", "wrong"), ("nobody", "wrong"), ("nobody", ""), ("ann", "\x00")]:
        with pytest.raises(Forbidden) as caught:
            sign_in(database, given, name)
        sentences.add(str(caught.value))
    assert sentences == {"the name or the password is wrong. Try again, or ask an admin for a new password."}


def test_guessing_makes_the_account_wait_longer_and_longer(database, password):
    waits = []
    for _ in range(users.FREE_TRIES + 3):
        with pytest.raises(Forbidden, match="is wrong"):
            sign_in(database, "guess")
        with database.write() as s:
            row = s.scalar(select(UserRow))
            waits.append(0.0 if row.locked_until is None else row.locked_until.timestamp())
            s.execute(update(UserRow).values(locked_until=0.0 if row.locked_until else None))
    assert [wait > 0 for wait in waits] == [False] * (users.FREE_TRIES - 1) + [True] * 4
    assert waits == sorted(waits)
    assert who(database, sign_in(database, password)).name == "ann"  # and is forgiven afterwards
    with pytest.raises(Forbidden, match="is wrong"):
        sign_in(database, "guess")
    assert sign_in(database, password)


def test_while_it_waits_even_the_right_password_is_refused(database, password):
    for _ in range(users.FREE_TRIES + 4):
        with pytest.raises(Forbidden):
            sign_in(database, "guess")
    with database.write() as s:
        s.execute(update(UserRow).values(locked_until=users.now() + 60.0))
    with pytest.raises(Forbidden, match=r"too many wrong passwords for this name. Wait \d+ s"):
        sign_in(database, password)


def test_tokens_expire_are_revoked_and_die_with_the_account(database, password):
    session = sign_in(database, password)
    with database.write() as s:
        robot = users.issue_token(s, "ann", "robot arm")
        listed = users.tokens(s, "ann")
        assert [(one.kind, one.label, one.revoked) for one in listed] == [
            ("token", "robot arm", False),
            ("session", "", False),
        ]
        users.revoke(s, listed[0].id)
        s.execute(update(TokenRow).where(TokenRow.kind == "session").values(expires_at=0.0))
    assert who(database, robot) is who(database, session) is who(database, "") is who(database, "pw_x") is None
    session = sign_in(database, password)
    with database.write() as s:
        users.change(s, "ann", active=False)
    assert who(database, session) is None
    with pytest.raises(Forbidden, match="is wrong"):
        sign_in(database, password)


def test_a_new_password_ends_every_session_but_no_robot(database, password):
    session = sign_in(database, password)
    with database.write() as s:
        robot = users.issue_token(s, "ann", "robot arm")
        users.change(s, "ann", password="a better one", role="curator")
    assert who(database, session) is None
    assert who(database, robot).role == "curator"
    assert sign_in(database, "a better one")


def test_users_that_cannot_be_are_refused(database, password):
    with database.write() as s:
        with pytest.raises(Conflict, match="exists already"):
            users.add(s, "ann", "viewer")
        with pytest.raises(BadInput, match="role must be one of admin, annotator, curator, robot, viewer"):
            users.add(s, "ben", "king")
        with pytest.raises(BadInput, match="at least 8 characters"):
            users.add(s, "ben", "viewer", "short")
        with pytest.raises(NotFound, match=r"no user named 'an'\. Did you mean 'ann'\?"):
            users.issue_token(s, "an", "x")
        assert [one.name for one in users.users(s)] == ["ann"]


def test_each_role_may_do_what_the_lower_ones_may():
    order = ["viewer", "annotator", "curator", "admin"]
    assert [[users.allows(role, needed) for needed in order] for role in order] == [
        [True, False, False, False],
        [True, True, False, False],
        [True, True, True, False],
        [True, True, True, True],
    ]
    assert users.allows("robot", "annotator")
    assert not users.allows("robot", "curator")
