"""Whole crawls: the real command, a real HTTP server, a real SQLite file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.demo.site import Response
from conftest import Watch, once_crawled

EXPECTED = json.loads(Path(__file__).with_name("demo_expected.json").read_text("utf-8"))
FEED = "/feed/"


def articles() -> list[dict[str, Any]]:
    return list(EXPECTED["articles"])


def test_the_first_crawl_stores_every_article_and_holds_exactly_the_comments_with_links(site: Watch) -> None:
    ran = site.crawl()
    assert ran.code == 0, ran.err
    stored = dict(site.rows("SELECT url, headline FROM articles"))
    assert stored == {site.server.url + a["path"]: a["headline"] for a in articles()}
    for article in articles():
        url = site.server.url + article["path"]
        counted = site.rows(_COUNT, url)
        assert counted == [(article["comments"], len(article["pingbacks"]))], url
        held = site.rows(_HELD, url)
        assert sorted(id for (id,) in held) == sorted(str(id) for id in article["linked"]), url


@once_crawled
def test_the_first_article_has_its_sections_and_none_of_the_page_around_it(site: Watch) -> None:
    ((body, blocks, state),) = site.rows(
        "SELECT body, blocks, comments_state FROM articles WHERE headline LIKE 'North Korea Suffers%'"
    )
    kinds = json.loads(blocks)
    assert (kinds.count("h2"), kinds.count("paragraph"), len(kinds)) == (5, 10, 15)
    assert body.startswith("The unfolding dynamics") and body.endswith("the broader Asia-Pacific region.")
    assert "Leave a Comment" not in body and "World Defense" not in body and "No comments" not in body
    assert state == "open"


@once_crawled
def test_a_second_crawl_stores_nothing_twice_and_touches_no_row_that_did_not_change(site: Watch) -> None:
    before = site.evidence()
    ran = site.crawl("--again")
    assert ran.code == 0
    assert site.evidence() == before
    assert ran.json["sources"]["demo"]["unchanged"] == len(articles())


@once_crawled
def test_what_has_not_changed_is_asked_for_with_its_receipt_and_not_sent_again(site: Watch) -> None:
    site.server.requests.clear()
    site.crawl("--again")
    pages = [status for _, path, status in site.server.requests if path.startswith("/20")]
    assert pages == [304] * len(articles())


@once_crawled
def test_a_comment_added_between_two_crawls_is_stored_and_judged(site: Watch) -> None:
    before = site.rows("SELECT max(id) FROM comments")[0][0]
    site.server.site.add_comment(site.path_of(), "late, but see cheap-armour-shop.top", author="Late")
    ran = site.crawl("--again")
    assert ran.json["sources"]["demo"]["comments_new"] == 1
    late = site.rows(
        "SELECT c.author, t.state FROM comments c JOIN standing t ON t.comment_id = c.id WHERE c.id > ?", before
    )
    assert late == [("Late", "flagged")]


@once_crawled
def test_a_decision_survives_every_crawl_and_an_edited_comment_is_shown_again(site: Watch) -> None:
    (held,) = site("flagged", "--limit", "1", "--json").json
    site("decide", str(held["id"]), "ok", "--by", "ann")
    site.crawl("--again")
    assert site.rows("SELECT state FROM standing WHERE comment_id = ?", held["id"]) == [("ok",)]

    ((site_id, path),) = site.rows(
        "SELECT c.site_id, a.url FROM comments c JOIN articles a ON a.id = c.article_id WHERE c.id = ?", held["id"]
    )
    site.server.site.edit_comment(path.removeprefix(site.server.url), int(site_id), "now without any address")
    site.crawl("--again")
    assert site.rows("SELECT state FROM standing WHERE comment_id = ?", held["id"]) == [("flagged",)]
    said = site.rows("SELECT revision, said, judge FROM verdicts WHERE comment_id = ? ORDER BY id", held["id"])
    assert [(revision, word) for revision, word, _ in said] == [(1, "flagged"), (1, "ok"), (2, "flagged")]
    assert site.rows("SELECT text FROM comment_revisions WHERE comment_id = ?", held["id"]) == [(held["text"],)]


@once_crawled
def test_an_edited_article_keeps_its_earlier_version(site: Watch) -> None:
    path = site.path_of(2)
    ((was,),) = site.rows("SELECT headline FROM articles WHERE id = 2")
    site.server.site.edit_article(path, headline="An Altogether Different Headline for This Story")
    ran = site.crawl("--again")
    assert ran.json["sources"]["demo"]["edited"] == 1
    assert site.rows("SELECT headline, revision FROM articles WHERE id = 2") == [
        ("An Altogether Different Headline for This Story", 2)
    ]
    assert site.rows("SELECT headline, revision FROM article_revisions") == [(was, 1)]
    assert site("search", "Altogether Different", "--json").json[0]["id"] == 2


@once_crawled
def test_a_new_template_is_told_and_its_changes_are_no_edits(site: Watch) -> None:
    demo, edited = site.server.site, site.path_of(2)
    for article in demo.articles:
        demo.edit_article(article.path, body=f"{article.body}<p>Read by 12,000 officers every single morning.</p>")
    demo.edit_article(edited, headline="An Altogether Different Headline for This Story")
    ran = site.crawl("--again")
    (problem,) = ran.json["problems"]
    assert (ran.code, problem["name"]) == (1, "template changed")
    assert "body gained: Read by 0,0 officers" in problem["detail"]
    kinds = set(site.rows("SELECT kind, words_new >= 7 FROM article_history"))
    assert kinds == {("template", 1)}
    assert site("query", "changed-headlines", "--json").json["rows"] == []
    assert "template" in site("history", "2").out
    demo.edit_article(edited, headline="Once More a Different Headline")
    assert site.crawl("--again").code == 0
    assert site.rows("SELECT article_id FROM article_history WHERE kind = 'edit'") == [(2,)]


@once_crawled
def test_a_comment_that_disappears_is_marked_and_not_removed(site: Watch) -> None:
    ((comment, site_id, url),) = site.rows(
        "SELECT c.id, c.site_id, a.url FROM comments c JOIN articles a ON a.id = c.article_id"
        " WHERE c.kind = 'comment' AND c.depth = 0 ORDER BY c.id LIMIT 1"
    )
    site.server.site.remove_comment(url.removeprefix(site.server.url), int(site_id))
    site.crawl("--again")
    ((gone,),) = site.rows("SELECT gone_at FROM comments WHERE id = ?", comment)
    assert gone is not None


@once_crawled
@pytest.mark.parametrize("status", [404, 410])
def test_a_known_page_that_is_removed_is_recorded_as_gone_and_no_trouble(site: Watch, status: int) -> None:
    path = site.path_of(3)
    site.server.site.remove(path, status)
    ran = site.crawl("--again")
    assert (ran.code, ran.json["sources"]["demo"]["gone"]) == (0, 1)
    assert site.rows("SELECT outcome, reason, status FROM fetches WHERE article_id = 3") == [
        ("gone", f"HTTP {status}", status)
    ]
    assert site.rows("SELECT count(*) FROM articles WHERE id = 3 AND gone_at IS NOT NULL") == [(1,)]


def test_a_page_that_robots_txt_forbids_is_not_asked_for_and_has_its_row(site: Watch) -> None:
    site.crawl()
    assert not [path for _, path, _ in site.server.requests if path.startswith("/private/")]
    assert site.rows("SELECT outcome, reason FROM fetches WHERE url LIKE '%/private/%'") == [
        ("skipped", "forbidden by robots.txt")
    ]


def test_comments_with_nul_bytes_and_lone_surrogates_are_stored_clean(site: Watch) -> None:
    path = articles()[0]["path"]
    site.server.site.add_comment(path, "zero\x00 and \ud800 half, visit bad-shop\x00.top", author="N\x00ul")
    assert site.crawl().code == 0
    ((text,),) = site.rows("SELECT text FROM comments WHERE text LIKE 'zero%'")
    assert "\x00" not in text and text.encode("utf-8")


def test_the_charset_that_only_the_http_header_names_is_believed(site: Watch) -> None:
    path = articles()[0]["path"]
    page = site.server.site.get(path, {})
    body = (
        page.body.decode("utf-8")
        .replace('charset="utf-8"', "")
        .replace("The unfolding", "Öffentlich größer, the unfolding")
    )
    headers = {**page.headers, "Content-Type": "text/html; charset=ISO-8859-1"}
    site.server.site.answer(
        path, Response(status=200, headers=headers, body=body.encode("cp1252", "xmlcharrefreplace"))
    )
    site.crawl()
    assert site.rows("SELECT count(*) FROM articles WHERE body LIKE 'Öffentlich größer%'") == [(1,)]


def test_an_article_page_that_is_none_has_its_row_with_the_reason(site: Watch) -> None:
    path = site.server.site.get(FEED, {}).body.decode().split("<link>")[2].split("</link>")[0]
    path = path.removeprefix(site.server.url)
    site.server.site.answer(
        path, Response(status=200, headers={"Content-Type": "text/html"}, body=b"<html><body></body></html>")
    )
    ran = site.crawl()
    assert (ran.code, ran.json["sources"]["demo"]["rejected"]) == (0, 1)
    ((outcome, reason),) = site.rows("SELECT outcome, reason FROM fetches WHERE url = ?", site.server.url + path)
    assert outcome == "rejected" and reason


@once_crawled
def test_a_listing_that_is_no_feed_any_more_is_trouble_by_name(site: Watch) -> None:
    site.server.site.answer(
        FEED, Response(status=200, headers={"Content-Type": "text/html"}, body=b"<!doctype html><html>moved</html>")
    )
    ran = site.crawl("--again")
    assert ran.code == 1
    assert [p["name"] for p in ran.json["problems"]] == ["feed is HTML"]
    assert site.rows("SELECT outcome, detail FROM fetches WHERE url LIKE '%/feed/'") == [
        ("failed", "an HTML page where a feed should be")
    ]


_COUNT = """
SELECT (SELECT count(*) FROM comments c WHERE c.article_id = a.id AND c.kind = 'comment'),
  (SELECT count(*) FROM comments c WHERE c.article_id = a.id AND c.kind = 'pingback') FROM articles a WHERE a.url = ?
"""
_HELD = """
SELECT c.site_id FROM comments c JOIN articles a ON a.id = c.article_id JOIN standing t ON t.comment_id = c.id
WHERE a.url = ? AND t.state = 'flagged' AND c.kind = 'comment'
"""


@once_crawled
def test_a_page_whose_sitemap_says_that_it_has_not_changed_is_not_asked_for(site: Watch) -> None:
    before = site.evidence()
    told = dict(site.rows("SELECT url, lastmod FROM fetches WHERE kind = 'page' AND outcome = 'stored'"))
    site.server.requests.clear()
    ran = site.crawl()
    asked = {f"{site.server.url}{path}" for _, path, _ in site.server.requests if path.startswith("/20")}
    assert asked == {url for url, lastmod in told.items() if not lastmod} != set(told)
    assert (ran.code, ran.json["sources"]["demo"]["not_due"]) == (0, len(told) - len(asked))
    assert site.evidence() == before


@once_crawled
def test_an_article_that_the_sitemap_says_was_edited_is_read_again_at_once(site: Watch) -> None:
    ((path,),) = site.rows("SELECT url FROM fetches WHERE lastmod <> '' ORDER BY url LIMIT 1")
    site.server.site.edit_article(path.removeprefix(site.server.url), headline="An Altogether Different Headline")
    ran = site.crawl()
    assert ran.json["sources"]["demo"]["edited"] == 1


@once_crawled
def test_known_pages_have_their_turn_though_a_listing_fails(site: Watch) -> None:
    site.server.site.fail("/news-sitemap.xml", 500)
    ran = site.crawl()
    assert ran.json["sources"]["demo"]["unchanged"] > 0
    assert ran.json["sources"]["demo"]["listings_failed"] == 1
