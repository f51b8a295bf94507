"""Several people on one server: a password lets in, a name goes with each decision, and one gets out again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from app.web.guard import HEADERS, STRICT
from browser import Room, copied, served

PASSWORD = "correct horse"
OPEN = "/review"


@pytest.fixture
def shared(demo_db: Path, tmp_path: Path) -> Iterator[Room]:
    """A server that others reach."""
    with served(copied(demo_db, tmp_path / "watchfloor.db"), tmp_path, PASSWORD) as room:
        yield room


@pytest.fixture
def people(shared: Room) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Two of them, outside yet."""
    with ExitStack() as stack:
        head = {"Origin": shared.url, "Accept": "text/html"}
        one, other = (stack.enter_context(shared.client(enter=False, **head)) for _ in range(2))
        yield one, other


def log_in(client: httpx.Client, name: str, password: str = PASSWORD) -> httpx.Response:
    return client.post("/login", data={"name": name, "password": password})


def form(client: httpx.Client) -> dict[str, str]:
    """What the page of the first comment sends when it is decided to be spam."""
    page = client.get(OPEN).text
    found = {name: re.findall(rf'name="{name}" value="([^"]*)"', page)[0] for name in ("token", "comment", "seen")}
    return {**found, "said": "spam"}


def test_outside_there_is_the_login_page_and_nothing_else(shared: Room, people: tuple[httpx.Client, ...]) -> None:
    ann, _ = people
    for path in ("/", OPEN, "/sql/", "/feeds", "/nothing"):
        assert ann.get(path).headers["location"] == "/login", path
    for path in ("/index.json", "/review.json", "/status.json", "/static/review.js"):
        assert ann.get(path, headers={"Accept": "application/json"}).status_code == 401, path
    page = ann.get("/login")
    assert page.status_code == 200 and "<nav" not in page.text and "World Defense" not in page.text
    assert page.headers["content-security-policy"] == STRICT
    assert {name: page.headers.get(name) for name in HEADERS} == HEADERS
    assert ann.get("/static/frame.css").status_code == ann.get("/static/look.css").status_code == 200
    assert ann.post("/review/decide", data={"said": "spam"}).status_code == 401


def test_a_wrong_password_is_told_and_the_name_need_not_be_typed_again(people: tuple[httpx.Client, ...]) -> None:
    ann, _ = people
    told = log_in(ann, 'ann "<b>', "wrong")
    assert told.status_code == 403 and 'role="alert"' in told.text and "not the password" in told.text
    assert 'value="ann &#34;&lt;b&gt;"' in told.text and "wrong" not in told.text
    assert log_in(ann, " \u200b ").status_code in (303, 400)
    assert log_in(ann, "").status_code == 400
    assert ann.post("/login", content="a=1&" * 5_000).status_code == 400
    assert ann.post("/login", content=b"name=\xff&password=%00%ED%A0%80").status_code in (400, 403)
    assert log_in(ann, "ann").status_code == 303


def test_after_ten_wrong_passwords_all_wait_but_those_who_are_in(people: tuple[httpx.Client, ...]) -> None:
    ann, bob = people
    assert log_in(bob, "bob").status_code == 303
    assert [log_in(ann, "x", str(n)).status_code for n in range(12)] == [403] * 10 + [429] * 2
    late = log_in(ann, "ann")
    assert late.status_code == 429 and "Wait a minute" in late.text and "<form" in late.text
    assert bob.get(OPEN).status_code == 200


def test_each_decision_has_the_name_of_who_made_it(shared: Room, people: tuple[httpx.Client, ...]) -> None:
    ann, bob = people
    for name, client in (("ann", ann), ("bob", bob)):
        assert log_in(client, name).headers["location"] == "/review"
    sent = form(bob)
    assert bob.post("/review/decide", data=sent).status_code == 303
    late = ann.post("/review/decide", data=sent | {"said": "ok"}, headers={"Accept": "application/json"})
    assert late.status_code == 409 and late.json()["stands"]["by"] == "bob"
    assert shared.rows("SELECT judge, said FROM verdicts WHERE person") == [("bob", "spam")]


def test_only_a_form_of_ours_from_this_origin_logs_out(shared: Room, people: tuple[httpx.Client, ...]) -> None:
    ann, bob = people
    for name, client in (("ann", ann), ("bob", bob)):
        log_in(client, name)
    token = {"token": form(ann)["token"]}
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1", shared.url.replace("http", "https"), ""):
        assert ann.post("/logout", data=token, headers={"Origin": origin}).status_code == 403, origin
    for site in ("cross-site", "same-site"):
        assert ann.post("/logout", data=token, headers={"Sec-Fetch-Site": site}).status_code == 403
    for wrong in ({}, {"token": ""}, {"token": "x" * 43}):
        assert ann.post("/logout", data=wrong).status_code == 403
    assert ann.get("/logout").status_code in (404, 405)
    assert ann.get(OPEN).status_code == 200, "still in"
    cookie = dict(ann.cookies)
    out = ann.post("/logout", data=token)
    assert out.status_code == 303 and out.headers["location"] == "/login"
    ann.cookies.update(cookie)
    assert ann.get(OPEN).headers["location"] == "/login", "the cookie is worth nothing any more"
    assert bob.get(OPEN).status_code == 200


def test_a_form_of_another_page_does_not_log_in(people: tuple[httpx.Client, ...]) -> None:
    ann, _ = people
    ann.headers["Origin"] = "http://evil.example"
    assert log_in(ann, "x").status_code == 403 and not ann.cookies
