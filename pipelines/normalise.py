"""Page → Page: one spelling for one meaning, one door for every text. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from crawler import limits
from crawler.items import Article, Block, Comment, Cut, Evidence, Found, Href, Moment, Page, Section, body_text
from crawler.source import Source
from crawler.text import line, tidy
from crawler.urls import normal, same_host

LANGUAGE_CHARACTERS = 35
"""RFC 5646, 4.4.1: room for every language tag that is likely."""
_BLANK_LINES = re.compile(r"\n\s*\n")


def normalise(page: Page, *, asked: str, found: Found | None = None, source: Source | None = None) -> Page:
    """The page as it will be stored.

    `asked` is the address it was fetched from; `found` is what the listing said of it, which fills what the page
    leaves open; `source` gives the language where nothing else does. Twice is the same as once.
    """
    sections = _sections(page.article.sections)
    within = _within(sections, limits.BODY_CHARACTERS)
    article = _article(replace(page.article, sections=within), asked, source)
    if found:
        article = _with_listing(article, found)
    cuts = page.cuts if within == sections else (*page.cuts, _body_cut(len(body_text(sections)), len(article.body)))
    return replace(page, article=article, comments=tuple(_comment(c) for c in page.comments), cuts=cuts)


def article_url(article: Article, asked: str) -> str:
    """What an article is known by: its canonical address when that is on the same host, else the one it was asked for.

    A canonical address on another host, or the site's front page as the canonical address of everything, is evidence
    and no key.
    """
    for candidate in (article.canonical_url, article.url):
        known_by = normal(candidate)
        if known_by and same_host(known_by, asked) and not _front_page(known_by, asked):
            return known_by
    return normal(asked) or asked


def _front_page(candidate: str, asked: str) -> bool:
    path = candidate.partition("://")[2].partition("/")[2]
    return not path and normal(asked) != candidate


def _article(article: Article, asked: str, source: Source | None) -> Article:
    article = replace(article, canonical_url=_address(article.canonical_url))
    return replace(
        article,
        url=article_url(article, asked),
        headline=line(article.headline, limits.HEADLINE_CHARACTERS),
        summary=tidy(article.summary, limits.SUMMARY_CHARACTERS).strip(),
        authors=_names(article.authors, limits.AUTHORS),
        site_name=line(article.site_name, limits.AUTHOR_CHARACTERS),
        section=line(article.section, limits.AUTHOR_CHARACTERS),
        tags=_names(article.tags, limits.TAGS_AN_ARTICLE),
        language=_language(article.language) or _language(source.language if source else ""),
        image_url=_address(article.image_url),
        image_caption=line(article.image_caption, limits.SUMMARY_CHARACTERS),
        published=_moment(article.published),
        modified=_moment(article.modified),
        links=_hrefs(article.links, limits.LINKS_AN_ARTICLE),
        evidence=tuple(_evidence(e) for e in article.evidence),
    )


def _with_listing(article: Article, found: Found) -> Article:
    """What the feed or sitemap said, as evidence; believed only where the page says nothing."""
    said = []
    if found.published:
        said.append(_listing_evidence("published", found, found.published.raw, chosen=article.published is None))
    if found.title:
        said.append(_listing_evidence("headline", found, found.title, chosen=not article.headline))
    seen = {(e.field, e.origin) for e in article.evidence}
    return replace(
        article,
        published=article.published or _moment(found.published),
        headline=article.headline or line(found.title, limits.HEADLINE_CHARACTERS),
        evidence=article.evidence + tuple(e for e in said if (e.field, e.origin) not in seen),
    )


def _listing_evidence(field: str, found: Found, raw: str, *, chosen: bool) -> Evidence:
    return Evidence(field=field, origin="listing", raw=tidy(raw, limits.DETAIL_CHARACTERS), chosen=chosen)


def _comment(comment: Comment) -> Comment:
    """Only what cannot be stored is taken out of a comment's text: the rest is evidence."""
    text = tidy(comment.text).strip()
    kept = text[: limits.COMMENT_CHARACTERS].rstrip()
    return replace(
        comment,
        text=kept,
        cut=comment.cut + len(text) - len(kept),
        author=line(comment.author, limits.AUTHOR_CHARACTERS),
        author_url=tidy(comment.author_url, limits.URL_CHARACTERS).strip(),
        site_id=line(comment.site_id, limits.AUTHOR_CHARACTERS),
        parent_site_id=line(comment.parent_site_id, limits.AUTHOR_CHARACTERS),
        posted=_moment(comment.posted),
        links=_hrefs(comment.links, limits.LINKS_A_COMMENT),
    )


def _sections(sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """No empty block, no empty line inside a block: the body's empty lines divide its blocks. What follows a heading
    that turned out to be empty belongs to the section before."""
    kept: list[Section] = []
    for section in sections:
        texts = ((b.kind, _BLANK_LINES.sub("\n", tidy(b.text)).strip()) for b in section.blocks)
        blocks = tuple(Block(kind=kind, text=text) for kind, text in texts if text)
        heading = line(section.heading, limits.HEADLINE_CHARACTERS)
        if heading:
            kept.append(Section(heading=heading, level=section.level, blocks=blocks))
        elif blocks and kept:
            kept[-1] = replace(kept[-1], blocks=kept[-1].blocks + blocks)
        elif blocks:
            kept.append(Section(blocks=blocks))
    return tuple(kept)


def _within(sections: tuple[Section, ...], room: int) -> tuple[Section, ...]:
    """The beginning of the text: at most `room` characters of body, headings and empty lines included."""
    if len(body_text(sections)) <= room:
        return sections
    kept = []
    for section in sections:
        heading = section.heading[:room].rstrip()
        room = _behind(section.heading, room)
        blocks = []
        for block in section.blocks:
            blocks.append(replace(block, text=block.text[:room].rstrip()))
            room = _behind(block.text, room)
        kept.append(replace(section, heading=heading, blocks=tuple(b for b in blocks if b.text)))
    return tuple(s for s in kept if s.heading or s.blocks)


def _behind(text: str, room: int) -> int:
    """The room that is left behind a text and the empty line that follows it."""
    return max(0, room - len(text) - 2) if text else room


def _body_cut(whole: int, kept: int) -> Cut:
    return Cut(limit="BODY_CHARACTERS", kept=kept, left_out=whole - kept, unit="characters")


def _address(text: str) -> str:
    """An address, or none when it is over the limit: half of one leads elsewhere."""
    address = tidy(text).strip()
    return address if len(address) <= limits.URL_CHARACTERS else ""


def _language(code: str) -> str:
    return line(code.lower().replace("_", "-"), LANGUAGE_CHARACTERS)


def _names(names: Iterable[str], most: int) -> tuple[str, ...]:
    tidied = (line(name, limits.AUTHOR_CHARACTERS) for name in names)
    return tuple(dict.fromkeys(name for name in tidied if name))[:most]


def _hrefs(links: Iterable[Href], most: int) -> tuple[Href, ...]:
    tidied = (
        Href(url=tidy(h.url, limits.URL_CHARACTERS).strip(), text=tidy(h.text, limits.DETAIL_CHARACTERS)) for h in links
    )
    return tuple(dict.fromkeys(h for h in tidied if h.url))[:most]


def _moment(moment: Moment | None) -> Moment | None:
    if moment is None:
        return None
    return Moment(iso=line(moment.iso, 20), raw=tidy(moment.raw, limits.DATE_CHARACTERS))


def _evidence(evidence: Evidence) -> Evidence:
    return replace(
        evidence,
        field=line(evidence.field, limits.DATE_CHARACTERS),
        origin=line(evidence.origin, limits.AUTHOR_CHARACTERS),
        raw=tidy(evidence.raw, limits.DETAIL_CHARACTERS),
    )
