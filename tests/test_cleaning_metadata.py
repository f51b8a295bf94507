"""What a page says about its article: which source is believed, and what is kept as evidence."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.cleaning.languages import declared, detected
from crawler.cleaning.metadata import Metadata, read
from crawler.cleaning.page import parse
from crawler.items import Rejected
from crawler.source import Rules

URL = "https://www.harbour.example/news/fleet-leaves"


def said(head: str = "", body: str = "", url: str = URL, html: str = "<html>") -> Metadata:
    page = f"<!doctype html>{html}<head><meta charset=utf-8>{head}</head><body>{body}</body></html>"
    parsed = parse(page.encode(), url, Rules())
    assert not isinstance(parsed, Rejected)
    return read(parsed)


def ld(**fields: object) -> str:
    node = {"@type": "NewsArticle", "headline": "Fleet leaves port at dawn", **fields}
    return f'<script type="application/ld+json">{json.dumps(node)}</script>'


def og(name: str, content: str) -> str:
    return f'<meta property="{name}" content="{content}">'


# ---- headline


def test_json_ld_is_believed_before_a_title_made_for_sharing():
    found = said(ld() + og("og:title", "You will not believe this fleet"), "<h1>Fleet leaves port at dawn</h1>")
    assert found.headline == "Fleet leaves port at dawn"


def test_a_second_headline_is_believed_where_it_is_the_one_shown():
    head = ld(alternativeHeadline="Why the fleet left") + og("og:title", "Why the fleet left")
    assert said(head, "<h1>Why the fleet left</h1>").headline == "Why the fleet left"


def test_a_kicker_that_only_json_ld_lacks_belongs_to_the_headline():
    head = "<title>Harbour: Fleet leaves port at dawn</title>" + og("og:title", "Harbour: Fleet leaves port at dawn")
    body = "<h1><span>Harbour</span> Fleet leaves port at dawn</h1>"
    assert said(ld() + head, body).headline == "Harbour: Fleet leaves port at dawn"


def test_a_label_for_search_engines_gives_way_to_the_headline_under_the_pages_own_kicker():
    head = og("og:title", "War news: Fleet leaves port at dawn")
    body = '<h1><span class="overline">Harbour</span> <span>Fleet leaves port at dawn</span></h1>'
    assert said(head, body).headline == "Fleet leaves port at dawn"


def test_without_json_ld_a_meta_title_of_something_else_gives_way_to_the_headline_shown():
    head = "<title>Fleet leaves port at dawn</title>" + og("og:title", "International Harbour Union")
    assert said(head, "<h1>Fleet leaves port at dawn</h1>").headline == "Fleet leaves port at dawn"


TRAIL = '<nav><ol><li><a href="/">Start</a></li><li><h1>Harbour news: fleet leaves port today</h1></li></ol></nav>'


@pytest.mark.parametrize(
    "trail", [TRAIL, '<div data-mark="breadcrumb"><div><h1>Harbour news: fleet leaves port today</h1></div></div>']
)
def test_the_headline_shown_under_a_breadcrumb_is_believed_before_the_breadcrumbs_own_h1(trail):
    head = ld(headline="Harbour news: fleet leaves port today") + og("og:title", "Five ships sail before dawn")
    body = f"{trail}<article><h2><span>Exercise</span> <span>Five ships sail before dawn</span></h2></article>"
    assert said(head, body).headline == "Five ships sail before dawn"


def test_a_breadcrumbs_h1_stays_the_headline_where_no_h2_shows_another():
    head = ld(headline="Harbour news: fleet leaves port today") + og("og:title", "Five ships sail before dawn")
    assert said(head, f"{TRAIL}<h2>What comes next for the fleet</h2>").headline.startswith("Harbour news")


def test_entities_escaped_twice_are_read():
    assert said(ld(headline="M&uuml;nchen &amp; Kiel r&uuml;sten auf")).headline == "München & Kiel rüsten auf"


@pytest.mark.parametrize("title", ["Fleet leaves port：Hafen Web", "Fleet leaves port * Harbour * by Ann Lee"])
def test_what_a_title_has_behind_the_headline_shown_is_cut(title):
    assert said(og("og:title", title), "<h1>Fleet leaves port</h1>").headline == "Fleet leaves port"


# ---- authors


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<p class="byline">By <a href="/authors/ann-lee">Ann Lee</a> and Bo Ek</p>', ("Ann Lee", "Bo Ek")),
        ('<span class="author">Ann Lee</span><span class="author">Bo Ek</span>', ("Ann Lee", "Bo Ek")),
        ('<div class="byline">Von Ann Lee, Korrespondentin</div>', ("Ann Lee",)),
        ('<p class="text-sm">By HDN, in <a href="/news">News</a></p>', ("HDN",)),
        ('<div class="byline"><span>Ann Lee</span> <span>Defense Editor</span></div>', ("Ann Lee",)),
        ('<span itemprop="author">hdn/bek;kesm</span>', ("hdn/bek", "kesm")),
        ('<p class="autor"><a href="/autoren/ann">Dr. Ann Lee</a></p><p>12.03.2024</p>', ("Dr. Ann Lee",)),
        ("<ul><li><strong>Autor</strong> Ann Lee</li></ul>", ("Ann Lee",)),
        ('<span class="byline">구현모 기자</span>', ("구현모",)),
    ],
)
def test_a_visible_byline_names_its_authors(body, expected):
    assert said(body=f"<h1>Fleet leaves port at dawn</h1>{body}").authors == expected


@pytest.mark.parametrize(
    "body",
    [
        '<div class="comment"><span class="author">Old Salt</span></div>',
        '<blockquote><p class="author">Ann Lee</p></blockquote>',
        '<figure><figcaption class="author">Ann Lee</figcaption></figure>',
        '<p class="byline">Photo: Ann Lee</p>',
        '<p class="byline">Published on 3 May 2024</p>',
        "<p>Von Montag, den 1. Mai an</p>",
        '<a href="/profile/">Profile</a>',
    ],
)
def test_what_is_no_byline_names_nobody(body):
    assert said(body=f"<h1>Fleet leaves port at dawn</h1>{body}").authors == ()


def test_the_sites_own_name_gives_way_to_a_person():
    head = ld(author={"@type": "Organization", "name": "Harbour"}) + og("og:site_name", "Harbour")
    assert said(head, '<h1>A</h1><p class="byline">By Ann Lee</p>').authors == ("Ann Lee",)


def test_a_name_alone_above_the_text_counts_where_the_page_credits_only_itself():
    head = '<meta name="author" content="Harbour Times">' + og("og:site_name", "Harbour Times")
    body = "<h1>Fleet leaves port at dawn</h1><p><strong>Ann Lees</strong></p><p>The fleet left.</p>"
    assert said(head, body).authors == ("Ann Lees",)
    assert said(og("og:site_name", "Harbour Times"), body).authors == ()


def test_a_newsrooms_account_is_no_author_and_a_bloggers_is():
    ann = ld(author={"name": "Ann Lee", "@id": "https://www.harbour.example/author/admin/"})
    desk = ld(author={"name": "Harbour H", "@id": "https://www.harbour.example/author/admin/"})
    body = '<p class="byline">By Bo Ek</p>'
    assert said(ann, body).authors == ("Ann Lee",)
    assert said(desk, body).authors == ("Bo Ek",)


def test_a_byline_with_all_the_stated_names_and_more_is_believed():
    head = '<meta name="author" content="Ann Lee">'
    assert said(head, '<p class="byline">By Ann Lee and Bo Ek</p>').authors == ("Ann Lee", "Bo Ek")


def test_a_reading_time_is_no_author():
    head = '<meta name="twitter:label1" content="Est. reading time"><meta name="twitter:data1" content="Four Minutes">'
    assert said(head).authors == ()


# ---- times


def test_a_metas_name_is_known_in_every_spelling():
    for name in ("article:published_time", "article:published:time", "Article.Published-Time"):
        found = said(f'<meta name="{name}" content="2024-05-03T10:00:00Z">')
        assert found.published and found.published.iso == "2024-05-03T10:00:00Z"


@pytest.mark.parametrize(
    ("body", "iso"),
    [
        ("<ul><li><strong>Datum</strong> 28.04.2023</li></ul><p class=date>24.04.2023</p>", "2023-04-28"),
        ("<p class=meta_date>erstellt: <b>01. April 2025, 15:25</b></p>", "2025-04-01T15:25:00"),
        ("<p class=date>Updated: 3 May 2024</p><p class=date>2 May 2024</p>", "2024-05-02"),
        ("<time datetime=2020-01-01></time><h1>Fleet</h1><time datetime=2024-05-03></time>", "2024-05-03"),
    ],
)
def test_a_visible_date_is_read(body, iso):
    found = said(body=body)
    assert found.published and found.published.iso == iso


def test_the_address_gives_the_day_where_nothing_else_does():
    found = said(url="https://www.harbour.example/2024/05/03/fleet")
    assert found.published and found.published.iso == "2024-05-03"
    assert [e.origin for e in found.evidence if e.field == "published"] == ["url"]


def test_a_change_before_publication_is_not_believed_and_stays_as_evidence():
    found = said(ld(datePublished="2024-05-03T10:00:00Z", dateModified="2024-05-01T10:00:00Z"))
    assert found.modified is None
    assert [(e.raw, e.chosen) for e in found.evidence if e.field == "modified"] == [("2024-05-01T10:00:00Z", False)]


def test_a_bare_day_is_not_sharpened_by_a_later_element_of_the_same_day():
    body = "<time datetime=2024-05-03></time><time datetime=2024-05-03T18:00:00Z>a comment</time>"
    found = said(body=body)
    assert found.published and found.published.iso == "2024-05-03"


def test_a_zone_that_nobody_states_stays_unknown():
    found = said(ld(datePublished="2024-05-03T10:00:00"))
    assert found.published and not found.published.zoned


# ---- evidence


def test_sources_that_disagree_are_all_evidence_and_one_is_chosen():
    head = ld(author="Ann Lee", datePublished="2024-05-03") + og("og:title", "Another title")
    head += og("article:published_time", "2024-05-04T08:00:00Z") + '<meta name="author" content="Bo Ek">'
    head += '<link rel="canonical" href="/news/fleet-leaves">' + og("og:url", "https://other.example/fleet")
    found = said(head, "<h1>A third title</h1>", html='<html lang="en">')
    for name in ("headline", "authors", "published", "canonical_url", "language"):
        rows = [e for e in found.evidence if e.field == name]
        assert sum(e.chosen for e in rows) == 1
        assert name == "language" or len({e.raw for e in rows}) > 1
    assert found.canonical_url == URL


# ---- language

TEXTS = {
    "en": "The fleet left the harbour at dawn, and it was said that the ships are not to return from the sea before "
    "the end of the month, as they have been ordered by the ministry.",
    "de": "Die Flotte ist am Morgen aus dem Hafen ausgelaufen, und es wird nicht erwartet, dass die Schiffe vor dem "
    "Ende des Monats auf der Ostsee zu sehen sind, wie das Ministerium mit einer Erklärung sagte.",
    "fr": "La flotte a quitté le port dans la matinée et les navires ne sont pas attendus avant la fin du mois, selon "
    "le ministère, qui est aussi chargé de la sécurité des ports et des côtes pour une année.",
    "uk": "Флот вийшов з порту на світанку, і кораблі, як повідомили в міністерстві, не повернуться до кінця місяця.",
    "ru": "Флот вышел из порта на рассвете, и корабли, как сообщили в министерстве, не вернутся до конца месяца, были.",
    "ja": "艦隊は夜明けに港を出発し、国防省によると、艦艇は月末まで戻らない見込みであるという。"
    "訓練は来月も続く予定で、詳細は明らかにされていないという。",
    "ko": "함대가 새벽에 항구를 떠났으며 국방부는 함정들이 이달 말까지 돌아오지 않을 것이라고 밝혔다. "
    "훈련은 다음 달에도 계속될 예정이며 자세한 내용은 알려지지 않았다고 전했다.",
}


@pytest.mark.parametrize(("code", "text"), TEXTS.items())
def test_a_language_that_nobody_declares_is_told_by_its_text(code, text):
    assert detected(text) == code
    assert said(body=f"<p>{text}</p>").language == code


@pytest.mark.parametrize("text", ["", "Fleet", "1234 5678 " * 50, "Lorem ipsum dolor sit amet consectetur " * 9])
def test_nothing_is_said_where_the_language_is_not_sure(text):
    assert detected(text) == ""


@pytest.mark.parametrize(
    ("raw", "tag"),
    [
        ("en_US", "en-us"),
        ("de-DE", "de-de"),
        ("pt_BR.UTF-8", "pt-br"),
        ("{{ lang }}", ""),
        ("English", ""),
        ("und", ""),
    ],
)
def test_a_declared_language_is_a_tag_or_nothing(raw, tag):
    assert declared(raw) == tag


# ---- the other fields, each with its evidence


def told(found: Metadata, field: str) -> list[tuple[str, str, bool]]:
    return [(e.origin, e.raw, e.chosen) for e in found.evidence if e.field == field]


def test_tags_are_those_of_the_first_place_that_has_some_and_each_place_is_evidence():
    head = ld(keywords=["Navy", "Exercise"]) + '<meta name="keywords" content="navy, fleet, port">'
    found = said(head)
    assert found.tags == ("Navy", "Exercise")
    assert told(found, "tags") == [
        ("json-ld", "Navy; Exercise", True),
        ("meta keywords", "navy, fleet, port", False),
    ]


@pytest.mark.parametrize(
    ("head", "expected", "origin"),
    [
        (ld(isAccessibleForFree="False"), True, "json-ld"),
        (ld(isAccessibleForFree=True), False, "json-ld"),
        (
            ld(hasPart={"@type": "WebPageElement", "isAccessibleForFree": False}, isAccessibleForFree=False),
            True,
            "json-ld",
        ),
        (og("article:content_tier", "metered"), True, "meta article:content_tier"),
        (og("article:content_tier", "free"), False, "meta article:content_tier"),
    ],
)
def test_whether_a_text_must_be_paid_for_is_told_with_its_evidence(head, expected, origin):
    found = said(head)
    assert found.paywalled is expected
    assert [o for o, _, chosen in told(found, "paywalled") if chosen] == [origin]


def test_access_that_nobody_speaks_of_is_unknown():
    found = said(ld(isAccessibleForFree="maybe"))
    assert found.paywalled is None
    assert told(found, "paywalled") == []


def test_sources_that_disagree_on_access_are_both_kept():
    found = said(ld(isAccessibleForFree=True) + og("article:content_tier", "locked"))
    assert found.paywalled is False
    assert [(origin, chosen) for origin, _, chosen in told(found, "paywalled")] == [
        ("json-ld", True),
        ("meta article:content_tier", False),
    ]


def test_microdata_speaks_for_the_article_it_stands_in_and_not_for_a_teaser():
    item = '<article itemscope itemtype="https://schema.org/NewsArticle">'
    teaser = f'{item}<h2 itemprop="headline">Other</h2><meta itemprop="articleSection" content="Sports"></article>'
    body = f"""{item}<h1 itemprop="headline">Fleet leaves port</h1><meta itemprop="articleSection" content="Navy">
      <meta itemprop="keywords" content="fleet, port"><div itemprop="author" itemscope
      itemtype="https://schema.org/Person"><meta itemprop="keywords" content="person"></div></article>{teaser}"""
    found = said(body=body)
    assert (found.section, found.tags) == ("Navy", ("fleet", "port"))
    assert told(found, "section") == [("microdata", "Navy", True)]
    assert said(body=teaser * 2).section == ""


# ---- any page


@settings(max_examples=60)
@given(
    st.text(max_size=120),
    st.sampled_from(["author", "date", "headline", "datePublished", "byline", "og:title", "article:published_time"]),
)
def test_any_text_anywhere_gives_metadata_that_can_be_stored(text, name):
    safe = text.replace("\x00", "").encode("utf-8", "ignore").decode()
    quoted = safe.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    body = f'<h1>{quoted}</h1><p class="{name}" itemprop="{name}">{quoted}</p><time>{quoted}</time>'
    found = said(f'<meta name="{name}" content="{quoted}">{ld(author=safe, headline=safe)}', body)
    for row in found.evidence:
        row.raw.encode()
    assert sum(e.chosen for e in found.evidence if e.field == "headline") <= 1
    for author in found.authors:
        author.encode()


def test_a_page_of_nothing_but_bylines_is_read_in_time_that_grows_with_its_size():
    found = said(
        body='<p class="byline">By Ann Lee, ' + "Bo Ek, " * 5_000 + "</p>" + '<a rel="author">x y</a>' * 20_000
    )
    assert len(found.authors) <= 50


def test_a_byline_of_nothing_but_marks_costs_no_more_than_its_length():
    assert said(body='<h1>A</h1><p class="byline date">By ' + ", " * 100_000 + "</p>").authors == ()
