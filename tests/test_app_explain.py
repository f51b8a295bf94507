"""`watchfloor explain URL`: what is known, and what the next run does."""

from __future__ import annotations

from conftest import Watch


def test_a_page_is_explained_by_its_visits_what_was_said_of_it_and_when_it_is_due(site: Watch) -> None:
    site.crawl()
    ((url,),) = site.rows("SELECT url FROM fetches WHERE lastmod <> '' ORDER BY url LIMIT 1")
    told = site("explain", url, "--sources", site.file, "--json")
    assert told.code == 0
    assert told.json["sources"] == ["demo"]
    assert told.json["known"]["outcome"] == "stored"
    assert "left alone" in told.json["next"]
    shown = site("explain", url, "--sources", site.file)
    assert "its listing: changed" in shown.out and "ETag" in shown.out and "left alone" in shown.out


def test_what_the_next_run_does_is_what_explain_said(site: Watch) -> None:
    site.crawl()
    some = "SELECT url FROM fetches WHERE kind = 'page' AND outcome = 'stored' AND (lastmod = '') = ? LIMIT 2"
    pages = [url for told in (0, 1) for (url,) in site.rows(some, told)]
    asked = {url for url in pages if "asked for" in site("explain", url, "--sources", site.file, "--json").json["next"]}
    site.server.requests.clear()
    site.crawl()
    assert asked == {f"{site.server.url}{p}" for _, p, _ in site.server.requests if f"{site.server.url}{p}" in pages}


def test_a_source_that_is_not_enabled_is_said_to_be_that(site: Watch) -> None:
    site.file.write_text(site.file.read_text("utf-8").replace("delay = 0", "delay = 0\nenabled = false"), "utf-8")
    site.crawl("demo")
    ((url,),) = site.rows("SELECT url FROM fetches WHERE outcome = 'stored' LIMIT 1")
    told = site("explain", url, "--sources", site.file)
    assert "nothing, unless it is named: demo is not enabled" in told.out


def test_a_url_nobody_knows_is_said_to_be_that(site: Watch) -> None:
    site.crawl()
    told = site("explain", "https://other.example/x", "--sources", site.file)
    assert told.code == 1
    assert "no run has taken it up" in told.out and "belongs to no source" in told.out


def test_what_is_no_address_is_a_usage_error(site: Watch) -> None:
    site.crawl()
    assert site("explain", "nonsense", "--sources", site.file).code == 2
