"""What a policy removes is what it said before; no word of a person goes with it, and what stays is whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.items import Article, Block, Comment, Context, Fetch, Page, Section
from crawler.source import Source
from db import history, integrity
from db.connect import DatabaseProblem
from db.pruning import Plan, Policy, plan, prune, smaller
from db.retention import KINDS, PRUNED
from db.store import Store
from moderation.policy import default_policy, judge
from pipelines.compare import compare

OLD, NEW, CUT = "2020-01-01T00:00:00Z", "2026-11-22T12:00:00Z", "2024-01-01T00:00:00Z"
SOURCES = [Source(id=id, name=id, home=f"http://{id}.example/") for id in ("one", "two", "six")]
ALL = Policy(before=CUT, kinds=tuple(KINDS))
ARTICLES = Policy(before=CUT, kinds=("articles",))
WIRE = " ".join(a + b + c for a in ("bor", "kel", "mun", "tar", "vis") for b in "aeiou" for c in ("dan", "gor", "lin"))
"""A text that several papers print."""


def url_of(number: int, source: str = "one") -> str:
    return f"http://{source}.example/2020/{number}/"


def page_of(number: int, *said: str, source: str = "one", body: str = "") -> Page:
    text = body or f"The frigate number {number} has left the harbour with all hands. " * 5
    article = Article(
        url=url_of(number, source),
        headline="The whole story" if body else f"Frigate {number}",
        sections=(Section(blocks=(Block(kind="paragraph", text=text),)),),
        comments_state="open",
    )
    return Page(article=article, comments=tuple(comment(i, text) for i, text in enumerate(said)))


def comment(position: int, text: str) -> Comment:
    return Comment(text=text, author=f"a{position}", site_id=str(position), position=position)


def visit(store: Store, page: Page, run: int, *, at: str) -> None:
    """One page through compare, judge and apply, as the pipeline does it."""
    url = page.article.url
    delta = compare(page, store.known(url))
    verdicts = {
        k.key: judge(k.comment, Context(), default_policy()) for k in (*delta.new, *delta.edited, *delta.unjudged)
    }
    source = url.split(".")[0].removeprefix("http://")
    fetch = Fetch(url=url, source_id=source, outcome="stored", etag='"x"')
    store.apply(replace(delta, verdicts=verdicts), fetch, run_id=run, now=at)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its sources, before anything came."""
    path = tmp_path_factory.mktemp("empty") / "w.db"
    with Store(path) as store:
        store.begin_run(SOURCES, version="t", now=OLD)
        store.db.execute("INSERT INTO watches (name, query, subject, added_at) VALUES ('w', 'frigate', 'articles', '')")
        sql = "INSERT INTO watches (name, query, subject, added_at) VALUES ('c', 'spam', 'comments', '')"
        store.db.execute(sql)
        store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture
def path(empty: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(empty, tmp_path / "w.db"))


@pytest.fixture
def filled(path: Path) -> Path:
    """Five old articles, the third with a decision, the fourth with a new comment, and a new one."""
    with Store(path) as store:
        for number in range(1, 6):
            visit(store, page_of(number, "see http://spam.example/x", "fair"), 1, at=OLD)
            visit(store, page_of(number, "see http://spam.example/y", "fair"), 1, at=OLD)
        visit(store, page_of(4, "see http://spam.example/y", "fair", "late"), 1, at=NEW)
        visit(store, page_of(6, "new"), 1, at=NEW)
        store.decide(_comment_of(store, 3), "ok", by="ann", now=OLD)
        store.undo(by="ann", now=OLD)
        store.index(now=OLD)
    return path


def _comment_of(store: Store, number: int) -> int:
    sql = "SELECT min(c.id) FROM comments c JOIN articles a ON a.id = c.article_id WHERE a.url = ?"
    return int(store.db.execute(sql, [url_of(number)]).fetchone()[0])


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


def numbers(path: Path) -> list[int]:
    return [int(url.split("/")[-2]) for (url,) in rows(path, "SELECT url FROM articles ORDER BY id")]


def people(path: Path) -> list[list[tuple[Any, ...]]]:
    """All that people said, and what they said it of."""
    decided = "SELECT comment_id FROM verdicts WHERE person"
    under = f"SELECT article_id FROM comments WHERE id IN ({decided})"
    return [
        rows(path, "SELECT * FROM verdicts WHERE person"),
        rows(path, "SELECT * FROM domain_rules"),
        rows(path, "SELECT * FROM models"),
        rows(path, f"SELECT * FROM articles WHERE id IN ({under})"),
        rows(path, f"SELECT * FROM comments WHERE article_id IN ({under})"),
        rows(path, f"SELECT * FROM comment_revisions WHERE comment_id IN ({decided})"),
        rows(path, f"SELECT * FROM links WHERE comment_id IN ({decided})"),
        rows(path, f"SELECT * FROM verdicts WHERE comment_id IN ({decided})"),
        rows(path, f"SELECT * FROM standing WHERE comment_id IN ({decided})"),
    ]


def wrong(path: Path) -> list[str]:
    return [finding.told for finding in integrity.look(path) if finding.level == "problem"]


# ---- what goes, and what stays


def test_old_articles_go_with_all_that_hangs_on_them_save_those_that_people_decided_on(filled: Path) -> None:
    before, kept = people(filled), rows(filled, "SELECT count(*) FROM verdicts")
    told = plan(filled, ARTICLES)
    assert (told.rows["articles"], told.rows["comments"], told.decided, told.waiting) == (3, 6, 1, 3)
    assert prune(filled, ARTICLES, by="ann", pause=0) == told.rows
    assert numbers(filled) == [3, 4, 6]
    assert people(filled) == before
    assert rows(filled, "SELECT count(*) FROM verdicts") < kept
    assert wrong(filled) == []
    assert rows(filled, "SELECT rowid FROM articles_fts WHERE articles_fts MATCH 'frigate' ORDER BY 1") == [
        (3,),
        (4,),
        (6,),
    ]
    assert plan(filled, ARTICLES) == Plan(rows={}, waiting=0, decided=1)
    assert prune(filled, ARTICLES, by="ann", pause=0) == {}


def test_a_removal_is_written_down_once_with_who_and_what(filled: Path) -> None:
    removed = prune(filled, ARTICLES, by="ann", pause=0)
    ((policy, by, at),) = rows(filled, "SELECT policy, by, at FROM prunings")
    assert (policy, by) == (str(ARTICLES), "ann") and at.endswith("Z")
    assert rows(filled, "SELECT key, value FROM prunings, json_each(removed)") == list(removed.items())


def test_a_removed_article_leaves_its_address_so_that_it_is_not_fetched_as_new(filled: Path) -> None:
    with Store(filled) as store:
        store.db.execute("UPDATE fetches SET url = url || '?page' WHERE article_id = 2")
    told = plan(filled, ARTICLES)
    assert told.rows["addresses"] == 4  # the second by the address that was asked for, and by its own
    assert prune(filled, ARTICLES, by="ann", pause=0) == told.rows
    marked = "SELECT url FROM fetches WHERE outcome = 'skipped' AND reason = 'pruned' AND article_id IS NULL"
    assert sorted(rows(filled, f"{marked} AND etag = ''")) == sorted(
        (url,) for url in (url_of(1), url_of(2), f"{url_of(2)}?page", url_of(5))
    )
    with Store(filled) as store:
        assert all(store.receipt(url_of(n), cleaned_by="") is None for n in (1, 2, 5))
        visited = store.visited(url_of(1))
        assert visited and visited.outcome == "skipped"
    everything = Policy(before="2099-01-01T00:00:00Z", kinds=("ledger",))
    prune(filled, everything, by="ann", pause=0)
    assert len(rows(filled, marked)) == 4, "these rows outlast everything"
    assert PRUNED == "pruned"


def test_what_waits_for_the_index_goes_too(path: Path) -> None:
    with Store(path) as store:
        for number in (1, 2):
            visit(store, page_of(number, "spam"), 1, at=OLD)
        store.index(now=OLD)
        visit(store, page_of(3, "spam"), 1, at=OLD)  # as a killed run leaves it
        visit(store, page_of(4, "spam"), 1, at=NEW)
    prune(path, ARTICLES, by="ann", pause=0)
    assert numbers(path) == [4]
    assert rows(path, "SELECT count(*) FROM articles_to_index") == [(1,)]
    assert wrong(path) == []


def test_stories_are_found_anew_without_what_went(path: Path) -> None:
    with Store(path) as store:
        for number, at in ((1, OLD), (2, NEW), (3, NEW)):
            visit(store, page_of(number, body=WIRE, source=("one", "two", "six")[number - 1]), 1, at=at)
        store.index(now=OLD)
        assert rows(path, "SELECT DISTINCT story_id FROM story_articles") == [(1,)]
    prune(path, ARTICLES, by="ann", pause=0)
    assert numbers(path) == [2, 3]
    with Store(path) as store:
        store.index(now=NEW)
    assert rows(path, "SELECT article_id, story_id, kind FROM story_articles ORDER BY 1")[0] == (2, 2, "first")
    assert wrong(path) == []


def test_what_is_decided_or_comes_in_meanwhile_stays(filled: Path) -> None:
    def meanwhile(_: str, done: int, __: int) -> None:
        if not done:
            with Store(filled) as store:
                store.decide(_comment_of(store, 1), "spam", by="ben", now=NEW)
                visit(store, page_of(2, "see http://spam.example/y", "fair", "late"), 1, at=NEW)

    removed = prune(filled, ARTICLES, by="ann", watch=meanwhile, pause=0)
    assert removed["articles"] == 1
    assert numbers(filled) == [1, 2, 3, 4, 6]
    assert wrong(filled) == []


def test_no_number_is_given_again(filled: Path) -> None:
    later = Policy(before="2099-01-01T00:00:00Z", kinds=("articles",))
    tops = "SELECT (SELECT max(id) FROM articles), (SELECT max(id) FROM comments), (SELECT max(id) FROM verdicts)"
    before = rows(filled, tops)
    assert prune(filled, later, by="ann", pause=0)["articles"] >= 3
    assert rows(filled, tops) == before
    assert wrong(filled) == []


def test_earlier_versions_go_the_oldest_first_and_without_gaps(path: Path) -> None:
    with Store(path) as store:
        for version, at in enumerate((OLD, OLD, OLD, NEW, NEW)):
            body = f"Version {version} says something else altogether, at some length. " * 3
            visit(store, page_of(1, f"said http://v{version}.example/", body=body), 1, at=at)
    told = plan(path, Policy(before=CUT, kinds=("revisions",)))
    assert told.rows == {"article_revisions": 2, "comment_revisions": 2, "links": 2}
    assert prune(path, Policy(before=CUT, kinds=("revisions",)), by="ann", pause=0) == told.rows
    for table in ("article_revisions", "comment_revisions"):
        assert rows(path, f"SELECT revision FROM {table} ORDER BY 1") == [(3,), (4,)]
    assert wrong(path) == []


def test_only_the_named_source_is_pruned(path: Path) -> None:
    with Store(path) as store:
        for number, source in ((1, "one"), (2, "two"), (3, "one")):
            visit(store, page_of(number, source=source), 1, at=OLD)
        visit(store, page_of(4, "last"), 1, at=NEW)
        store.record(Fetch(url="http://one.example/x", source_id="one", outcome="rejected"), run_id=1, now=OLD)
        store.record(Fetch(url="http://two.example/x", source_id="two", outcome="rejected"), run_id=1, now=OLD)
    prune(path, replace(ALL, source="two"), by="ann", pause=0)
    assert numbers(path) == [1, 3, 4]
    assert rows(path, "SELECT url FROM fetches WHERE outcome = 'rejected'") == [("http://one.example/x",)]


def test_every_table_that_refers_to_what_goes_goes_with_it(path: Path) -> None:
    """Their references are not looked up when rows are removed: a table that is added must be named."""
    steps = {step.table or step.name for step in KINDS["articles"][0].steps}
    with contextlib.closing(sqlite3.connect(path)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        referred = {name: {row[2] for row in db.execute(f"PRAGMA foreign_key_list({name})")} for name in tables}
    assert {name for name, of in referred.items() if of & {"articles", "comments", "verdicts"}} <= steps


# ---- any database


@st.composite
def newsrooms(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Articles, each with comments; each of both old or new, edited or not; comments decided on or not."""
    comments = st.lists(
        st.fixed_dictionaries(
            {
                "spam": st.booleans(),
                "late": st.booleans(),
                "edited": st.booleans(),
                "said": st.sampled_from(["", "", "", "spam", "ok", "undone"]),
            }
        ),
        max_size=3,
    )
    articles = st.fixed_dictionaries(
        {
            "source": st.sampled_from(["one", "two"]),
            "new": st.booleans(),
            "edited": st.sampled_from(["", "", OLD, NEW]),
            "twin": st.booleans(),
            "comments": comments,
        }
    )
    return draw(st.lists(articles, min_size=1, max_size=5))


def fill(path: Path, articles: list[dict[str, Any]]) -> None:
    with Store(path) as store:
        for number, article in enumerate(articles):
            body, source = WIRE if article["twin"] else "", article["source"]
            said = [f"{'at http://spam.example ' * c['spam']}{i}" for i, c in enumerate(article["comments"])]
            first = [text for text, c in zip(said, article["comments"], strict=True) if not c["late"]]
            at = NEW if article["new"] else OLD
            visit(store, page_of(number, *first, body=body, source=source), 1, at=at)
            if len(first) < len(said):
                visit(store, page_of(number, *said, body=body, source=source), 1, at=NEW)
            if any(c["edited"] for c in article["comments"]):
                said = [f"{t} edited" if c["edited"] else t for t, c in zip(said, article["comments"], strict=True)]
                visit(store, page_of(number, *said, body=body, source=source), 1, at=at)
            if article["edited"]:
                visit(store, page_of(number, *said, body=f"{body} Now in other words.", source=source), 1,
                      at=article["edited"])  # fmt: skip
            _decide(store, article["comments"], url_of(number, source))
        store.index(now=OLD)


def _decide(store: Store, comments: list[dict[str, Any]], url: str) -> None:
    sql = "SELECT c.id, c.position FROM comments c JOIN articles a ON a.id = c.article_id WHERE a.url = ? ORDER BY 1"
    for id, position in store.db.execute(sql, [url]).fetchall():
        said = comments[position]["said"] if position < len(comments) else ""
        if said:
            store.decide(id, "ok" if said == "undone" else said, by="ann", now=OLD)
        if said == "undone":
            store.undo(id, by="ann", now=OLD)


@settings(max_examples=15)
@given(
    articles=newsrooms(),
    kinds=st.sets(st.sampled_from(sorted(KINDS)), min_size=1),
    source=st.sampled_from(["", "one"]),
)
def test_of_any_database_no_decision_goes_the_dry_run_is_the_act_and_the_rest_is_whole(
    empty: Path, articles: list[dict[str, Any]], kinds: set[str], source: str
) -> None:
    policy = Policy(before=CUT, kinds=sorted(kinds), source=source)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(empty, folder))
        fill(path, articles)
        before, told = people(path), plan(path, policy)
        assert prune(path, policy, by="ann", pause=0) == told.rows
        assert people(path) == before
        assert plan(path, policy).rows == {}
        with Store(path) as store:
            store.index(now=NEW)
        assert wrong(path) == []


# ---- runs


def test_what_runs_are_judged_by_is_the_same_afterwards(path: Path) -> None:
    """Two sources, one every hour and one every week, for three years of which the last has nothing new."""
    begun = datetime(2023, 1, 1, tzinfo=UTC)
    runs, tallies, counts = [], [], []
    for number in range(2, 6002):
        at = begun + timedelta(hours=3 * number)
        stamp = f"{at:%Y-%m-%dT%H:%M:%SZ}"
        runs.append((number, "crawl", stamp, stamp, "interrupted" if number % 97 == 0 else "ok", "t", "[]"))
        for source in ("one", "two") if number % 56 == 0 else ("one",):
            tallies.append((number, source, int(number < 4000 and number % 5 == 0), int(number % 31 == 0)))
            counts += [(number, source, field, 5, 5 - number % 3) for field in ("body", "authors")]
    with Store(path) as store:
        store.db.conn.executemany(_RUN, runs)
        store.db.conn.executemany(_TALLY, tallies)
        store.db.conn.executemany(_COUNT, counts)
        fields = {"body": 5900, "authors": 0}
        known = [(store.past(id), store.past_fields(id, fields), store.last_end()) for id in ("one", "two")]
        health = store.db.execute("SELECT * FROM source_health").fetchall()
    policy = Policy(before="2099-01-01T00:00:00Z", kinds=("runs",))
    told = plan(path, policy)
    assert prune(path, policy, by="ann", pause=0) == told.rows
    assert told.rows["run_sources"] > 1000 and told.rows["run_fields"] > 5000
    with Store(path) as store:
        assert [(store.past(id), store.past_fields(id, fields), store.last_end()) for id in ("one", "two")] == known
        assert store.db.execute("SELECT * FROM source_health").fetchall() == health
    assert history.VISITS < len(rows(path, "SELECT 1 FROM run_sources WHERE source_id = 'one'")) < len(tallies)
    assert len(rows(path, "SELECT 1 FROM runs")) == 6001, "what others refer to stays"


_RUN = "INSERT INTO runs (id, kind, started_at, ended_at, status, version, problems) VALUES (?, ?, ?, ?, ?, ?, ?)"
_ZERO = (
    "listings, listings_failed, links, fetched, edited, unchanged, rejected, failed, blocked, skipped, not_due, gone,"
    " comments_new, comments_flagged, requests, not_modified, bytes, bytes_saved, delay_asked, seconds, redesigned"
)
_TALLY = (
    f"INSERT INTO run_sources (run_id, source_id, new, resting, {_ZERO})"
    f" VALUES (?, ?, ?, ?, {', '.join('0' for _ in _ZERO.split(','))})"
)
_COUNT = (
    "INSERT INTO run_fields (run_id, source_id, field, read, filled, filled_url, missing_url)"
    " VALUES (?, ?, ?, ?, ?, '', '')"
)


# ---- what can go wrong


def test_a_removal_that_is_killed_has_written_down_what_went_and_is_made_up_for(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.pruning.WEIGHT", 1)

    def kill(_: str, done: int, __: int) -> None:
        if done == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if not child:
        try:
            prune(filled, ARTICLES, by="ann", watch=kill, pause=0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    ((removed,),) = rows(filled, "SELECT json_extract(removed, '$.articles') FROM prunings")
    assert removed == 2 and len(numbers(filled)) == 4
    assert wrong(filled) == []
    assert prune(filled, ARTICLES, by="ann", pause=0)["articles"] == 1


def test_each_transaction_is_bounded_so_that_a_crawl_gets_its_turn(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.pruning.WEIGHT", 1)
    turns = []

    def crawl(_: str, done: int, of: int) -> None:
        with Store(filled, wait=0) as store:
            store.record(Fetch(url=f"http://one.example/{done}", source_id="one", outcome="failed"), run_id=1, now=NEW)
        turns.append(of)

    prune(filled, ARTICLES, by="ann", watch=crawl, pause=0)
    assert turns == [3, 3, 3]


def test_the_file_gets_smaller_only_where_there_is_room_to_rebuild_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(path) as store:
        for number in range(30):
            visit(store, page_of(number, body="much to say " * 10_000), 1, at=OLD)
        visit(store, page_of(99, "new"), 1, at=NEW)
    prune(path, ARTICLES, by="ann", pause=0)
    full = type(shutil.disk_usage("/"))(10**9, 10**9, 0)
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _: full)
        with pytest.raises(DatabaseProblem, match=r"no room to rebuild it: [\d,]+ MB too few"):
            smaller(path)
    before, after = smaller(path)
    assert after < before / 3 and path.stat().st_size == after
    assert wrong(path) == []
