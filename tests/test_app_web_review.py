"""The review desk over HTTP: forms and scripts, second reviewers, double clicks, a busy database, hostile requests."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from html import unescape
from typing import Any

import httpx
import pytest

from app.web.guard import STRICT
from browser import Room
from collected import REVIEW
from moderation.review import decide

FORM = {"Sec-Fetch-Site": "same-origin"}
SCRIPT = {**FORM, "Accept": "application/json"}
FILTERED = (
    "/review?words=casino&age=-7&source=demo&reason=link&language=en",
    "/review?at=1",
    "/audit?person=ann&said=spam&since=7&q=17",
)


@pytest.fixture
def token(client: httpx.Client) -> str:
    return field(client.get("/review").text, "token")


def field(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found, name
    return unescape(found[1])


def waiting(room: Room) -> list[tuple[int, int]]:
    return [(id, verdict) for id, verdict in room.rows("SELECT id, verdict_id FROM review_queue")]


def words(room: Room) -> list[tuple[Any, ...]]:
    return room.rows("SELECT comment_id, said, judge FROM verdicts WHERE person ORDER BY id")


def form(token: str, at: tuple[int, int], said: str = "spam", **more: object) -> dict[str, str]:
    fields = {"token": token, "comment": at[0], "seen": at[1], "said": said, **more}
    return {name: str(value) for name, value in fields.items()}


# ---- looking


@pytest.mark.parametrize("path", [*REVIEW, *FILTERED])
def test_every_page_answers_and_is_to_be_had_as_json(reader: httpx.Client, path: str) -> None:
    answer = reader.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"] == STRICT
    stem, _, query = path.partition("?")
    assert reader.get(f"{stem}.json?{query}").json()


@pytest.mark.parametrize(
    "name", ["order", "source", "reason", "language", "age", "domain", "like", "words", "after", "at"]
)
def test_odd_questions_are_no_errors(reader: httpx.Client, name: str) -> None:
    for value in ("0", "-1", "9" * 30, "٣", "\0", "'; DROP TABLE comments", "~", "1~1", "\ud7ff" * 300, "%"):
        for path in ("/review", "/review/rows", "/review/group", "/audit"):
            assert reader.get(path, params={name: value}).status_code in (200, 404), (path, value)


def test_the_queue_stands_as_the_database_has_it_and_pages_go_on(reader: httpx.Client, common_room: Room) -> None:
    found = reader.get("/review.json").json()
    assert [row["id"] for row in found["rows"]] == [id for id, _ in waiting(common_room)]
    assert found["total"] == len(waiting(common_room))
    assert found["card"]["id"] == waiting(common_room)[0][0]


def test_a_card_shows_reasons_links_and_what_a_link_hides(reader: httpx.Client, common_room: Room) -> None:
    sql = "SELECT comment_id, url, disguise FROM links WHERE disguise <> '' ORDER BY 1 LIMIT 1"
    ((id, url, disguise),) = common_room.rows(sql)
    card = reader.get(f"/review/cards?ids={id}").json()["cards"][str(id)]
    assert url in unescape(card["html"])
    assert disguise in card["html"]
    assert card["seen"] == common_room.rows("SELECT verdict_id FROM standing WHERE comment_id = ?", id)[0][0]


# ---- deciding, without a script


def test_a_form_decides_and_leads_to_the_next_comment(client: httpx.Client, room: Room, token: str) -> None:
    first, second, *_ = waiting(room)
    page = client.get("/review").text
    assert int(field(page, "comment")) == first[0]
    assert int(field(page, "next")) == second[0]
    answer = client.post("/review/decide", data=form(token, first, next=second[0]), headers=FORM)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/review?at={second[0]}")
    assert [row[:2] for row in words(room)] == [(first[0], "spam")]
    assert client.get("/review.json").json()["total"] == len(waiting(room))


def test_a_form_takes_the_last_decision_back_and_shows_the_comment_again(
    client: httpx.Client, room: Room, token: str
) -> None:
    first, *_ = waiting(room)
    client.post("/review/decide", data=form(token, first), headers=FORM)
    verdict = field(client.get("/review").text, "verdict")
    answer = client.post("/review/undo", data={"token": token, "verdict": verdict}, headers=FORM)
    assert f"at={first[0]}" in answer.headers["location"]
    assert [said for _, said, _ in words(room)] == ["spam", "undo"]
    assert first[0] in [id for id, _ in waiting(room)]
    again = client.post("/review/undo", data={"token": token, "verdict": verdict}, headers=FORM)
    assert again.status_code == 303
    assert len(words(room)) == 2


def test_picked_comments_are_shown_first_and_decided_together(client: httpx.Client, room: Room, token: str) -> None:
    three = [id for id, _ in waiting(room)[:3]]
    preview = client.get("/review/group", params={"pick": three, "said": "ok"})
    assert "3 comments picked by hand" in preview.text
    assert not words(room)
    data = {"token": token, "plan": field(preview.text, "plan"), "said": "ok"}
    assert client.post("/review/group", data=data, headers=FORM).status_code == 303
    assert [(id, said) for id, said, _ in words(room)] == [(id, "ok") for id in three]
    client.post("/review/group", data=data, headers=FORM)
    assert len(words(room)) == 3, "sent again"
    client.post("/review/undo", data={"token": token}, headers=FORM)
    assert [said for _, said, _ in words(room)] == ["ok"] * 3 + ["undo"] * 3


def test_a_group_leaves_alone_what_changed_since_it_was_shown(client: httpx.Client, room: Room, token: str) -> None:
    one, two, *_ = waiting(room)
    preview = client.get("/review/group", params={"pick": [one[0], two[0]], "said": "spam"})
    decide(room.db, two[0], "ok", by="bob")
    data = {"token": token, "plan": field(preview.text, "plan"), "said": "spam"}
    answer = client.post("/review/group", data=data, headers=SCRIPT).json()
    assert (answer["comments"], answer["missed"]) == ([one[0]], [two[0]])
    assert room.rows("SELECT state FROM standing WHERE comment_id = ?", two[0]) == [("ok",)]


# ---- two reviewers, double clicks


def test_the_second_reviewer_is_told_who_was_first_and_when(client: httpx.Client, room: Room, token: str) -> None:
    first, *_ = waiting(room)
    decide(room.db, first[0], "ok", by="bob <b>")
    answer = client.post("/review/decide", data=form(token, first), headers=SCRIPT)
    assert answer.status_code == 409
    stands = answer.json()["stands"]
    assert (stands["by"], stands["state"]) == ("bob <b>", "ok")
    assert stands["at"]
    page = client.post("/review/decide", data=form(token, first), headers=FORM)
    assert page.status_code == 409
    assert "bob &lt;b&gt; said ok" in page.text
    assert int(field(page.text, "comment")) == first[0]
    assert len(words(room)) == 1


def test_a_decision_sent_twice_is_one_decision(client: httpx.Client, room: Room, token: str) -> None:
    first, *_ = waiting(room)
    answers = [client.post("/review/decide", data=form(token, first), headers=SCRIPT) for _ in range(3)]
    assert [a.status_code for a in answers] == [200] * 3
    assert len({a.json()["verdict"] for a in answers}) == 1
    assert len(words(room)) == 1
    other = client.post("/review/decide", data=form(token, first, "ok"), headers=SCRIPT)
    assert other.status_code == 409, "another word on a verdict that holds no more"


def test_one_who_has_seen_the_decision_may_change_it(client: httpx.Client, room: Room, token: str) -> None:
    first, *_ = waiting(room)
    verdict = decide(room.db, first[0], "ok", by="bob")
    assert client.post("/review/decide", data=form(token, (first[0], verdict)), headers=SCRIPT).status_code == 200


def test_an_undo_takes_back_ones_own_decision_not_the_one_upon_it(client: httpx.Client, room: Room, token: str) -> None:
    first, *_ = waiting(room)
    mine = client.post("/review/decide", data=form(token, first), headers=SCRIPT).json()["verdict"]
    decide(room.db, first[0], "ok", by="bob")
    client.post("/review/undo", data={"token": token, "verdict": str(mine)}, headers=SCRIPT)
    assert room.rows("SELECT state FROM standing WHERE comment_id = ?", first[0]) == [("ok",)]


def test_a_busy_database_says_so_and_nothing_is_written(client: httpx.Client, room: Room, token: str) -> None:
    first, *_ = waiting(room)
    holding = sqlite3.connect(room.db, isolation_level=None)
    holding.execute("BEGIN IMMEDIATE")
    answer = client.post("/review/decide", data=form(token, first), headers=SCRIPT)
    assert answer.status_code == 503
    assert "busy" in answer.text
    assert str(room.db) not in answer.text
    assert answer.headers["content-security-policy"] == STRICT
    assert client.get("/review").status_code == 200
    holding.execute("ROLLBACK")
    assert client.post("/review/decide", data=form(token, first), headers=SCRIPT).status_code == 200


# ---- requests of others


@pytest.mark.parametrize("path", ["/review/decide", "/review/undo", "/review/group", "/review/domain"])
def test_no_other_page_can_decide_and_no_get_changes_anything(
    client: httpx.Client, room: Room, token: str, path: str
) -> None:
    first, *_ = waiting(room)
    data = form(token, first, plan="x", name="shop.example")
    before = room.rows("SELECT count(*) FROM verdicts"), room.rows("SELECT count(*) FROM domain_rules")
    host = room.url.removeprefix("http://")
    odd = (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": f"https://{host}"},
        {"Sec-Fetch-Site": "cross-site", "Origin": room.url},
        {"Sec-Fetch-Site": "same-site", "Origin": room.url},
        {},
    )
    for headers in odd:
        assert client.post(path, data=data, headers=headers).status_code == 403, headers
    without = {name: value for name, value in data.items() if name != "token"}
    for wrong in (without, {**without, "token": "x" * 43}, {**without, "token": "é"}):
        assert client.post(path, data=wrong, headers=FORM).status_code == 403
    text = "&".join(f"{name}={value}" for name, value in data.items()).replace("token", "xtoken")
    assert client.post(path, content=text, headers={**FORM, "Content-Type": "text/plain"}).status_code == 403
    for method in ("PUT", "DELETE", "PATCH", "TRACE"):
        assert client.request(method, path, headers=FORM).status_code == 405
    with room.client(enter=False) as stranger:
        assert stranger.post(path, data=data, headers=FORM).status_code == 401, "without the cookie"
    client.get(path, params=data)
    client.head(path, params=data)
    assert (room.rows("SELECT count(*) FROM verdicts"), room.rows("SELECT count(*) FROM domain_rules")) == before


def test_get_on_what_decides_is_refused(client: httpx.Client) -> None:
    for path in ("/review/decide", "/review/undo"):
        assert client.get(path).status_code == 405


def test_forms_that_are_not_ours_are_told_so(client: httpx.Client, room: Room, token: str) -> None:
    first, *_ = waiting(room)
    for broken in ({"said": "perhaps"}, {"comment": "x"}, {"seen": ""}, {"seen": "9" * 40}):
        data = {**form(token, first), **broken}
        assert client.post("/review/decide", data=data, headers=FORM).status_code == 400
    assert client.post("/review/decide", data=form(token, (10**9, 1)), headers=FORM).status_code == 404
    assert (
        client.post("/review/group", data={"token": token, "plan": "?", "said": "ok"}, headers=FORM).status_code == 404
    )
    many = "&".join(f"a{n}=1" for n in range(3_000))
    head = {**FORM, "Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/review/decide", content=many, headers=head).status_code == 400
    assert client.post("/review/decide", content="x" * 70_000, headers=head).status_code == 413
    assert not words(room)


# ---- domains


def test_a_domain_tells_what_a_word_on_it_changes_then_changes_it(client: httpx.Client, room: Room, token: str) -> None:
    sql = "SELECT domain FROM links WHERE domain <> '' GROUP BY 1 ORDER BY count(DISTINCT comment_id) DESC LIMIT 1"
    domain = room.rows(sql)[0][0]
    answer: dict[str, Any] = {}
    while not answer.get("effect"):
        answer = client.get("/review/domain.json", params={"name": domain, "said": "allow"}).json()
    assert not room.rows("SELECT * FROM domain_rules")
    held = len(waiting(room))
    data = {"token": token, "name": domain, "said": "allow", "note": "reports"}
    posted = client.post("/review/domain", data=data, headers=FORM)
    assert posted.status_code == 303
    assert f"{answer['effect']['freed']:,} let go" in unescape(client.get(posted.headers["location"]).text)
    assert held - len(waiting(room)) == answer["effect"]["freed"] > 0
    ((said, note),) = room.rows("SELECT said, note FROM domain_rules")
    assert (said, note) == ("allow", "reports")


@pytest.mark.parametrize("name", ["", "no domain", "a" * 400, "<script>", "com", "..", "\0"])
def test_what_is_no_domain_gets_no_rule(client: httpx.Client, room: Room, token: str, name: str) -> None:
    assert client.get("/review/domain", params={"name": name, "said": "allow"}).status_code == 400
    data = {"token": token, "name": name, "said": "allow"}
    assert client.post("/review/domain", data=data, headers=FORM).status_code == 400
    assert not room.rows("SELECT * FROM domain_rules")


# ---- the log


def test_the_log_is_sieved_paged_and_to_be_had_as_a_file_that_no_spreadsheet_executes(
    client: httpx.Client, room: Room
) -> None:
    for id, _ in waiting(room)[:5]:
        decide(room.db, id, "spam", by="=cmd()")
    decide(room.db, waiting(room)[0][0], "ok", by="bob", note="fine")
    found = client.get("/audit.json").json()
    assert len(found["rows"]) == 6
    assert [row["said"] for row in client.get("/audit.json?person=bob").json()["rows"]] == ["ok"]
    file = client.get("/audit.csv")
    assert file.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(file.text)))
    assert [row["judge"] for row in rows] == ["bob"] + ["'=cmd()"] * 5
    assert len(list(csv.DictReader(io.StringIO(client.get("/audit.csv?said=ok").text)))) == 1
