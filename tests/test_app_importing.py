"""`watchfloor import`: what an export adds to a database, and what it must never spoil."""

from __future__ import annotations

import gzip
import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from filelock import FileLock

from app.cli.importing import import_
from conftest import Watch
from db.connect import open_reader
from db.judging import Desk as Judging
from moderation.learning import learn
from moderation.policy import default_policy
from moderation.rejudge import changes
from test_db_store import NOW

ROW = {"article_url": "https://example.com/a", "article_title": "A", "author": "Ann", "posted": "2020-01-01"}
ROWS = [
    {**ROW, "id": 1, "text": "Fine words."},
    {**ROW, "id": 2, "text": "Cheap pills at http://pills.example/now", "parent": 1},
    {**ROW, "id": 3, "text": "Nothing wrong here.", "status": "spam"},
]


class Desk:
    """A folder with a database that imports fill."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.db = folder, folder / "news.db"

    def file(self, rows: list[dict[str, Any]], name: str = "comments.jsonl") -> Path:
        path = self.folder / name
        path.write_text("\n".join(map(json.dumps, rows)))
        return path

    def run(self, file: Path, *args: str) -> Result:
        command = [str(file), "--db", str(self.db), "--home", str(self.folder), *args]
        return CliRunner().invoke(import_, command, standalone_mode=False, catch_exceptions=False)

    def told(self, file: Path, *args: str) -> dict[str, Any]:
        done = self.run(file, "--json", *args)
        assert done.return_value == 0
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with sqlite3.connect(f"file:{self.db}?mode=ro", uri=True) as connection:
            return connection.execute(sql).fetchall()

    def everything(self) -> str:
        with sqlite3.connect(f"file:{self.db}?mode=ro", uri=True) as connection:
            return hashlib.sha256("\n".join(connection.iterdump()).encode()).hexdigest()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_imported_comments_are_stored_in_threads_judged_and_wait_in_the_queue(desk: Desk) -> None:
    told = desk.told(desk.file(ROWS), "--source", "mine")
    assert (told["kind"], told["articles_new"], told["comments_new"], told["flagged"]) == ("JSON lines", 1, 3, 2)
    assert desk.rows("SELECT headline, kind, source_id, body FROM articles") == [("A", "imported", "mine", "")]
    assert desk.rows("SELECT key, parent_key, depth FROM comments ORDER BY id")[1] == ("id:2", "id:1", 1)
    assert {text.split()[0] for (text,) in desk.rows("SELECT text FROM flagged_comments")} == {"Cheap", "Nothing"}
    assert "marked_by_site" in desk.rows("SELECT reasons FROM flagged_comments WHERE text LIKE 'Nothing%'")[0][0]
    assert desk.rows("SELECT status, exit_code FROM runs") == [("ok", 0)]


def test_importing_again_changes_nothing_at_all(desk: Desk) -> None:
    desk.run(desk.file(ROWS))
    before = desk.everything()
    told = desk.told(desk.file(ROWS))
    assert (told["comments_new"], told["comments_known"]) == (0, 3)
    assert desk.everything() == before


def test_a_dry_run_says_what_it_would_do_and_does_nothing(desk: Desk) -> None:
    assert desk.told(desk.file(ROWS[:2]), "--dry-run")["comments_new"] == 2
    assert not desk.db.exists()
    desk.run(desk.file(ROWS[:2]))
    before = desk.everything()
    assert desk.told(desk.file(ROWS), "--dry-run")["comments_new"] == 1
    assert "would be stored" in desk.run(desk.file(ROWS), "--dry-run").stdout
    assert desk.everything() == before


def test_a_broken_file_names_the_line_and_leaves_the_database_as_it_was(desk: Desk) -> None:
    desk.run(desk.file(ROWS[:1]))
    before = desk.everything()
    broken = desk.file(ROWS, "broken.jsonl")
    broken.write_text(broken.read_text() + '\n{"text": "half')
    done = desk.run(broken)
    assert done.return_value == 2
    assert "line 4" in done.stderr
    assert desk.everything() == before


def test_a_packed_file_is_read_and_one_that_is_cut_off_is_broken(desk: Desk) -> None:
    packed = desk.folder / "comments.jsonl.gz"
    data = gzip.compress(desk.file(ROWS).read_bytes())
    packed.write_bytes(data[:-12])
    assert desk.run(packed).return_value == 2
    assert not desk.db.exists()
    packed.write_bytes(data)
    assert desk.told(packed)["comments"] == 3


def test_the_source_is_found_by_its_host_or_made(desk: Desk) -> None:
    (desk.folder / "sources").mkdir()
    (desk.folder / "sources" / "exa.toml").write_text('name = "Example"\nhome = "https://www.example.com/"\n')
    assert desk.told(desk.file(ROWS))["source"] == "exa"
    other = [{**ROWS[0], "article_url": "https://other.example/x"}]
    assert desk.told(desk.file(other))["source"] == "other-example"
    assert desk.rows("SELECT id, name, enabled FROM sources ORDER BY id") == [
        ("exa", "Example", 1),
        ("other-example", "other.example", 0),
    ]


def test_a_later_export_with_an_edited_comment_is_an_edit_that_keeps_the_decision_with_its_version(desk: Desk) -> None:
    desk.run(desk.file(ROWS))
    told = desk.told(desk.file([{**ROWS[0], "text": "Fine words. http://casino.example"}, *ROWS[1:]]))
    assert (told["comments_edited"], told["flagged"]) == (1, 1)
    assert desk.rows("SELECT text FROM comment_revisions") == [("Fine words.",)]


def test_imported_comments_are_judged_with_domain_rules_history_and_model_so_that_judging_again_changes_nothing(
    desk: Desk,
) -> None:
    pitch = "Earn four thousand a week from your kitchen table, ask {} how it is done!"
    first = [
        {**ROW, "id": n, "text": f"{'Great offer' if n % 2 else 'The brigade moved'} {n} times"} for n in range(20)
    ]
    first += [{**ROW, "id": 20, "text": "see http://shop-a.com/x"}, {**ROW, "id": 21, "text": pitch.format("Ann")}]
    desk.run(desk.file(first), "--source", "mine")
    with Judging(desk.db) as judging:
        judging.rule_domain("paper.com", "allow", source="", note="", by="ann", now=NOW)
        for n in range(21):
            judging.decide(n + 1, "spam" if n % 2 or n == 20 else "ok", by="ann", now=NOW)
    assert learn(desk.db) is not None
    under = {"article_url": "https://example.com/b", "article_title": "B", "posted": "2020-01-02"}
    second = [
        {**under, "id": 1, "author": "Eve", "text": "again http://shop-a.com/y"},
        {**under, "id": 2, "author": "Eve", "text": "as http://paper.com/z has it"},
        {**under, "id": 3, "author": "Eve", "text": pitch.format("me")},
        {**under, "id": 4, "author": "Ann", "text": "Fine words.", "status": "hold"},
    ]
    desk.run(desk.file(second), "--source", "mine")
    sql = "SELECT text, reasons FROM verdicts v JOIN comments c ON c.id = v.comment_id WHERE article_id = 2"
    told = dict(desk.rows(sql))
    names = [{reason["name"] for reason in json.loads(told[row["text"]])} for row in second]
    assert names[0] >= {"known_spam_domain", "model"} and "allowed_domain" in names[1]
    assert "same_text_elsewhere" in names[2] and names[3] >= {"known_spammer", "marked_by_site"}
    assert all(
        judge.startswith("rules@1+1 model@1")
        for (judge,) in desk.rows("SELECT judge FROM verdicts WHERE comment_id > 22")
    )
    db = open_reader(desk.db)
    assert not [change for change in changes(db, default_policy(), {}) if change.stored.id > 22]
    db.close()


def test_a_smaller_export_marks_nothing_gone(desk: Desk) -> None:
    desk.run(desk.file(ROWS))
    desk.run(desk.file([*ROWS[:1], {**ROW, "id": 9, "text": "New."}]))
    assert desk.rows("SELECT count(*) FROM comments WHERE gone_at IS NOT NULL") == [(0,)]


def test_an_import_waits_for_no_crawl(desk: Desk) -> None:
    with FileLock(f"{desk.db}.lock"):
        assert desk.run(desk.file(ROWS)).return_value == 75


def test_an_import_spoils_nothing_that_a_crawl_knows(site: Watch, tmp_path: Path) -> None:
    site.crawl()
    ((url, key),) = site.rows(
        "SELECT a.url, c.site_id FROM articles a JOIN comments c ON c.article_id = a.id WHERE c.site_id <> '' LIMIT 1"
    )
    before = site.evidence()
    desk = Desk(tmp_path)
    desk.db = site.db
    row = {"article_url": url, "article_title": "Another title"}
    told = desk.told(
        desk.file([{**row, "id": key, "text": "Spelled otherwise."}, {**row, "id": 99999, "text": "New."}])
    )
    after = site.evidence()
    assert (told["articles_new"], told["comments_new"], told["comments_edited"]) == (0, 1, 0)
    assert after["articles"] == before["articles"]
    assert [c for c in after["comments"] if c in before["comments"]] == before["comments"]


def test_a_crawl_fills_a_stub_and_meets_its_comments_again(site: Watch, tmp_path: Path) -> None:
    article = next(a for a in site.server.site.articles if len(a.comments) > 2 and not a.forbidden)
    url = site.server.url + article.path
    desk = Desk(tmp_path)
    desk.db = site.db
    rows = [{"article_url": url, "article_title": "Stub", "id": c.id, "text": f"{c.id}"} for c in article.comments]
    desk.run(desk.file(rows), "--source", "demo")
    site.crawl()
    ((kind, body, revision),) = site.rows("SELECT kind, body, revision FROM articles WHERE url = ?", url)
    assert (kind, revision) == ("article", 2)
    assert body
    ids = [
        i
        for (i,) in site.rows("SELECT site_id FROM comments JOIN articles a ON a.id = article_id WHERE a.url = ?", url)
    ]
    assert len(ids) == len(set(ids)) == len(article.comments)
