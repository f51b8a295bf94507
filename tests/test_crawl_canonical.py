"""A page may name another address as its own. What an article says comes from its own address, where that answers."""

from __future__ import annotations

from dataclasses import replace

from app.demo.site import Response
from conftest import Watch

PATH = "/2026/09/how-armoured-brigades-learn-to-hide-again/"
OTHER = "/2026/09/something-else-entirely/"
PAGE = """<!doctype html><html lang=en><head><title>Buy watches</title><link rel=canonical href="{}"></head>
<body><article><h1>Buy watches</h1><p>{}</p></article></body></html>"""
WORDS = "These watches keep time in every climate, the seller of watches says, and nobody sells better ones " * 4


def pretending(site: Watch) -> None:
    """Another page of the same site, in its feed, says that it is the article."""
    article = next(a for a in site.server.site.articles if a.path == PATH)
    site.server.site.add_article(replace(article, path=OTHER, comments=()))
    page = PAGE.format(PATH, WORDS).encode()
    site.server.site.answer(OTHER, Response(body=page, headers={"Content-Type": "text/html"}))


def headlines(site: Watch) -> list[tuple[object, ...]]:
    return site.rows("SELECT headline FROM articles WHERE url LIKE ?", f"%{PATH}")


def test_a_page_that_names_an_article_as_its_own_address_does_not_change_it(site: Watch) -> None:
    site.crawl()
    before, evidence = headlines(site), site.rows("SELECT count(*) FROM comments WHERE gone_at IS NULL")
    pretending(site)
    assert site.crawl().code == 0
    assert headlines(site) == before and "Buy watches" not in str(before)
    assert site.rows("SELECT count(*) FROM comments WHERE gone_at IS NULL") == evidence
    assert site.rows("SELECT outcome FROM fetches WHERE url LIKE ?", f"%{OTHER}") == [("unchanged",)]
    assert not site.rows("SELECT * FROM article_revisions")


def test_what_the_own_address_says_replaces_what_another_one_said_before(site: Watch) -> None:
    pretending(site)
    site.crawl()
    site.crawl("--again")
    assert "Buy watches" not in str(headlines(site))


def test_a_replay_leaves_such_a_page_alone(site: Watch) -> None:
    site.crawl()
    pretending(site)
    site.crawl("--again")
    before = site.evidence()
    assert site("replay", "--sources", site.file, "--apply").code == 0
    assert site.evidence() == before
