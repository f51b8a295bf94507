"""One spelling for one meaning, and evidence left as it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawler import limits
from crawler.items import Article, Block, Comment, Evidence, Found, Href, Moment, Page, Section, body_text
from crawler.source import Source
from pipelines.normalise import normalise
from strategies import addresses, moments, pages, sections, texts

ASKED = "https://example.com/2024/a"
SOURCE = Source(id="x", name="X", home="https://example.com/", language="EN_gb")
founds = st.builds(Found, url=addresses, listing=addresses, title=texts, published=st.none() | moments)


def paragraphs(*blocks: str, heading: str = "") -> tuple[Section, ...]:
    return (
        Section(
            heading=heading, level=2 * bool(heading), blocks=tuple(Block(kind="paragraph", text=t) for t in blocks)
        ),
    )


def page(*comments: Comment, **article: object) -> Page:
    return Page(
        article=Article(**{"url": ASKED, "headline": "H", "sections": paragraphs("T"), **article}), comments=comments
    )


def normalised(**article: object) -> Article:
    return normalise(page(**article), asked=ASKED).article


def comment(**fields: object) -> Comment:
    return normalise(page(Comment(**{"text": "T", **fields})), asked=ASKED).comments[0]


@given(pages, addresses, st.none() | founds)
@example(page(headline="a \x00 b", site_name="a" * 199 + " b", language="İ" * 35), ASKED, None)
@example(page(canonical_url="https://example.com/" + "a" * 2000), ASKED, None)
@example(page(headline=""), ASKED, Found(url=ASKED, listing="", published=Moment(iso="2024-12-23", raw="r\x00" * 80)))
def test_twice_is_the_same_as_once(made, asked, found):
    once = normalise(made, asked=asked, found=found, source=SOURCE)
    assert normalise(once, asked=asked, found=found, source=SOURCE) == once


@given(sections(), st.integers(1, 60))
def test_twice_is_the_same_as_once_at_every_limit(made, limit):
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HEADLINE", "SUMMARY", "BODY", "COMMENT", "AUTHOR", "URL"):
            patch.setattr(limits, f"{name}_CHARACTERS", limit)
        whole = page(Comment(text=body_text(made)), sections=made, summary=body_text(made))
        once = normalise(whole, asked=ASKED)
        assert normalise(once, asked=ASKED) == once
        assert len(once.article.body) <= limit


@given(pages)
def test_nothing_that_cannot_be_stored_is_left(made):
    told = normalise(made, asked=ASKED)
    everything = "".join(
        [told.article.headline, told.article.summary, told.article.body, *(c.text + c.author for c in told.comments)]
    )
    assert not set(everything) & {"\x00", "\x0b", "\x1c", "\r", "\ud800"}
    everything.encode("utf-8")


@given(pages)
def test_the_empty_lines_of_a_body_divide_its_blocks(made):
    told = normalise(made, asked=ASKED).article
    parts = [part for s in told.sections for part in (s.heading, *(b.text for b in s.blocks)) if part]
    assert told.body.split("\n\n") == (parts or [""])


@pytest.mark.parametrize(
    ("stated", "known_as"),
    [
        ("https://example.com/b?utm_source=x", "https://example.com/b"),
        ("https://www.example.com/b", "https://www.example.com/b"),
        ("https://other.org/b", ASKED),
        ("https://example.com/", ASKED),
        ("https://example.com:8443/b", ASKED),
        ("/b", ASKED),
        ("http://[::1", ASKED),
        ("", ASKED),
        ("https://example.com/" + "a" * limits.URL_CHARACTERS, ASKED),
    ],
)
def test_a_canonical_address_is_the_key_only_on_the_same_host_and_not_the_front_page(stated, known_as):
    assert normalised(canonical_url=stated).url == known_as


def test_a_canonical_address_on_another_host_is_kept_as_evidence():
    assert normalised(canonical_url="https://other.org/b").canonical_url == "https://other.org/b"


def test_a_front_page_that_was_asked_for_is_known_by_its_own_address():
    home = "https://example.com/"
    assert normalise(page(url=home, canonical_url=home), asked=home).article.url == home


def test_the_listing_fills_what_the_page_leaves_open_and_says_so():
    found = Found(url=ASKED, listing="f", title="From the feed", published=Moment(iso="2024-12-23", raw="23 Dec"))
    told = normalise(page(headline=""), asked=ASKED, found=found).article
    assert (told.published, told.headline) == (found.published, "From the feed")
    assert told.evidence == (
        Evidence(field="published", origin="listing", raw="23 Dec", chosen=True),
        Evidence(field="headline", origin="listing", raw="From the feed", chosen=True),
    )


def test_what_the_page_says_itself_is_believed_before_the_listing():
    own = Moment(iso="2024-12-22", raw="22 Dec")
    found = Found(url=ASKED, listing="f", title="From the feed", published=Moment(iso="2024-12-23", raw="23 Dec"))
    told = normalise(page(published=own), asked=ASKED, found=found).article
    assert (told.published, told.headline) == (own, "H")
    assert [e.chosen for e in told.evidence] == [False, False]


def test_the_source_gives_the_language_only_where_the_page_does_not():
    assert normalise(page(), asked=ASKED, source=SOURCE).article.language == "en-gb"
    assert normalise(page(language="de_AT"), asked=ASKED, source=SOURCE).article.language == "de-at"


@pytest.mark.parametrize(
    "text", ["sp\u200bam.c\u200dom", "раypal.com", "\u202emoc.maps", "a\u00adb", "ａｂ．com", "e\u0301", "a  b\tc"]
)
def test_disguises_in_a_comment_stay(text):
    assert comment(text=text).text == text
    assert comment(author=text.replace("  ", " ").replace("\t", " ")).author.startswith(text[:2])


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("a\x00b", "ab"),
        ("a\ud800b", "ab"),
        ("a\x08\x1b[2Jb", "a[2Jb"),
        ("a\r\nb\rc", "a\nb\nc"),
        (" a\n\nb \n", "a\n\nb"),
    ],
)
def test_what_no_store_should_meet_goes_from_a_comment(text, stored):
    assert comment(text=text).text == stored


@pytest.mark.parametrize("text", ["a\n\nb", "a\n \t\n\n b", "a\r\n\r\nb", "a\n\x00\nb"])
def test_blank_lines_inside_a_block_go(text):
    (section,) = normalised(sections=paragraphs(text)).sections
    assert [line.strip() for line in section.blocks[0].text.split("\n")] == ["a", "b"]


def test_empty_blocks_and_sections_go_and_text_behind_an_empty_heading_joins_what_is_before():
    made = (
        *paragraphs("a", " \n "),
        *paragraphs("b", heading="\x00"),
        *paragraphs(heading=" "),
        *paragraphs("c", heading="C"),
    )
    assert normalised(sections=made).sections == (*paragraphs("a", "b"), *paragraphs("c", heading="C"))


def test_a_body_over_the_limit_is_cut_and_says_how_much():
    half = "x" * (limits.BODY_CHARACTERS // 2)
    told = normalise(page(sections=paragraphs(half, half, "end")), asked=ASKED)
    (cut,) = told.cuts
    assert (cut.limit, cut.unit) == ("BODY_CHARACTERS", "characters")
    assert cut.kept == len(told.article.body) == limits.BODY_CHARACTERS
    assert cut.kept + cut.left_out == len(f"{half}\n\n{half}\n\nend")


def test_a_body_within_the_limit_has_no_cut():
    text = "x" * limits.BODY_CHARACTERS
    told = normalise(page(sections=paragraphs(text, " ")), asked=ASKED)
    assert (told.cuts, told.article.body) == ((), text)


def test_a_comment_over_the_limit_says_how_much_was_left_out():
    long = comment(text="x" * (limits.COMMENT_CHARACTERS + 5), cut=2)
    assert (len(long.text), long.cut) == (limits.COMMENT_CHARACTERS, 7)


def test_lists_are_bounded_without_repeats_and_without_empty_names():
    many = tuple(f"n{i}" for i in range(limits.AUTHORS + 9))
    assert normalised(authors=("", " Ann ", "Ann", *many)).authors == ("Ann", *many)[: limits.AUTHORS]
    links = (Href(url=" https://a.org/ ", text="a"), Href(url="https://a.org/", text="a"), Href(url=" ", text="b"))
    assert comment(links=links).links == (Href(url="https://a.org/", text="a"),)
    assert replace(comment(links=links), links=()) == comment()
