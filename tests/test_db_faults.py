"""Every public method of what writes and reads the database, on one that is locked, full, read-only, damaged or
changed by a newer watchfloor: the named error with the way out, nothing half written; after it all is well."""

from __future__ import annotations

import contextlib
import gzip
import inspect
import random
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT
from crawler.health import Ending, judge_run
from crawler.items import Context, FieldCount, Found, Known, SourceTally
from db.archive import Place
from db.captures import Capture, Captures
from db.connect import DatabaseBusy, DatabaseProblem, Unstorable, open_reader, open_writer
from db.decisions import NotThere, Overtaken
from db.judging import Desk
from db.people import Ledger
from db.store import Store
from moderation.exchange import Mark, Rule, Word
from moderation.policy import default_policy, judge
from pipelines.compare import compare
from test_db_store import FETCH, FINE, NOW, SOURCE, SPAM, URL, page, visit

LATER = "2026-11-22T15:00:00Z"
OTHER = "http://s.example/2026/another/"
PAGE = 4096
WAL_HEAD, FRAME = 32, 24 + PAGE
"""Bytes of a write-ahead log: its head, and each page in it."""
WAR = "watchfloor-20261122T120000Z-00001.warc.gz"
DECISION = 4
"""The number of the one that was made: after the rules' three verdicts."""
RECORD = gzip.compress(b"a record", mtime=0)
VERDICT = judge(SPAM, Context(), default_policy())
REPORT = replace(
    judge_run({"s": SourceTally(fetched=2, new=1)}, {}, Ending()), fields={"s": {"headline": FieldCount(read=2)}}
)
ANOTHER = replace(page(FINE, SPAM), article=replace(page().article, url=OTHER, headline="Another story"))
CAPTURE = Capture(
    run_id=1, source_id="s", url=OTHER, found=Found(url=OTHER, listing=URL), place=Place(WAR, 9, 9), at=LATER
)
WORD = Word(mark=Mark("spam", "cy", LATER))
RULE = Rule(word=Word(mark=Mark("deny", "cy", LATER)), domain="worse.example", source="")

Method = Callable[[Any], object]

METHODS: dict[str, Method] = {
    "Store.begin_run": lambda s: s.begin_run([SOURCE], version="t", now=LATER),
    "Store.end_run": lambda s: s.end_run(1, REPORT, now=LATER),
    "Store.index": lambda s: s.index(now=LATER),
    "Store.keep_robots": lambda s: s.keep_robots({"s.example": "Disallow: /x", "t.example": ""}, run_id=1, now=LATER),
    "Store.past": lambda s: s.past("s"),
    "Store.past_fields": lambda s: s.past_fields("s", {"headline": 3}),
    "Store.last_end": lambda s: s.last_end(),
    "Store.known": lambda s: s.known(URL),
    "Store.apply": lambda s: s.apply(judged(s), replace(FETCH, url=OTHER), run_id=1, now=LATER),
    "Store.reread": lambda s: s.reread(judged(s), {"reason": "x"}, url=OTHER, source_id="s", run_id=1, now=LATER),
    "Store.record": lambda s: s.record(replace(FETCH, outcome="gone"), run_id=1, now=LATER),
    "Store.record_unvisited": lambda s: s.record_unvisited([replace(FETCH, url=OTHER)], run_id=1, now=LATER),
    "Store.receipt": lambda s: s.receipt(URL, cleaned_by="1"),
    "Store.visited": lambda s: s.visited(URL),
    "Store.pruned": lambda s: s.pruned(URL),
    "Store.speaks_for_itself": lambda s: s.speaks_for_itself(URL),
    "Store.decide": lambda s: s.decide(2, "spam", by="cy", now=LATER),
    "Store.undo": lambda s: s.undo(by="cy", now=LATER),
    "Desk.append": lambda s: s.append([(1, 1, VERDICT), (2, 1, VERDICT)], now=LATER),
    "Desk.decide_all": lambda s: s.decide_all([3, 2, 1], "spam", by="cy", note="", now=LATER),
    "Desk.rule_domain": lambda s: s.rule_domain("worse.example", "deny", source="", note="", by="cy", now=LATER),
    "Desk.save_model": lambda s: s.save_model("{}", decisions=3, summary="{}", now=LATER),
    "Desk.decided": lambda s: s.decided(),
    "Desk.next_model": lambda s: s.next_model(),
    "Ledger.append_words": lambda s: s.append_words(lambda db: [(1, 1, WORD), (2, 1, WORD)]),
    "Ledger.append_rules": lambda s: s.append_rules(lambda db: [RULE, replace(RULE, source="s")]),
    "Ledger.undo_all": lambda s: s.undo_all(1, by="cy", now=LATER),
    "Ledger.take_back": lambda s: s.take_back([DECISION], by="cy", now=LATER),
    "Captures.add": lambda s: s.add(CAPTURE),
    "Captures.mend": lambda s: s.mend(s.path.parent),
    "Captures.forget": lambda s: s.forget(WAR),
}
CLASSES: dict[str, type[Any]] = {"Store": Store, "Desk": Desk, "Ledger": Ledger, "Captures": Captures}
READS = frozenset(
    f"Store.{name}"
    for name in ("past", "past_fields", "last_end", "known", "receipt", "visited", "pruned", "speaks_for_itself")
) | frozenset(("Desk.decided", "Desk.next_model"))
WRITES = sorted(METHODS.keys() - READS)
STEPWISE = ("Store.index", "Store.end_run")
"""Those that end with the index, which is whole after each of its steps, and the rest is listed."""


def judged(store: Store) -> Any:
    """Another page, as the pipeline has it before it is stored."""
    delta = compare(ANOTHER, Known())
    return replace(delta, verdicts={k.key: judge(k.comment, Context(), default_policy()) for k in delta.new})


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with something of everything, and something that is not indexed yet."""
    path = tmp_path_factory.mktemp("filled") / "w.db"
    third = replace(SPAM, text="and see http://spam.example/y", author="eve", site_id="3", position=2)
    with Desk(path) as desk:
        visit(desk, page(SPAM, FINE, third, body="alpha"))
        desk.decide(1, "spam", by="ann", now=NOW)
        desk.rule_domain("spam.example", "deny", source="", note="", by="ann", now=NOW)
        desk.save_model("{}", decisions=1, summary="{}", now=NOW)
        captures = Captures(desk.db, path)
        for start, length in ((0, len(RECORD)), (len(RECORD), 99)):
            captures.add(replace(CAPTURE, url=URL, place=Place(WAR, start, length)))
        desk.index(now=NOW)
        visit(desk, page(SPAM, replace(FINE, text="changed, see http://other.example/"), third, body="omega"))
        desk.db.execute("INSERT INTO watches (name, query, subject, added_at) VALUES ('w', 'omega', 'articles', '')")
    return path


@pytest.fixture
def path(filled: Path, tmp_path: Path) -> Path:
    (tmp_path / WAR).write_bytes(RECORD + b"torn")
    return Path(shutil.copy(filled, tmp_path / "w.db"))


@contextlib.contextmanager
def opened(name: str, path: Path, *, read_only: bool = False) -> Iterator[Any]:
    """The object whose method is called, on a connection that does not wait."""
    kind = CLASSES[name.partition(".")[0]]
    if kind is Captures:
        db = open_reader(path, wait=0) if read_only else open_writer(path, wait=0)
        with contextlib.closing(db):
            yield Captures(db, path)
        return
    with kind.to_read(path) if read_only else kind(path, wait=0) as store:
        yield store


def contents(path: Path) -> dict[str, Any]:
    """Every row of every table but the insides of the search index, and what that finds."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {t: sorted(db.execute(f"SELECT * FROM {t}"), key=repr) for t in tables if "_fts" not in t}
        for word in ("alpha", "omega", "another"):
            sql = "SELECT rowid FROM articles_fts WHERE articles_fts MATCH ?"
            found[f"search {word}"] = db.execute(sql, [word]).fetchall()
        found["damage"] = db.execute("PRAGMA integrity_check").fetchall()
    return found


def settled(path: Path) -> dict[str, Any]:
    """The same, once the index is what the tables say."""
    with Store(path) as store:
        store.index(now=LATER)
        for table in ("articles", "comments"):
            store.db.execute(f"INSERT INTO {table}_fts ({table}_fts, rank) VALUES ('integrity-check', 1)")
    return {name: rows for name, rows in contents(path).items() if name != "watch_matches"}


def undisturbed(name: str, path: Path) -> dict[str, Any]:
    """What a method leaves where nothing goes wrong."""
    folder = path.parent / "undisturbed"
    folder.mkdir()
    copy = Path(shutil.copy(path, folder / "w.db"))
    shutil.copy(path.parent / WAR, folder)
    with opened(name, copy) as store:
        METHODS[name](store)
    return settled(copy)


def test_every_public_method_has_its_case() -> None:
    for name, kind in CLASSES.items():
        inherited = dict(inspect.getmembers(Store)) if issubclass(kind, Store) and kind is not Store else {}
        methods = {method for method, _ in inspect.getmembers(kind, inspect.isfunction) if method[0] != "_"}
        own = methods - inherited.keys() - {"close"}
        assert own == {case.partition(".")[2] for case in METHODS if case.startswith(f"{name}.")}


# ---- locked


@pytest.mark.parametrize("name", WRITES)
def test_while_another_program_writes_it_is_busy_whatever_is_written(name: str, path: Path) -> None:
    expected = undisturbed(name, path)
    with opened(name, path) as store, contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        before = contents(path)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseBusy, match="busy: another program is writing to it; try again") as caught:
            METHODS[name](store)
        assert str(path) in str(caught.value)
        other.execute("ROLLBACK")
        assert contents(path) == before
        METHODS[name](store)
    assert settled(path) == expected


@pytest.mark.parametrize("name", sorted(READS))
def test_while_another_program_writes_all_can_be_read(name: str, path: Path) -> None:
    with opened(name, path) as store, contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        alone = METHODS[name](store)
        other.execute("BEGIN EXCLUSIVE")
        other.execute("DELETE FROM fetches")
        assert METHODS[name](store) == alone


@pytest.mark.parametrize("name", WRITES)
def test_a_reader_in_the_middle_of_a_transaction_stops_no_writer_and_sees_one_moment(name: str, path: Path) -> None:
    moment = (
        "SELECT (SELECT max(id) FROM verdicts), (SELECT group_concat(url) FROM fetches), (SELECT sum(id) FROM runs)"
    )
    with contextlib.closing(open_reader(path, wait=0)) as reader:
        reader.execute("BEGIN")
        before = reader.execute(moment).fetchone()
        with opened(name, path) as store:  # which does not wait
            METHODS[name](store)
        assert reader.execute(moment).fetchone() == before


class Intruder:
    """Takes the file for itself just before a connection's n-th transaction begins."""

    def __init__(self, store: Any, number: int) -> None:
        self.begun, self.number = 0, number
        self._other = sqlite3.connect(store.path, isolation_level=None)
        store.db.conn.set_trace_callback(self._watch)

    def _watch(self, statement: str) -> None:
        if statement.startswith("BEGIN"):
            self.begun += 1
            if self.begun == self.number:
                self._other.execute("BEGIN IMMEDIATE")

    def leave(self) -> None:
        self._other.close()


@pytest.mark.parametrize("name", ["Store.begin_run", "Store.end_run", "Store.index", "Captures.mend"])
def test_who_loses_the_file_between_two_transactions_has_done_the_first_whole(name: str, path: Path) -> None:
    expected, original = undisturbed(name, path), path.read_bytes()
    with opened(name, path) as store:
        intruder = Intruder(store, 0)
        METHODS[name](store)
        intruder.leave()
    for number in range(1, intruder.begun + 1):
        path.write_bytes(original)
        (path.parent / WAR).write_bytes(RECORD + b"torn")
        with opened(name, path) as store:
            intruder = Intruder(store, number)
            failed = False
            try:
                METHODS[name](store)
            except DatabaseBusy:
                failed = True
            intruder.leave()
            store.db.conn.set_trace_callback(None)
            assert failed == (number == 1 or name == "Store.index")
            if failed:
                METHODS[name](store)
        assert settled(path) == expected


# ---- full


@contextlib.contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file can grow beyond this size: what a disk without room is to SQLite. Python has the signal off."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("name", WRITES)
def test_wherever_the_room_ends_nothing_is_half_written(name: str, path: Path) -> None:
    expected, problems = undisturbed(name, path), list[str]()
    with opened(name, path) as store:
        before = contents(path)
        for pages in (*range(6), *range(6, 400, 4)):
            try:
                with room_for(WAL_HEAD + pages * FRAME):
                    METHODS[name](store)
                break
            except DatabaseProblem as problem:
                problems.append(str(problem))
            if name not in STEPWISE:
                assert contents(path) == before
            elif contents(path) != before:
                METHODS["Store.index"](store)
                break
    assert problems
    assert [said for said in problems if str(path) not in said or "othing was half written" not in said] == []
    assert settled(path) == expected


def test_a_database_that_may_not_grow_says_that_there_is_no_room(path: Path) -> None:
    with Store(path) as store:
        before = contents(path)
        (pages,) = store.db.execute("PRAGMA page_count").fetchone()
        store.db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(DatabaseProblem, match="no room left on its disk, or for temporary files; nothing was half"):
            store.decide(2, "spam", by="cy", note="x" * 100_000, now=LATER)
        assert contents(path) == before
        store.db.execute("PRAGMA max_page_count = 1000000")
        assert store.decide(2, "spam", by="cy", note="x" * 100_000, now=LATER)


# ---- read-only


@pytest.mark.parametrize("name", WRITES)
def test_what_was_opened_to_read_writes_nothing_and_says_so(name: str, path: Path) -> None:
    before = path.read_bytes()
    with (
        opened(name, path, read_only=True) as store,
        pytest.raises(DatabaseProblem, match="this user may not write to it or to its folder") as caught,
    ):
        METHODS[name](store)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", sorted(READS))
def test_what_was_opened_to_read_reads_all_that_the_writer_does(name: str, path: Path) -> None:
    with opened(name, path) as writer, opened(name, path, read_only=True) as reader:
        assert METHODS[name](reader) == METHODS[name](writer)


_AS_ANYBODY = """
import os, sys
from pathlib import Path
from db import read
from db.connect import DatabaseProblem, open_reader
from db.store import Store
os.chdir(sys.argv[1])
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
for name in sys.argv[2:]:
    path = Path(name, 'w.db')
    try:
        Store(path)
    except DatabaseProblem as e:
        print(e)
    try:
        print(len(read.latest(open_reader(path), limit=5)))
    except DatabaseProblem as e:
        print(e)
"""


def test_a_file_or_a_folder_that_may_not_be_written_is_named_and_can_be_read(filled: Path) -> None:
    rights = {"file": (0o444, 0o777), "folder": (0o666, 0o555), "both": (0o444, 0o555)}
    with tempfile.TemporaryDirectory() as name:  # not under pytest's folder, which is closed to an ordinary user
        place = Path(name)
        place.chmod(0o755)
        for each, (file, folder) in rights.items():
            (place / each).mkdir()
            Path(shutil.copy(filled, place / each / "w.db")).chmod(file)
            (place / each).chmod(folder)
        env = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-c", _AS_ANYBODY, name, *rights]
        ran = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60, check=False)
        for each in rights:
            (place / each).chmod(0o755)
        assert all((place / each / "w.db").read_bytes() == filled.read_bytes() for each in rights)
    told = [f"{each}/w.db: read-only: this user may not write to it or to its folder" for each in rights]
    assert ran.stdout.splitlines() == [line for said in told for line in (said, "1")], ran.stderr


# ---- damaged


def rot(path: Path) -> None:
    """The first page of every table and index is noise, save what opening looks at."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        sql = "SELECT rootpage FROM sqlite_master WHERE rootpage > 1 AND tbl_name <> '_sqlite_migrations'"
        roots = [root for (root,) in db.execute(sql)]
        assert db.execute("PRAGMA page_size").fetchone() == (PAGE,)
    data = bytearray(path.read_bytes())
    for root in roots:
        data[(root - 1) * PAGE : root * PAGE] = b"\xa5" * PAGE
    path.write_bytes(data)


@pytest.mark.parametrize("name", METHODS)
def test_a_damaged_database_is_named_with_the_way_out_and_left_as_it_is(name: str, path: Path) -> None:
    rot(path)
    before = path.read_bytes()
    with opened(name, path) as store, pytest.raises(DatabaseProblem, match=r"the file is damaged; .*\.recover") as told:
        METHODS[name](store)
    assert str(path) in str(told.value)
    assert path.read_bytes() == before


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def few(data: bytes) -> bytes:
    return data[:50]


def head(data: bytes) -> bytes:
    return b"\x00" * 16 + data[16:]


def pages(data: bytes) -> bytes:
    return data[:16] + b"\xff\xff" + data[18:]


def schema(data: bytes) -> bytes:
    return data[:100] + b"\xa5" * (PAGE - 100) + data[PAGE:]


@pytest.mark.parametrize("spoil", [half, few, head, pages, schema])
def test_a_file_that_is_cut_off_or_has_no_head_cannot_be_opened_and_stays_as_it_is(
    path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    path.write_bytes(spoil(path.read_bytes()))
    before = path.read_bytes()
    for use in (Store, Store.to_read, open_writer, open_reader):
        with pytest.raises(DatabaseProblem, match=r"damaged; restore a backup|not a SQLite database; name another"):
            use(path)
    assert path.read_bytes() == before


def test_bytes_that_changed_anywhere_never_bring_anything_but_the_named_error(path: Path) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance, original = random.Random(seed), path.read_bytes()
    expected = (DatabaseProblem, Unstorable, NotThere, Overtaken)
    for _ in range(25):
        data = bytearray(original)
        at = chance.randrange(100, len(data) - 64)
        data[at : at + 64] = chance.randbytes(64)
        path.write_bytes(data)
        for name in chance.sample(sorted(METHODS), 4):
            with contextlib.suppress(*expected), opened(name, path) as store:
                METHODS[name](store)
        for rest in path.parent.glob("w.db-*"):
            rest.unlink()


# ---- changed by another


@pytest.mark.parametrize("name", METHODS)
def test_one_that_a_newer_watchfloor_changed_while_it_was_open_is_told_and_left_alone(name: str, path: Path) -> None:
    with opened(name, path) as store:
        with contextlib.closing(sqlite3.connect(path)) as other:
            tables = ("articles", "comments", "verdicts", "fetches", "runs", "domain_rules", "models", "robots")
            for table in (*tables, "captures", "standing", "articles_to_index"):
                other.execute(f"ALTER TABLE {table} RENAME TO newer_{table}")
        before = contents(path)
        with pytest.raises(DatabaseProblem, match="another watchfloor change it meanwhile") as caught:
            METHODS[name](store)
        assert str(path) in str(caught.value)
        assert contents(path) == before
