"""`watchfloor sql`: Datasette on the database, read-only, with the query pack; and the wall round it."""

from __future__ import annotations

import csv
import io
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.demo.server import serve
from app.sql.app import SETTINGS, datasette_app
from app.web.text import shown
from browser import ask
from conftest import ROOT, Watch, watchfloor
from db.connect import DatabaseProblem
from db.metadata import DATABASE, INTERNAL, Relation, described, typed
from db.queries import Param, Query, pack

PACK = pack()
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u202e\u200bx"
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"

Get = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo site, crawled; one comment is as hostile as text gets."""
    with serve() as server:
        watch = Watch(server, tmp_path_factory.mktemp("sql"))
        watch.crawl()
    with sqlite3.connect(watch.db) as connection:
        hostile = (EVIL, "javascript:alert(3)", "=1+2 " + EVIL, "https://evil.example/?x=%22><script>")
        connection.execute(
            "UPDATE comments SET author = ?, author_url = ?, text = ?, posted_raw = ? WHERE id = 1", hostile
        )
    return watch.db


@pytest.fixture(scope="module")
def get(db: Path) -> Get:
    """Pages as somebody sees them whom the wall has let in."""
    app = datasette_app(db, PACK)
    return lambda path, **how: ask(app, path, **how)


def relations(db: Path, kind: str) -> list[str]:
    with sqlite3.connect(db) as connection:
        sql = "SELECT name FROM sqlite_master WHERE type = ? AND name NOT LIKE '%\\_fts\\_%' ESCAPE '\\' ORDER BY 1"
        return [name for (name,) in connection.execute(sql, (kind,))]


def test_every_question_of_the_pack_answers_with_what_it_asks(get: Get) -> None:
    for name, query in PACK.items():
        page = get(f"/{DATABASE}/{name}", follow_redirects=True)
        assert page.status_code == 200, name
        assert str(shown(query.title)) in page.text and str(shown(query.about)) in page.text
        for key, param in query.params.items():
            assert f'name="{key}" value="{shown(str(param.default))}"' in page.text
            assert str(shown(param.about)) in page.text


def test_parameters_that_an_address_leaves_out_get_their_defaults(get: Get) -> None:
    left_out = get(f"/{DATABASE}/same-text.json?letters=3")
    assert (
        left_out.status_code == 302 and left_out.headers["location"] == f"/{DATABASE}/same-text.json?letters=3&days=7"
    )
    assert get(f"/{DATABASE}/changed-headlines?source=").status_code == 200  # empty is a value
    odd = get(f"/{DATABASE}/same-text.json%0d%0aX-Evil:%201")
    assert odd.status_code in (302, 404) and "x-evil" not in odd.headers and "\n" not in odd.headers.get("location", "")


def test_numbers_and_words_reach_sql_as_what_they_are(get: Get) -> None:
    wide = "days=100000&letters=5"
    found = get(f"/{DATABASE}/who-cites-whom.json?days=100000&source=&_shape=array")
    assert found.status_code == 200 and found.json()
    assert get(f"/{DATABASE}/same-text.json?{wide}").status_code == 200
    longest = Query(
        name="n", title="t", about="a", sql="SELECT 3 > :letters, ':letters' -- :letters",
        params={"letters": Param(default=2, about="x.")},
    )  # fmt: skip
    assert typed(longest) == "SELECT 3 > CAST(:letters AS NUMERIC), ':letters' -- :letters"
    for words in ('"', "navy AND", "-", ""):
        answer = get(f"/{DATABASE}/about-per-week-and-country.json", params={"words": words, "weeks": "1"})
        assert answer.status_code == 200, words


def test_every_table_and_view_has_a_page_that_says_what_it_is_for(get: Get, db: Path) -> None:
    home = get(f"/{DATABASE}").text
    for kind in ("view", "table"):
        for name in relations(db, kind):
            page = get(f"/{DATABASE}/{name}")
            assert page.status_code == 200, f"{name}: {re.findall('role=.alert.>(.*)<', page.text)}"
            assert (f">{name}</a>" in home) == (name not in INTERNAL and not name.endswith("_fts")), name
    articles = get(f"/{DATABASE}/articles").text
    assert "Evidence: what the sites published, as last seen." in articles
    assert "<dt>headline</dt><dd>The headline, without the site&#39;s name.</dd>" in articles
    assert 'aria-label="By language"' in articles and 'name="_search"' in articles
    assert home.index('id="questions"') < home.index('id="views"') < home.index('id="tables"')


def test_a_row_names_what_it_belongs_to_and_what_refers_to_it(get: Get, db: Path) -> None:
    with sqlite3.connect(db) as connection:
        ((headline,),) = connection.execute(
            "SELECT headline FROM articles a JOIN comments c ON a.id = article_id WHERE c.id = 1"
        )
    assert str(shown(headline)) in get(f"/{DATABASE}/comments?id=1").text
    assert "of comments (article_id)" in get(f"/{DATABASE}/articles/1").text
    with sqlite3.connect(db) as connection:
        ((body,),) = connection.execute("SELECT body FROM articles ORDER BY id LIMIT 1")
    assert len(body) > 1000 and str(shown(body)) in get(f"/{DATABASE}/articles/1").text
    assert str(shown(body, 240)) in get(f"/{DATABASE}/articles?id=1").text


def test_hostile_text_is_shown_and_never_obeyed(get: Get) -> None:
    for path in (
        "comments?id=1",
        "comments/1",
        "comments?_facet=author",
        f"?sql=select+*+from+comments+where+id=1+--{EVIL}",
    ):
        page = get(f"/{DATABASE}{'' if path.startswith('?') else '/'}{path}").text
        assert "<script>alert" not in page and "<img src=x" not in page, path
        assert not re.search(r'href="(javascript|https://evil)', page, re.IGNORECASE), path
    page = get(f"/{DATABASE}/comments/1").text
    assert "javascript:alert(3)" in page and 'U+202E</span><span class="hidden">U+200B' in page


def test_only_addresses_of_articles_and_sources_become_links(get: Get, db: Path) -> None:
    with sqlite3.connect(db) as connection:
        ((url,),) = connection.execute("SELECT url FROM articles WHERE id = 1")
        connection.execute("UPDATE comments SET author_url = ? WHERE id = 2", ("https://spam.example/buy",))
    assert f'<a href="{url}" rel="noopener noreferrer nofollow" target="_blank">' in get(f"/{DATABASE}/articles/1").text
    page = get(f"/{DATABASE}?sql=select+author_url+from+comments+where+id=2").text
    assert "https://spam.example/buy" in page and 'href="https://spam' not in page


def test_a_csv_holds_no_formula_and_says_when_it_is_not_all(get: Get) -> None:
    answer = get(f"/{DATABASE}/comments.csv?id=1")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="comments.csv"'
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row["text"] == "'=1+2 " + EVIL
    for path in ("comments.csv", "disguises.csv"):
        cells = [cell for line in csv.reader(io.StringIO(get(f"/{DATABASE}/{path}").text)) for cell in line]
        assert cells and not [cell for cell in cells if cell[:1] in set("=+-@\t\r\n") and cell[:1]]
    many = {"sql": "select value from json_each(:many)", "many": str(list(range(1500)))}
    named = get(f"/{DATABASE}.csv", params=many).headers["content-disposition"]
    assert named == 'attachment; filename="watchfloor-first-1000-rows.csv"'
    named = get(f"/{DATABASE}/articles.csv?_stream=on&_size=2").headers["content-disposition"]
    assert named.endswith('-first-2-rows.csv"')
    assert get(f"/{DATABASE}/nothing.csv").status_code == 404


@pytest.mark.parametrize(
    "sql",
    ["DELETE FROM comments", "PRAGMA query_only = OFF", "ATTACH 'x' AS y", "SELECT 1; DELETE FROM comments",
     "WITH t AS (SELECT 1) DELETE FROM comments", "SELECT load_extension('x')", "SELECT writefile('x', 'y')",
     "VACUUM INTO 'x'", "WITH t AS (SELECT 1) UPDATE comments SET text = ''", "SELECT * FROM nowhere"],
)  # fmt: skip
def test_sql_that_is_no_reading_is_refused(get: Get, db: Path, sql: str) -> None:
    before = db.read_bytes()
    assert get(f"/{DATABASE}", params={"sql": sql}).status_code == 400
    assert get(f"/{DATABASE}/articles", params={"_where": f"1); {sql}"}).status_code == 400
    assert db.read_bytes() == before


def test_sql_that_takes_too_long_is_cut_with_a_plain_message(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert SETTINGS["sql_time_limit_ms"] == 2000
    monkeypatch.setitem(SETTINGS, "sql_time_limit_ms", 200)
    app = datasette_app(db, PACK)
    for path in (f"/{DATABASE}", f"/{DATABASE}.json", f"/{DATABASE}.csv"):
        answer = ask(app, path, params={"sql": ENDLESS})
        assert answer.status_code == 400 and "was stopped. Ask for less" in answer.text, path
        assert "<script>" not in answer.text and "sql_time_limit_ms" not in answer.text


SEARCHED = ("articles", "comments", "latest_articles", "comment_threads", "flagged_comments")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    st.sampled_from(SEARCHED), st.text(max_size=30) | st.sampled_from(['"', "'", "a AND", "*", "(((", "NEAR(", "\0"])
)
def test_nothing_that_is_searched_for_is_an_error(get: Get, table: str, words: str) -> None:
    path = f"/{DATABASE}/{table}.json"
    try:
        answer = get(path, params={"_search": words, "_size": "1"})
    except UnicodeEncodeError:  # half a surrogate is in no address
        return
    assert answer.status_code == 200, answer.text


ODD = """
_next=x _next=~ _size=x _size=-1 _timelimit=x _through=x _through={} _sort=x _sort=id&_sort_desc=id _facet=x
_facet_array=id _facet_date=id _col=x _nocol=x _search_x=y _searchmode=raw&_search=%22 _fts_table=x&_search=y
_fts_pk=x&_search=y _where=x id__gt=x id__x=1 _labels=x _label=x _shape=x _json=id _ttl=x %ff=%fe _trace=1
_filter_column=x&_filter_op=y
"""
PAGES = "articles articles.json latest_articles disguises articles.csv articles/1 articles/x,y articles.blob"


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize("query", ODD.split())
def test_addresses_that_make_no_sense_are_told_so(get: Get, query: str) -> None:
    for path in PAGES.split():
        answer = get(f"/{DATABASE}/{path}?{query}")
        assert answer.status_code < 500, (path, query, answer.text)
        assert "Traceback" not in answer.text


OWN_PAGES = """
versions settings databases.json metadata threads plugins actor permissions patterns auth-token logout messages
allow-debug static/app.css static/../../app.py
"""


def test_nothing_of_the_machine_is_shown(get: Get, db: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for path in OWN_PAGES.split():
        assert get(f"/-/{path}").status_code == 404, path
    for path in (
        f"/{DATABASE}.db",
        "/_internal",
        "/_internal?sql=select+1",
        "/_memory?sql=select+1",
        "/look/../app.py",
        "/nothing",
    ):
        page = get(path)
        assert page.status_code in (403, 404) and str(db) not in page.text, path
    assert get("/-/static/table.js").status_code == get("/look/sql.css").status_code == 200
    assert (
        "--accent" in get("/look/frame.css").text and get("/look/icon.svg").headers["content-type"] == "image/svg+xml"
    )
    assert get("/look/review.js").status_code == get("/look/../plugin.py").status_code == 404
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert get(f"/{DATABASE}/disguises", method=method).status_code == 405
    said = capfd.readouterr()
    assert said.out + said.err == ""


def test_a_database_that_goes_away_is_told_without_its_path(db: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_bytes(db.read_bytes())
    app = datasette_app(copy, PACK)
    copy.unlink()
    answer = ask(app, f"/{DATABASE}/articles")
    assert answer.status_code == 503 and str(tmp_path) not in answer.text
    with pytest.raises(DatabaseProblem, match="no database here yet"):
        datasette_app(copy, PACK)


def test_what_a_crawl_writes_is_there_at_once(get: Get, db: Path) -> None:
    with sqlite3.connect(db) as connection:
        connection.execute("UPDATE articles SET section = 'just now' WHERE id = 1")
    assert "just now" in get(f"/{DATABASE}/articles/1").text


def test_it_can_be_mounted_elsewhere(db: Path) -> None:
    app = datasette_app(db, PACK, base="/sql/")
    for path in ("/sql/", "/sql/watchfloor/articles/", "/sql/watchfloor/published-per-week"):
        assert ask(app, path).headers["location"].startswith("/sql/watchfloor"), path
    for path in ("", "/articles?_size=2", "/articles/1", "/disguises", "?sql=select+1", "/nothing"):
        page = ask(app, f"/sql/{DATABASE}{path}")
        inside = re.findall(r'(?:href|src|action)="(/[^"]*)"', page.text)
        assert inside and all(re.match(r"/$|/sql/(?!sql/)", address) for address in inside), path
    absolute = re.findall(r'href="http://[^/]+(/[^"]*)"', ask(app, f"/sql/{DATABASE}/articles?_size=2").text)
    assert all(re.match(r"/sql/(?!sql/)|/20", address) for address in absolute)
    assert ask(app, f"/sql/{DATABASE}/articles.csv").status_code == 200


def test_ones_own_query_cannot_hide_a_table(db: Path) -> None:
    own = Query(name="articles", title="Mine", about="a", sql="SELECT 1 AS one")
    app = datasette_app(db, {**PACK, "articles": own})
    assert "Evidence: what" in ask(app, f"/{DATABASE}/articles").text
    assert "Mine" in ask(app, f"/{DATABASE}/articles-query").text


def test_descriptions_come_from_the_schema_alone() -> None:
    table = Relation(
        name="t", sql="CREATE TABLE t ( -- What for.\n  a TEXT NOT NULL, -- This.\n  b TEXT)", columns=("a", "b")
    )
    about = described([table], {})["databases"][DATABASE]["tables"]["t"]
    assert about == {"description": "What for.", "columns": {"a": "This."}, "facets": []}


class Running:
    """`watchfloor sql` in a process of its own."""

    def __init__(self, db: Path) -> None:
        command = [sys.executable, "-m", "app.cli.main", "sql", "--port", "0", "--db", str(db)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
        assert self.process.stdout
        self.said = self.process.stdout.readline()
        self.address = self.process.stdout.readline().strip()
        self.port = int(re.findall(r":(\d+)/", self.address)[0])

    def raw(self, request: str, wait: float = 5) -> str:
        """What comes back for these very bytes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as connection:
            connection.sendall(request.encode("latin-1"))
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
        return b"".join(parts).decode("latin-1")

    def stop(self) -> tuple[int, str]:
        """Ctrl-C; the exit code and what stood on standard error."""
        self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=20)
        return self.process.returncode, err


@pytest.fixture(scope="module")
def running(db: Path) -> Iterator[Running]:
    started = Running(db)
    yield started
    assert started.stop() == (0, "")


def test_the_printed_address_opens_it(running: Running) -> None:
    assert "read-only, until Ctrl-C" in running.said
    with httpx.Client(follow_redirects=True) as browser:
        assert browser.get(running.address.partition("?")[0]).status_code == 401
        page = browser.get(running.address)
        assert page.status_code == 200 and str(page.url).endswith(f"/{DATABASE}") and "The database" in page.text
        assert "server" not in page.headers
    assert httpx.get(f"http://127.0.0.1:{running.port}/{DATABASE}").status_code == 401


def test_requests_that_no_browser_makes_are_refused(running: Running) -> None:
    own = f"127.0.0.1:{running.port}"
    refused = {
        "two hosts": f"GET / HTTP/1.1\r\nHost: {own}\r\nHost: {own}\r\nConnection: close\r\n\r\n",
        "no host": "GET / HTTP/1.0\r\n\r\n",
        "another host": "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        "a whole address": f"GET http://evil.example/ HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n",
        "a path that is a host": f"GET //evil.example/ HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n",
        "another version": f"GET / HTTP/9.9\r\nHost: {own}\r\nConnection: close\r\n\r\n",
        "a long head": f"GET / HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\nX: {'x' * 20_000}\r\n\r\n",
        "another method": f"TRACE / HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n",
        "bytes": f"GET /\xff HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n",
    }
    for what, request in refused.items():
        answer = running.raw(request)
        assert re.match(r"HTTP/1\.1 4(00|05|21|31) ", answer), f"{what}: {answer[:80]}"
        assert DATABASE not in answer.partition("\r\n\r\n")[2], what


def test_connections_that_say_nothing_hold_nobody_up(running: Running) -> None:
    idle = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(200)]
    try:
        for connection in idle:
            connection.sendall(b"GET / HTTP/1.1\r\nHost:")
        began = time.monotonic()
        assert httpx.get(f"http://127.0.0.1:{running.port}/").status_code == 401
        assert time.monotonic() - began < 2
    finally:
        for connection in idle:
            connection.close()


def test_a_port_that_is_taken_and_a_database_that_is_not_there_are_told_in_a_line(db: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = watchfloor("sql", "--port", str(port), "--db", db)
    assert ran.code == 2 and re.fullmatch(
        rf"watchfloor: port {port} cannot be had \(.*\); --port 0 takes any free one\n", ran.err
    )
    ran = watchfloor("sql", "--db", tmp_path / "none.db")
    assert ran.code == 4 and ran.err.count("\n") == 1 and "no database here yet" in ran.err
    assert watchfloor("sql", "--host", "0.0.0.0").code == 2  # there is no such option
