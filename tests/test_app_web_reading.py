"""The reading room over HTTP, as a browser, a monitor, a feed reader or somebody with bad intentions asks it."""

from __future__ import annotations

import json
import os
import re
import socket
import sqlite3
import stat
import time
from collections.abc import Iterator
from xml.etree import ElementTree

import httpx
import pytest
from starlette.exceptions import HTTPException

from app.web.guard import HEADERS, STRICT
from app.web.pages import address, ago, day, marked, moment, outside, reading
from app.web.sparks import columns, line
from app.web.text import language
from browser import Room
from collected import edit, publish, say, tell_again

ATOM = "{http://www.w3.org/2005/Atom}"
PAGES = (
    "/",
    "/?by=article",
    "/search?q=navigation",
    "/search?q=the&in=comments",
    "/articles/1",
    "/articles/1/history",
    "/articles/1/history?version=1",
    "/stories",
    "/sources",
    "/sources/demo",
    "/runs",
    "/runs/1",
    "/status",
    "/feeds",
)
ODD = (
    "0",
    "-1",
    "1e9",
    "9" * 30,
    "٣",
    "1.5",
    "0x10",
    "",
    "NaN",
    "%00",
    "1;DROP TABLE articles",
    "~",
    "2026~",
    "~1",
    "x~" + "9" * 18,
)


@pytest.fixture
def client(room: Room) -> Iterator[httpx.Client]:
    """Somebody who was let in."""
    name, _, value = room.cookie.partition("=")
    with httpx.Client(base_url=room.url, cookies={name: value}, timeout=30) as asking:
        yield asking


def raw(room: Room, request: bytes) -> bytes:
    """The answer to bytes that no client would send."""
    host, _, port = room.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


@pytest.mark.parametrize("path", PAGES)
def test_every_page_answers_a_person_and_nobody_else_with_the_policy_on_both(room: Room, path: str) -> None:
    with httpx.Client(base_url=room.url) as stranger:
        closed = stranger.get(path)
    opened = httpx.get(room.url + path, headers={"Cookie": room.cookie})
    assert (opened.status_code, closed.status_code) == (200, 401)
    assert "watchfloor</title>" in opened.text and "<h1" in opened.text
    for answer in (opened, closed):
        assert answer.headers["content-security-policy"] == STRICT
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert "server" not in answer.headers and "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.com", "127.0.0.1.nip.io", "127.0.0.1:1", ""])
def test_another_host_name_gets_an_empty_page(client: httpx.Client, host: str) -> None:
    for path in ("/", "/status.json", "/static/look.css", f"/feeds/{'a' * 43}/index.atom"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code in (400, 421) and "evil" not in answer.text and "article" not in answer.text


def test_two_hosts_or_none_or_a_strange_request_line_are_refused(room: Room) -> None:
    host = room.url.removeprefix("http://").encode()
    asked = (
        b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nHost: evil.example\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: " + host + b"\r\n\r\n",
        b"GET //evil.example/ HTTP/1.1\r\nHost: " + host + b"\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: " + host + b"\r\n\r\n",
    )
    for request in asked:
        cookie = b"Cookie: " + room.cookie.encode() + b"\r\nConnection: close\r\n\r\n"
        status = raw(room, request[:-2] + cookie).split(b"\r\n")[0]
        assert status.split(b" ")[1] in (b"400", b"421", b"505"), (request, status)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_pages_of_the_reading_room_change_nothing(client: httpx.Client, room: Room, method: str) -> None:
    for path in PAGES[:-1]:
        assert client.request(method, path, headers={"Origin": room.url}).status_code == 405


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
def test_only_the_named_files_are_served(room: Room, path: str) -> None:
    host = room.url.removeprefix("http://")
    request = f"GET /static/{path} HTTP/1.1\r\nHost: {host}\r\nCookie: {room.cookie}\r\nConnection: close\r\n\r\n"
    answer = raw(room, request.encode())
    assert answer.split(b" ")[1] in (b"404", b"400", b"307") and b"root:" not in answer and b"block main" not in answer


@pytest.mark.parametrize("odd", ODD)
def test_no_number_or_place_in_an_address_breaks_a_page(client: httpx.Client, odd: str) -> None:
    for path in (
        *(f"/?before={odd}", f"/stories?before={odd}&publishers={odd}", f"/runs?before={odd}"),
        *(f"/articles/1?page={odd}&comment={odd}", f"/articles/1/history?version={odd}", f"/search?q=a&most={odd}"),
        *(f"/articles/{odd or 0}", f"/stories/{odd or 0}", f"/runs/{odd or 0}", f"/sources/{odd or 0}"),
        *(f"/?source={odd}&language={odd}&country={odd}&kind={odd}", f"/search?q=a&source={odd}&since={odd}&by={odd}"),
    ):
        for suffix in ("", ".json", ".atom"):
            name, question, query = path.partition("?")
            asked = client.get(f"{name if name != '/' or not suffix else '/index'}{suffix}{question}{query}")
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
def test_no_search_breaks(client: httpx.Client, subject: str) -> None:
    for words in SEARCHES:
        asked = words.encode("utf-8", "surrogatepass")
        answer = client.get(httpx.URL("/search", params={"q": asked, "in": subject}))
        assert answer.status_code in (200, 431), words
        assert "Traceback" not in answer.text and "sqlite" not in answer.text.lower()


def test_the_form_of_the_search_writes_its_filters_into_the_words(client: httpx.Client) -> None:
    told = client.get(
        "/search", params={"q": "radio", "source": "demo", "since": "2026", "by": "ada ward", "in": "comments"}
    )
    assert told.status_code == 303
    assert told.headers["location"] == address(
        "/search", q='radio source:demo since:2026 by:"ada ward"', **{"in": "comments"}
    )


def test_hits_are_marked_for_people_and_starred_for_programs(client: httpx.Client) -> None:
    assert "<mark>" in client.get("/search?q=navigation").text
    found = client.get("/search.json?q=navigation").json()["rows"]
    assert "**navigation**" in found[0]["snippet"].lower() and "\x02" not in found[0]["snippet"]


def test_filters_of_the_latest_leave_only_what_they_name(client: httpx.Client) -> None:
    german = client.get("/index.json", params={"language": "de"}).json()["articles"]
    assert german and {row["language"] for row in german} == {"de"}
    assert client.get("/index.json", params={"country": "XX"}).json()["articles"] == []
    assert client.get("/index.json", params={"source": "demo", "kind": "news"}).json()["articles"]


def test_a_story_is_shown_once_with_its_outlets_or_each_article_when_asked(client: httpx.Client, room: Room) -> None:
    tell_again(room)
    once, every = (client.get("/index.json", params={"by": by}).json() for by in ("", "article"))
    ids = [row["id"] for row in every["articles"]]
    assert sorted(set(ids) - {row["id"] for row in once["articles"]}) == [1]
    assert [other["id"] for other in once["others"][str(max(ids))]] == [1]
    (story,) = client.get("/stories.json").json()["stories"]
    assert story["publishers"] == 2 and story["sources"] == ["World Defense (demo)", "Second Wire"]
    assert "What it changed of the first one" in client.get(f"/stories/{story['story_id']}").text
    assert "The same story elsewhere" in client.get("/articles/1").text


def test_pages_of_the_latest_follow_on_each_other_without_gap_or_repetition(client: httpx.Client, room: Room) -> None:
    for number in range(120):
        publish(room, f"https://many.example/{number}", at=f"2025-01-0{number % 9 + 1}T10:00:00Z")
    seen, before = [], ""
    while True:
        found = client.get("/index.json", params={"before": before}).json()
        seen += [row["id"] for row in found["articles"]]
        if not (before := found["next"]):
            break
    assert sorted(seen) == [id for (id,) in room.rows("SELECT id FROM articles ORDER BY id")]


def test_a_long_thread_is_paged_and_a_comment_is_found_on_its_page(client: httpx.Client, room: Room) -> None:
    ids = [say(room, 1, f"number {number}", position=1000 + number) for number in range(250)]
    first = client.get("/articles/1.json").json()["thread"]
    assert first["pages"] == 3 and len(first["comments"]) == 100
    there = client.get("/articles/1.json", params={"comment": ids[-1]}).json()["thread"]
    assert there["page"] == 3 and ids[-1] in [comment["id"] for comment in there["comments"]]


def test_answers_stand_below_what_they_answer_wherever_they_stood_on_the_page(client: httpx.Client, room: Room) -> None:
    article = publish(room, "https://talk.example/1")
    first = say(room, article, "first", key="id:1", position=1)
    second = say(room, article, "second", key="id:2", position=2)
    answer = say(room, article, "to the first", key="id:3", parent="id:1", position=9)
    further = say(room, article, "to the answer", key="id:4", parent="id:3", position=10)
    lost = say(room, article, "to nobody", key="id:5", parent="id:404", position=3)
    say(room, article, "round", key="id:6", parent="id:7", position=4)
    say(room, article, "and round", key="id:7", parent="id:6", position=5)
    told = client.get(f"/articles/{article}.json").json()["thread"]["comments"]
    assert [(c["id"], c["level"]) for c in told[:5]] == [(first, 0), (answer, 1), (further, 2), (second, 0), (lost, 0)]
    assert len(told) == 7


def test_what_is_too_long_to_be_compared_is_shown_as_it_stood(client: httpx.Client, room: Room) -> None:
    edit(room, 1, "long words " * 50_000)
    assert "Too long to be compared here" in client.get("/articles/1/history").text
    assert "long words long words" in client.get("/articles/1/history?version=1").text


def test_history_tells_each_version_and_one_as_it_stood(client: httpx.Client, room: Room) -> None:
    edit(room, 1, "Old words stood here.")
    page = client.get("/articles/1/history").text
    assert "2 versions" in page and "<del>" in page and "<ins>" in page
    assert "Old words stood here." in client.get("/articles/1/history?version=1").text


def test_what_is_not_there_is_told_in_the_form_that_was_asked_for(client: httpx.Client) -> None:
    page, program = client.get("/articles/999999"), client.get("/articles/999999.json")
    assert (page.status_code, program.status_code) == (404, 404)
    assert "There is no article of this number here." in page.text and "To the latest articles" in page.text
    assert program.json() == {"error": "There is no article of this number here."}


def test_status_is_for_monitors_too(client: httpx.Client) -> None:
    told = client.get("/status.json").json()
    assert told["ok"] is True and told["problems"] == [] and told["sources"][0]["source_id"] == "demo"
    assert told["hours"] >= 0 and told["last_run"].endswith("Z")


@pytest.mark.parametrize(
    "path", ["/index.atom", "/search.atom?q=radio", "/sources/demo.atom", "/index.atom?language=de"]
)
def test_pages_with_articles_are_feeds_too(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["content-type"] == "application/atom+xml"
    assert ElementTree.fromstring(answer.content).findall(f"{ATOM}entry")


@pytest.mark.parametrize("path", ["/status.atom", "/runs.atom", "/articles/1.atom", "/feeds.atom"])
def test_other_pages_are_none(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_feed_reader_gets_in_by_the_secret_until_it_is_revoked(client: httpx.Client, room: Room) -> None:
    made = client.post("/feeds", data={"name": "my <b>phone</b>"}, headers={"Origin": room.url})
    assert made.status_code == 303
    (kept,) = json.loads((room.home / "feeds.json").read_text())
    assert stat.S_IMODE(os.stat(room.home / "feeds.json").st_mode) == 0o600
    base = f"{room.url}/feeds/{kept['secret']}"
    page = client.get("/feeds").text
    assert base in page and "<b>" not in page
    for path in ("index.atom", "stories.atom", "search.atom?q=radio", "sources/demo.atom"):
        answer = httpx.get(f"{base}/{path}")
        assert answer.status_code == 200 and kept["secret"] not in answer.text
    assert httpx.get(f"{base}/index.atom").text == client.get("/index.atom").text
    for path in ("status.json", "index.json", "articles/1.atom", "../feeds.atom", "sql/.atom", "review.atom", "index"):
        assert httpx.get(f"{base}/{path}").status_code in (401, 404), path
    assert httpx.post(f"{base}/index.atom", headers={"Origin": room.url}).status_code == 401
    client.post("/feeds/revoke", data={"id": kept["id"]}, headers={"Origin": room.url})
    assert httpx.get(f"{base}/index.atom").status_code == 404


def test_a_wrong_secret_is_not_here_and_soon_has_to_wait(room: Room) -> None:
    codes = [httpx.get(f"{room.url}/feeds/{'x' * 43}/index.atom").status_code for _ in range(12)]
    assert codes[0] == 404 and codes[-1] == 429


def test_no_page_from_elsewhere_makes_or_revokes_an_address(client: httpx.Client, room: Room) -> None:
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site", "Origin": room.url},
        {"Sec-Fetch-Site": "same-site"},
        {},
    ):
        assert client.post("/feeds", data={"name": "x"}, headers=headers).status_code == 403
    assert client.get("/feeds/revoke").status_code in (404, 405)
    assert not (room.home / "feeds.json").exists()


def test_odd_forms_and_a_broken_file_of_feeds_break_nothing(client: httpx.Client, room: Room) -> None:
    (room.home / "feeds.json").write_text('{"not": "a list"}')
    for body in (b"", b"\xff\xfe", b"&" * 5000, b"name=%00%ED%A0%80", b"a=1&" * 50, b"name=" + b"x" * 60_000):
        kind = {"Origin": room.url, "Content-Type": "application/x-www-form-urlencoded"}
        assert client.post("/feeds", content=body, headers=kind).status_code == 303
    assert client.get("/feeds").status_code == 200
    assert client.post("/feeds", content=b"x" * 70_000, headers={"Origin": room.url}).status_code == 413


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
    for path in (*PAGES, "/index.json", "/index.atom"):
        answer = client.get(path)
        assert answer.status_code == 500, path
        clean(room, answer)


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


def test_a_page_that_reads_too_long_is_stopped_and_says_so(room: Room) -> None:
    slow = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) SELECT max(i) FROM n"
    with pytest.raises(HTTPException, match="503: This took too long"), reading(room.db, seconds=0.05) as db:
        db.execute(slow).fetchall()


def test_the_database_itself_is_behind_the_same_wall(client: httpx.Client, room: Room) -> None:
    assert httpx.get(f"{room.url}/sql/").status_code == 401
    answer = client.get("/sql/", follow_redirects=True)
    assert answer.status_code == 200 and "content-security-policy" in answer.headers


@pytest.mark.parametrize(
    ("stated", "known"),
    [("en", ' lang="en"'), ("de-AT", ' lang="de-AT"'), ("xx", ""), ("", ""), ('en" onload="x', ""), ("english", "")],
)
def test_only_a_language_becomes_one(stated: str, known: str) -> None:
    assert language(stated) == known


def test_times_are_those_of_the_machine_with_the_original_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert moment("2026-07-16T02:20:00Z") == (
            '<time datetime="2026-07-16T02:20:00Z" title="2026-07-16T02:20:00Z">15 Jul 2026, 22:20</time>'
        )
        assert day("2026-07-16T02:20:00Z") == "Wednesday, 15 July 2026" and "16 Jul 2026<" in moment("2026-07-16")
        assert "08:20, zone unknown" in moment("2026-07-16T08:20:00")
    finally:
        monkeypatch.undo()
        time.tzset()


def test_each_day_of_the_latest_stands_once(client: httpx.Client, room: Room) -> None:
    for number, at in enumerate(
        ("2026-07-16T23:20:00Z", "2026-07-16", "2026-07-15T23:00:00Z", "2026-07-16T01:00:00+05:00")
    ):
        publish(room, f"https://days.example/{number}", at=at)
    days = [line for line in client.get("/").text.splitlines() if 'class="day"' in line]
    assert len(days) == len(set(days))


def test_a_host_in_other_letters_is_spelled_as_machines_do() -> None:
    assert "xn--80ak6aa92e.com" in outside("http://аррӏе.com/")
    assert "tag" not in outside("http://apple.com/") and "<a" not in outside("javascript:alert(1)")
    assert "no host of this name" in outside(f"http://{'ж' * 300}.com/") and outside("http://[::1")


def test_small_formats_take_whatever_stands_there() -> None:
    for text in (
        "",
        None,
        "yesterday",
        "2026-13-45",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59Z",
        "2026-01-01",
    ):
        assert "<" in moment(text) and ago(text) and day(text)
    assert "2026-01-01T10:00:00Z" in moment("2026-01-01T10:00:00Z")
    assert "&lt;x&gt;" in moment("<x>")
    assert marked("a \x02<b>\x03 c \x02d") == "a <mark>&lt;b&gt;</mark> c <mark>d</mark>"
    assert "<rect" in columns([0, None, 3], 'told "so"') and "<circle" in line([0.5], "told")
    assert columns([], "nothing").startswith("<svg") and line([], "nothing").startswith("<svg")


def test_the_pictures_in_the_documents_are_those_that_the_tool_takes() -> None:
    from tools.screenshots import LARGEST, PICTURES, SHOWN

    taken = {f"{name}{'-dark' * dark}{'-phone' * phone}.png" for name, dark, phone in SHOWN}
    found = {file.name: file.stat().st_size for file in PICTURES.iterdir()}
    assert found.keys() == taken and max(found.values()) <= LARGEST
