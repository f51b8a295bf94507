"""Feeds are read by those who read feeds, and say nothing but what was said."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from db.feeds import BEGINNING, Entry, Feed, NoFeed, atom, entries, feed_id, moment, rss, web_address
from strategies import texts

NOW = "2026-11-22T10:00:00Z"
COLUMNS = ("id", "source_id", "source", "headline", "summary", "url", "authors", "published_at", "first_seen_at")
EVIL = (
    "<script>alert(1)</script>",
    "AT&T &amp; <b>bold</b> &lt;i&gt;",
    "]]> <![CDATA[ <x>",
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]> &a;',
    "<?xml version='1.0'?><feed/>",
    "</title></entry><entry><id>1</id>",
    "&copy of it",
    "AT&T alone",
)
FORMS = [pytest.param(atom, id="atom"), pytest.param(rss, id="rss")]


def row(id: int = 1, **values: object) -> tuple[object, ...]:
    known = {"id": id, "source_id": "demo", "source": "Demo", "headline": f"Headline {id}", "summary": "About it."}
    known |= {"url": f"https://demo.example/{id}", "authors": '["Ada", "Bo"]', "published_at": None}
    known |= {"first_seen_at": "2026-11-22T09:00:00Z", **values}
    return tuple(known[name] for name in COLUMNS)


def made(*rows: tuple[object, ...]) -> list[Entry]:
    return entries(COLUMNS, rows, now=NOW)


def feed(**values: str) -> Feed:
    return Feed(**{"title": "A search", "about": "what", "id": feed_id("search", "what"), "now": NOW, **values})


def shown(text: str) -> str:
    """What a reader shows of HTML that feedparser hands on."""
    return str(etree.HTML(f"<p>{text}</p>").xpath("string()"))


@pytest.mark.parametrize("form", FORMS)
def test_a_feed_is_well_formed_and_says_where_it_is(form) -> None:
    read = feedparser.parse(form(feed(self_url="https://me.example/f"), made(row(1), row(2))))
    assert not read.bozo and read.feed.title == "A search" and len(read.entries) == 2
    assert {"rel": "self", "href": "https://me.example/f"}.items() <= read.feed.links[-1].items()
    first = read.entries[0]
    assert (first.title, first.link, first.id) == ("Headline 1", "https://demo.example/1", "https://demo.example/1")
    assert first.tags[0].term == "demo" and first.summary == "About it."
    assert ", ".join(author.name for author in first.authors) == "Ada, Bo"
    assert first.published_parsed[:5] == (2026, 11, 22, 9, 0)


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_feed_is_a_feed(form) -> None:
    read = feedparser.parse(form(feed(), []))
    assert not read.bozo and read.entries == [] and feed().id.encode() in form(feed(), [])
    assert read.feed.updated_parsed[:4] == (2026, 11, 22, 10)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("evil", EVIL)
def test_hostile_text_stays_text(form, evil: str) -> None:
    document = form(
        feed(title=evil), made(row(1, headline=evil, summary=evil, source_id=evil, authors=json.dumps([evil])))
    )
    read = feedparser.parse(document, sanitize_html=False)
    assert not read.bozo and len(read.entries) == 1
    entry = read.entries[0]
    if form is atom:
        assert entry.title == entry.summary == evil == read.feed.title and entry.title_detail.type == "text/plain"
    else:
        assert shown(entry.title) == shown(entry.summary) == " ".join(evil.split()) or shown(entry.title) == evil
    root = etree.fromstring(document)
    names = {etree.QName(element).localname for element in root.iter()}
    assert not names & {"script", "b", "i", "x"} and "ENTITY" not in str(root.getroottree().docinfo.doctype)


@given(st.lists(st.tuples(texts, texts, texts), max_size=3))
def test_any_text_makes_xml_that_parses(rows: list[tuple[str, str, str]]) -> None:
    found = made(*(row(i, headline=a, summary=b, url=c, authors=a, source_id=b) for i, (a, b, c) in enumerate(rows)))
    for form in (atom, rss):
        read = feedparser.parse(form(feed(title="".join(a for a, _, _ in rows)), found))
        assert not read.bozo and len({entry.id for entry in read.entries}) == len(rows)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T10:00:00Z", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22T10:00:00", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
        ("2026-11-22T10:00:00+02:00", datetime(2026, 11, 22, 8, tzinfo=UTC)),
        ("0001-01-01T00:00:00+10:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_each_spelling_of_a_time_is_read(text: str | None, expected: datetime | None) -> None:
    assert moment(text) == expected
    (entry,) = made(row(published_at=text))
    assert entry.updated == expected or entry.updated == datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://x.example/a?b=1&c=2#d", "https://x.example/a?b=1&c=2#d"),
        ('http://x.example/<a b>"', "http://x.example/%3Ca%20b%3E%22"),
        ("https://[::1]/a", "https://[::1]/a"),
        ("https://xn--bcher-kva.example/ü", "https://xn--bcher-kva.example/ü"),
        ("javascript:alert(1)", ""),
        ("java\nscript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//x.example/", ""),
        ("https:///a", ""),
        ("http://[", ""),
        ("", ""),
    ],
)
def test_only_addresses_of_the_web_are_links(address: str, expected: str) -> None:
    assert web_address(address) == expected
    (entry,) = made(row(url=address))
    assert entry.url == expected and (entry.id == expected or entry.id.startswith("urn:uuid:"))


def test_ids_stay_and_differ() -> None:
    twice = made(row(1), row(1)), made(row(1), row(1))
    assert twice[0] == twice[1] and len({entry.id for entry in twice[0]}) == 2
    comments = ("id", "key", "headline", "url", "author", "text", "posted_at")
    rows = [
        (9, "k1", "H", "https://x.example/1", "Ann", "Well.", NOW),
        (8, "k2", "H", "https://x.example/1", "", "No.", NOW),
    ]
    first, second = entries(comments, rows, now=NOW)
    assert first.id != second.id and (first.title, second.title) == ("Ann: H", "a reader: H")
    assert (first.summary, first.authors) == ("Well.", ("Ann",))
    again = entries(comments, [(1, *rows[0][1:])], now=NOW)
    assert again[0].id == first.id, "the number of a row in one database is no name for the world"


def test_what_has_no_headline_or_no_address_is_no_feed() -> None:
    for columns in (("domain", "comments"), ("headline",), ("url",)):
        with pytest.raises(NoFeed, match="headline"):
            entries(columns, [], now=NOW)


def test_changes_and_stories_make_feeds_as_well() -> None:
    changes = ("article_id", "source_id", "next_revision", "seen_at", "kind", "headline_became", "url")
    rows = [(1, "demo", n, f"2026-11-2{n}T00:00:00Z", "edit", f"H{n}", "https://x.example/1") for n in (3, 2)]
    found = entries(changes, rows, now=NOW)
    assert [entry.title for entry in found] == ["H3", "H2"] and found[0].id != found[1].id
    stories = ("story_id", "headline", "first_source_id", "first_url", "first_at", "last_at")
    (story,) = entries(stories, [(1, "H", "demo", "https://x.example/1", NOW, "2026-11-22T11:00:00Z")], now=NOW)
    assert (story.url, story.updated.hour, story.categories) == ("https://x.example/1", 11, ("demo",))


def test_a_long_summary_is_its_beginning() -> None:
    (entry,) = made(row(summary="word " * 5_000))
    assert len(entry.summary) <= BEGINNING and entry.summary.endswith("word…")
