"""What holds for every page: an answer for any bytes, nothing made up, nothing left to clean in what was cleaned."""

from __future__ import annotations

from html import escape

from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from crawler.cleaning import clean
from crawler.items import Page, Rejected

URL = "https://news.example/2024/fleet-leaves"
VOCABULARY = "fleet harbour minister Thursday convoy régiment водолаз 海軍 exercise signed 1998 F-16 – & <b>"
WORDS = st.sampled_from(VOCABULARY.split())
SENTENCES = st.lists(WORDS, min_size=8, max_size=30).map(lambda words: escape(" ".join(words)) + ".")
INLINE = st.sampled_from(("{}", "<b>{}</b>", "<a href='/x'>see</a> {}", "{}<br>{}", "<span class=note>{}</span>"))
BLOCKS = st.sampled_from(
    (
        "{}",
        "<p>{}</p>",
        "<div>{}</div>",
        "<h2>{}</h2>",
        "<ul><li>{}</li></ul>",
        "<blockquote>{}</blockquote>",
        "<section><p>{}</p></section>",
        "<table><tr><td>{}</td><td>{}</td></tr></table>",
        "<div class=share>{}</div>",
    )
)
PARTS = st.builds(
    lambda block, inline, text: block.replace("{}", inline.replace("{}", text)), BLOCKS, INLINE, SENTENCES
)
PAGES = st.lists(PARTS, min_size=1, max_size=12).map(
    lambda parts: f"<html><body><article><h1>Fleet leaves port</h1>{''.join(parts)}</article></body></html>"
)
BLOCK = {
    "paragraph": "<p>{}</p>",
    "item": "<ul><li>{}</li></ul>",
    "quote": "<blockquote>{}</blockquote>",
    "row": "<table><tr><td>{}</td></tr></table>",
    "caption": "<figcaption>{}</figcaption>",
    "code": "<pre>{}</pre>",
}


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
@example(b"")
@example(b"<")
@example(b"<html><body>" + b"<div>" * 3000)
@example(b"<p " + b'a="1"' * 3000 + b">text</p>")
def test_any_bytes_give_a_page_or_a_reason(html: bytes):
    assert isinstance(clean(html, URL), Page | Rejected)


@settings(max_examples=100, deadline=None)
@given(PAGES)
def test_no_text_appears_that_is_not_on_the_page(html: str):
    shown = squashed("".join(etree.fromstring(html, etree.HTMLParser()).itertext()))
    for section in sections(html):
        for text in (section.heading, *(block.text for block in section.blocks)):
            assert squashed(text.replace(" | ", " ")) in shown


@settings(max_examples=100, deadline=None)
@given(PAGES)
def test_cleaning_the_cleaned_text_again_changes_nothing(html: str):
    once = sections(html)
    assert sections(written(once)) == once


def sections(html: str):
    found = clean(html.encode(), URL)
    return found.article.sections if isinstance(found, Page) else ()


def written(found: tuple) -> str:
    """Sections as the plainest page that says the same."""
    parts = ["<html><body><article><h1>Fleet leaves port</h1>"]
    for section in found:
        parts.append(f"<h{section.level}>{escape(section.heading)}</h{section.level}>" if section.heading else "")
        parts += [BLOCK[b.kind].format(escape(b.text)) for b in section.blocks]
    return "".join([*parts, "</article></body></html>"])


def squashed(text: str) -> str:
    return "".join(text.split())
