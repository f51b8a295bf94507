"""Who waits for whom: readers for nobody, nobody for readers, writers for one another and no longer than is said."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import ROOT
from crawler.items import Comment, Context, Known
from db import read
from db.backups import back_up
from db.connect import LOG_BYTES, DatabaseBusy, open_reader
from db.indexing import PAUSE
from db.judging import Desk
from db.people import Ledger
from db.store import Store
from db.stories import BATCH
from moderation.exchange import Mark, Word
from moderation.policy import default_policy, judge
from pipelines.compare import compare
from test_db_store import FETCH, NOW, SOURCE, SPAM, page, visit

PAGES = 60
"""Visits of the test's crawl."""
ARTICLES, THREAD = 6, 12
DECIDERS = ("ann", "bob")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some articles with comments that wait for a person, a part of them not indexed."""
    path = tmp_path_factory.mktemp("filled") / "w.db"
    with Store(path) as store:
        run = store.begin_run([SOURCE], version="t", now=NOW)
        for number in range(ARTICLES):
            put(store, number, run)
            if not number:
                store.index(now=NOW)
    return path


@pytest.fixture
def path(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(filled, tmp_path / "w.db"))


def put(store: Store, number: int, run: int) -> None:
    """A visit, as the crawl makes it."""
    said = (
        replace(SPAM, text=f"buy at http://shop{number}.example/{n}", site_id=str(n), position=n) for n in range(THREAD)
    )
    content = page(*said, body=f"word{number} " * 200, headline=f"Story {number}")
    content = replace(content, article=replace(content.article, url=f"http://s.example/{number}/"))
    delta = compare(content, store.known(content.article.url))
    verdicts = {k.key: judge(k.comment, Context(), default_policy()) for k in delta.new}
    fetch = replace(FETCH, url=content.article.url)
    store.apply(replace(delta, verdicts=verdicts), fetch, run_id=run, now=NOW)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A reader in the middle of a transaction."""
    with contextlib.closing(open_reader(path, wait=0)) as db:
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM verdicts").fetchone()
        yield db.conn


def look(path: Path) -> tuple[int, int, int]:
    """What a person looks at, without any patience."""
    with contextlib.closing(open_reader(path, wait=0)) as db:
        found = db.execute("SELECT count(*) FROM articles_fts WHERE articles_fts MATCH 'story'").fetchone()
        return len(read.latest(db, limit=1_000)), read.waiting(db), int(found[0])


# ---- readers


def test_a_writer_in_the_middle_of_a_transaction_stops_no_reader(path: Path) -> None:
    before, seen = look(path), list[tuple[int, int, int]]()

    def words(_: object) -> Iterator[tuple[int, int, Word]]:
        for id in range(1, 31):
            yield id, 1, Word(mark=Mark("spam", "cy", NOW))
            if id % 10 == 0:
                seen.append(look(path))

    with Ledger(path) as ledger:
        ledger.append_words(words)
    assert seen == [before] * 3
    assert look(path)[1] == before[1] - 30


def test_a_batch_of_the_index_stops_no_reader(path: Path) -> None:
    before, seen = look(path), list[tuple[int, int, int]]()
    with Store(path) as store:
        store.db.conn.set_trace_callback(lambda _: seen.append(look(path)) if len(seen) < 5 else None)
        store.index(now=NOW)
        store.db.conn.set_trace_callback(None)
    assert seen == [before] * 5
    assert look(path) == (before[0], before[1], ARTICLES)


def test_a_backup_stops_neither_the_crawl_nor_a_person_nor_a_reader(path: Path, tmp_path: Path) -> None:
    done = list[int]()

    def meanwhile(what: str, made: int, of: int) -> None:
        if len(done) < 5:
            with Store(path, wait=0) as store:
                put(store, 100 + len(done), 1)
                done.append(store.decide(1 + len(done), "ok", by="ann", now=NOW))
            look(path)

    backup = back_up(path, tmp_path / "copy.db", watch=meanwhile)
    assert done and backup.contents.rows["articles"] >= ARTICLES
    with contextlib.closing(open_reader(path)) as db:
        assert [id for (id,) in db.execute("SELECT id FROM verdicts WHERE person")] == done


# ---- writers


def test_who_finds_another_writer_waits_as_long_as_is_said_and_not_much_longer(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other, Store(path, wait=0.5) as store:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(DatabaseBusy):
            store.decide(1, "spam", by="ann", now=NOW)
        assert 0.4 < time.monotonic() - began < 20


def test_who_waits_for_another_writer_goes_on_when_that_one_is_done(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.3, other.execute, ["ROLLBACK"]).start()
        with Store(path, wait=90) as store:
            assert store.decide(1, "spam", by="ann", now=NOW)


_DECIDING = """
import sys
from pathlib import Path
from db.connect import DatabaseBusy
from db.store import Store
from db.stories import BATCH
path, by, *ids = sys.argv[1:]
with Store(Path(path)) as store:
    print("ready", flush=True)
    for id in ids:
        try:
            print("took", store.decide(int(id), "spam" if int(id) % 2 else "ok", by=by, now="2026-11-22T12:00:00Z"))
            if int(id) % 5 == 0:
                print("undid", store.undo(int(id), by=by, now="2026-11-22T12:00:00Z").comment_id)
        except DatabaseBusy:
            print("busy", id)
"""


def test_what_two_people_decide_while_a_crawl_writes_is_all_there_and_nothing_else(path: Path) -> None:
    ids = [str(id) for id in range(1, ARTICLES * THREAD + 1)]
    command = [sys.executable, "-c", _DECIDING, str(path)]
    deciding = [subprocess.Popen([*command, by, *ids], cwd=ROOT, stdout=subprocess.PIPE, text=True) for by in DECIDERS]
    assert all(each.stdout and each.stdout.readline() == "ready\n" for each in deciding)
    with Store(path, wait=90) as store:
        run = store.begin_run([SOURCE], version="t", now=NOW)
        for number in range(PAGES):
            put(store, 1_000 + number, run)
    told = {by: each.stdout.read().splitlines() for by, each in zip(DECIDERS, deciding, strict=True) if each.stdout}
    assert [each.wait(60) for each in deciding] == [0, 0]
    with contextlib.closing(open_reader(path)) as db:
        for by, lines in told.items():
            rows = db.execute("SELECT id, said FROM verdicts WHERE person AND judge = ? ORDER BY id", [by]).fetchall()
            assert [id for id, said in rows if said != "undo"] == [
                int(line[5:]) for line in lines if line[:4] == "took"
            ]
            assert sum(said == "undo" for _, said in rows) == sum(line.startswith("undid") for line in lines)
        assert db.execute("SELECT count(*) FROM articles").fetchone() == (ARTICLES + PAGES,)
        columns = "comment_id, verdict_id, state, score, place"
        kept, made = (
            db.execute(f"SELECT {columns} FROM {name} ORDER BY 1").fetchall() for name in ("standing", "holding")
        )
        assert kept == made
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


# ---- how long


def _comments(count: int) -> tuple[Comment, ...]:
    text = "I doubt that the figure of {} ships in the {} report is right, given what the yards have built since"
    return tuple(Comment(text=text.format(n, n % 97), author=f"a{n}", site_id=str(n), position=n) for n in range(count))


HELD: dict[str, tuple[float, Callable[[Desk], object]]] = {
    "a visit": (0.5, lambda desk: visit(desk, page(*_comments(20)))),
    "a visit with a thousand comments": (3.0, lambda desk: visit(desk, page(*_comments(1_000)))),
    "a decision": (0.5, lambda desk: desk.decide(1, "spam", by="ann", now=NOW)),
    "the index": (1.5, lambda desk: desk.index(now=NOW)),
}
"""CPU seconds that the file may be held; several times what is documented, for slow machines."""


@pytest.mark.parametrize("what", HELD)
def test_nothing_holds_the_file_for_longer_than_is_said(what: str, path: Path) -> None:
    most, act = HELD[what]
    marks: list[tuple[str, float]] = []
    with Desk(path) as desk:
        desk.db.conn.set_trace_callback(lambda sql: marks.append((sql[:6].strip(), time.process_time())))
        act(desk)
        marks.append(("end", time.process_time()))
        desk.db.conn.set_trace_callback(None)
    begun = [at for name, at in marks if name == "BEGIN"]
    ended = [after for (name, _), (_, after) in itertools.pairwise(marks) if name == "COMMIT"]
    assert begun and max(end - begin for begin, end in zip(begun, ended, strict=True)) < most


def test_between_two_batches_of_the_index_others_have_their_turn(path: Path) -> None:
    marks: list[tuple[str, float]] = []
    with Store(path) as store:
        for number in range(PAGES):
            put(store, 1_000 + number, 1)
        store.db.conn.set_trace_callback(lambda sql: marks.append((sql[:6].strip(), time.monotonic())))
        store.index(now=NOW)
        store.db.conn.set_trace_callback(None)
    turns = [(name, at) for name, at in marks if name in ("BEGIN", "COMMIT")]
    held = [end - begin for (_, begin), (_, end) in zip(turns[::2], turns[1::2], strict=True)]
    free = [begin - end for (_, end), (_, begin) in zip(turns[1::2], turns[2::2], strict=False)]
    paused = [gap for gap, before in zip(free, held, strict=False) if gap >= before * PAUSE * 0.9]
    assert len(paused) >= PAGES // BATCH


def test_the_log_that_grew_while_somebody_read_is_cut_back_afterwards(path: Path) -> None:
    log = path.with_name("w.db-wal")
    with Store(path) as store:
        with reading(path):
            for id in range(1, 20):
                store.decide(id, "ok", by="ann", note="long " * 200_000, now=NOW)
            assert log.stat().st_size > LOG_BYTES
        for id in range(1, 4):
            store.decide(id, "spam", by="ann", now=NOW)
        assert log.stat().st_size <= LOG_BYTES


def test_a_page_that_is_known_and_empty_costs_a_reader_and_a_writer_nothing(path: Path) -> None:
    with Store(path) as store, contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert store.known("http://s.example/0/").article_id == 1
        assert store.known("http://s.example/none/") == Known()
