"""Killed inside the write: whatever was written of a visit when the process ended, the database has all of it or
nothing, and the next run makes up for it. The moments are in subclasses of the tests (`crashing`)."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import ROOT
from crashing import POINTS, Moment, crashing
from crawler.items import Comment, Context
from db.connect import open_writer
from db.migrations import migrations, names
from db.store import Store
from moderation.policy import default_policy, judge
from pipelines.compare import compare
from soundness import (
    LONG,
    SEED,
    Rows,
    arguments,
    check,
    complete,
    damage,
    long_test,
    made_up_for,
    one_at_a_time,
    rows,
    same,
    told,
    undisturbed,
    words,
)
from test_db_migrations import OLD, unpack
from test_db_store import FETCH, NOW, SOURCE, page

VISITS = 8
TIMES = 12 if LONG else 2
"""How often each point is tried, each time at another passing."""
PAGE, LOG_HEAD, FRAME = 4096, 32, 24 + 4096


def spam(number: int, text: str = "") -> Comment:
    said = text or f"buy at http://shop{number}.example/ now, {number} times"
    return Comment(text=said, author=f"a{number}", site_id=str(number), position=number)


def visits(store: Store, *, edited: bool = False) -> None:
    """A small crawl: articles with comments, the second time with an edit in each."""
    run = store.begin_run([SOURCE], version="t", now=NOW)
    for number in range(VISITS):
        comments = [spam(n, f"edited {number} http://e{n}.example/" if edited and n == 1 else "") for n in range(5)]
        content = page(*comments, body=f"text {number} " * 80, headline=f"Story {number}")
        url = f"http://s.example/{number}/"
        evidence = tuple(replace(each) for each in content.article.evidence)
        content = replace(content, article=replace(content.article, url=url, evidence=evidence))
        delta = compare(content, store.known(url))
        judged = (*delta.new, *delta.edited, *delta.unjudged)
        delta = replace(delta, verdicts={k.key: judge(k.comment, Context(), default_policy()) for k in judged})
        store.apply(delta, replace(FETCH, url=url), run_id=run, now=NOW)
    store.index(now=NOW)


def in_a_child(act: Callable[[], object]) -> int:
    """Does it in a process of its own; the exit code, negative for a signal."""
    child = os.fork()
    if not child:
        try:
            act()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Rows]:
    """What is stored where nothing goes wrong, after the first and the second crawl."""
    path, found = tmp_path_factory.mktemp("whole") / "w.db", dict[bool, Rows]()
    for edited in (False, True):
        with Store(path) as store:
            visits(store, edited=edited)
        found[edited] = told(path)
    return found


@pytest.mark.parametrize("edited", [False, True], ids=["new", "edited"])
@pytest.mark.parametrize("point", POINTS)
def test_killed_inside_a_visit_leaves_all_of_it_or_nothing(
    point: str, edited: bool, whole: dict[bool, Rows], tmp_path: Path
) -> None:
    chance = random.Random(f"{SEED} {point} {edited}")
    for time in range(TIMES):
        path, acknowledged = tmp_path / f"{time}.db", tmp_path / f"{time}.txt"
        if edited:
            with Store(path) as store:
                visits(store)
                store.decide(2, "spam", by="ann", now=NOW)
        said = words(path) if edited else []
        number = chance.randrange(1, VISITS + 1) if point != "in indexing" else 1
        moment = Moment(point, number, str(acknowledged))

        def crawl(path: Path = path, moment: Moment = moment) -> None:
            visits(crashing(Store, moment)(path), edited=edited)

        assert in_a_child(crawl) == -signal.SIGKILL, f"seed {SEED}: {point} {number}"
        urls = set(acknowledged.read_text("utf-8").split()) if acknowledged.exists() else set()
        assert len(urls) == (VISITS if point == "in indexing" else number - (point != "after commit"))
        sound(path, urls, said)
        before_or_after(path, whole, edited=edited)
        with Store(path) as store:
            visits(store, edited=edited)
        sound(path, urls, said)
        if not edited:  # a decision belongs to a version, and changes what the rules are asked with
            same(path, whole[edited])


def sound(path: Path, acknowledged: set[str], said: list[tuple[object, ...]]) -> None:
    """The common check, of articles that no page had fields for."""
    wrong = damage(path)
    wrong.pop("an article without where its fields were read", None)
    assert wrong == {}
    assert acknowledged <= {url for (url,) in rows(path, "SELECT url FROM articles")}
    assert words(path) == said
    assert rows(path, "SELECT status FROM runs ORDER BY id DESC LIMIT 1") == [("running",)]


def before_or_after(path: Path, whole: dict[bool, Rows], *, edited: bool) -> None:
    """Each article is as it was before its visit, or as after it."""
    tables = ("articles", "comments")
    for table in tables:
        there = {row[:2] if table == "comments" else row[0]: row for row in told(path)[table]}
        states = [{row[:2] if table == "comments" else row[0]: row for row in found[table]} for found in whole.values()]
        for key, row in there.items():
            assert row in [state.get(key) for state in states], key
    if edited:
        per_article = rows(
            path, "SELECT count(*), sum(text LIKE 'edited%'), max(revision) FROM comments GROUP BY article_id"
        )
        assert {(5, 0, 1), (5, 1, 2)} >= set(per_article)


# ---- in the middle of what the system writes


def limited(size: int) -> None:
    """The next write of this process that would make a file larger than this ends it, in the middle of the write."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_killed_in_the_middle_of_a_page_of_the_log_leaves_all_of_a_visit_or_nothing(
    whole: dict[bool, Rows], tmp_path: Path
) -> None:
    chance = random.Random(f"{SEED} log")
    for time in range(TIMES * 2):
        path = tmp_path / f"{time}.db"
        Store(path).close()
        size = LOG_HEAD + chance.randrange(1, 40) * FRAME + chance.randrange(FRAME)

        def crawl(path: Path = path, size: int = size) -> None:
            store = Store(path)
            limited(max(size, path.stat().st_size))
            visits(store)

        assert in_a_child(crawl) == -signal.SIGXFSZ, f"seed {SEED}: {size}"
        wrong = damage(path)
        wrong.pop("an article without where its fields were read", None)
        assert wrong == {}
        before_or_after(path, whole, edited=False)
        with Store(path) as store:
            visits(store)
        same(path, whole[False])


def test_killed_in_a_checkpoint_loses_nothing_that_was_committed(whole: dict[bool, Rows], tmp_path: Path) -> None:
    chance = random.Random(f"{SEED} checkpoint")
    for time in range(TIMES):
        path, acknowledged = tmp_path / f"{time}.db", tmp_path / f"{time}.txt"
        Store(path).close()
        share, before = chance.random(), path.stat().st_size

        def crawl(path: Path = path, acknowledged: Path = acknowledged, share: float = share) -> None:
            store = crashing(Store, Moment("", 0, str(acknowledged)))(path)
            store.db.execute("PRAGMA wal_autocheckpoint = 0")
            visits(store)
            (pages,) = store.db.execute("PRAGMA page_count").fetchone()
            size = path.stat().st_size
            limited(size + int((pages * PAGE - size) * share))
            store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        assert in_a_child(crawl) == -signal.SIGXFSZ, f"seed {SEED}: {share}"
        assert path.stat().st_size >= before
        assert path.with_name(f"{path.name}-wal").stat().st_size
        sound(path, set(acknowledged.read_text("utf-8").split()), [])
        same(path, whole[False])


def test_killed_at_the_end_of_an_upgrade_leaves_the_old_database(tmp_path: Path) -> None:
    path = unpack(OLD[-1], tmp_path / "old.db")
    said, last = words(path), migrations._migrations[-1]

    def upgrade() -> None:
        def killed(db: object) -> None:
            last.fn(db)  # type: ignore[arg-type]
            os.kill(os.getpid(), signal.SIGKILL)

        migrations._migrations[-1] = replace(last, fn=killed)
        open_writer(path)

    assert in_a_child(upgrade) == -signal.SIGKILL
    assert rows(path, "SELECT count(*) FROM _sqlite_migrations") == [(len(names()) - 1,)]
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    with closing(open_writer(path)) as db:
        assert [m.name for m in migrations.applied(db)] == list(names())
    assert words(path) == said


# ---- a whole crawl


@pytest.mark.parametrize("point", ["after comments", *(pytest.param(p, marks=long_test()) for p in POINTS)])
def test_a_crawl_that_is_killed_inside_its_write_is_made_up_for(point: str, tmp_path: Path) -> None:
    for time in range(4 if LONG else 1):
        folder = tmp_path / str(time)
        folder.mkdir()
        watch, acknowledged = one_at_a_time(undisturbed().server, folder), folder / "acknowledged"
        number = random.Random(f"{SEED} {point} {time}").randrange(1, 12) if point != "in indexing" else 1
        script = [sys.executable, ROOT / "tests" / "crashing.py", point, str(number), acknowledged]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [*script, *arguments(watch, "-q")]
        ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, timeout=120, check=False)
        assert ran.returncode == -signal.SIGKILL, f"seed {SEED}: {point} {number}: {ran.stderr.decode()}"
        urls = set(acknowledged.read_text("utf-8").split()) if acknowledged.exists() else set()
        check(watch.db, acknowledged=urls)
        complete(watch.db, undisturbed().rows, watch.server.url)
        made_up_for(watch)
        shutil.rmtree(folder)
