"""`watchfloor export`: what others read, whole or not there, and nothing in it that acts."""

from __future__ import annotations

import csv
import io
import json
import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import feedparser
import pytest
from pyarrow import parquet

from conftest import Ran, watchfloor
from crawler.items import Article, Block, Comment, Context, Fetch, Moment, Page, Section
from crawler.source import Source
from db import selections
from db.connect import open_reader
from db.export import plain_cell
from db.store import Store
from hostile_cells import HOSTILE_CELLS
from moderation.policy import default_policy, judge
from pipelines.compare import compare
from test_db_export import is_formula

NOW = "2026-11-22T12:00:00Z"
SOURCES = [Source(id=id, name=f"The {id}", home=f"https://{id}.example/") for id in ("alpha", "beta", "gamma")]
EVIL = '<script>alert(1)</script> =1+1 [link](http://evil.example) ![x](y) `z` www.evil.example "q" &amp;'
Run = Callable[..., Ran]
HELD = len(HOSTILE_CELLS)
"""Comments that are held: each has a link, one behind a right-to-left override."""


def put(store: Store, run: int, source: str, name: str, when: str | None, *, now: str = NOW, **how: object) -> None:
    """One article through compare, judge and apply, as the pipeline does it."""
    comments: tuple[Comment, ...] = how.pop("comments", ())  # type: ignore[assignment]
    url = f"https://{source}.example/{name}"
    sections = (Section(blocks=(Block(kind="paragraph", text=f"The frigate {name} sails."),)),)
    fields = {"headline": f"About {name}", "summary": f"A summary of {name}.", "authors": ("Ada", "Bo"), **how}
    published = Moment(iso=when, raw=when) if when else None
    article = Article(url=url, sections=sections, published=published, comments_state="open", **fields)
    delta = compare(Page(article=article, comments=comments), store.known(url))
    verdicts = {each.key: judge(each.comment, Context(), default_policy()) for each in (*delta.new, *delta.edited)}
    fetch = Fetch(url=url, source_id=source, outcome="stored")
    store.apply(replace(delta, verdicts=verdicts), fetch, run_id=run, now=now)


def fill(path: Path) -> None:
    """A day with a story told twice, a day before, hostile texts, a changed headline and a problem."""
    hostile = tuple(
        Comment(text=f"{cell} http://spam.example/x", author=cell, site_id=str(i), position=i)
        for i, cell in enumerate(HOSTILE_CELLS)
    )
    with Store(path) as store:
        run = store.begin_run(SOURCES, version="t", now="2026-11-22T06:00:00Z")
        put(store, run, "alpha", "first", "2026-11-22T08:00:00Z", comments=hostile)
        put(store, run, "beta", "second", "2026-11-22T09:30:00")
        put(store, run, "gamma", "whole-day", "2026-11-22")
        put(store, run, "gamma", "evil", None, headline=EVIL, summary=EVIL, authors=(EVIL,))
        put(store, run, "alpha", "late", "2026-11-21T23:30:00Z")
        put(store, run, "alpha", "old", "2026-10-01")
        put(store, run, "alpha", "old", "2026-10-01", headline="Another headline", now="2026-11-22T13:00:00Z")
        for table in ("story_articles", "articles_to_group"):
            store.db.execute(f"DELETE FROM {table}")
        rows = [(1, 1, None, 1.0, "first"), (2, 1, 1, 0.9, "edited")]
        store.db.conn.executemany("INSERT INTO story_articles VALUES (?, ?, ?, ?, ?)", rows)
        problems = json.dumps([{"name": "blocked", "source": "beta", "detail": "9 of 10 pages: 403 <b>"}])
        store.db.execute("UPDATE runs SET status = 'trouble', ended_at = ?, problems = ?", (NOW, problems))
        store.index(now=NOW)
        store.db.execute("INSERT INTO watches VALUES (1, 'ships', 'frigate', 'articles', ?)", (NOW,))
        matches = [(1, 1, run, NOW), (1, 5, run, "2026-11-22T14:00:00Z"), (1, 999, run, NOW)]
        store.db.conn.executemany("INSERT INTO watch_matches VALUES (?, ?, ?, ?)", matches)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "watchfloor.db"
    fill(path)
    return path


@pytest.fixture
def run(db: Path) -> Run:
    return lambda *args, **how: watchfloor(*args, "--db", db, **how)


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_every_promised_view_comes_out_as_it_is(db: Path, tmp_path: Path, run: Run) -> None:
    forms = dict.fromkeys(selections.VIEWS, ("csv",))
    forms |= dict.fromkeys(("comment_threads", "source_health"), ("csv", "json", "jsonl", "parquet"))
    for name in selections.VIEWS:
        with sqlite3.connect(db) as connection:
            cursor = connection.execute(f"SELECT * FROM {name}")
            columns, rows = [column[0] for column in cursor.description], cursor.fetchall()
        for form in forms[name]:
            ran = run("export", "view", name, "--out", tmp_path / f"{name}.{form}")
            assert ran.code == 0 and ran.out == "" and len(ran.err.splitlines()) == 1, ran.err
        expected = [dict(zip(columns, row, strict=True)) for row in rows]
        text = (tmp_path / f"{name}.csv").read_bytes().decode()
        head, *cells = rows_of(text)
        assert head == columns
        assert [list(map(plain_cell, row)) for row in cells] == [
            ["" if cell is None else str(cell) for cell in row] for row in rows
        ]
        if len(forms[name]) == 1:
            continue
        assert json.loads((tmp_path / f"{name}.json").read_text()) == expected
        assert [json.loads(line) for line in (tmp_path / f"{name}.jsonl").read_text().splitlines()] == expected
        assert parquet.read_table(tmp_path / f"{name}.parquet").to_pylist() == expected
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(
        f"{name}.{form}" for name in selections.VIEWS for form in forms[name]
    ), "nothing half made is left"


def test_the_csv_of_hostile_comments_holds_no_formula(run: Run) -> None:
    head, *rows = rows_of(run("export", "view", "comment_threads").out)
    assert len(rows) == len(HOSTILE_CELLS)
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if is_formula(cell)]
    texts = {plain_cell(row[head.index("text")]) for row in rows}
    assert all(any(text.startswith(cell.strip()[:5]) for text in texts) for cell in HOSTILE_CELLS if cell.isascii())
    excel = run("export", "view", "comment_threads", "--excel").out
    assert excel.startswith("\ufeff") and rows_of(excel) == [head, *rows]


def test_a_search_is_exported_with_what_is_known_of_each_hit(run: Run) -> None:
    ran = run("export", "search", "frigate", "--format", "json")
    assert {row["headline"] for row in ran.json} >= {"About first", "About second"} and len(ran.json) == 6
    assert all("**" in row["snippet"] and row["first_seen_at"] for row in ran.json)
    comments = run("export", "search", "article", "--comments", "--format", "jsonl", "--limit", "2")
    found = [json.loads(line) for line in comments.out.splitlines()]
    assert len(found) == 2 and all(row["state"] == "flagged" and "article" in row["text"] for row in found)
    assert "2 rows; there are more: --limit" in comments.err
    assert run("export", "search", "nothing-of-this-name", "--format", "json").json == []


@pytest.mark.parametrize("form", ["atom", "rss"])
def test_a_search_is_a_feed_with_the_newest_first(form: str, run: Run) -> None:
    where = "https://me.example/frigate.xml"
    ran = run("export", "search", "frigate", "--format", form, "--self-url", where)
    read = feedparser.parse(ran.out.encode())
    assert not read.bozo and read.feed.title == "watchfloor: frigate"
    assert where in [link.href for link in read.feed.links if link.rel == "self"]
    assert [entry.link.rpartition("/")[2] for entry in read.entries] == [
        "evil", "second", "first", "whole-day", "late", "old",
    ]  # fmt: skip
    assert len(feedparser.parse(run("export", "search", "frigate", "--format", form, "--limit", "2").out).entries) == 2
    comments = feedparser.parse(run("export", "search", "article", "--comments", "--format", form).out)
    assert not comments.bozo and len(comments.entries) > 5 and len({each.id for each in comments.entries}) > 5


def test_a_kept_search_gives_what_it_found_last_first(run: Run) -> None:
    rows = run("export", "watch", "ships", "--format", "json").json
    assert [(row["headline"], row["found_at"][11:13]) for row in rows] == [("About late", "14"), ("About first", "12")]
    read = feedparser.parse(run("export", "watch", "ships", "--format", "atom").out)
    assert [entry.title for entry in read.entries] == ["About late", "About first"]


def test_a_query_takes_its_parameters(run: Run) -> None:
    ran = run("export", "query", "most-commented", "--days", "36500", "--format", "json", "--limit", "1")
    assert [row["headline"] for row in ran.json] == ["About first"]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("view", "latest_artcles"), "did you mean latest_articles"),
        (("view", "zzz"), "there are: latest_articles"),
        (("view", 'x"; DROP TABLE articles; --'), "no view"),
        (("watch", "shops"), "did you mean ships"),
        (("query", "most-comented"), "did you mean most-commented"),
        (("query", "most-commented", "--weeks", "3"), "has no parameter --weeks"),
        (("view", "spam_domains", "--format", "atom"), "a feed needs a headline"),
        (("view", "latest_articles", "--format", "json", "--excel"), "--excel is for CSV"),
        (("search", "x", "--format", "atom", "--self-url", "javascript:1"), "--self-url"),
        (("view", "latest_articles", "--out", "nowhere/at-all.csv"), "there is no folder nowhere"),
    ],
)
def test_what_cannot_be_exported_is_one_line_and_code_2(asked: tuple[str, ...], says: str, run: Run) -> None:
    ran = run("export", *asked)
    assert ran.code == 2 and says in ran.err and len(ran.err.splitlines()) == 1 and ran.out == ""


def test_a_file_is_there_whole_or_as_it_was(db: Path, tmp_path: Path, run: Run) -> None:
    own = tmp_path / "queries.toml"
    sql = "SELECT value AS n, CASE WHEN value = 5000 THEN json('{') END AS x FROM generate_series(1, 9000)"
    recursive = sql.replace("generate_series(1, 9000)", "n").replace("value", "i")
    counted = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) {recursive}"
    own.write_text(f"[breaks]\ntitle = 'It breaks'\nabout = 'In the midst.'\nsql = '''{counted}'''\n", "utf-8")
    out = tmp_path / "out.csv"
    out.write_text("as it was", "utf-8")
    ran = watchfloor("export", "query", "breaks", "--out", out, "--home", tmp_path, "--db", db)
    assert ran.code == 2 and "malformed JSON" in ran.err and out.read_text("utf-8") == "as it was"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["out.csv", "queries.toml"]
    assert run("export", "view", "latest_articles", "--out", out).code == 0
    assert len(rows_of(out.read_text("utf-8"))) == 7
    assert out.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_the_database_is_never_written_over(db: Path, tmp_path: Path, run: Run) -> None:
    link = tmp_path / "link.csv"
    link.hardlink_to(db)
    for out in (db, link):
        ran = run("export", "view", "latest_articles", "--out", out)
        assert ran.code == 2 and "that is the database itself" in ran.err
    assert run("digest", "--out", db).code == 2
    assert open_reader(db)


def test_a_device_is_written_to_in_place(run: Run) -> None:
    before = os.stat("/dev/null")
    assert run("export", "view", "latest_articles", "--out", "/dev/null").code == 0
    assert os.path.samestat(before, os.stat("/dev/null"))


def test_every_promised_view_is_in_the_database(db: Path) -> None:
    there = {name for (name,) in open_reader(db).execute("SELECT name FROM sqlite_master WHERE type = 'view'")}
    assert set(selections.VIEWS) <= there


def test_a_query_that_gives_no_row_in_time_is_stopped(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from db.queries import Query, QueryError

    monkeypatch.setattr(selections, "SECONDS", 0.2)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 1000 OR i < 0"
    rows = selections.question(open_reader(db), Query(name="q", title="t", about="a", sql=endless), {}).rows()
    with pytest.raises(QueryError, match="q: no row within"):
        list(rows)
