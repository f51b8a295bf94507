"""A whole page through the one door: what comes out of it, and that nothing is raised."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import limits
from crawler.cleaning import clean
from crawler.items import Page, Rejected
from crawler.source import Rules, Source

LEDE = "The ministry said on Monday that the fleet would leave port before the end of the week, weather permitting."
MORE = "Officials declined to say how many ships would take part, but three people familiar with the plan named five."
LAST = "The last exercise of this size was held four years ago, in the same waters and under the same command."
URL = "https://news.example/2024/fleet-leaves"


def page(body: str, head: str = "") -> bytes:
    html = f"<!doctype html><html lang=en><head><meta charset=utf-8>{head}</head><body>{body}</body></html>"
    return html.encode()


def article(body: str, head: str = "", url: str = URL):
    found = clean(page(body, head), url)
    assert isinstance(found, Page), found
    return found.article


def refused(body: str, head: str = "", url: str = URL) -> str:
    found = clean(page(body, head), url)
    assert isinstance(found, Rejected)
    return found.reason


STORY = f"<article><h1>Fleet to leave port</h1><p>{LEDE}</p><p>{MORE}</p><p>{LAST}</p></article>"


def test_a_headline_repeated_above_the_text_with_the_sites_name_between_is_not_in_the_body():
    body = f"""<div class="wrap"><h1>Fleet to leave port</h1><div class="brand">Harbour Defense</div>
      <h2>Fleet to leave port</h2><p>{LEDE}</p><h2>Five ships</h2><p>{MORE}</p><h2>Four years ago</h2><p>{LAST}</p>
      <h3>Leave a Comment: Don't post addresses</h3><p>No comments available for this post.</p></div>"""
    found = article(body, "<title>Fleet to leave port - Harbour Defense</title>")
    assert found.headline == "Fleet to leave port"
    assert [s.heading for s in found.sections] == ["", "Five ships", "Four years ago"]
    assert found.body == f"{LEDE}\n\nFive ships\n\n{MORE}\n\nFour years ago\n\n{LAST}"


def test_menus_related_stories_share_bars_and_footers_stay_out():
    body = f"""<nav><ul><li><a href=/a>World</a><li><a href=/b>Sea</a></ul></nav>{STORY}
      <div class="related-stories"><h3>Related</h3><p>{LAST.replace("last", "next")}</p></div>
      <div class="social-share">Share this on every network you know</div>
      <footer><p>Copyright 2024 Harbour Defense. All rights reserved. Contact our desk by telephone.</p></footer>"""
    assert article(body).body == f"{LEDE}\n\n{MORE}\n\n{LAST}"


def test_lists_quotes_tables_and_subheadings_stay_in_reading_order():
    body = f"""<article><h1>Fleet to leave port</h1><p>{LEDE}</p>
      <h2>The ships</h2><ul><li>Two frigates<li>Three tenders</ul>
      <blockquote><p>We are ready for whatever the weather brings us.</p></blockquote>
      <table><tr><th>Ship</th><th>Year</th></tr><tr><td>Heron</td><td>1998</td></tr></table>
      <p>{MORE}</p><p>{LAST}</p></article>"""
    kinds = [(b.kind, b.text) for s in article(body).sections for b in s.blocks]
    assert kinds[1:6] == [
        ("item", "Two frigates"),
        ("item", "Three tenders"),
        ("quote", "We are ready for whatever the weather brings us."),
        ("row", "Ship | Year"),
        ("row", "Heron | 1998"),
    ]


def test_the_articles_own_links_are_kept_and_no_others():
    linked = LEDE.replace("ministry", '<a href="/ministry?x=1#y">ministry</a>')
    body = f"<nav><a href=/menu>Menu</a></nav><article><h1>Fleet</h1><p>{linked}</p><p>{MORE}</p></article>"
    assert [(h.url, h.text) for h in article(body).links] == [("https://news.example/ministry?x=1#y", "ministry")]


def test_json_ld_is_believed_before_meta_and_each_statement_is_evidence():
    data = {
        "@context": "https://schema.org",
        "@graph": [
            {"@type": "WebSite", "name": "Harbour"},
            {
                "@type": "NewsArticle",
                "headline": "Fleet &amp; crew to leave port",
                "datePublished": "2024-05-06T10:00:00+02:00",
                "author": [{"@type": "Person", "name": "Ann Lee"}, {"@type": "Person", "name": "By Bo Ek"}],
            },
        ],
    }
    head = f"""<script type="application/ld+json">{json.dumps(data)}</script>
      <meta property="og:title" content="Fleet | Harbour">
      <meta property="article:published_time" content="2024-05-07"><meta property="og:site_name" content="Harbour">"""
    found = article(STORY, head)
    assert found.headline == "Fleet & crew to leave port"
    assert found.authors == ("Ann Lee", "Bo Ek")
    assert found.published and found.published.iso == "2024-05-06T08:00:00Z"
    chosen = {e.field: e.origin for e in found.evidence if e.chosen}
    assert {chosen[field] for field in ("headline", "published", "authors")} == {"json-ld"}
    assert ("published", "meta article:published:time") in {(e.field, e.origin) for e in found.evidence}


def test_microdata_and_visible_text_are_read_where_nothing_else_speaks():
    body = f"""<article itemscope><h1>Fleet to leave port</h1><p class=byline>By Ann Lee</p>
      <meta itemprop="datePublished" content="2024-05-06T10:00Z">
      <div itemprop=articleBody><p>{LEDE}</p><p>{MORE}</p></div></article>"""
    found = article(body)
    assert found.authors == ("Ann Lee",)
    assert found.published and found.published.iso == "2024-05-06T10:00:00Z"
    assert found.body == f"{LEDE}\n\n{MORE}"


def test_a_time_without_a_zone_gives_way_to_the_same_time_with_one():
    head = """<script type="application/ld+json">{"@type":"NewsArticle","headline":"Fleet to leave port",
      "datePublished":"2024-05-06 10:00:00.0",}</script><meta name="date" content="2024-05-06T10:00:00+02:00">"""
    published = article(STORY, head).published
    assert published and published.iso == "2024-05-06T08:00:00Z"


def test_a_canonical_url_names_the_article_only_on_its_own_host():
    own = article(STORY, '<link rel=canonical href="https://www.news.example/fleet">')
    other = article(STORY, '<link rel=canonical href="https://else.example/fleet">')
    assert (own.url, own.canonical_url) == ("https://www.news.example/fleet",) * 2
    assert (other.url, other.canonical_url) == (URL, "https://else.example/fleet")


def test_a_standfirst_outside_the_body_comes_first_and_the_headline_does_not():
    body = f"""<main><header class="intro"><h1>Fleet to leave port</h1><p class="standfirst">{LAST}</p></header>
      <div class="article-body"><p>{LEDE}</p><p>{MORE}</p></div></main>"""
    assert article(body).body == f"{LAST}\n\n{LEDE}\n\n{MORE}"


def test_captions_are_blocks_of_their_own_kind_and_the_first_belongs_to_the_lead_image():
    body = STORY.replace("</h1>", "</h1><figure><img src=/a.jpg><figcaption>The Heron in May.</figcaption></figure>")
    found = article(body, '<meta property="og:image" content="/a.jpg">')
    assert next((b.kind, b.text) for b in found.sections[0].blocks) == ("caption", "The Heron in May.")
    assert (found.image_url, found.image_caption) == ("https://news.example/a.jpg", "The Heron in May.")


def test_an_article_that_only_json_ld_holds_is_read_from_there():
    text = f"{LEDE}\n\n{MORE}\n\n{LAST}"
    data = json.dumps({"@type": "NewsArticle", "headline": "Fleet to leave port", "articleBody": text})
    assert article("<div id=root></div>", f'<script type="application/ld+json">{data}</script>').body == text


@pytest.mark.parametrize("name", ["preamble", "epigraph", "standfirst"])
def test_a_standfirst_is_found_by_its_class_and_a_slogan_above_the_headline_is_not(name):
    slogan = f'<header><p class="description">{MORE}</p></header>'
    header = f'<header><h1>Fleet to leave port</h1><p class="{name}">{LAST}</p></header>'
    body = f'{slogan}<main class="widget">{header}<div class="article-body"><p>{LEDE}</p></div></main>'
    assert article(body).body == f"{LAST}\n\n{LEDE}"


def test_a_standfirst_is_known_by_any_description_of_the_page_and_a_caption_is_not():
    said = json.dumps({"@type": "NewsArticle", "headline": "Fleet to leave port", "description": LAST})
    head = f'<meta name="description" content="All about ships."><script type="application/ld+json">{said}</script>'
    text = f'<div class="article-body"><p>{LEDE}</p><p>{MORE}</p></div>'
    shown = article(f"<main><h1>Fleet to leave port</h1><div><p>{LAST}</p></div>{text}</main>", head)
    under = article(f"<main><h1>Fleet to leave port</h1><figure><p>{LAST}</p></figure>{text}</main>", head)
    assert shown.body == f"{LAST}\n\n{LEDE}\n\n{MORE}"
    assert under.body == f"{LEDE}\n\n{MORE}"


def test_an_address_that_the_text_shows_is_text_and_a_line_that_only_leads_on_is_not():
    links = '<p><a href="/a">Why the fleet left</a></p><p><a href="https://fleet.example/">www.fleet.example</a></p>'
    links += '<p>[4] <a href="https://ships.example/a">https://ships.example/a-very-long-addr...</a></p>'
    assert article(STORY.replace("</article>", f"{links}</article>")).body.endswith(f"{LAST}\n\nwww.fleet.example")


@pytest.mark.parametrize(
    "tail",
    [
        "<h3>More harbour stories</h3><ul><li>The <a href=/b>buoy</a> that sang</li><li>Rope, explained</li></ul>",
        "<p>Additional reporting by Bo Ek</p>",
        "<p>Bo Ek of the Harbour contributed to this report.</p>",
        "<p>Ann Lee</p>",
        "<p>By Ann Lee, Portstadt</p>",
        "<p>12.12.2025, 05:07 Uhr</p>",
        "<p>Redaktion: Bo Ek</p>",
    ],
)
def test_what_stands_below_a_text_and_belongs_to_the_page_stays_out(tail):
    head = '<meta name="author" content="Ann Lee">'
    assert article(STORY.replace("</article>", f"{tail}</article>"), head).body == f"{LEDE}\n\n{MORE}\n\n{LAST}"


def test_a_sentence_that_begins_as_a_line_of_the_page_does_is_text():
    text = f"Posted at the northern pier, the crew of the Heron saw the first ship leave. {LAST}"
    assert text in article(STORY.replace(LAST, text)).body


# ---- live blogs


def live(entries: str, **said: object):
    data = json.dumps({"@type": "LiveBlogPosting", "headline": "Fleet to leave port", **said})
    body = f"<article><h1>Fleet to leave port</h1><p>{LEDE}</p>{entries}</article>"
    return article(body, f'<script type="application/ld+json">{data}</script>')


@pytest.mark.parametrize(
    ("shown", "time"),
    [
        ('<time class="timestamp">17:35</time>', "17:35"),
        ('<div class="post-meta"><time>21 mins ago 17:35</time></div>', "21 mins ago 17:35"),
        ('<div class="entry-date">17.35 Uhr</div>', "17.35 Uhr"),
        ("<div><time>17:35</time><span>KEY EVENT</span></div>", "17:35"),
    ],
)
def test_a_live_blogs_entry_stands_with_the_time_that_readers_see(shown, time):
    found = live(f"<section>{shown}<h3>The Heron sails</h3><p>{MORE}</p></section>")
    assert found.kind == "live blog"
    lines = found.body.split("\n\n")
    assert lines.index(time) < lines.index("The Heron sails") < lines.index(MORE)


def test_a_live_blogs_entry_without_a_visible_time_has_the_one_that_json_ld_gives_it():
    updates = [
        {"@type": "BlogPosting", "headline": "The Heron sails", "datePublished": "2024-05-06T17:35:00+02:00"},
        {
            "@type": "BlogPosting",
            "headline": "17:10",
            "articleBody": LAST,
            "datePublished": "2024-05-06T17:10:00+02:00",
        },
        {"@type": "BlogPosting", "headline": "Not on this page", "datePublished": "2024-05-06T17:00:00+02:00"},
    ]
    found = live(f"<h3>The Heron sails</h3><p>{MORE}</p><hr><p>{LAST}</p>", liveBlogUpdate=updates)
    assert found.body.split("\n\n") == [
        LEDE, "2024-05-06T17:35:00+02:00", "The Heron sails", MORE, "2024-05-06T17:10:00+02:00", LAST,
    ]  # fmt: skip


def test_a_live_blogs_time_is_not_said_twice():
    updates = [{"headline": "The Heron sails", "articleBody": MORE, "datePublished": "2024-05-06T17:35:00+02:00"}]
    found = live(f"<time>17:35</time><h3>The Heron sails</h3><p>{MORE}</p>", liveBlogUpdate=updates)
    assert found.body.split("\n\n") == [LEDE, "17:35", "The Heron sails", MORE]


def test_a_live_blog_of_nothing_but_times_is_read_in_time_that_grows_with_its_size():
    import time

    start = time.process_time()
    live("<time>17:35</time>" * 8_000)
    live('<p class="time">' * 8_000)
    assert time.process_time() - start < 5


@pytest.mark.parametrize("updates", [None, "x", [None, 1, {"headline": {"@id": 1}}], {"datePublished": []}])
def test_odd_updates_of_a_live_blog_do_no_harm(updates):
    assert live(f"<p>{MORE}</p>", liveBlogUpdate=updates).body == f"{LEDE}\n\n{MORE}"


# ---- what else is told of the article


def test_the_kind_of_text_and_the_caption_have_their_evidence():
    said = {
        "@type": "NewsArticle",
        "headline": "Fleet to leave port",
        "image": {"url": "/a.jpg", "caption": "The Heron."},
    }
    head = f'<script type="application/ld+json">{json.dumps(said)}</script><meta property="og:type" content="article">'
    found = article(STORY, head)
    assert found.image_caption == "The Heron."
    rows = [(e.field, e.origin, e.raw, e.chosen) for e in found.evidence if e.field in ("kind", "image_caption")]
    assert rows == [
        ("image_caption", "json-ld", "The Heron.", True),
        ("kind", "json-ld", "NewsArticle", True),
        ("kind", "meta og:type", "article", False),
    ]


def test_comments_stay_out_of_the_body():
    body = f"""{STORY}<div id="comments" class="comments-area"><ol class="comment-list">
      <li id="comment-1" class="comment">
      <div class="comment-author"><b class="fn">Bo</b></div>
      <div class="comment-content"><p>{"I do not believe a word of it. " * 9}</p></div></li></ol>
      <form class="comment-form"><textarea></textarea></form></div>"""
    assert article(body).body == f"{LEDE}\n\n{MORE}\n\n{LAST}"


def test_a_short_post_is_an_article():
    assert article(
        "<article><h1>Gone fishing</h1><p>The desk is closed until Monday, back then.</p></article>"
    ).headline


@pytest.mark.parametrize(
    ("body", "head", "url", "reason"),
    [
        ("<h1>Just a moment...</h1><p>Checking your browser.</p>", "<title>Just a moment...</title>", URL, "bot wall"),
        ("<h1>404 - Page not found</h1><p>Try the search.</p>", "", URL, "error page"),
        ("<p>Moved.</p>", '<meta http-equiv="Refresh" content="0; URL=https://x.example/">', URL, "redirect stub"),
        ("<div id=root></div><script>start()</script>", "", URL, "no text"),
        (
            "".join(
                f"<article><h2><a href=/{n}>Story {n}</a></h2><p>What it says, for readers in a hurry.</p></article>"
                for n in range(12)
            ),
            "",
            "https://news.example/category/sea/page/2/",
            "index page",
        ),
    ],
)
def test_pages_that_are_no_article_are_refused_with_their_reason(body, head, url, reason):
    assert refused(body, head, url) == reason


@pytest.mark.parametrize(
    "raw", [b"", b"User-agent: *", b"%PDF-1.7 <html>", b"<?xml version='1.0'?><rss><channel></channel></rss>"]
)
def test_what_is_no_html_is_refused(raw):
    found = clean(raw, "")
    assert isinstance(found, Rejected)
    assert found.reason == "not html"


def test_a_sources_rules_come_before_the_general_ones():
    rules = Rules(content="#real", remove=".strange", headline=".kick", author=".who", date=".when")
    source = Source(id="x", name="X", home="https://news.example/", rules=rules)
    body = f"""<div class=kick>True headline here</div><b class=who>Ann Lee</b><i class=when>6 May 2024</i>
      <div><p>{LAST}</p><p>{LAST}</p></div><div id=real><p>{LEDE}</p><p class=strange>{MORE}</p></div>"""
    found = clean(page(body), URL, source)
    assert isinstance(found, Page)
    assert (found.article.headline, found.article.authors, found.article.body) == (
        "True headline here",
        ("Ann Lee",),
        LEDE,
    )
    assert found.article.published and found.article.published.iso == "2024-05-06"


@pytest.mark.parametrize("selector", ["[", "p >", "::x", ":has(", "a:nth-child(z)"])
def test_a_wrong_selector_is_no_rule(selector):
    source = Source(id="x", name="X", home="https://news.example/", rules=Rules(content=selector, remove=selector))
    assert isinstance(clean(page(STORY), URL, source), Page)


def test_deep_nesting_loses_no_text_and_says_what_it_cut():
    found = clean(page("<div>" * 5000 + STORY + "</div>" * 5000 + f"<p>{LAST}</p>"), URL)
    assert isinstance(found, Page)
    assert LEDE in found.article.body
    assert [c.limit for c in found.cuts] == ["DEPTH"]


def test_too_many_attributes_and_tags_are_cut_and_said():
    attributes = " ".join(f'a{n}=">"' for n in range(20_000))
    found = clean(page(f"{STORY}<div {attributes}></div>" + "<i></i>" * limits.TAGS), URL)
    assert isinstance(found, Page)
    assert {c.limit for c in found.cuts} == {"TAGS", "ATTRIBUTES_A_TAG"}
    assert found.article.body.startswith(LEDE)


@pytest.mark.parametrize(
    "piece",
    ["<!--", "<script>", "<div class=comment>", "<p class=intro>a b c d e f g h i<br>", "<a b='", "</p>", "<table>"],
)
def test_repeated_odd_markup_takes_no_more_than_linear_time(piece):
    import time

    start = time.process_time()
    clean(page(STORY + piece * 20_000), URL)
    assert time.process_time() - start < 5


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"<html><body><p>", b"<!doctype html><script type=application/ld+json>"]),
)
def test_any_bytes_give_a_page_or_a_refusal(raw, start):
    assert isinstance(clean(start + raw, ""), Page | Rejected)


ODD_MARKUP = (
    "<p>|</p>|<div class='article-body comments'>|</div>|<h1>|</h1>|<li>|<table><tr><td>|<a href='//['>|<br>|"
    "<blockquote>|<time datetime='2024-99-99'>|<meta name=author content='A & B, C'>|<form>|"
    "<script type='application/ld+json'>{|\ud800|\x00"
)
MARKUP = st.lists(st.sampled_from([LEDE, *ODD_MARKUP.split("|")]), max_size=40)


@settings(max_examples=60, deadline=None)
@given(MARKUP)
def test_any_markup_gives_clean_text(parts):
    found = clean("".join(parts).encode("utf-8", "surrogatepass"), URL)
    if isinstance(found, Page):
        assert not any(c in found.article.body + found.article.headline for c in "\x00\ud800\r")


def test_a_page_laid_out_with_tables_keeps_its_paragraphs():
    found = clean(page(f"<table><tr><td>Menu</td><td><h1>Title of it all</h1>{STORY}</td></tr></table>"), URL)
    assert isinstance(found, Page)
    blocks = [block for section in found.article.sections for block in section.blocks]
    assert [block.kind for block in blocks] == ["paragraph"] * STORY.count("<p")
    assert blocks[0].text == LEDE


def test_a_nul_hides_no_attributes_from_the_limit():
    attributes = " ".join(f"n{number}" for number in range(limits.ATTRIBUTES_A_TAG + 50))
    page = clean(f'<html><body><h1>Fleet</h1><p a=\0"> " {attributes}>The fleet left the harbour.</p>'.encode(), URL)
    assert isinstance(page, Page)
    assert [cut.limit for cut in page.cuts] == ["ATTRIBUTES_A_TAG"]


def test_the_time_of_a_comment_is_no_witness_of_when_the_article_was_published():
    comment = "<li id='comment-1' class=comment><time datetime='2024-05-03T10:00:00Z'>x</time><p>Well said.</p></li>"
    found = article(f"<article><h1>Fleet</h1><p>{LEDE}</p></article><ol class=comment-list>{comment}</ol>")
    assert found.published is None
    assert not [e for e in found.evidence if e.field == "published"]


def test_a_paragraph_of_whole_sentences_stays_though_it_is_one_link():
    kept = article(f"<article><h1>Fleet</h1><p>{LEDE}</p><p><a href='/more'>{MORE}</a></p><p>{LAST}</p></article>")
    assert MORE in kept.body
    assert "Ten ships" not in article(f"<article><p>{LEDE}</p><p><a href='/x'>Ten ships in port</a></p></article>").body


def test_the_buttons_of_a_caption_are_no_text():
    kept = article(f"<article><p>{LEDE}</p><p><b>hide caption</b></p><p>{MORE}</p><p>Enlarge this image</p></article>")
    assert kept.body.split("\n\n") == [LEDE, MORE]
