"""`watchfloor load`: shards into a database, as if a crawl had found them then."""

from __future__ import annotations

import gzip
import hashlib
import json
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import fsspec
import pytest
from click.testing import CliRunner, Result
from filelock import FileLock

from app.cli.load import load
from conftest import Watch
from crawler.items import Comment, Delta, Fetch, Href, Known, Page, Rejected
from crawler.source import Source, load_sources
from db.archive import files
from db.store import Store
from moderation.policy import default_policy
from moderation.rejudge import Bench
from pipelines.compare import compare
from pipelines.normalise import normalise
from pipelines.pages import Pages
from pipelines.records import Origin, Row, rejected, stored
from pipelines.shards import Format, writing
from pipelines.warcs import Share, opened, taken
from test_pipelines_records import PLAIN

SOURCE = Source(id="paper-example", name="paper.example", home="https://paper.example/")
SPAM = Comment(text="Buy pills at http://pills.example/now!!!", author="Bob", site_id="7")


def origin(at: str = "2026-11-20T12:00:00Z", path: str = "a") -> Origin:
    asked = f"https://paper.example/{path}"
    return Origin(
        asked=asked, source_id=SOURCE.id, fetched_at=at, cleaned_by="x", file="a.warc.gz", start=0, status=200
    )


def row(
    at: str = "2026-11-20T12:00:00Z",
    path: str = "a",
    *,
    headline: str = "A story",
    comments: Iterable[Comment] = (SPAM,),
) -> Row:
    where = origin(at, path)
    article = replace(PLAIN.article, url=where.asked, headline=headline)
    page = normalise(Page(article=article, comments=tuple(comments)), asked=where.asked, source=SOURCE)
    delta: Delta = compare(page, Known())
    return stored(replace(delta, verdicts=Bench(None, default_policy()).verdicts(delta, SOURCE)), where)


class Desk:
    """A folder with shards, and a database that they are loaded into."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.db = folder, folder / "news.db"

    def shard(self, *listed: Row, name: str = "articles/00000", format: Format = "parquet") -> Path:
        path = self.folder / "shards" / f"{name}.{'parquet' if format == 'parquet' else 'jsonl.gz'}"
        with writing(fsspec.filesystem("file"), str(path), format) as shard:
            for each in listed:
                shard.add(each)
        return path

    def run(self, *shards: Path, code: int = 0, args: tuple[str, ...] = ()) -> Result:
        command = [
            *map(str, shards or (self.folder / "shards",)),
            "--db",
            str(self.db),
            "--home",
            str(self.folder),
            *args,
        ]
        done = CliRunner().invoke(load, command, standalone_mode=False)
        if isinstance(done.exception, Exception):
            raise done.exception
        assert done.return_value == code, done.output
        return done

    def told(self, *shards: Path, code: int = 0, args: tuple[str, ...] = ()) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.run(*shards, code=code, args=("--json", *args)).stdout)
        return {name: value for name, value in told.items() if value}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(f"file:{self.db}?mode=ro", uri=True) as connection:
            return connection.execute(sql).fetchall()

    def everything(self) -> str:
        with sqlite3.connect(f"file:{self.db}?mode=ro", uri=True) as connection:
            return hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_what_was_extracted_from_an_archive_loads_into_what_the_crawl_had_stored(
    demo_crawled: Watch, desk: Desk
) -> None:
    sources = load_sources(demo_crawled.file)
    listed = []
    with Pages(sources.values(), default_policy()) as pages:
        for file in map(str, files(demo_crawled.folder / "archive")):
            with opened(file) as warc:
                listed += [each for one in taken(warc, Share(path=file)) if (each := pages.row(one, file))]
    desk.shard(*listed)
    assert desk.told(args=("--sources", str(demo_crawled.file)))["new"] == 16
    columns = {
        "articles": "url, headline, body, blocks, authors, published_at, language, comments_state, source_id",
        "comments": "key, parent_key, author, text, posted_at, depth, position",
        "links": "start, stop, url, domain, disguise",
        "standing": "state",
    }
    for table, names in columns.items():
        sql = f"SELECT {names} FROM {table} ORDER BY {names}"
        assert desk.rows(sql) == demo_crawled.rows(sql), table
    assert desk.rows("SELECT name FROM sources") == [(source.name,) for source in sources.values()] + [("Shards",)]


def test_loading_again_in_either_format_or_another_order_changes_nothing_at_all(desk: Desk) -> None:
    old, new = row("2026-11-20T12:00:00Z", headline="First"), row("2026-11-21T12:00:00Z", headline="Second")
    first, second = desk.shard(old), desk.shard(new, row(path="b"), name="articles/00001")
    assert desk.told() == {"shards": 2, "new": 2, "changed": 1, "comments": 2, "flagged": 2}
    assert desk.rows("SELECT headline, revision FROM articles ORDER BY id") == [("Second", 2), ("A story", 1)]
    before = desk.everything()
    assert desk.told(second, first) == {"shards": 2, "older": 3}
    lines = desk.shard(old, new, name="lines/00000", format="jsonl")
    assert desk.told(lines) == {"shards": 1, "older": 2}
    assert desk.everything() == before
    assert len(desk.rows("SELECT 1 FROM runs")) == 1


def test_comments_are_judged_with_what_is_known_here_and_wait_for_review(desk: Desk) -> None:
    desk.run(desk.shard(row()))
    (number,) = desk.rows("SELECT id FROM comments")[0]
    with Store(desk.db) as store:
        store.decide(number, "spam", by="me", now="2026-11-22T12:00:00Z")
    desk.run(desk.shard(row(path="b"), name="articles/00001"))
    reasons = desk.rows("SELECT v.reasons FROM verdicts v JOIN comments c ON c.id = v.comment_id WHERE c.id > 1")
    assert "domain" in reasons[0][0] and "spam" in reasons[0][0]


def test_what_a_crawl_read_later_stays_and_the_ledger_says_when_a_page_was_fetched(desk: Desk) -> None:
    desk.run(desk.shard(row("2026-11-20T12:00:00Z")))
    assert desk.rows("SELECT outcome, fetched_at, status FROM fetches WHERE kind = 'page'") == [
        ("stored", "2026-11-20T12:00:00Z", 200)
    ]
    with Store(desk.db) as store:
        run = store.begin_run((SOURCE,), version="x", now="2026-11-22T12:00:00Z")
        page = normalise(PLAIN, asked="https://paper.example/a", source=SOURCE)
        delta = compare(page, store.known("https://paper.example/a"))
        fetch = Fetch(url="https://paper.example/a", source_id=SOURCE.id, outcome="stored")
        store.apply(delta, fetch, run_id=run, now="2026-11-22T12:00:00Z")
    later = desk.shard(row("2026-11-21T12:00:00Z", headline="Between"), name="articles/00001")
    assert desk.told(later) == {"shards": 1, "older": 1}
    assert desk.rows("SELECT headline FROM articles") == [("A story",)]


def test_pages_without_an_article_have_a_row_in_the_ledger_and_never_take_one_away(desk: Desk) -> None:
    desk.shard(row())
    why = Rejected(reason="bot wall")
    desk.shard(rejected(why, origin()), rejected(why, origin(path="wall")), name="ledger/00000")
    desk.shard(row(path="copy"), name="duplicates/00000")
    assert desk.told()["noted"] == 1
    assert desk.rows("SELECT url, outcome, reason FROM fetches WHERE kind = 'page' ORDER BY url") == [
        ("https://paper.example/a", "stored", ""),
        ("https://paper.example/wall", "rejected", "bot wall"),
    ]


def test_a_bad_row_costs_itself_and_a_broken_shard_what_lies_behind_the_break(desk: Desk) -> None:
    good = desk.shard(row(), name="lines/00000", format="jsonl")
    lines = [
        json.dumps(row(path="b")),
        "{",
        "[]",
        json.dumps({**row(path="c"), "page": "{}"}),
        json.dumps(row(path="d")),
    ]
    broken = gzip.compress("\n".join(lines).encode())
    bad = desk.folder / "bad.jsonl.gz"
    bad.write_bytes(broken)
    cut = desk.folder / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(json.dumps(row(path="e")).encode() + b"\n" + b"x" * 400_000)[:-300])
    none = desk.folder / "none.parquet"
    none.write_bytes(b"PAR1 no")
    told = desk.told(good, bad, cut, none, code=1)
    assert (told["new"], told["bad"], len(told["problems"])) == (4, 3, 5)
    rows = desk.rows("SELECT url, reason FROM fetches WHERE outcome = 'failed' ORDER BY url")
    assert [(url.rpartition("/")[2], reason) for url, reason in rows] == [
        ("bad.jsonl.gz#1", "bad row"),
        ("bad.jsonl.gz#2", "bad row"),
        ("bad.jsonl.gz#3", "bad row"),
        ("cut.jsonl.gz", "broken shard"),
        ("none.parquet", "broken shard"),
    ]


def test_hostile_rows_never_end_a_load(desk: Desk) -> None:
    odd = [
        {**row(), "asked": "javascript:alert(1)"},
        {**row(), "asked": 7},
        {**row(), "fetched_at": "tomorrow"},
        {**row(), "outcome": "best"},
        {**row(path="ok"), "source_id": "../../etc", "status": 10**30, "bytes": -1, "cleaned_by": ["x"]},
        {**row(path="text", comments=(Comment(text="a\x00b\ud800c", links=(Href(url="x" * 9_999, text=""),)),))},
    ]
    odd[-1]["page"] = odd[-1]["page"].replace('"text":"', '"text":"\\u0000\\ud800', 1)
    path = desk.folder / "odd.jsonl"
    path.write_text("\n".join(map(json.dumps, odd)))
    told = desk.told(path, code=1)
    assert (told["bad"], told["new"]) == (4, 2)
    assert desk.rows("SELECT DISTINCT source_id FROM articles") == [("paper-example",)]


def test_a_crawl_that_holds_the_database_is_left_alone(desk: Desk) -> None:
    shard = desk.shard(row())
    with FileLock(f"{desk.db}.lock"):
        assert "another crawl holds it" in desk.run(shard, code=75).stderr


def test_a_folder_without_shards_is_told(desk: Desk) -> None:
    (desk.folder / "shards").mkdir()
    with pytest.raises(Exception, match="no shards"):
        desk.run()
    with pytest.raises(Exception, match="there is no such file"):
        desk.run(desk.folder / "nothing")
