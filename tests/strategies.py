"""Values of our vocabulary for property tests: hostile text, whole pages, and what a database would know of one."""

from __future__ import annotations

from hypothesis import strategies as st

from crawler.items import (
    Article,
    Block,
    Comment,
    Cut,
    Delta,
    Evidence,
    Href,
    Known,
    KnownComment,
    Moment,
    Page,
    Section,
)

ODD = "a B\n\t\r\x00\x0b\x1c\x85\u00a0\u200b\u202e\u2028\ud800\ufeffİß аé😀\"'<&#/:.%"
"""Characters that one rule or another treats in its own way."""


texts = st.text(ODD, max_size=12)
addresses = st.sampled_from(
    [
        "",
        "https://example.com/",
        "https://example.com/a?b=1&utm_source=x",
        "https://www.example.com/a",
        "//",
        "http://[::1",
    ]
) | texts.map("https://example.com/".__add__)
SHREDS = """\
<rss <channel> <item> <link> </item> <urlset> <url> <loc> </loc> <sitemapindex> <sitemap> <html> <a\thref= <base\thref=
http://[::1 /2024/1 <![CDATA[ ]]> <!-- &nbsp; {"items":[ {"url": <?xml\tversion='1.0'\tencoding='utf-16'?>"""
shreds = st.lists(
    st.sampled_from([*"<>/&;\"'{}[] \n\x00\ud800é", *SHREDS.replace("\n", " ").split(" ")]), max_size=25
).map(lambda parts: "".join(parts).encode("utf-8", "surrogatepass"))
"""Pieces of feeds, sitemaps and pages in any order, as bytes."""

moments = st.builds(Moment, iso=st.sampled_from(["", "2024-12-23", "2024-12-23T10:00:00Z"]), raw=texts)
hrefs = st.builds(Href, url=addresses, text=texts)
kinds = st.sampled_from(["paragraph", "item", "quote", "row", "caption", "code"])
blocks = st.lists(st.builds(Block, kind=kinds, text=texts), max_size=3).map(tuple)


@st.composite
def sections(draw: st.DrawFn) -> tuple[Section, ...]:
    """Sections as cleaning gives them: only the first may stand without a heading."""
    first = Section(blocks=draw(blocks))
    headed = st.builds(Section, heading=texts, level=st.integers(1, 6), blocks=blocks)
    return (first, *draw(st.lists(headed, max_size=3)))


articles = st.builds(
    Article,
    url=addresses,
    headline=texts,
    sections=sections(),
    canonical_url=addresses,
    summary=texts,
    authors=st.lists(texts, max_size=3).map(tuple),
    published=st.none() | moments,
    modified=st.none() | moments,
    site_name=texts,
    section=texts,
    tags=st.lists(texts, max_size=3).map(tuple),
    language=texts,
    image_url=addresses,
    image_caption=texts,
    paywalled=st.none() | st.booleans(),
    comments_state=st.sampled_from(["open", "closed", "none", "script", "unknown"]),
    links=st.lists(hrefs, max_size=2).map(tuple),
    evidence=st.lists(st.builds(Evidence, field=texts, origin=texts, raw=texts), max_size=2).map(tuple),
)


@st.composite
def comments(draw: st.DrawFn) -> tuple[Comment, ...]:
    """Comments of one page: ids that repeat or look like our numbering, parents that stand before."""
    made: list[Comment] = []
    for position in range(draw(st.integers(0, 6))):
        parent = draw(st.none() | st.integers(0, position - 1)) if position else None
        comment = st.builds(
            Comment,
            text=texts,
            author=texts,
            author_url=addresses,
            posted=st.none() | moments,
            links=st.lists(hrefs, max_size=1).map(tuple),
            site_id=st.sampled_from(["", "", "5", "5#2", "5#3"]),
            parent=st.just(parent),
            position=st.just(position),
        )
        made.append(draw(comment))
    return tuple(made)


pages = st.builds(
    Page,
    article=articles,
    comments=comments(),
    cuts=st.lists(st.just(Cut(limit="DEPTH", kept=200, left_out=1, unit="levels")), max_size=1).map(tuple),
)


def known_after(delta: Delta) -> Known:
    """What the database knows once a visit is stored, its comments judged."""
    stored = dict(delta.known.comments)
    for keyed in (*delta.new, *delta.edited, *delta.returned, *delta.unjudged):
        stored[keyed.key] = KnownComment(
            id=len(stored), revision=1, fingerprint=keyed.fingerprint, gone=False, judged_by="rules@1", decided=""
        )
    for key in delta.gone:
        was = stored[key]
        stored[key] = KnownComment(
            id=was.id, revision=1, fingerprint=was.fingerprint, gone=True, judged_by=was.judged_by, decided=""
        )
    return Known(article_id=1, revision=1, fields=delta.fields, comments=stored)
