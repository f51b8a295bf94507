"""`watchfloor replay` and `watchfloor archive`: what was read once is read again, without any request."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from app.cli.replaying import difference
from app.demo.server import Server, serve
from app.demo.site import Response
from conftest import Ran, Watch, once_crawled
from db.archive import files

PATH = "/2026/09/how-armoured-brigades-learn-to-hide-again/"
H2 = '[rules]\nheadline = "h2"\n'
NO_TEXT = '[rules]\nremove = "p, li, h2, blockquote, figure, td"\n'
NOTHING = {"same": 16, "changed": 0, "new": 0, "rejected": 0, "older": 0, "moved": 0, "lost": 0, "raised": 0}


def replay(site: Watch, *args: str) -> Any:
    """`watchfloor replay`, and that it asked for nothing."""
    before = len(site.server.requests)
    ran = site("replay", "--sources", site.file, "--json", *args)
    assert len(site.server.requests) == before
    assert ran.code in (0, 1), ran.err
    return ran.json


def dump(site: Watch) -> list[str]:
    """Every row of every table."""
    with sqlite3.connect(f"file:{site.db}?mode=ro", uri=True) as connection:
        return list(connection.iterdump())


def rules(site: Watch, text: str) -> None:
    """Lets the source have these rules from now on."""
    plain = site.file.read_text("utf-8").partition("[rules]")[0]
    site.file.write_text(f"{plain}\n{text}", "utf-8")


def headlines(site: Watch) -> dict[int, str]:
    return dict(site.rows("SELECT id, headline FROM articles"))


def prepared(server: Server, folder: Path) -> Watch:
    """A site that was crawled once, one of its articles with comments on four pages, of which one fails."""
    site = Watch(server, folder)
    server.site.edit_article(PATH, threads_a_page=1)
    server.site.fail(f"{PATH}comment-page-4/", 500)
    site.crawl()
    return site


@pytest.fixture
def own(site: Watch) -> Watch:
    """A site of the test's own, crawled once: it may change."""
    return prepared(site.server, site.folder)


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    """One that all tests share."""
    with serve() as server:
        yield prepared(server, tmp_path_factory.mktemp("once"))


@pytest.fixture
def crawled(once: Watch, tmp_path: Path) -> Watch:
    """A database and an archive of the test's own, of a site that stays as it is."""
    for file in once.folder.glob("watchfloor.db*"):
        shutil.copy(file, tmp_path)
    shutil.copytree(once.folder / "archive", tmp_path / "archive")
    return Watch(once.server, tmp_path)


# ---- nothing changed


def test_with_nothing_changed_nothing_changes_in_any_table(crawled: Watch) -> None:
    before = dump(crawled)
    assert replay(crawled)["pages"] == NOTHING
    told = replay(crawled, "--apply")
    assert (told["pages"], told["written"]) == (NOTHING, 0)
    assert dump(crawled) == before


def test_nor_after_visits_that_found_nothing_new(crawled: Watch) -> None:
    crawled.crawl("--again")
    before = dump(crawled)
    assert replay(crawled, "--apply")["pages"] == NOTHING
    assert dump(crawled) == before


def test_nor_where_a_page_has_comments_by_its_feed_and_its_interface(site: Watch) -> None:
    demo, url = site.server.site, site.server.url
    article = next(a for a in demo.articles if a.path == PATH)
    links = (
        f'<link rel="alternate" type="application/json" href="{url}/wp-json/wp/v2/posts/7">'
        f'<link rel="alternate" type="application/rss+xml" href="{url}{PATH}feed/">'
    )
    demo.edit_article(PATH, body=links + article.body)
    content = {"rendered": "<p>Only here.</p>"}
    row = {"id": 9999, "parent": 0, "author_name": "Api", "date_gmt": "2026-10-01T00:00:00", "content": content}
    body = json.dumps([row]).encode()
    demo.answer("/wp-json/wp/v2/comments", Response(body=body, headers={"Content-Type": "application/json"}))
    site.file.write_text('comment_routes = ["api", "feed"]\n' + site.file.read_text("utf-8"), "utf-8")
    site.crawl()
    assert site.rows("SELECT count(*) FROM comments WHERE site_id = '9999'") == [(1,)]
    before = dump(site)
    assert replay(site, "--apply")["pages"] == NOTHING
    assert dump(site) == before


# ---- another cleaning


def test_what_would_change_is_shown_field_by_field_and_nothing_is_written(crawled: Watch) -> None:
    rules(crawled, H2)
    before = dump(crawled)
    told = replay(crawled)
    assert dump(crawled) == before
    assert set(told["fields"]) == {"headline", "body"}  # a heading that is the headline is no part of the body
    assert told["pages"]["changed"] == max(told["fields"].values()) > 10
    sample = told["samples"]["headline"][0]
    ((stored,),) = crawled.rows("SELECT headline FROM articles WHERE url = ?", sample["url"])
    assert stored.startswith(sample["old"].rstrip("…")) and sample["new"] not in ("", sample["old"])


def test_applied_exactly_the_affected_fields_change_and_what_was_is_kept(crawled: Watch) -> None:
    was = headlines(crawled)
    rules(crawled, H2)
    fields = "id, summary, authors, published_at, modified_at, tags, section, links, first_seen_at, first_run_id"
    same = crawled.rows(f"SELECT {fields} FROM articles")
    tables = ("comments", "verdicts", "standing", "comment_revisions", "cuts", "captures")
    rest = {table: crawled.rows(f"SELECT * FROM {table}") for table in tables}
    expected = {sample["url"]: sample["new"] for sample in replay(crawled)["samples"]["headline"]}
    told = replay(crawled, "--apply")
    assert told["written"] == 16
    now = headlines(crawled)
    changed = {id for id in was if was[id] != now[id]}
    assert len(changed) == told["fields"]["headline"]
    kept = dict(crawled.rows("SELECT article_id, headline FROM article_revisions WHERE revision = 1"))
    assert {id: kept[id] for id in changed} == {id: was[id] for id in changed}
    assert crawled.rows(f"SELECT {fields} FROM articles") == same
    assert {table: crawled.rows(f"SELECT * FROM {table}") for table in rest} == rest
    for url, new in expected.items():
        ((headline,),) = crawled.rows("SELECT headline FROM articles WHERE url = ?", url)
        assert headline.startswith(new.rstrip("…"))
    assert crawled.rows("SELECT kind, status, exit_code FROM runs WHERE id = 2") == [("replay", "ok", 0)]
    again = dump(crawled)
    assert replay(crawled, "--apply")["pages"] == NOTHING
    assert dump(crawled) == again


def test_after_an_applied_replay_a_304_answers_for_the_page_and_the_visit_is_the_crawls(crawled: Watch) -> None:
    ledger = "SELECT url, fetched_at, run_id, first_seen_at, lastmod, found_on, status FROM fetches"
    visits = crawled.rows(ledger)
    rules(crawled, H2)
    replay(crawled, "--apply")
    assert crawled.rows(ledger) == visits
    before = crawled.evidence()
    crawled.server.requests.clear()
    crawled.crawl("--again")
    answered = {path: status for _, path, status in crawled.server.requests if path.startswith("/20")}
    assert answered.pop(PATH) == 200  # its comments stand on several pages: a receipt for one speaks not for all
    assert {s for path, s in answered.items() if "comment-page" not in path} == {304}
    assert crawled.evidence() == before


def test_a_page_that_is_no_article_any_more_keeps_what_is_stored_and_is_read_anew_next_time(crawled: Watch) -> None:
    rules(crawled, NO_TEXT)
    told = replay(crawled)
    urls = [sample["url"] for sample in told["samples"]["rejected"]]
    assert told["pages"]["rejected"] == len(urls) > 0
    assert "no text" in told["samples"]["rejected"][0]["detail"]
    before = {url: said(crawled, url) for url in urls}
    replay(crawled, "--apply")
    assert {url: said(crawled, url) for url in urls} == before
    ledger = "SELECT outcome, reason, article_id IS NULL FROM fetches WHERE url = ?"
    assert crawled.rows(ledger, urls[0]) == [("rejected", "no text", 0)]
    rules(crawled, "")
    assert replay(crawled, "--apply")["pages"]["rejected"] == 0
    assert {url: said(crawled, url) for url in urls} == before
    assert crawled.rows(ledger, urls[0]) == [("stored", "", 0)]


def test_pages_that_were_no_articles_become_articles_with_their_comments_and_verdicts(site: Watch) -> None:
    rules(site, NO_TEXT)
    site.crawl()
    urls = [url for (url,) in site.rows("SELECT url FROM fetches WHERE outcome = 'rejected'")]
    assert urls and site.rows("SELECT count(*) FROM articles WHERE url = ?", urls[0]) == [(0,)]
    rules(site, "")
    assert replay(site)["pages"]["new"] == len(urls)
    assert replay(site, "--apply")["pages"]["new"] == len(urls)
    replayed = {url: said(site, url) for url in urls}
    for side in ("", "-wal", "-shm"):
        Path(f"{site.db}{side}").unlink(missing_ok=True)
    site.crawl()
    assert {url: said(site, url) for url in urls} == replayed


def said(site: Watch, url: str) -> list[list[tuple[Any, ...]]]:
    """What is stored of one article, but for numbers and times."""
    return [site.rows(f"{sql} ORDER BY 1, 2", url) for sql in _SAID]


_SAID = (
    "SELECT headline, body, authors, published_at, links, revision, source_id FROM articles WHERE url = ?",
    """SELECT c.key, c.text, c.author, c.posted_at, c.parent_key, c.depth, c.position, c.gone_at
    FROM comments c JOIN articles a ON a.id = c.article_id WHERE a.url = ?""",
    """SELECT c.key, v.said, v.score, v.reasons FROM verdicts v JOIN comments c ON c.id = v.comment_id
    JOIN articles a ON a.id = c.article_id WHERE a.url = ?""",
    """SELECT e.field, e.origin, e.raw, e.chosen FROM field_evidence e JOIN articles a ON a.id = e.article_id
    WHERE a.url = ?""",
    "SELECT etag, last_modified FROM fetches WHERE url = ?",
)


# ---- what must not be harmed


def test_what_a_later_visit_without_the_archive_found_is_not_taken_back(own: Watch) -> None:
    path = next(p for p in (own.path_of(1), own.path_of(2)) if p != PATH)
    own.server.site.edit_article(path, headline="An Altogether Different Headline")
    own.server.requests.clear()
    own.crawl("--again", "--no-archive")
    before = dump(own)
    told = replay(own, "--apply")
    read = sum(s == 200 and "comment-page" not in path for _, path, s in own.server.requests if path[:3] == "/20")
    assert (told["pages"]["older"], told["pages"]["changed"]) == (read, 0)
    assert dump(own) == before


@pytest.mark.parametrize("then", ["304", "gone"])
def test_nor_when_still_later_visits_read_nothing(own: Watch, then: str) -> None:
    path = next(p for p in (own.path_of(1), own.path_of(2)) if p != PATH)
    own.server.site.edit_article(path, headline="An Altogether Different Headline")
    own.crawl("--again", "--no-archive")
    if then == "gone":
        own.server.site.remove(path)
    own.crawl("--again")
    rules(own, H2)
    assert replay(own, "--apply")["pages"]["older"] >= 1
    headline = "SELECT headline FROM articles WHERE url = ?"
    assert own.rows(headline, own.server.url + path) == [("An Altogether Different Headline",)]


def behind_a_wall(site: Watch) -> str:
    """An article's address; its page answers from now on with something that is none."""
    path = next(p for p in (site.path_of(1), site.path_of(2)) if p != PATH)
    site.server.site.answer(path, Response(body=b"<html><title>Soon</title><p>Soon.</p></html>"))
    return site.server.url + path


def test_where_the_last_pages_were_no_articles_the_last_one_before_is_read_again(own: Watch) -> None:
    url = behind_a_wall(own)
    own.crawl("--again")
    own.crawl("--again")
    before = dump(own)
    assert replay(own, "--apply")["pages"] == NOTHING
    assert dump(own) == before
    ((was, ledger),) = own.rows(_HEADLINE, url)
    assert ledger == "rejected"
    rules(own, H2)
    replay(own, "--apply")
    ((now, ledger),) = own.rows(_HEADLINE, url)
    assert (now != was, ledger) == (True, "rejected")


def test_but_not_one_that_is_older_than_what_is_stored(own: Watch) -> None:
    path = next(p for p in (own.path_of(1), own.path_of(2)) if p != PATH)
    own.server.site.edit_article(path, headline="An Altogether Different Headline")
    own.crawl("--again", "--no-archive")
    url = behind_a_wall(own)
    own.crawl("--again")
    rules(own, H2)
    replay(own, "--apply")
    assert own.rows(_HEADLINE, url) == [("An Altogether Different Headline", "rejected")]


_HEADLINE = "SELECT a.headline, f.outcome FROM articles a JOIN fetches f ON f.article_id = a.id WHERE a.url = ?"


def test_an_article_whose_page_is_gone_is_read_again_and_stays_gone(own: Watch) -> None:
    divided = own.rows("SELECT url FROM articles WHERE instr(blocks, '\"h2\"') ORDER BY id")  # they have what H2 reads
    path = next(p for p in (url.removeprefix(own.server.url) for (url,) in divided) if p != PATH)
    own.server.site.remove(path)
    own.crawl("--again")
    ((id, was, gone),) = own.rows("SELECT id, headline, gone_at FROM articles WHERE url = ?", own.server.url + path)
    assert gone
    ledger = own.rows("SELECT outcome, status, cleaned_by FROM fetches WHERE article_id = ?", id)
    rules(own, H2)
    replay(own, "--apply")
    ((now, still),) = own.rows("SELECT headline, gone_at FROM articles WHERE id = ?", id)
    assert (now != was, still) == (True, gone)
    assert own.rows("SELECT outcome, status, cleaned_by FROM fetches WHERE article_id = ?", id) == ledger


def test_comments_that_an_import_added_since_stay(crawled: Watch, tmp_path: Path) -> None:
    line = {"article_url": crawled.server.url + crawled.path_of(1), "id": "7001", "author": "Ann", "text": "Imported."}
    export = tmp_path / "export.jsonl"
    export.write_text(json.dumps(line) + "\n", "utf-8")
    done = crawled("import", str(export), "--source", "demo")
    assert done.code == 0, done.err
    imported = "SELECT text, gone_at, revision FROM comments WHERE site_id = '7001'"
    assert crawled.rows(imported) == [("Imported.", None, 1)]
    rules(crawled, H2)
    assert replay(crawled, "--apply")["comments"]["gone"] == 0
    assert crawled.rows(imported) == [("Imported.", None, 1)]


def test_a_persons_decision_stays_on_the_version_it_was_made_on(crawled: Watch) -> None:
    (held,) = crawled("flagged", "--limit", "1", "--json").json
    crawled("decide", str(held["id"]), "ok", "--by", "ann")
    rules(crawled, H2)
    replay(crawled, "--apply")
    assert crawled.rows("SELECT state FROM standing WHERE comment_id = ?", held["id"]) == [("ok",)]


def test_comments_that_another_cleaning_does_not_see_are_gone_and_come_back_with_it(crawled: Watch) -> None:
    before = crawled.rows("SELECT id, text, revision FROM comments")
    rules(crawled, '[rules]\ncomments = "#nowhere"\n')
    told = replay(crawled, "--apply")
    rules(crawled, "")
    back = replay(crawled, "--apply")
    assert told["comments"]["gone"] == back["comments"]["returned"]
    assert crawled.rows("SELECT id, text, revision FROM comments") == before
    assert crawled.rows("SELECT count(*) FROM comments WHERE gone_at IS NOT NULL") == [(0,)]


# ---- how it is asked for


def test_sources_time_and_number_narrow_it_down(crawled: Watch) -> None:
    assert replay(crawled, "--limit", "3")["pages"]["same"] == 3
    assert replay(crawled, "--since", "2999-01-01")["pages"]["same"] == 0
    assert replay(crawled, "--since", "2020-01-01", "--source", "demo")["pages"]["same"] == 16
    assert replay(crawled, "demo")["pages"]["same"] == 16
    assert crawled("replay", "nobody").code == 2


def test_pages_of_a_source_without_a_file_are_left_alone_and_named(crawled: Watch) -> None:
    ran = crawled("replay", "--json")
    assert ran.json["sources_without_a_file"] == {"demo": 16}
    assert ran.json["pages"]["same"] == 0


def test_it_tells_people_what_would_change(crawled: Watch) -> None:
    rules(crawled, H2)
    ran = crawled("replay", "--sources", crawled.file)
    assert ran.code == 0
    assert "nothing was written" in ran.out and "headline: " in ran.out and "” -> “" in ran.out
    assert "\x1b" not in ran.out


@pytest.mark.parametrize("command", [("replay", "--apply"), ("archive", "prune", "--keep-days", "0")])
def test_what_writes_waits_for_no_crawl(crawled: Watch, command: tuple[str, ...]) -> None:
    with FileLock(f"{crawled.db.resolve()}.lock"):
        assert crawled(*command).code == 75
        assert crawled("replay").code == 0


def test_a_page_that_cannot_be_read_from_the_archive_is_trouble_and_the_others_are_read(crawled: Watch) -> None:
    (file,) = files(crawled.folder / "archive")
    ((start,),) = crawled.rows("SELECT start FROM captures WHERE role = 'page' ORDER BY id LIMIT 1 OFFSET 4")
    data = bytearray(file.read_bytes())
    data[start + 100] ^= 0xFF
    file.write_bytes(data)
    ran = crawled("replay", "--sources", crawled.file, "--json")
    assert (ran.code, ran.json["pages"]["lost"], ran.json["pages"]["same"]) == (1, 1, 15)
    checked = crawled("archive", "check", "--json")
    assert (checked.code, checked.json["damaged"]) == (1, 1)


# ---- watchfloor archive


def test_the_archive_is_listed_checked_and_pruned(crawled: Watch) -> None:
    listed = crawled("archive", "--json").json
    (file,) = listed["files"]
    assert (listed["records"], file["records"]) == (18, 18)  # 16 pages, 2 answers with further comments
    assert listed["bytes"] == (crawled.folder / "archive" / file["file"]).stat().st_size
    assert file["first"][:4] == file["last"][:4] != ""
    assert crawled("archive", "check").code == 0
    assert crawled("archive", "prune").code == 2
    assert _pruned(crawled, "--keep-days", "1").json["files"] == []
    assert _pruned(crawled, "--limit", "0.000001").json["files"] == []  # the newest is still written to
    assert files(crawled.folder / "archive")


def test_files_that_go_by_their_age_take_what_could_be_replayed_along_and_nothing_else(crawled: Watch) -> None:
    crawled.crawl("--no-archive")
    with sqlite3.connect(crawled.db) as connection:
        connection.execute("UPDATE captures SET at = '2020-01-01T00:00:00Z'")
    before = crawled.evidence()
    gone = _pruned(crawled, "--keep-days", "30", "--dry-run").json
    assert (len(gone["files"]), gone["dry_run"]) == (1, True)
    assert files(crawled.folder / "archive")
    assert _pruned(crawled, "--keep-days", "30").json["files"] == gone["files"]
    assert files(crawled.folder / "archive") == []
    assert crawled.rows("SELECT count(*) FROM captures WHERE file <> ''") == [(0,)]
    assert crawled.evidence() == before
    assert replay(crawled)["pages"]["lost"] == 0


def test_an_archive_is_shown_without_its_database_too(crawled: Watch) -> None:
    crawled.db.unlink()
    assert len(crawled("archive", "--json").json["files"]) == 1
    assert crawled("archive", "check").code == 0


def _pruned(site: Watch, *args: str) -> Ran:
    return site("archive", "prune", "--json", *args)


def test_samples_show_the_place_where_two_texts_begin_to_differ() -> None:
    long = "the same words over and over " * 9
    old, new = difference(f"{long}first", f"{long}second")
    assert "first" in old and "second" in new and len(old) < 40
    assert difference("short", "") == ("short", "")
    assert difference("a" * 500, "b")[0].endswith("…")


@once_crawled
def test_a_row_that_names_a_file_elsewhere_never_gets_it_deleted(site: Watch) -> None:
    canary, link = site.folder / "canary", site.folder / "archive" / "watchfloor-20200101T000000Z-00000.warc.gz"
    canary.write_text("precious", "utf-8")
    link.symlink_to(canary)
    names = ("../canary", str(canary), link.name)
    with sqlite3.connect(site.db) as db:
        for number, name in enumerate(names, 1):
            db.execute("UPDATE captures SET file = ? WHERE id = ?", (name, number))
    assert site("archive", "prune", "--keep-days", "0").code == 0
    site.crawl("--again", "--archive-limit", "0.00000001")
    assert canary.read_text("utf-8") == "precious"


@once_crawled
@pytest.mark.parametrize("found", ["not json", "[1,2]", "{}"])
def test_a_row_that_cannot_be_read_costs_one_page(site: Watch, found: str) -> None:
    with sqlite3.connect(site.db) as db:
        db.execute("UPDATE captures SET found = ? WHERE id = 1", (found,))
    ran = site("replay", "--sources", site.file, "--json")
    assert "Traceback" not in ran.err
    assert ran.json["pages"]["lost"] == 1 and ran.json["pages"]["same"] > 10


@once_crawled
def test_a_file_that_is_missing_is_named_until_it_is_given_up(site: Watch) -> None:
    (file,) = (site.folder / "archive").iterdir()
    file.rename(site.folder / "elsewhere")
    for _ in range(2):
        ran = site.crawl()
        assert (ran.code, [p["name"] for p in ran.json["problems"]]) == (1, ["archive"])
        assert f"{file.name} is missing" in ran.json["problems"][0]["detail"]
    assert site("archive", "prune", "--lost").code == 0
    assert site.crawl().code == 0
