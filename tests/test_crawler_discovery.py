"""Listings give their links, whatever bytes come, and say what is wrong with them."""

from __future__ import annotations

import gzip
import json
import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler import discovery, limits, xml
from crawler.discovery import FEED_ITEMS, read_listing, wanted
from crawler.items import Found, Listing
from crawler.source import Source
from crawler.xml import DEPTH as XML_DEPTH
from strategies import shreds

URL = "https://example.com/listing"
SOURCE = Source(id="example", name="Example", home="https://example.com/", max_links=5)
SITEMAP = (
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="urn:image" xmlns:video="urn:video"'
    ' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">{}</urlset>'
)
ITEM = "<item><title>One</title><link>/2024/12/one</link><pubDate>Mon, 23 Dec 2024 10:00:00 GMT</pubDate></item>"
RSS = "<rss version='2.0'><channel><title>News</title>{}</channel></rss>"
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>One</title><link rel="self" href="/self"/>
<link href="/2024/12/one"/><published>2024-12-23T11:00:00+01:00</published><updated>2024-12-24T10:00:00Z</updated>
</entry></feed>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><item rdf:about="x"><title>One</title><link>/2024/12/one</link>
<dc:date>2024-12-23T10:00:00Z</dc:date></item></rdf:RDF>"""
JSON_FEED = json.dumps(
    {"items": [{"url": "/2024/12/one", "title": "One", "date_published": "2024-12-23T10:00:00Z"}, 5, {"url": 7}]}
)
BOMB = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'><!ENTITY c '&b;&b;&b;'>]>"


def read(kind: str, body: str | bytes, source: Source = SOURCE) -> Listing:
    return read_listing(kind, body.encode() if isinstance(body, str) else body, URL, source)


def paths(found: tuple[Found, ...]) -> list[str]:
    return [f.url.removeprefix("https://example.com") for f in found]


def section(body: str, **source: object) -> Listing:
    return read(
        "section", f"<html><body>{body}</body></html>", Source(**{"id": "e", "name": "E", "home": URL, **source})
    )


# ---- feeds


@pytest.mark.parametrize(
    "feed",
    [RSS.format(ITEM), f"\n <?xml version='1.0'?>{RSS.format(ITEM)}", ATOM, RDF, JSON_FEED, "\ufeff" + JSON_FEED],
    ids=["RSS", "RSS behind white space", "Atom", "RDF", "JSON", "JSON with a mark"],
)
def test_every_kind_of_feed_gives_address_title_and_date(feed):
    listing = read("feed", feed)
    (one,) = listing.links
    assert (one.url, one.title, one.listing) == ("https://example.com/2024/12/one", "One", URL)
    assert one.published.iso == "2024-12-23T10:00:00Z"
    assert (listing.kind, listing.problem) == ("feed", "")


def test_an_entry_says_when_it_last_changed_only_where_it_does():
    assert read("feed", ATOM).links[0].lastmod.iso == "2024-12-24T10:00:00Z"
    assert read("feed", RSS.format(ITEM)).links[0].lastmod is None


def test_a_feed_without_publication_dates_gives_the_last_change():
    feed = re.sub("<published>.*</published>", "", ATOM)
    assert read("feed", feed).links[0].published.iso == "2024-12-24T10:00:00Z"


@pytest.mark.parametrize(
    ("inside", "title"),
    [
        ("Gr&#246;&#223;e &amp; mehr", "Größe & mehr"),
        ("A&nbsp;B &eacute;", "A B é"),
        ("<![CDATA[A <b>bold</b>\n word]]>", "A bold word"),
    ],
)
def test_a_title_is_one_line_of_plain_text(inside, title):
    assert read("feed", RSS.format(f"<item><title>{inside}</title><link>/a</link></item>")).links[0].title == title


def test_a_relative_link_stands_on_its_xml_base():
    feed = ATOM.replace("<feed ", "<feed xml:base='https://example.com/news/' ").replace('"/2024', '"2024')
    assert paths(read("feed", feed).links) == ["/news/2024/12/one"]


@pytest.mark.parametrize(("declared", "used"), [("utf-8", "latin-1"), ("klingon", "utf-8"), ("utf-16", "utf-16")])
def test_a_feed_in_another_encoding_than_it_says_is_read_all_the_same(declared, used):
    feed = f"<?xml version='1.0' encoding='{declared}'?>" + RSS.format(ITEM.replace("One", "Größe"))
    assert [f.title for f in read("feed", feed.encode(used)).links] == ["Größe"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("<!DOCTYPE html><html><body>gone</body></html>", "an HTML page where a feed should be"),
        ("\ufeff <html lang='en'>", "an HTML page where a feed should be"),
        ("no feed at all", "neither RSS nor Atom"),
        ("<opml/>", "neither RSS nor Atom"),
        ("{", "not a JSON feed"),
        ('{"items": ' + "[" * 100_000, "not a JSON feed"),
        ('{"version": 1}', "not a JSON feed: it has no list of items"),
        ('{"items": {"url": "/a"}}', "not a JSON feed: it has no list of items"),
        (BOMB + RSS.format("<item><title>&c;</title></item>"), "declares XML entities, which no feed needs"),
        ("<rss>" + "<a>" * 100_000, f"nested deeper than {XML_DEPTH} elements"),
        ("<rss " + " ".join(f"a{i}=''" for i in range(501)) + "/>", "an element with more than 500 attributes"),
    ],
)
def test_what_is_no_feed_is_said(body, problem):
    assert read("feed", body) == Listing(kind="feed", problem=problem)


def test_of_a_feed_without_end_the_first_entries_are_read_and_the_others_counted():
    listing = read("feed", RSS.format("".join(ITEM.replace("one", f"n{i}") for i in range(FEED_ITEMS + 5))))
    assert paths(listing.links)[0] == "/2024/12/n0"
    assert len(listing.links) + listing.left_out == FEED_ITEMS + 5


TEXT = "<description>" + "&lt;a href='/x'&gt;x&lt;/a&gt;" * 20_000 + "</description>"
XHTML = "<x:div xmlns:x='http://www.w3.org/1999/xhtml'>" + "<x:p>x</x:p>" * 20_000 + "</x:div>"


@pytest.mark.parametrize("inside", [TEXT, XHTML, f"<content>{XHTML}</content>"], ids=["text", "XHTML", "content"])
def test_the_articles_in_a_feed_are_not_read(inside, monkeypatch):
    import feedparser

    given, parse = [], feedparser.parse
    monkeypatch.setattr(feedparser, "parse", lambda file, **how: given.append(file.getvalue()) or parse(file, **how))
    listing = read("feed", RSS.format(ITEM.replace("</item>", inside + "</item>")))
    assert [f.title for f in listing.links] == ["One"]
    assert len(given[0]) < 1_000


@pytest.mark.parametrize(
    ("inside", "problem"),
    [
        ("<item><title>t</title></item>" * 25_000, "more than 40000 elements: the rest was not read"),
        ("<item>" + "<title/>" * 20_000 + "</item>", "crowded with titles, links or dates as no feed is"),
    ],
)
def test_a_feed_that_is_a_flood_says_so(inside, problem, monkeypatch):
    monkeypatch.setattr(xml, "ELEMENTS", 40_000)
    assert read("feed", RSS.format(inside)).problem == problem


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "hex_codec", "zlib"])
def test_a_character_set_that_is_none_of_the_webs_is_not_used(charset):
    feed = RSS.format(ITEM.replace("One", "+ADw-b+AD4- \\u003ci\\u003e"))
    listing = read("feed", f"<?xml version='1.0' encoding='{charset}'?>{feed}")
    assert [f.title for f in listing.links] == ["+ADw-b+AD4- \\u003ci\\u003e"]


@pytest.mark.parametrize("encode", [str.encode, lambda text: text.encode("utf-16")], ids=["UTF-8", "UTF-16"])
@pytest.mark.parametrize("kind", ["feed", "sitemap"])
def test_entities_are_refused_in_every_encoding_and_wherever_they_are_declared(kind, encode):
    body = f"<!--{'x' * 100_000}-->" + BOMB + RSS.format("<item><title>&c;</title></item>")
    assert read(kind, encode(body)) == Listing(kind=kind, problem="declares XML entities, which no feed needs")


def test_a_feed_cut_in_the_middle_gives_what_it_has_and_says_so():
    whole = RSS.format("".join(ITEM.replace("one", f"n{i}") for i in range(4)))
    listing = read("feed", whole[: whole.index("n2")])
    assert paths(listing.links)[:2] == ["/2024/12/n0", "/2024/12/n1"]
    assert listing.problem == "cut in the middle"


# ---- sitemaps


def entries(*inside: str) -> str:
    return SITEMAP.format("".join(f"<url>{i}</url>" for i in inside))


def test_a_sitemap_gives_addresses_and_when_they_changed():
    listing = read(
        "sitemap", entries("<loc> /a </loc><lastmod>2024-12-23</lastmod>", "<loc>https://example.com/b</loc>")
    )
    assert paths(listing.links) == ["/a", "/b"]
    assert [f.lastmod and f.lastmod.iso for f in listing.links] == ["2024-12-23", None]
    assert (listing.kind, listing.problem, listing.more) == ("sitemap", "", ())


PICTURE = "<image:image><image:loc>/i.jpg</image:loc><image:title>A picture</image:title></image:image>"
DATE = "<news:publication_date>2024-12-23T10:00:00Z</news:publication_date>"
NEWS = f"<news:news>{DATE}<news:title>One</news:title></news:news>"


@pytest.mark.parametrize(
    "inside", ["<loc>/a</loc>" + NEWS + PICTURE, "<loc>/a</loc>" + PICTURE + NEWS, PICTURE + NEWS + "<loc>/a</loc>"]
)
def test_a_news_sitemap_gives_title_and_date_and_no_picture_shadows_them(inside):
    (one,) = read("sitemap", entries(inside)).links
    assert (one.url, one.title, one.published.iso) == ("https://example.com/a", "One", "2024-12-23T10:00:00Z")


def test_a_pictures_title_is_not_the_pages():
    assert read("sitemap", entries("<loc>/a</loc>" + PICTURE)).links[0].title == ""


def test_a_comment_does_not_hide_an_address():
    assert paths(read("sitemap", entries("<loc><!-- x -->/a</loc>", "<loc><![CDATA[/b]]></loc>")).links) == ["/a", "/b"]


def test_a_sitemap_index_leads_to_each_sitemap_once():
    index = "".join(f"<sitemap><loc>{loc}</loc></sitemap>" for loc in ("/1.xml", "/2.xml", "/1.xml", "", "file:///x"))
    listing = read("sitemap", f"<sitemapindex>{index}</sitemapindex>")
    assert listing.more == ("https://example.com/1.xml", "https://example.com/2.xml")
    assert (listing.links, listing.problem) == ((), "")


def test_a_gzipped_sitemap_is_unpacked():
    assert paths(read("sitemap", gzip.compress(entries("<loc>/a</loc>").encode())).links) == ["/a"]


def test_a_gzipped_sitemap_that_ends_early_gives_what_can_be_unpacked():
    body = gzip.compress(entries(*(f"<loc>/{i * 7919 % 10_007}</loc>" for i in range(5_000))).encode())
    listing = read("sitemap", body[: len(body) // 2])
    assert (len(listing.links), listing.problem) == (5, "cut in the middle")
    assert 1_000 < listing.left_out < 4_000


def test_a_gzip_bomb_is_unpacked_up_to_the_limit_only(monkeypatch):
    monkeypatch.setattr(limits, "LISTING_BYTES", 1000)
    bomb = gzip.compress(entries("<loc>/a</loc>", "<loc>/b</loc>" + " " * 10**7, "<loc>/c</loc>").encode())
    listing = read("sitemap", bomb)
    assert (paths(listing.links), listing.problem) == (["/a"], "cut in the middle")


def test_a_sitemap_cut_in_the_middle_gives_no_half_address():
    whole = entries("<loc>/2024/first</loc>", "<loc>/2024/second</loc>")
    listing = read("sitemap", whole[: whole.index("cond")])
    assert (paths(listing.links), listing.problem) == (["/2024/first"], "cut in the middle")


def test_of_a_sitemap_without_end_the_first_addresses_are_read_and_the_others_counted(monkeypatch):
    monkeypatch.setattr(discovery, "LOOKED_AT", 10)
    listing = read("sitemap", entries(*(f"<loc>/{i}</loc>" for i in range(25))))
    assert (len(listing.links), listing.left_out) == (5, 20)


def test_an_index_leads_to_so_many_sitemaps_only():
    index = "".join(f"<sitemap><loc>/{i}.xml</loc></sitemap>" for i in range(1_500))
    listing = read("sitemap", f"<sitemapindex>{index}</sitemapindex>")
    assert (len(listing.more), listing.problem) == (1_000, "more than 1000 further listings: the rest was not read")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("", "empty"),
        (b"\x1f\x8b", "empty"),
        ("<html>", "an HTML page where a sitemap should be"),
        (RSS.format(ITEM), "no sitemap: neither <urlset> nor <sitemapindex>"),
        (BOMB + entries("<loc>&c;</loc>"), "declares XML entities, which no feed needs"),
        ("<urlset>" + "<url>" * 100_000, f"nested deeper than {XML_DEPTH} elements"),
    ],
)
def test_what_is_no_sitemap_is_said(body, problem):
    assert read("sitemap", body) == Listing(kind="sitemap", problem=problem)


# ---- section pages


@pytest.mark.parametrize(
    "link",
    [
        "<a href='/2024/12/23/frigates'>More</a>",
        "<a href='/news/frigates-sail'>More</a>",
        "<a href='/europe/frigate-slips-in-yard'>More</a>",
        "<a href='/europe/1234567'>More</a>",
        "<a href='/x.html'>More</a>",
        "<a href='/x'>Frigate slips are full</a>",
        "<a href='/x'><img alt=''><h2>Frigate slips are full</h2></a>",
        "<a href='//www.example.com/x'>Frigate slips are full</a>",
        "<p><a href=/2024/12/23/frigates>More",
    ],
)
def test_a_link_with_the_shape_or_the_words_of_an_article_is_one(link):
    listing = section(link)
    assert len(listing.links) == 1
    assert listing.problem == ""


@pytest.mark.parametrize(
    "link",
    [
        "<a href='/'>The front page of Example</a>",
        "<a href='/listing'>This very page right here</a>",
        "<a href='/europe/'>Europe</a>",
        "<a href='/tag/drones-and-other-things'>Drones</a>",
        "<a href='/author/ann-marie-van-dam'>Ann</a>",
        "<a href='/about-us/'>Who we are and why</a>",
        "<a href='/2024/12/23/frigates.jpg'>A large picture of frigates</a>",
        "<a href='/login?next=/2024/12/23/frigates'>Log in</a>",
        "<a href='#2024/12/23/frigates'>Jump to the last comment</a>",
        "<a href='javascript:a()'>Frigate slips are full</a>",
        "<a href='https://other.org/2024/12/23/frigates'>Frigate slips are full</a>",
        "<a href='https://example.com:8443/2024/12/23/frigates'>Frigate slips are full</a>",
        "<a>Frigate slips are full</a>",
    ],
)
def test_navigation_and_foreign_hosts_are_no_articles(link):
    assert section(link) == Listing(kind="section")


def test_a_link_says_its_title_on_one_line():
    assert section("<a href='/2024/12/a'> Frigate\n <b>slips</b></a>").links[0].title == "Frigate slips"


def test_a_further_host_of_the_source_counts():
    link = "<a href='https://blog.example.org/2024/12/a'>A</a>"
    assert [f.url for f in section(link, hosts=("blog.example.org",)).links] == ["https://blog.example.org/2024/12/a"]


def test_links_stand_on_the_base_of_the_page():
    assert paths(section("<base href='/deep/'><a href='2024/12/a'>A</a>").links) == ["/deep/2024/12/a"]
    assert paths(section("<base href='javascript:x'><a href='2024/12/a'>A</a>").links) == ["/2024/12/a"]


@pytest.mark.parametrize(
    "link",
    [
        "<link rel='next' href='/listing/page/2/'>",
        "<a rel='nofollow next' href='/listing/page/2/'>older</a>",
        "<a href='/listing/page/2/'>2</a><a href='/listing/page/2/'>older</a>",
    ],
)
def test_the_next_page_is_a_further_listing_and_no_article(link):
    listing = section(link)
    assert (listing.more, listing.links) == (("https://example.com/listing/page/2/",), ())


def test_a_page_does_not_lead_to_itself_or_to_another_host():
    assert (
        section("<a rel=next href='/listing?utm_source=x'>2</a><a rel=next href='//other.org/?page=2'>2</a>").more == ()
    )


def test_include_and_exclude_decide_before_any_shape():
    links = "<a href='/x/1'>1</a><a href='/x/2'>2</a><a href='/2024/12/a'>A</a>"
    assert paths(section(links, include=("/x/",), exclude=("2$",)).links) == ["/x/1"]
    assert wanted("https://example.com/x/1", SOURCE)


@pytest.mark.parametrize(
    ("body", "problem"), [("", "an empty page"), ("\n", "an empty page"), ("%PDF-1.4", "not an HTML page")]
)
def test_what_is_no_page_is_said(body, problem):
    assert read("section", body) == Listing(kind="section", problem=problem)


# ---- all of them


@pytest.mark.parametrize("kind", ["feed", "sitemap", "section"])
def test_each_address_is_offered_once_and_what_lies_beyond_the_cap_is_counted(kind):
    all_paths = [f"/2024/12/n{i}" for i in (0, 0, *range(8))] + ["/2024/12/n0?utm_source=feed#top"]
    body = {
        "feed": RSS.format("".join(f"<item><link>{p}</link></item>" for p in all_paths)),
        "sitemap": entries(*(f"<loc>{p}</loc>" for p in all_paths)),
        "section": "<html>" + "".join(f"<a href='{p}'>x</a>" for p in all_paths),
    }[kind]
    listing = read(kind, body)
    assert paths(listing.links) == [f"/2024/12/n{i}" for i in range(5)]
    assert listing.left_out == 3


@settings(max_examples=200)
@given(st.sampled_from(["feed", "sitemap", "section"]), st.binary(max_size=200) | shreds | shreds.map(gzip.compress))
@example("feed", b'{"items":[{"url":"/\\ud800","title":"\\ud800","date_published":"9999-12-31T23:00:00-05:00"}]}')
@example("feed", b'{"items":[{"url":' + b"9" * 10_000 + b"}]}")
@example("section", b"<html><a href='http://[::1'><base href='http://[::1'><a href='\xff'>")
def test_any_bytes_give_a_listing(kind, body):
    listing = read(kind, body)
    assert listing.kind == kind
    assert len(listing.links) <= SOURCE.max_links
    assert all(f.url.startswith(("http://", "https://")) for f in listing.links)


def test_a_tag_of_a_hundred_thousand_attributes_costs_no_more_than_any_other_page():
    began = time.process_time()
    tag = "<p " + " ".join(f"a{number}" for number in range(100_000)) + ">"
    assert len(section(f"{tag}</p><a href='/2024/12/a'>Frigate</a>").links) == 1
    assert time.process_time() - began < 2


def test_a_feed_of_comments_is_no_feed_of_articles() -> None:
    def feed(title: str, *links: str) -> bytes:
        items = "".join(f"<item><title>By: Joe</title><link>{link}</link></item>" for link in links)
        return f'<rss version="2.0"><channel><title>{title}</title>{items}</channel></rss>'.encode()

    page = "https://paper.example/2026/11/a-frigate-slips-again/"
    comments = [f"{page}#comment-{number}" for number in range(4)]
    for body in (feed("Paper", *comments), feed("Comments on: A frigate", comments[0], page)):
        listing = read_listing("feed", body, "https://paper.example/feed/", SOURCE)
        assert (listing.links, listing.problem) == ((), "a feed of comments, not of articles")
    assert read_listing("feed", feed("Paper", page, comments[0]), "https://paper.example/feed/", SOURCE).links
