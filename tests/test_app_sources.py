"""`watchfloor sources`: listed, checked against the site, added from a front page, exchanged as OPML."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.cli.sources import id_of
from app.demo.site import Response
from conftest import Watch, watchfloor
from crawler.autodiscovery import look, sitemaps_of, source_file
from crawler.opml import OpmlError, read_opml, write_opml
from crawler.source import Source, parse_source

FRONT = b"""<!doctype html><html lang="en-GB"><head><title>Front</title>
<meta property="og:site_name" content="Example Defence Review"><meta name="generator" content="WordPress 6.6">
<link rel="alternate" type="application/rss+xml" title="News" href="/feed/">
<link rel="alternate" type="application/rss+xml" title="News &raquo; Comments Feed" href="/comments/feed/">
<link rel="alternate" type="application/json+oembed" href="/wp-json/oembed/"></head><body><p>x</p></body></html>"""


def test_a_front_page_tells_name_language_system_and_the_feeds_of_news():
    site = look(FRONT, "https://e.example/")
    assert (site.name, site.language, site.system) == ("Example Defence Review", "en-gb", "WordPress")
    assert site.feeds == ("https://e.example/feed/",)


def test_robots_names_sitemaps_relative_ones_too():
    robots = "User-agent: *\nSitemap: /SiteMap.aspx\n sitemap: https://e.example/news.xml\nSitemap: javascript:x"
    assert sitemaps_of(robots, "https://e.example/") == ("https://e.example/SiteMap.aspx", "https://e.example/news.xml")


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=300), st.text(max_size=80))
def test_whatever_a_front_page_holds_its_source_file_can_be_loaded(raw: bytes, name: str):
    page = FRONT.replace(b"Example Defence Review", name.replace('"', "").encode("utf-8", "replace") + raw)
    parse_source(source_file(look(page, "https://e.example/")), id="e")


@pytest.mark.parametrize(
    ("url", "id"),
    [
        ("https://www.defence-review.example/", "defence-review"),
        ("https://news.usni.org/", "news"),
        ("https://en.yna.co.kr/", "yna"),
        ("https://x.example:8080/", "x"),
        ("http://127.0.0.1:8080/", "127-0-0-1"),
    ],
)
def test_an_id_comes_from_the_host(url: str, id: str):
    assert id_of(url) == id


def test_a_site_is_added_from_its_front_page_and_can_be_crawled(site: Watch, tmp_path: Path) -> None:
    address = f"127.0.0.1:{site.server.port}"
    home = tmp_path / "home"
    told = watchfloor("sources", "add", site.server.url, "--id", "found", "--home", home, "--allow-address", address)
    assert (told.code, told.err) == (0, "")
    source = parse_source((home / "sources" / "found.toml").read_text(), id="found")
    assert source.feeds == (f"{site.server.url}/feed/",)
    file = home / "sources" / "found.toml"
    file.write_text(file.read_text().replace("delay = 2", "delay = 0"))
    recorded = json.loads((home / "sources" / "pages" / "found.json").read_text("utf-8"))
    assert recorded["url"].startswith(site.server.url) and recorded["words"] > 50 and recorded["headline"] in told.out
    checked = watchfloor("sources", "check", "found", "--offline", "--home", home)
    assert checked.code == 0 and "recorded page: reads as it did" in checked.out
    file.write_text(file.read_text() + '[rules]\nheadline = "h2"\n')
    checked = watchfloor("sources", "check", "found", "--offline", "--home", home)
    assert checked.code == 1 and f"headline: was {recorded['headline']!r}" in checked.out
    ran = watchfloor("crawl", "found", "--home", home, "--allow-address", address, "--json")
    assert ran.json["sources"]["found"]["new"] > 0
    again = watchfloor("sources", "add", site.server.url, "--id", "found", "--home", home, "--allow-address", address)
    assert again.code == 1 and "there already" in again.err


def test_a_site_that_cannot_be_read_is_said_to_be_that_and_nothing_is_written(tmp_path: Path) -> None:
    told = watchfloor("sources", "add", "http://127.0.0.1:9/", "--home", tmp_path)
    assert told.code == 1
    assert len(told.err.splitlines()) == 1 and "address" in told.err
    assert not (tmp_path / "sources").exists()


def test_check_tells_what_each_listing_gives_and_fails_for_one_that_gives_nothing(site: Watch) -> None:
    address = f"127.0.0.1:{site.server.port}"
    told = watchfloor("sources", "check", "--sources", site.file, "--allow-address", address, "--json")
    assert told.code == 0
    (row,) = told.json
    assert all(listing["links"] or listing["kind"] == "section" for listing in row["listings"])
    site.server.site.fail("/feed/", 404)
    told = watchfloor("sources", "check", "--sources", site.file, "--allow-address", address)
    assert told.code == 1
    assert "! feed" in told.out and "404" in told.out


def test_check_says_that_a_feed_has_moved_for_good_and_the_ledger_too(site: Watch) -> None:
    served, url = site.server.site, site.server.url
    served.answer("/new-feed/", served.get("/feed/"))
    served.answer("/feed/", Response(status=301, headers={"Location": f"{url}/new-feed/"}, body=b""))
    address = f"127.0.0.1:{site.server.port}"
    told = watchfloor("sources", "check", "--sources", site.file, "--allow-address", address)
    assert told.code == 0 and f"it has moved for good: put {url}/new-feed/ into the file" in told.out
    assert site.crawl().code == 0
    assert site.rows("SELECT detail FROM fetches WHERE url = ?", f"{url}/feed/") == [(f"moved to {url}/new-feed/",)]


def test_a_wall_against_crawlers_is_no_source(site: Watch, tmp_path: Path) -> None:
    wall = b"<html><title>Just a moment...</title><body><p>Checking your browser before you enter.</p></body></html>"
    site.server.site.answer("/", Response(body=wall, headers={"Content-Type": "text/html"}))
    address = f"127.0.0.1:{site.server.port}"
    told = watchfloor("sources", "add", site.server.url, "--home", tmp_path, "--allow-address", address)
    assert told.code == 1 and "bot wall" in told.err and not (tmp_path / "sources").exists()


def test_check_offline_loads_every_shipped_file() -> None:
    told = watchfloor("sources", "check", "--offline", "--json")
    assert (told.code, len(told.json)) == (0, 46)


def test_feeds_go_out_as_opml_and_come_back_as_sources_each_once(tmp_path: Path) -> None:
    told = watchfloor("sources", "export", tmp_path / "feeds.opml", "--home", tmp_path)
    assert told.code == 0
    listed = read_opml((tmp_path / "feeds.opml").read_bytes())
    assert len(listed) > 40
    back = watchfloor("sources", "import", tmp_path / "feeds.opml", "--home", tmp_path, "--json")
    assert back.code == 0 and not any(row["id"] for row in back.json)
    (tmp_path / "own.opml").write_text(
        '<opml version="2.0"><body><outline text="Group"><outline text="A &amp; B" xmlUrl="https://a.example/f"/>'
        '<outline text="C" xmlUrl="https://a.example/f"/><outline xmlUrl="javascript:x"/></outline></body></opml>'
    )
    back = watchfloor("sources", "import", tmp_path / "own.opml", "--home", tmp_path)
    assert back.code == 0
    assert parse_source((tmp_path / "sources" / "a.toml").read_text(), id="a").name == "A & B"
    again = watchfloor("sources", "import", tmp_path / "own.opml", "--home", tmp_path, "--json")
    assert [row["why"] for row in again.json] == ["watched already"]


def test_what_is_no_opml_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.opml").write_text("hello")
    told = watchfloor("sources", "import", tmp_path / "x.opml", "--home", tmp_path)
    assert told.code == 2 and "no" in told.err.lower()


def test_a_list_that_was_cut_off_is_not_taken_for_the_whole() -> None:
    whole = write_opml([Source(id="e", name="E", home="https://e.example/", feeds=("https://e.example/1",))])
    assert len(read_opml(whole)) == len(read_opml(whole.decode().replace("UTF-8", "UTF-16").encode("utf-16"))) == 1
    for cut in (b"<opml", whole[:-8], whole[: whole.index(b"</body")]):
        with pytest.raises(OpmlError):
            read_opml(cut)


def test_entities_of_an_opml_file_are_not_followed() -> None:
    hostile = b"""<!DOCTYPE opml [<!ENTITY x SYSTEM "file:///etc/passwd">]>
    <opml><body><outline text="&x;" xmlUrl="https://a.example/"/></body></opml>"""
    assert [outline.title for outline in read_opml(hostile)] == [""]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_list_or_refused(raw: bytes):
    with contextlib.suppress(OpmlError):
        read_opml(b"<opml>" + raw)


def test_each_feed_of_a_source_is_one_outline_under_its_name():
    source = Source(
        id="e", name="A <b> & C", home="https://e.example/", feeds=("https://e.example/1", "https://e.example/2")
    )
    assert [(o.title, o.feed) for o in read_opml(write_opml([source]))] == [
        ("A <b> & C", "https://e.example/1"),
        ("A <b> & C", "https://e.example/2"),
    ]
