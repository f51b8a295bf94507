"""The store's promises: all or nothing, a person's word outlives everything, and every fault has its name."""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import ROOT
from crawler.health import Ending, judge_run
from crawler.items import Article, Block, Comment, Context, Fetch, Known, Page, Section
from crawler.source import Source
from db import read
from db.connect import DatabaseBusy, DatabaseProblem, has_wal_reset_bug, open_reader
from db.decisions import NotThere, Overtaken, Undone
from db.store import Store
from moderation.policy import default_policy, judge
from pipelines.compare import compare

NOW = "2026-11-22T12:00:00Z"
LATER = "2026-11-22T13:00:00Z"
SOURCE = Source(id="s", name="S", home="http://s.example/")
URL = "http://s.example/2026/a-story/"
FETCH = Fetch(url=URL, source_id="s", outcome="stored")
SPAM = Comment(text="buy at http://spam.example/x now", author="bob", site_id="1")
FINE = Comment(text="a fair point", author="ann", site_id="2", position=1)


def page(*comments: Comment, body: str = "Some text.", headline: str = "A story") -> Page:
    sections = (Section(blocks=(Block(kind="paragraph", text=body),)),)
    article = Article(url=URL, headline=headline, sections=sections, comments_state="open")
    return Page(article=article, comments=comments)


def visit(store: Store, content: Page, *, now: str = NOW, run: int | None = None) -> None:
    """One page through compare, judge and apply, as the pipeline does it."""
    run = run or store.begin_run([SOURCE], version="t", now=now)
    delta = compare(content, store.known(URL))
    to_judge = (*delta.new, *delta.edited, *delta.unjudged)
    verdicts = {
        k.key: judge(k.comment, Context(decided_before=_decided(delta.known, k.key)), default_policy())
        for k in to_judge
    }
    store.apply(replace(delta, verdicts=verdicts), FETCH, run_id=run, now=now)


def _decided(known: Known, key: str) -> str:
    stored = known.comments.get(key)
    return stored.decided if stored else ""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "w.db"


@pytest.fixture
def store(path: Path) -> Store:
    return Store(path)


def state(store: Store, comment: int) -> str:
    return str(store.db.execute("SELECT state FROM standing WHERE comment_id = ?", [comment]).fetchone()[0])


def test_what_was_stored_is_known_and_comparing_it_again_finds_nothing(store: Store) -> None:
    visit(store, page(SPAM, FINE))
    assert compare(page(SPAM, FINE), store.known(URL)).empty


def test_a_person_outranks_the_rules_until_the_word_is_taken_back(store: Store) -> None:
    visit(store, page(SPAM, FINE))
    assert (state(store, 1), state(store, 2)) == ("flagged", "clean")
    store.decide(1, "ok", by="ann", now=NOW)
    assert state(store, 1) == "ok"
    store.decide(1, "spam", by="ben", now=NOW)
    assert state(store, 1) == "spam"
    assert store.undo(by="ben", now=NOW) == Undone(comment_id=1, said="spam", now="ok")
    assert state(store, 1) == "ok"
    assert store.undo(1, by="ann", now=NOW) == Undone(comment_id=1, said="ok", now="flagged")
    assert state(store, 1) == "flagged"
    with pytest.raises(NotThere):
        store.undo(by="ann", now=NOW)


def test_a_decision_belongs_to_the_version_it_was_made_on(store: Store) -> None:
    visit(store, page(SPAM))
    store.decide(1, "ok", by="ann", now=NOW)
    edited = replace(SPAM, text="now buy at http://worse.example/")
    visit(store, page(edited), now=LATER)
    assert state(store, 1) == "flagged"
    assert store.known(URL).comments["id:1"].decided == "ok"


def test_a_decision_on_what_somebody_else_has_decided_meanwhile_is_refused_with_who_and_when(store: Store) -> None:
    visit(store, page(SPAM))
    (seen,) = store.db.execute("SELECT verdict_id FROM standing WHERE comment_id = 1").fetchone()
    store.decide(1, "spam", by="ann", now=NOW, seen=seen)
    with pytest.raises(Overtaken, match="ann said spam at 2026"):
        store.decide(1, "ok", by="ben", now=LATER, seen=seen)
    assert state(store, 1) == "spam"


def test_deciding_on_a_comment_that_is_not_there_says_so(store: Store) -> None:
    with pytest.raises(NotThere, match="no comment 99"):
        store.decide(99, "ok", by="ann", now=NOW)


@pytest.mark.parametrize("change", ["UPDATE verdicts SET said = 'clean'", "DELETE FROM verdicts"])
def test_the_record_of_verdicts_cannot_be_rewritten(store: Store, change: str) -> None:
    visit(store, page(SPAM))
    store.decide(1, "spam", by="ann", now=NOW)
    with pytest.raises(sqlite3.IntegrityError, match="never"):
        store.db.execute(change)


def test_the_standing_of_every_comment_follows_from_the_verdicts_alone(store: Store) -> None:
    visit(store, page(SPAM, FINE))
    store.decide(1, "ok", by="ann", now=NOW)
    store.decide(2, "spam", by="ann", now=NOW)
    store.undo(2, by="ann", now=NOW)
    kept = store.db.execute("SELECT comment_id, verdict_id, state, score FROM standing ORDER BY 1").fetchall()
    worked_out = store.db.execute("SELECT comment_id, verdict_id, state, score FROM holding ORDER BY 1").fetchall()
    assert kept == worked_out


def test_a_page_is_stored_whole_or_not_at_all(store: Store) -> None:
    store.db.execute("CREATE TRIGGER late BEFORE INSERT ON fetches BEGIN SELECT RAISE(ABORT, 'late fault'); END")
    with pytest.raises(Exception, match="late fault"):
        visit(store, page(SPAM))
    assert read.counts(store.db) | {"runs": 0} == dict.fromkeys(read.counts(store.db), 0)


def test_an_edit_keeps_the_earlier_version_and_the_search_index_follows(store: Store) -> None:
    visit(store, page(body="alpha"))
    visit(store, page(body="omega"), now=LATER)
    assert store.db.execute("SELECT revision, body, changed FROM article_revisions").fetchall() == [
        (1, "alpha", '["body"]')
    ]
    store.index(now=LATER)
    hits = "SELECT count(*) FROM articles_fts WHERE articles_fts MATCH ?"
    assert [store.db.execute(hits, [word]).fetchone()[0] for word in ("alpha", "omega")] == [0, 1]


def test_a_receipt_is_kept_with_its_article_and_only_for_the_cleaning_that_read_it(store: Store) -> None:
    run = store.begin_run([SOURCE], version="t", now=NOW)
    delta = compare(page(), Known())
    store.apply(delta, replace(FETCH, etag='"x"', cleaned_by="1"), run_id=run, now=NOW)
    found = store.receipt(URL, cleaned_by="1")
    assert found is not None
    assert found.etag == '"x"'
    assert store.receipt(URL, cleaned_by="2") is None
    store.record(replace(FETCH, outcome="failed"), run_id=run, now=LATER)
    assert store.receipt(URL, cleaned_by="1") is None


def test_failures_in_a_row_are_counted_and_a_success_ends_them(store: Store) -> None:
    run = store.begin_run([SOURCE], version="t", now=NOW)
    for outcome in ("failed", "failed"):
        store.record(replace(FETCH, outcome=outcome), run_id=run, now=NOW)
    assert store.db.execute("SELECT failures FROM fetches").fetchone() == (2,)
    store.record(replace(FETCH, outcome="rejected"), run_id=run, now=NOW)
    assert store.db.execute("SELECT failures FROM fetches").fetchone() == (0,)


# ---- every public method on a database that cannot be used

METHODS: dict[str, Callable[[Store], object]] = {
    "begin_run": lambda s: s.begin_run([SOURCE], version="t", now=NOW),
    "end_run": lambda s: s.end_run(1, judge_run({}, {}, Ending()), now=NOW),
    "apply": lambda s: s.apply(compare(page(FINE, SPAM), Known()), FETCH, run_id=1, now=NOW),
    "record": lambda s: s.record(FETCH, run_id=1, now=NOW),
    "decide": lambda s: s.decide(1, "spam", by="x", now=NOW),
    "undo": lambda s: s.undo(by="x", now=NOW),
}


def filled(path: Path) -> None:
    with Store(path) as store:
        visit(store, page(SPAM))
        store.decide(1, "spam", by="ann", now=NOW)


@pytest.mark.parametrize("method", METHODS)
def test_a_database_that_another_program_holds_is_busy_and_nothing_is_half_written(path: Path, method: str) -> None:
    filled(path)
    with Store(path, wait=0.01) as store, sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        before = read.counts(store.db)
        with pytest.raises(DatabaseBusy, match="try again"):
            METHODS[method](store)
        other.execute("ROLLBACK")
        assert read.counts(store.db) == before


def test_readers_are_not_stopped_by_a_writer(path: Path) -> None:
    filled(path)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        assert len(read.latest(open_reader(path), limit=5)) == 1
        other.execute("ROLLBACK")


def damaged(path: Path) -> None:
    filled(path)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode = DELETE")
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)


def newer(path: Path) -> None:
    filled(path)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('watchfloor', 'm999', '')"
        )


def text(path: Path) -> None:
    path.write_text("this is no database\n" * 100)


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [(damaged, "damaged"), (newer, "newer watchfloor"), (text, "not a SQLite database"), (foreign, "not watchfloor's")],
)
def test_a_database_that_cannot_be_used_is_named_with_the_way_out_and_left_as_it_is(
    path: Path, spoil: Callable[[Path], None], says: str
) -> None:
    spoil(path)
    before = path.read_bytes()
    for use in (Store, open_reader):
        with pytest.raises(DatabaseProblem, match=says) as caught:
            METHODS["begin_run"](use(path)) if use is Store else read.latest(use(path), limit=1)
        assert str(path) in str(caught.value)
    assert path.read_bytes() == before


def test_a_disk_without_room_is_said_and_nothing_is_half_written(path: Path) -> None:
    filled(path)
    script = (
        "import signal, resource, sys\n"
        "from pathlib import Path\n"
        "import test_db_store as t\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "store = t.Store(Path(sys.argv[1]))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))\n"
        "try:\n    t.visit(store, t.page(t.SPAM, body='much ' * 100_000))\n"
        "except t.DatabaseProblem as e:\n    print(e)\n"
    )
    room = path.stat().st_size + 20_000
    command = [sys.executable, "-c", script, path, str(room)]
    env = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60, check=False)
    assert str(path) in done.stdout, done.stderr
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*), max(revision) FROM articles").fetchone() == (1, 1)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)


def test_a_database_that_may_not_be_written_is_said_and_can_still_be_read(path: Path, tmp_path: Path) -> None:
    filled(path)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom db.connect import *\nfrom db.store import Store\n"
        "from db import read\nos.chdir(sys.argv[1])\npath = Path('w.db')\n"
        "if os.geteuid() == 0:\n    os.setgid(65534)\n    os.setuid(65534)\n"  # an ordinary user from here on
        "try:\n    Store(path)\nexcept DatabaseProblem as e:\n    print(e)\n"
        "print(len(read.latest(open_reader(path), limit=5)))\n"
    )
    env = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", script, tmp_path]
    _let_pass(tmp_path)
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60, check=False)
    tmp_path.chmod(0o755)
    lines = done.stdout.splitlines()
    assert len(lines) == 2, done.stderr
    assert "read-only" in lines[0] or "may not write" in lines[0]
    assert lines[1] == "1"


def _let_pass(folder: Path) -> None:
    """An ordinary user must be able to reach the folder."""
    for parent in folder.parents:
        if parent != Path("/") and parent.stat().st_uid == folder.stat().st_uid and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)


def test_an_empty_file_becomes_a_fresh_database(path: Path) -> None:
    path.touch()
    with Store(path) as store:
        assert read.counts(store.db)["articles"] == 0


@pytest.mark.parametrize(
    ("version", "has"),
    [("3.40.1", True), ("3.44.6", False), ("3.45.0", True), ("3.50.7", False), ("3.51.2", True), ("3.51.3", False)],
)
def test_the_sqlite_versions_that_can_damage_a_busy_database_are_known(version: str, has: bool) -> None:
    assert has_wal_reset_bug(version) is has
