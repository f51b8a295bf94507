"""People read, decide and make backups while a crawl writes: nobody is stopped, no word is lost, each copy is whole."""

from __future__ import annotations

import contextlib
import random
import re
import sqlite3
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import httpx
import pytest

from app.demo.server import Server, serve
from browser import Room, served
from conftest import Watch, watchfloor
from db.connect import LOG_BYTES, open_reader
from soundness import (
    SEED,
    begun,
    check,
    damage,
    long_test,
    one_at_a_time,
    rows,
    slower,
    words,
)

A_SECOND = 20
"""Decisions of each person."""
SCRIPT = {"Sec-Fetch-Site": "same-origin", "Accept": "application/json"}
BUSY_SECONDS = 5
"""In which a page says that the database is busy."""


@dataclass
class Person:
    """Somebody at the review desk, who says spam or ok as fast as it goes."""

    room: Room
    token: str
    chance: random.Random
    accepted: list[tuple[int, int, str]] = field(default_factory=list)
    """Number of the verdict, comment, word; in order."""
    answers: list[int] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)

    def decide(self, ended: threading.Event) -> None:
        """Until the crawl has ended. Comments come from the queue as it is, so that two meet now and then."""
        name, _, value = self.room.cookie.partition("=")
        with httpx.Client(base_url=self.room.url, cookies={name: value}, timeout=30) as client:
            while not ended.wait(1 / A_SECOND):
                queue = self.room.rows("SELECT id, verdict_id FROM review_queue LIMIT 8")
                if not queue:
                    continue
                comment, seen = self.chance.choice(queue)
                said = self.chance.choice(("spam", "ok"))
                form = {"token": self.token, "comment": comment, "seen": seen, "said": said}
                answer = client.post("/review/decide", data={k: str(v) for k, v in form.items()}, headers=SCRIPT)
                self.answers.append(answer.status_code)
                if answer.status_code == 200 and not answer.json().get("again"):
                    self.accepted.append((answer.json()["verdict"], comment, said))
                if answer.status_code == 409:
                    self.conflicts.append(answer.json()["told"])


@pytest.fixture
def changing(tmp_path: Path) -> Iterator[Watch]:
    """A site that was crawled once; since then half of its comments were edited, and there are more."""
    with serve() as server:
        watch = one_at_a_time(server, tmp_path)
        assert watch.crawl().code == 0
        change(server, 1)
        yield watch


def change(server: Server, number: int) -> None:
    """Edits every second comment with a link, and adds one to every article."""
    for article in server.site.articles:
        for comment in article.comments[::2]:
            text = f"version {number}: http://edited{number}.example/{comment.id}"
            server.site.edit_comment(article.path, comment.id, text)
        server.site.add_comment(article.path, f"new {number}: http://new{number}.example/")


def test_what_people_decide_during_a_crawl_is_all_there_in_order_and_an_edit_is_shown_again(changing: Watch) -> None:
    before = words(changing.db)
    slower(changing, 0.05)
    with served(changing.db, changing.folder) as room:
        name, _, value = room.cookie.partition("=")
        page = httpx.get(f"{room.url}/review", cookies={name: value}, timeout=30).text
        token = unescape(re.findall(r'name="token" value="([^"]+)"', page)[0])
        people = [Person(room, token, random.Random(f"{SEED} {n}")) for n in range(2)]
        print(f"seed {SEED}")
        ended = threading.Event()
        deciding = [threading.Thread(target=person.decide, args=[ended]) for person in people]
        process = begun(changing, "--again", "-q")
        for thread in deciding:
            thread.start()
        out, err = process.communicate(timeout=120)
        ended.set()
        for thread in deciding:
            thread.join()
    assert process.returncode == 0, out + err
    assert {status for person in people for status in person.answers} <= {200, 409, 503}
    check(changing.db, said=before, broken=False)
    accepted = sorted(each for person in people for each in person.accepted)
    sql = "SELECT id, comment_id, said FROM verdicts WHERE person ORDER BY id"
    assert rows(changing.db, sql) == accepted and accepted
    assert all(person.accepted == sorted(person.accepted) for person in people)
    assert all(re.search(r"said (spam|ok) on #\d+ at 20|said flagged", told) for p in people for told in p.conflicts)
    for _, comment, said in {row[1]: row for row in accepted}.values():
        ((state, revision, judged),) = rows(changing.db, _STANDS, comment)
        assert state == said if judged == revision else state in ("flagged", "clean"), comment


_STANDS = """
SELECT s.state, c.revision, (SELECT v.revision FROM verdicts v WHERE v.comment_id = c.id AND v.person ORDER BY id DESC)
FROM comments c JOIN standing s ON s.comment_id = c.id WHERE c.id = ?
"""


def test_a_decision_while_something_else_writes_is_told_to_wait_in_time(changing: Watch) -> None:
    with (
        served(changing.db, changing.folder) as room,
        contextlib.closing(sqlite3.connect(changing.db, isolation_level=None)) as other,
    ):
        name, _, value = room.cookie.partition("=")
        with httpx.Client(base_url=room.url, cookies={name: value}, timeout=30) as client:
            token = unescape(re.findall(r'name="token" value="([^"]+)"', client.get("/review").text)[0])
            ((comment, seen),) = room.rows("SELECT id, verdict_id FROM review_queue LIMIT 1")
            form = {"token": token, "comment": str(comment), "seen": str(seen), "said": "spam"}
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            answer = client.post("/review/decide", data=form, headers=SCRIPT)
            assert answer.status_code == 503 and "busy" in answer.text
            assert time.monotonic() - began < BUSY_SECONDS
            assert words(changing.db) == []
            other.execute("ROLLBACK")
            assert client.post("/review/decide", data=form, headers=SCRIPT).status_code == 200
    assert len(words(changing.db)) == 1


# ---- readers


def crawling(watch: Watch, ended: threading.Event, codes: list[int]) -> threading.Thread:
    """One crawl after the other, each with changes to store, until that is set."""

    def crawl() -> None:
        number = 1
        while not ended.is_set():
            number += 1
            change(watch.server, number)
            process = begun(watch, "--again", "-q", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            codes.append(process.wait(timeout=180))

    thread = threading.Thread(target=crawl)
    thread.start()
    return thread


STANDARD = """
SELECT a.url, count(c.id) FROM articles a LEFT JOIN comments c ON c.article_id = a.id
GROUP BY a.id ORDER BY a.published_at
"""


def timed(db: sqlite3.Connection) -> tuple[float, list[tuple[str, int]]]:
    began = time.perf_counter()
    found = db.execute(STANDARD).fetchall()
    return time.perf_counter() - began, found


@pytest.mark.parametrize("seconds", [pytest.param(40, marks=long_test())])
def test_readers_are_never_stopped_by_a_crawl_and_see_whole_articles(seconds: int, changing: Watch) -> None:
    idle, busy, codes = list[float](), list[float](), list[int]()
    with contextlib.closing(open_reader(changing.db, wait=0)) as reader:
        idle = [timed(reader.conn)[0] for _ in range(200)]
    ended = threading.Event()
    writing, last = crawling(changing, ended, codes), {}
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with contextlib.closing(open_reader(changing.db)) as reader:  # SQLite asks for a moment where a run ends
                took, found = timed(reader.conn)
            busy.append(took)
            now = dict(found)
            assert all(now.get(url, 0) >= count for url, count in last.items())
            last = now
            time.sleep(0.02)
    finally:
        ended.set()
        writing.join()
    share = statistics.quantiles(busy, n=100)[98] / statistics.quantiles(idle, n=100)[98]
    print(f"{len(busy)} readings while {len(codes)} crawls wrote; p99 is {share:.1f} times that of an idle machine")
    assert set(codes) == {0}
    check(changing.db, broken=False)


@pytest.mark.parametrize("seconds", [pytest.param(30, marks=long_test())])
def test_a_reader_that_holds_a_transaction_stops_nobody_and_the_log_is_cut_back_after_it(
    seconds: int, changing: Watch
) -> None:
    log, codes, ended = changing.db.with_name(f"{changing.db.name}-wal"), list[int](), threading.Event()
    with contextlib.closing(open_reader(changing.db)) as reader:
        reader.execute("BEGIN")
        before = reader.execute(STANDARD).fetchall()
        writing = crawling(changing, ended, codes)
        time.sleep(seconds)
        ended.set()
        writing.join()
        assert reader.execute(STANDARD).fetchall() == before
        grown = log.stat().st_size
    print(f"{len(codes)} crawls: the log grew to {grown / 2**20:.1f} MB")
    assert set(codes) == {0}
    for number in (1000, 1001):
        change(changing.server, number)
        assert changing.crawl("--again").code == 0
    assert not log.exists() or log.stat().st_size <= LOG_BYTES
    check(changing.db, broken=False)


@pytest.mark.parametrize("size", [pytest.param(257 * 2**20, marks=long_test())])
def test_a_log_that_grows_without_end_is_told_by_doctor(size: int, changing: Watch) -> None:
    with contextlib.closing(open_reader(changing.db)) as reader:
        reader.execute("BEGIN")
        reader.execute(STANDARD).fetchall()
        with contextlib.closing(sqlite3.connect(changing.db, isolation_level=None)) as db:
            db.execute("CREATE TABLE large (bytes)")
            for _ in range(size // 2**23 + 1):
                db.execute("INSERT INTO large VALUES (zeroblob(8388608))")
                db.execute("DELETE FROM large")
            db.execute("DROP TABLE large")
            ran = changing("doctor")
    assert re.search(r"warning +the write-ahead log has \d+ MB: some program holds an old reading open", ran.out)


# ---- backups


@pytest.mark.parametrize("number", [pytest.param(20, marks=long_test())])
def test_backups_during_crawls_are_each_whole_and_can_be_reviewed(number: int, changing: Watch, tmp_path: Path) -> None:
    codes, ended = list[int](), threading.Event()
    (waiting,) = rows(changing.db, "SELECT id FROM review_queue LIMIT 1")[0]
    assert changing("decide", str(waiting), "spam").code == 0
    said, writing = words(changing.db), crawling(changing, ended, codes)
    try:
        for each in range(number):
            copy = tmp_path / f"b{each}.db"
            ran = watchfloor("backup", copy, "--db", changing.db)
            assert ran.code == 0, ran.err
            assert damage(copy) == {} and words(copy)[: len(said)] == said
    finally:
        ended.set()
        writing.join()
    assert set(codes) == {0}
    print(f"{number} backups during {len(codes)} crawls")
    for each in (0, number // 2, number - 1):
        restored = tmp_path / str(each)
        restored.mkdir()
        db = restored / "watchfloor.db"
        assert watchfloor("restore", tmp_path / f"b{each}.db", "--yes", "--db", db).code == 0
        with served(db, restored) as room:
            name, _, value = room.cookie.partition("=")
            page = httpx.get(f"{room.url}/review", cookies={name: value}, timeout=30)
            assert page.status_code == 200 and 'name="token"' in page.text
