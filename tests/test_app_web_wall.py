"""The pages under bad intentions and bad luck: strange hosts, methods, addresses and words, a broken database."""

from __future__ import annotations

import os
import re
import resource
import sqlite3
import sys
import threading
from typing import Any

import httpx
import pytest
from starlette.exceptions import HTTPException

from app.web.guard import HEADERS, STRICT
from app.web.pages import reading
from browser import Room
from collected import READING, REVIEW, TABLES

ODD = (
    "9" * 30,
    "%00",
    "~",
    "0",
    "-1",
    "1e9",
    "٣",
    "1.5",
    "0x10",
    "",
    "NaN",
    "1;DROP TABLE articles",
    "2026~",
    "~1",
    "x~" + "9" * 18,
)


@pytest.mark.parametrize("path", [*READING, *REVIEW])
def test_every_page_answers_a_person_and_nobody_else_with_the_policy_on_both(
    common_room: Room, reader: httpx.Client, path: str
) -> None:
    opened = reader.get(path)
    with common_room.client(enter=False, Accept="text/html") as stranger:
        closed = stranger.get(path)
    assert opened.status_code == 200 and closed.status_code in (401, 429)
    assert "World Defense" not in closed.text
    for answer in (opened, closed):
        assert "watchfloor</title>" in answer.text and "<h1" in answer.text
        assert answer.headers["content-security-policy"] == STRICT
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert "server" not in answer.headers and "access-control-allow-origin" not in answer.headers


def test_strangers_are_told_to_wait_after_ten_tries_and_see_nothing_but_how_pages_look(room: Room) -> None:
    with room.client(enter=False, Accept="text/html") as stranger:
        told = [stranger.get("/start?token=x") for _ in range(12)]
        assert stranger.get("/static/look.css").status_code == stranger.get("/static/frame.css").status_code == 200
        assert stranger.get("/static/review.js").status_code == 429
    assert [answer.status_code for answer in told] == [401] * 10 + [429] * 2
    assert "Start the command again" in told[0].text and "One moment" in told[-1].text
    with room.client(enter=False) as program:
        assert program.get("/index.json").text == "Too many tries. Wait a minute, then try again.\n"


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.com", "127.0.0.1.nip.io", "127.0.0.1:1", ""])
def test_another_host_name_gets_an_empty_page(reader: httpx.Client, host: str) -> None:
    for path in ("/", "/status.json", "/static/look.css", f"/feeds/{'a' * 43}/index.atom"):
        answer = reader.get(path, headers={"Host": host})
        assert answer.status_code in (400, 421) and "evil" not in answer.text and "article" not in answer.text


def test_two_hosts_or_none_or_a_strange_request_line_are_refused(common_room: Room) -> None:
    host = common_room.url.removeprefix("http://").encode()
    asked = (
        b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nHost: evil.example\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: " + host + b"\r\n\r\n",
        b"GET //evil.example/ HTTP/1.1\r\nHost: " + host + b"\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: " + host + b"\r\n\r\n",
        b"GET / HTTP/0.9\r\nHost: " + host + b"\r\n\r\n",
        b"GET /\r\nHost: " + host + b"\r\n\r\n",
        b"get / HTTP/1.1\r\nHost: " + host + b"\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n",
    )
    for request in asked:
        cookie = b"Cookie: " + common_room.cookie.encode() + b"\r\nConnection: close\r\n\r\n"
        status = common_room.raw(request[:-2] + cookie).split(b"\r\n")[0]
        assert status.split(b" ")[1] in (b"400", b"405", b"421", b"505"), (request, status)


def test_no_line_of_an_address_becomes_a_header(common_room: Room) -> None:
    host = common_room.url.removeprefix("http://")
    for path in ("/%0d%0aX-Evil:%201", "/search?q=a%0d%0aX-Evil:1&source=b%0d%0aX-Evil:1", "/review?at=%0aX-Evil:1"):
        head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {common_room.cookie}\r\nConnection: close\r\n\r\n"
        assert b"\nx-evil" not in common_room.raw(head.encode()).partition(b"\r\n\r\n")[0].lower()


def test_using_the_pages_makes_the_server_connect_to_nothing(common_room: Room, reader: httpx.Client) -> None:
    own, watching, seen = threading.get_ident(), [True], []

    def heard(event: str, args: tuple[Any, ...]) -> None:
        if watching and event in ("socket.connect", "socket.getaddrinfo") and threading.get_ident() != own:
            seen.append((event, args))

    sys.addaudithook(heard)
    for path in (*READING, *REVIEW, *TABLES):
        reader.get(path)
    with common_room.client() as program:
        program.get("/articles/1.json")
    watching.clear()
    assert not seen


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_pages_of_the_reading_room_change_nothing(reader: httpx.Client, common_room: Room, method: str) -> None:
    for path in READING[:-1]:
        assert reader.request(method, path, headers={"Origin": common_room.url}).status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd",
        "%2e%2e/%2e%2e/etc/passwd",
        "%252e%252e/pages.py",
        "..%5cpages.py",
        "/etc/passwd",
        "look.css%00",
        "look.css/",
        "x" * 10_000,
        "../templates/base.html",
    ],
)
def test_only_the_named_files_are_served(common_room: Room, path: str) -> None:
    host = common_room.url.removeprefix("http://")
    request = (
        f"GET /static/{path} HTTP/1.1\r\nHost: {host}\r\nCookie: {common_room.cookie}\r\nConnection: close\r\n\r\n"
    )
    answer = common_room.raw(request.encode())
    assert answer.split(b" ")[1] in (b"404", b"400", b"307") and b"root:" not in answer and b"block main" not in answer


@pytest.mark.parametrize("odd", ODD)
def test_no_number_or_place_in_an_address_breaks_a_page(reader: httpx.Client, odd: str) -> None:
    for path in (
        *(f"/?before={odd}", f"/stories?before={odd}&publishers={odd}", f"/runs?before={odd}"),
        *(f"/articles/1?page={odd}&comment={odd}", f"/articles/1/history?version={odd}", f"/search?q=a&most={odd}"),
        *(f"/articles/{odd or 0}", f"/stories/{odd or 0}", f"/runs/{odd or 0}", f"/sources/{odd or 0}"),
        *(f"/?source={odd}&language={odd}&country={odd}&kind={odd}", f"/search?q=a&source={odd}&since={odd}&by={odd}"),
    ):
        for suffix in ("", ".json", ".atom") if odd in ODD[:4] else ("",):
            name, question, query = path.partition("?")
            asked = reader.get(f"{name if name != '/' or not suffix else '/index'}{suffix}{question}{query}")
            assert asked.status_code in (200, 303, 400, 404), (path, suffix, asked.status_code)


SEARCHES = (
    '"',
    "'",
    "\0",
    "a" * 10_000,
    "(" * 5_000,
    "NEAR(a b)",
    "a AND",
    "OR",
    "*",
    "-",
    "^a",
    "col:x",
    "a\ud800",
    "🛩",
    "' OR 1=1 --",
)


@pytest.mark.parametrize("subject", ["articles", "comments"])
def test_no_search_breaks(reader: httpx.Client, subject: str) -> None:
    for words in SEARCHES:
        asked = words.encode("utf-8", "surrogatepass")
        answer = reader.get(httpx.URL("/search", params={"q": asked, "in": subject}))
        assert answer.status_code in (200, 431), words
        assert "Traceback" not in answer.text and "sqlite" not in answer.text.lower()


def test_a_busy_database_is_told_and_not_the_files_name(client: httpx.Client, room: Room) -> None:
    def lock(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("BEGIN EXCLUSIVE")

    connection = sqlite3.connect(room.db, isolation_level=None)
    lock(connection)
    answer = client.get("/")
    connection.close()
    assert answer.status_code == 503 and "busy" in answer.text
    clean(room, answer)


@pytest.mark.parametrize("damage", ["gone", "junk", "foreign"])
def test_a_database_that_cannot_be_used_gives_a_page_without_its_name(
    client: httpx.Client, room: Room, damage: str
) -> None:
    for beside in room.home.glob("watchfloor.db*"):
        beside.unlink()
    if damage == "junk":
        room.db.write_bytes(b"junk" * 4096)
    if damage == "foreign":
        sqlite3.connect(room.db).execute("CREATE TABLE x (y)").connection.close()
    for path in (*READING, *REVIEW, "/index.json", "/index.atom"):
        answer = client.get(path)
        assert answer.status_code == 500, path
        clean(room, answer)


def test_a_database_that_is_torn_gives_whole_pages_or_none(client: httpx.Client, room: Room) -> None:
    for beside in room.home.glob("watchfloor.db-*"):
        beside.unlink()
    with room.db.open("r+b") as file:
        file.seek(-8 * 4096, os.SEEK_END)
        file.write(b"\xa5" * 8 * 4096)
    told = [client.get(path) for path in (*READING, *REVIEW)]
    assert {answer.status_code for answer in told} <= {200, 500}
    for answer in told:
        assert "</html>" in answer.text
        if answer.status_code == 500:
            clean(room, answer)


def test_a_decision_on_a_full_disk_is_refused_and_made_once_there_is_room(client: httpx.Client, room: Room) -> None:
    page = client.get("/review.json").json()
    form = {"token": page["token"], "comment": page["card"]["id"], "seen": page["card"]["verdict"], "said": "spam"}
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        answer = client.post("/review/decide", data=form, headers={"Origin": room.url})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert answer.status_code == 500 and not room.rows("SELECT 1 FROM verdicts WHERE person")
    clean(room, answer)
    assert client.post("/review/decide", data=form, headers={"Origin": room.url}).status_code == 303
    assert len(room.rows("SELECT 1 FROM verdicts WHERE person")) == 1


def clean(room: Room, answer: httpx.Response) -> None:
    for word in (str(room.db), room.db.name, "Traceback", "SELECT", "sqlite", "/work"):
        assert word not in answer.text
    assert answer.headers["content-security-policy"] == STRICT


def test_what_nobody_thought_of_is_a_page_with_a_name_for_the_log(
    client: httpx.Client, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    room.write("UPDATE articles SET authors = 'no list' WHERE id = 1")
    for path in ("/articles/1", "/articles/1.json"):
        answer = client.get(path)
        assert answer.status_code == 500
        (name,) = re.findall(r"error ([0-9a-f]{8})", answer.text)
        assert name in caplog.text and "JSONDecodeError" in caplog.text
        clean(room, answer)


def test_a_page_that_reads_too_long_is_stopped_and_says_so(common_room: Room) -> None:
    slow = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) SELECT max(i) FROM n"
    with pytest.raises(HTTPException, match="503: This took too long"), reading(common_room.db, seconds=0.05) as db:
        db.execute(slow).fetchall()


def test_the_database_itself_is_behind_the_same_wall(reader: httpx.Client, common_room: Room) -> None:
    with common_room.client(enter=False) as stranger:
        assert stranger.get("/sql/").status_code in (401, 429)
    answer = reader.get("/sql/", follow_redirects=True)
    assert answer.status_code == 200 and "content-security-policy" in answer.headers
