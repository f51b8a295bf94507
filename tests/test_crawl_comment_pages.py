"""Comments beyond the first page, over real HTTP: all of them, once; nothing is marked gone that was not looked for."""

from __future__ import annotations

import json

import pytest

from app.demo.site import Response
from conftest import Watch

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
    assert paged.crawl().code == 0
    assert paged.evidence() == again


def test_a_new_comment_on_the_last_page_is_seen_and_one_taken_off_is_gone(paged: Watch) -> None:
    paged.crawl()
    number = paged.server.site.add_comment(PATH, "Late, and with a link: http://late.example/pills")
    paged.crawl()
    assert (str(number),) in stored(paged)
    assert gone(paged) == 0
    paged.server.site.remove_comment(PATH, number)
    paged.crawl()
    assert gone(paged) == 1


def test_a_page_that_fails_costs_only_itself_and_its_comments_are_not_gone(paged: Watch) -> None:
    paged.crawl()
    before = len(stored(paged))
    paged.server.site.fail(f"{PATH}comment-page-4/", 500)
    paged.crawl()
    assert visited(paged)["comment-page-4"] == "failed"
    assert (len(stored(paged)), gone(paged)) == (before, 0)


def test_a_source_may_keep_to_the_first_page_and_knows_that_there_are_more(paged: Watch) -> None:
    paged.crawl()
    paged.file.write_text("comment_pages = false\n" + paged.file.read_text("utf-8"), "utf-8")
    paged.crawl()
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
    assert site.crawl().code == 0
    texts = dict(stored(site, "c.site_id, c.text"))
    assert len(texts) == len(article.comments) + 1
    assert texts["9999"] == "Only here."
    assert "As the interface has it." not in texts.values()
