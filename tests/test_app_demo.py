"""The demo site: what a first crawl meets, and what whole-crawl tests can do to it."""

from __future__ import annotations

import json
import os
import re
import tomllib
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urljoin
from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree

import pytest
from bs4 import BeautifulSoup
from hypothesis import example, given
from hypothesis import strategies as st

from app.demo.content import load, paragraphs, parse
from app.demo.server import serve, source
from app.demo.site import IN_FEED, IN_SITEMAP, Response, Site
from crawler.source import parse_source

EXPECTED = json.loads(Path(__file__).with_name("demo_expected.json").read_text("utf-8"))
ARTICLES = {a["path"]: a for a in EXPECTED["articles"]}
SEED = "/2024/12/north-korea-suffers-heavy-losses-in-russia-ukraine-war/"
BALTIC = "/2026/10/baltic-air-policing-rotation-extended-into-spring/"
FORBIDDEN = EXPECTED["forbidden"][0]
ORIGIN = "http://127.0.0.1:8000"
NEWS = "{http://www.google.com/schemas/sitemap-news/0.9}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
SEED_TEXT = Path(os.environ.get("WATCHFLOOR_EVAL", "../shared/eval")).parent / "seed" / "world-defense.txt"


@pytest.fixture
def site() -> Site:
    return Site(origin=ORIGIN)


BUNDLED = load()


def soup(site: Site, path: str) -> BeautifulSoup:
    response = site.get(path)
    assert response.status == 200, path
    return BeautifulSoup(response.body, "lxml")


def links(site: Site, path: str) -> set[str]:
    return {urljoin(ORIGIN + path, a["href"]) for a in soup(site, path).find_all("a", href=True)}


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# ---- the articles and what a person expects of them


def test_the_expectations_name_every_article_and_no_other():
    paths = {a.path for a in load()}
    assert paths == {*ARTICLES, *EXPECTED["forbidden"]}
    assert len(ARTICLES) >= 14


@pytest.mark.parametrize("article", BUNDLED, ids=lambda a: a.path)
def test_the_data_agree_with_the_expectations(article):
    if article.forbidden:
        return
    expected = ARTICLES[article.path]
    readers = {c.id for c in article.comments if c.kind == "comment"}
    assert article.headline == expected["headline"]
    assert list(article.authors) == expected["authors"]
    assert iso(article.published) == expected["published"]
    assert article.language == expected["language"]
    assert len(readers) == expected["comments"]
    assert [c.id for c in article.comments if c.kind == "pingback"] == expected["pingbacks"]
    assert set(expected["disguised"]) <= set(expected["linked"]) <= readers


@pytest.mark.parametrize("article", BUNDLED, ids=lambda a: a.path)
def test_every_plain_link_to_another_host_is_among_the_expected(article):
    plain = {c.id for c in article.comments if c.kind == "comment" and ("http" in c.html or c.url)}
    assert plain <= set(ARTICLES.get(article.path, {"linked": []})["linked"])


def test_there_are_enough_comments_to_review():
    comments = [c for a in load() for c in a.comments]
    assert len(comments) >= 45
    assert sum(c.parent is not None for c in comments) >= 15
    assert sum(c.kind == "pingback" for c in comments) >= 1


@pytest.mark.parametrize("article", BUNDLED, ids=lambda a: a.path)
def test_every_time_has_a_zone_and_no_comment_precedes_its_article(article):
    assert article.published.tzinfo
    assert all(c.posted > article.published for c in article.comments)


@pytest.mark.parametrize("path", ARTICLES)
def test_a_page_shows_its_headline_headings_and_comments(site, path):
    page, expected = soup(site, path), ARTICLES[path]
    assert expected["headline"] in [h.get_text() for h in page.select("h1, .storytitle h2")]
    assert [h.get_text() for h in page.select(".entry-content :is(h2, h3)")] == expected["headings"]
    text = " ".join(page.select_one(".entry-content, .storytext").get_text().split())
    assert text.startswith(expected["starts"])
    assert text.endswith(expected["ends"])
    assert len(page.select("li.comment")) == expected["comments"]
    assert len(page.select("li.pingback")) == len(expected["pingbacks"])


def test_comments_stand_in_order_and_replies_within_the_comment_they_answer(site):
    for article in site.articles:
        items = soup(site, article.path).select("li[id^=comment-]")
        above = {li["id"]: li.find_parent("li") for li in items}
        for comment in article.comments:
            parent = above[f"comment-{comment.id}"]
            assert (parent and parent["id"]) == (f"comment-{comment.parent}" if comment.parent else None)
        top = [f"comment-{c.id}" for c in article.comments if c.parent is None]
        assert [li["id"] for li in items if li["id"] in top] == top


def test_the_archive_piece_reads_as_it_was_published(site):
    page = soup(site, SEED)
    headline = ARTICLES[SEED]["headline"]
    assert page.title.get_text() == headline
    text = [line.strip() for line in page.body.get_text("\n").split("\n") if line.strip()]
    assert text[:3] == [headline, "World Defense", headline]
    notice = text.index("Leave a Comment: Don't Wast Time to Posting URLs in Comment Box")
    assert text[notice + 1] == "No comments available for this post."


@pytest.mark.skipif(not SEED_TEXT.exists(), reason="the text as published is not on this machine")
def test_the_archive_piece_is_verbatim(site):
    published = [line for line in SEED_TEXT.read_text("utf-8").splitlines() if line.strip()]
    text = [line for line in soup(site, SEED).body.get_text("\n").split("\n") if line.strip()]
    assert text[: len(published)] == published


# ---- the ways in


def test_the_feed_holds_the_newest_articles_with_their_dates(site):
    items = ElementTree.fromstring(site.get("/feed/").body).findall("channel/item")
    newest = [a for a in site.articles if not a.forbidden][:IN_FEED]
    assert [i.findtext("link") for i in items] == [ORIGIN + a.path for a in newest]
    assert all(i.findtext("title") and i.findtext("pubDate") for i in items)


def test_the_news_sitemap_gives_title_and_date(site):
    entries = ElementTree.fromstring(site.get("/news-sitemap.xml").body).findall(f"{MAP}url")
    assert len(entries) == IN_SITEMAP
    for entry in entries:
        expected = ARTICLES[entry.findtext(f"{MAP}loc").removeprefix(ORIGIN)]
        assert entry.findtext(f"{NEWS}news/{NEWS}title") == expected["headline"]
        published = datetime.fromisoformat(entry.findtext(f"{NEWS}news/{NEWS}publication_date"))
        assert iso(published) == expected["published"]


def test_next_links_lead_to_every_article_also_to_those_in_neither_feed_nor_sitemap(site):
    pages = [f"/section/{slug}/" for slug in ("europe", "asia-pacific", "industry", "technology")]
    found: set[str] = set()
    for path in pages:
        found |= links(site, path)
        further = soup(site, path).find("a", rel="next")
        if further:
            pages.append(further["href"])
    assert len(pages) > 4
    assert {ORIGIN + path for path in (*ARTICLES, FORBIDDEN)} <= found
    assert all(SEED.encode() not in site.get(listing).body for listing in ("/feed/", "/news-sitemap.xml"))


def test_robots_forbids_one_folder_that_a_section_links_into(site):
    robots = RobotFileParser()
    robots.parse(site.get("/robots.txt").body.decode().splitlines())
    assert robots.can_fetch("watchfloor", ORIGIN + BALTIC)
    assert not robots.can_fetch("watchfloor", ORIGIN + FORBIDDEN)
    assert ORIGIN + FORBIDDEN in links(site, "/section/europe/")
    assert all(FORBIDDEN.encode() not in site.get(p).body for p in ("/", "/feed/", "/news-sitemap.xml"))


def test_every_link_to_the_site_itself_is_answered(site):
    paths = {"/", "/about/", "/contact/", "/tag/drones/", "/section/europe/page/2/", *ARTICLES}
    for path in paths:
        for url in links(site, path):
            if url.startswith(ORIGIN):
                assert site.get(url.removeprefix(ORIGIN)).status == 200, (path, url)
        for picture in soup(site, path).find_all("img"):
            assert site.get(picture["src"]).headers["Content-Type"] == "image/svg+xml"


@pytest.mark.parametrize("name", ["/", "/about/", "/contact/", "/tag/drones/", "/section/industry/"])
def test_other_pages_are_marked_as_no_article(site, name):
    page = soup(site, name)
    assert not page.select('meta[property="og:type"], script[type="application/ld+json"], .comment-list')


@pytest.mark.parametrize("path", ["/nope", "/section/air/", "/section/europe/page/9/", "/tag/none/", "/images/x-1.svg"])
def test_what_is_not_there_is_a_404_page(site, path):
    response = site.get(path)
    assert response.status == 404
    assert b"Page not found" in response.body


def test_an_article_without_its_closing_slash_is_redirected(site):
    response = site.get(BALTIC.rstrip("/"))
    assert (response.status, response.headers["Location"]) == (301, ORIGIN + BALTIC)


def test_no_placeholder_is_left_in_a_page(site):
    for path in ("/", "/feed/", "/news-sitemap.xml", "/robots.txt", *ARTICLES, FORBIDDEN):
        assert not re.search(rb"\$[a-z_]+|\{origin\}", site.get(path).body), path


# ---- receipts


def test_an_unchanged_article_is_a_304_for_its_etag_and_for_its_date(site):
    first = site.get(BALTIC)
    for header, value in (("if-none-match", "ETag"), ("if-modified-since", "Last-Modified")):
        again = site.get(BALTIC, {header: first.headers[value]})
        assert (again.status, again.body) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
    assert site.get(BALTIC, {"if-none-match": f'"other", W/{first.headers["ETag"]}'}).status == 304


def test_another_etag_or_a_broken_date_gets_the_page(site):
    receipt = site.get(BALTIC).headers["Last-Modified"]
    assert site.get(BALTIC, {"if-none-match": '"other"', "if-modified-since": receipt}).status == 200
    assert site.get(BALTIC, {"if-modified-since": "yesterday"}).status == 200


CHANGES = {
    "add comment": lambda s: s.add_comment(BALTIC, "Late."),
    "edit comment": lambda s: s.edit_comment(BALTIC, 101, "Edited."),
    "remove comment": lambda s: s.remove_comment(BALTIC, 102),
    "edit article": lambda s: s.edit_article(BALTIC, headline="Another"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_makes_old_receipts_worthless(site, change):
    old = site.get(BALTIC).headers
    change(site)
    assert site.get(BALTIC, {"if-none-match": old["ETag"]}).status == 200
    assert site.get(BALTIC, {"if-modified-since": old["Last-Modified"]}).status == 200


# ---- changing the site


def test_a_late_comment_is_on_the_page_below_its_parent(site):
    id = site.add_comment(BALTIC, "See best-profit-now.xyz & <more>", author="Late", url="http://a.b/", parent=101)
    item = soup(site, BALTIC).find(id=f"comment-{id}")
    assert item.find_parent("li")["id"] == "comment-101"
    assert item.select_one(".comment-content").get_text(strip=True) == "See best-profit-now.xyz & <more>"
    assert item.select_one(".fn a")["href"] == "http://a.b/"


def test_the_first_comment_on_the_archive_piece_replaces_its_no_comments_line(site):
    site.add_comment(SEED, "First!")
    page = soup(site, SEED)
    assert [c.get_text(strip=True) for c in page.select(".comment-content")] == ["First!"]
    assert "No comments available" not in page.get_text()


def test_very_deep_threads_are_printed(site):
    parent = None
    for _ in range(1500):
        parent = site.add_comment(SEED, "deeper", parent=parent)
    assert site.get(SEED).body.count(b'<li id="comment-') == 1500


def test_an_edited_comment_keeps_its_id(site):
    site.edit_comment(BALTIC, 101, author="Renamed")
    assert "Renamed" in soup(site, BALTIC).find(id="comment-101").select_one(".fn").get_text()
    with pytest.raises(KeyError):
        site.edit_comment(BALTIC, 9999, "nobody")


def test_removing_a_comment_takes_the_replies_with_it(site):
    site.remove_comment(BALTIC, 101)
    assert [c["id"] for c in soup(site, BALTIC).select("li.comment")] == ["comment-104", "comment-105"]


def test_an_edited_article_has_a_new_modified_time(site):
    before = next(a for a in site.articles if a.path == BALTIC)
    site.edit_article(BALTIC, headline="Changed & bold")
    assert soup(site, BALTIC).h1.get_text() == "Changed & bold"
    assert next(a for a in site.articles if a.path == BALTIC).modified > before.modified


def test_a_removed_page_is_gone_until_healed_and_still_listed(site):
    site.remove(BALTIC)
    assert site.get(BALTIC).status == 410
    assert ORIGIN + BALTIC in links(site, "/section/europe/")
    site.heal(BALTIC)
    assert site.get(BALTIC).status == 200


def test_any_answer_can_stand_in_for_a_page(site):
    site.fail("/feed/", 503, Retry_After="60")
    response = site.get("/feed/")
    assert (response.status, response.headers["Retry-After"]) == (503, "60")
    site.answer("/2026/10/wall/", Response(status=403, body=b"Checking your browser"))
    assert (site.get("/2026/10/wall/?x=1").status, site.get("/2026/10/wall/").body) == (403, b"Checking your browser")


def test_hostile_characters_in_a_comment_go_out_as_they_are(site):
    site.add_comment(BALTIC, "nul \x00 and half a pair \ud800 end")
    assert b"nul \x00 and half a pair \xed\xa0\x80 end" in site.get(BALTIC).body


def test_a_new_article_is_listed_first(site):
    text = (
        'path = "/2026/11/new/"\nheadline = "New"\nsection = "europe"\npublished = 2026-11-01T00:00:00Z\nbody = "<p>x"'
    )
    site.add_article(parse(text))
    assert ORIGIN + "/2026/11/new/" in links(site, "/section/europe/")
    assert b"/2026/11/new/" in site.get("/feed/").body


@pytest.mark.parametrize(
    "comments", ["[[comments]]\nid = 1\nparent = 2\n{0}", "[[comments]]\nid = 1\n{0}[[comments]]\nid = 1\n{0}"]
)
def test_a_file_with_a_reply_before_its_parent_or_a_doubled_id_is_refused(comments):
    head = 'path = "/a/"\nheadline = "A"\nsection = "europe"\npublished = 2026-11-01T00:00:00Z\nbody = ""\n'
    with pytest.raises(ValueError, match="comment 1"):
        parse(head + comments.format('author = "x"\nposted = 2026-11-02T00:00:00Z\n'))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"])))
def test_a_comments_plain_text_comes_back_from_its_html(text):
    assert "".join(BeautifulSoup(paragraphs(text), "lxml").get_text().split()) == "".join(text.split())


@example("//[", {})
@example("/section/europe/page/0/", {})
@given(st.text(max_size=80), st.dictionaries(st.sampled_from(["if-none-match", "if-modified-since"]), st.text()))
def test_any_path_and_any_receipt_is_answered(path, headers):
    site = Site([a for a in BUNDLED if a.path == BALTIC], origin=ORIGIN)
    assert site.get(path, headers).status in (200, 301, 304, 404)
    assert site.get(BALTIC, headers).status in (200, 304)


# ---- over HTTP


def test_the_server_answers_keeps_a_log_and_shows_changes_at_once():
    with serve() as server:
        body = urllib.request.urlopen(server.url + BALTIC).read()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(server.url + "/nope")
        assert f'<link rel="canonical" href="{server.url}{BALTIC}">' in body.decode()
        assert server.requests == [("GET", BALTIC, 200), ("GET", "/nope", 404)]
        server.site.add_comment(BALTIC, "Later than the rest.")
        assert b"Later than the rest." in urllib.request.urlopen(server.url + BALTIC).read()


def test_a_304_and_a_head_have_no_body_over_http():
    with serve() as server:
        etag = urllib.request.urlopen(server.url + BALTIC).headers["ETag"]
        with pytest.raises(urllib.error.HTTPError, match="304") as caught:
            urllib.request.urlopen(urllib.request.Request(server.url + BALTIC, headers={"If-None-Match": etag}))
        assert caught.value.read() == b""
        head = urllib.request.urlopen(urllib.request.Request(server.url + BALTIC, method="HEAD"))
        assert head.read() == b""
        assert int(head.headers["Content-Length"]) > 1000


def test_a_closed_server_refuses_connections_and_frees_its_port():
    server = serve()
    server.close()
    server.close()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(server.url, timeout=2)
    serve(port=server.port).close()


def test_the_source_file_is_valid_and_watches_the_site():
    with serve() as server:
        watched = parse_source(source(server.url + "/"), id="demo")
        assert watched.delay == 0
        assert f"127.0.0.1:{server.port}" in watched.all_hosts
        assert {kind for kind, _ in watched.listings} == {"feed", "sitemap", "section"}
        for _, url in watched.listings:
            assert urllib.request.urlopen(url).status == 200


def test_the_bundled_files_have_endings_that_are_packaged():
    folder = Path(__file__).parent.parent / "app" / "demo"
    packaged = {".toml", ".html", ".css", ".txt", ".xml", ".json", ".py"}
    files = [f for f in folder.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    assert {f.suffix for f in files} <= packaged
    assert all(tomllib.loads(f.read_text("utf-8")) for f in files if f.suffix == ".toml" and f.name != "source.toml")
