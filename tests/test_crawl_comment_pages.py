"""Comments beyond the first page, over real HTTP: all of them, once; nothing is marked gone that was not looked for."""

from __future__ import annotations

import json

import pytest

from app.demo.site import Response
from conftest import Watch
from crawler import limits
from crawler.routes import API_ROWS

PATH = "/2026/09/how-armoured-brigades-learn-to-hide-again/"
"""Seven comments in four threads."""


def stored(site: Watch, columns: str = "c.site_id") -> list[tuple[object, ...]]:
    sql = f"SELECT {columns} FROM comments c JOIN articles a ON a.id = c.article_id WHERE a.url LIKE ? ORDER BY c.id"
    return site.rows(sql, f"%{PATH}")


def gone(site: Watch) -> int:
    return sum(bool(at) for (at,) in stored(site, "c.gone_at"))


def visited(site: Watch) -> dict[str, str]:
    rows = site.rows("SELECT url, outcome FROM fetches WHERE url LIKE ?", f"%{PATH}%")
    return {url.rpartition(PATH)[2].strip("/"): outcome for url, outcome in rows}


@pytest.fixture
def paged(site: Watch) -> Watch:
    """One thread a page, so that the article's comments fill four."""
    site.server.site.edit_article(PATH, threads_a_page=1)
    return site


def test_the_comments_of_every_page_are_stored_once_and_in_their_threads(paged: Watch) -> None:
    assert paged.crawl().code == 0
    pages = visited(paged)
    article = next(a for a in paged.server.site.articles if a.path == PATH)
    assert pages == {"": "stored", "comment-page-2": "read", "comment-page-3": "read", "comment-page-4": "read"}
    parents = {str(c.id): c.parent and f"id:{c.parent}" for c in article.comments}
    assert dict(stored(paged, "c.site_id, c.parent_key")) == parents
    assert len(stored(paged)) == len(article.comments)
    again = paged.evidence()
    assert paged.crawl("--again").code == 0
    assert paged.evidence() == again


def test_a_new_comment_on_the_last_page_is_seen_and_one_taken_off_is_gone(paged: Watch) -> None:
    paged.crawl()
    number = paged.server.site.add_comment(PATH, "Late, and with a link: http://late.example/pills")
    paged.crawl("--again")
    assert (str(number),) in stored(paged)
    assert gone(paged) == 0
    paged.server.site.remove_comment(PATH, number)
    paged.crawl("--again")
    assert gone(paged) == 1


def test_a_page_that_fails_costs_only_itself_and_its_comments_are_not_gone(paged: Watch) -> None:
    paged.crawl()
    before = len(stored(paged))
    paged.server.site.fail(f"{PATH}comment-page-4/", 500)
    paged.crawl("--again")
    assert visited(paged)["comment-page-4"] == "failed"
    assert (len(stored(paged)), gone(paged)) == (before, 0)


def test_a_source_may_keep_to_the_first_page_and_knows_that_there_are_more(paged: Watch) -> None:
    paged.crawl()
    paged.file.write_text("comment_pages = false\n" + paged.file.read_text("utf-8"), "utf-8")
    paged.crawl("--again")
    assert gone(paged) == 0


def row(id: int, text: str) -> dict[str, object]:
    return {
        "id": id,
        "parent": 0,
        "author_name": "Api",
        "date_gmt": "2026-10-01T00:00:00",
        "content": {"rendered": text},
    }


def test_the_interface_is_asked_where_the_source_says_so_and_its_comments_are_merged(site: Watch) -> None:
    demo = site.server.site
    article = next(a for a in demo.articles if a.path == PATH)
    link = f'<link rel="alternate" type="application/json" href="{site.server.url}/wp-json/wp/v2/posts/7">'
    demo.edit_article(PATH, body=link + article.body)
    rows = [row(c.id, "<p>As the interface has it.</p>") for c in article.comments] + [row(9999, "<p>Only here.</p>")]
    body = json.dumps(rows).encode()
    demo.answer("/wp-json/wp/v2/comments", Response(body=body, headers={"Content-Type": "application/json"}))
    site.crawl()
    assert len(stored(site)) == len(article.comments)
    site.file.write_text('comment_routes = ["api"]\n' + site.file.read_text("utf-8"), "utf-8")
    assert site.crawl("--again").code == 0
    texts = dict(stored(site, "c.site_id, c.text"))
    assert len(texts) == len(article.comments) + 1
    assert texts["9999"] == "Only here."
    assert "As the interface has it." not in texts.values()


def requests(site: Watch, path: str) -> int:
    return sum(asked.partition("?")[0] == path for _, asked, _ in site.server.requests)


def cuts(site: Watch) -> list[tuple[object, ...]]:
    sql = "SELECT name, left_out FROM cuts c JOIN articles a ON a.id = c.article_id WHERE a.url LIKE ?"
    return site.rows(sql, f"%{PATH}")


def routes(site: Watch, *kinds: str) -> None:
    site.file.write_text(f"comment_routes = {json.dumps(kinds)}\n" + site.file.read_text("utf-8"), "utf-8")


def test_a_comment_page_that_robots_forbids_is_not_asked_for_and_the_article_says_that_it_is_incomplete(
    paged: Watch,
) -> None:
    robots = f"User-agent: *\nDisallow: {PATH}comment-page-3/\n".encode()
    paged.server.site.answer("/robots.txt", Response(body=robots, headers={"Content-Type": "text/plain"}))
    assert paged.crawl().code == 0
    assert requests(paged, f"{PATH}comment-page-3/") == 0
    assert visited(paged)["comment-page-3"] == "skipped"
    assert cuts(paged) == [("COMMENT_PAGES", 1)]


def test_a_304_for_the_article_hides_nothing_that_a_failed_comment_page_would_have_shown(site: Watch) -> None:
    site.server.site.edit_article(PATH, threads_a_page=3)
    site.server.site.fail(f"{PATH}comment-page-2/", 500)
    site.crawl()
    assert cuts(site) == [("COMMENT_PAGES", 1)]
    few = len(stored(site))
    site.server.site.heal(f"{PATH}comment-page-2/")
    site.crawl("--again")
    assert len(stored(site)) > few
    assert (cuts(site), gone(site)) == ([], 0)


def test_no_more_comment_pages_are_read_than_the_cap_and_the_rest_is_counted(site: Watch) -> None:
    demo = site.server.site
    for number in range(limits.COMMENT_PAGES + 5):
        demo.add_comment(PATH, f"Another thread, number {number}.")
    demo.edit_article(PATH, threads_a_page=1)
    site.crawl()
    pages = {path for _, path, _ in site.server.requests if "comment-page" in path}
    assert len(pages) == limits.COMMENT_PAGES
    ((name, left_out),) = cuts(site)
    assert name == "COMMENT_PAGES" and int(str(left_out)) >= 1


RSS = """<rss xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>{}</channel></rss>"""
ITEM = """<item><title>By: {author}</title><link>{url}#comment-{id}</link><dc:creator>{author}</dc:creator>
<pubDate>Thu, 01 Oct 2026 00:00:00 +0000</pubDate><guid>{url}#comment-{id}</guid>
<description>{text}</description></item>"""


def test_the_comment_feed_of_an_article_adds_what_its_page_does_not_show_and_doubles_nothing(site: Watch) -> None:
    demo, url = site.server.site, site.server.url + PATH
    article = next(a for a in demo.articles if a.path == PATH)
    demo.edit_article(PATH, body=f'<link rel="alternate" type="application/rss+xml" href="{url}feed/">{article.body}')
    shown = [ITEM.format(author="Feed", url=url, id=c.id, text="As the feed has it.") for c in article.comments]
    only = ITEM.format(author="Feed", url=url, id=9001, text="Only in the feed: http://pills.example")
    feed = Response(body=RSS.format("".join((*shown, only))).encode(), headers={"Content-Type": "application/rss+xml"})
    demo.answer(f"{PATH}feed/", feed)
    routes(site, "feed")
    assert site.crawl().code == 0
    texts = dict(stored(site, "c.site_id, c.text"))
    assert len(texts) == len(stored(site)) == len(article.comments) + 1
    assert texts["9001"] == "Only in the feed: http://pills.example"
    assert "As the feed has it." not in texts.values()
    before = site.evidence()
    demo.answer(f"{PATH}feed/", Response(body=RSS.format("").encode(), headers={"Content-Type": "application/rss+xml"}))
    site.crawl("--again")
    assert site.evidence() == before


ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0">{}</feed>"""
ENTRY = """<entry><id>tag:blogger.com,1999:blog-7.post-{id}</id><published>2026-10-01T00:00:00Z</published>
<content type="html">{text}</content><author><name>{author}</name></author>
<thr:in-reply-to ref="tag:blogger.com,1999:blog-7.post-99" href="{url}"/></entry>"""
SHOWN = """<li class="comment" id="c{id}"><div class="comment-block">
<div class="comment-header"><cite class="user">{author}</cite>
<span class="datetime"><a href="{url}#c{id}">October 1, 2026 at 12:00 AM</a></span></div>
<p class="comment-content">{text}</p></div></li>"""


def test_bloggers_comment_feed_adds_what_the_page_does_not_show_and_doubles_nothing(site: Watch) -> None:
    demo, url = site.server.site, site.server.url + PATH
    article = next(a for a in demo.articles if a.path == PATH)
    said = {"6871": "I read the first one of these in spring.", "6872": "So did I, and the second one too."}
    listed = "".join(SHOWN.format(id=id, author=f"Reader {id}", url=url, text=text) for id, text in said.items())
    page = f"""<html><head><title>{article.headline}</title>
      <link rel="alternate" type="application/atom+xml" href="{site.server.url}/feeds/99/comments/default"></head>
      <body><h1>{article.headline}</h1><div class="post-body">{article.body}</div>
      <section class="comments threaded" id="comments"><h3>2 comments:</h3><ol>{listed}</ol></section></body></html>"""
    demo.answer(PATH, Response(body=page.encode(), headers={"Content-Type": "text/html; charset=utf-8"}))
    said["6873"] = "And this one stands in the feed alone."
    entries = "".join(ENTRY.format(id=id, author=f"Reader {id}", url=url, text=text) for id, text in said.items())
    atom = Response(body=ATOM.format(entries).encode(), headers={"Content-Type": "application/atom+xml"})
    demo.answer("/feeds/99/comments/default", atom)
    routes(site, "feed")
    assert site.crawl().code == 0
    assert dict(stored(site, "c.site_id, c.text")) == said
    assert len(stored(site)) == len(said)


def test_an_interface_that_never_ends_is_asked_as_often_as_the_cap_allows(site: Watch) -> None:
    demo = site.server.site
    article = next(a for a in demo.articles if a.path == PATH)
    link = f'<link rel="alternate" type="application/json" href="{site.server.url}/wp-json/wp/v2/posts/7">'
    demo.edit_article(PATH, body=link + article.body)
    rows = [row(9000 + n, f"<p>Comment number {n}.</p>") for n in range(API_ROWS)]
    answer = Response(body=json.dumps(rows).encode(), headers={"Content-Type": "application/json"})
    demo.answer("/wp-json/wp/v2/comments", answer)
    routes(site, "api")
    site.crawl()
    assert requests(site, "/wp-json/wp/v2/comments") == limits.COMMENT_PAGES
    assert len(stored(site)) == len(article.comments) + API_ROWS
    assert ("COMMENT_PAGES", 1) in cuts(site)
