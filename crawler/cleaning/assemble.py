"""One page, from bytes to `Page` or `Rejected`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from crawler.cleaning import blocks, body, json_ld, metadata, reject
from crawler.cleaning.comments.find import FoundComments, find_comments
from crawler.cleaning.ground import survey
from crawler.cleaning.metadata import Metadata
from crawler.cleaning.page import Parsed, parse
from crawler.cleaning.statements import told
from crawler.items import Article, Evidence, Page, Rejected
from crawler.source import Rules, Source

NOT_THREADS = json_ld.ARTICLES - {"DiscussionForumPosting", "SocialMediaPosting", "Article", "BlogPosting"}
"""Types that no forum gives its threads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """All that was read from a page, before it is decided whether that is an article."""

    parsed: Parsed
    said: Metadata
    found: FoundComments
    text: body.Text


def clean(html: bytes, url: str, source: Source | None = None) -> Page | Rejected:
    """The article and the comments on a page, or why it is no article.

    `url` may be empty: relative links are then left out. Any bytes give an answer; nothing is raised.
    """
    parsed = parse(html, url, source.rules if source else Rules())
    if isinstance(parsed, Rejected):
        return parsed
    return concluded(read(parsed), source)


def read(parsed: Parsed) -> Reading:
    """Metadata, comments and text of a page."""
    found = find_comments(parsed)
    said = metadata.read(parsed, parsed.index.placed(found.regions))
    found = _believed(found, said)
    return Reading(parsed=parsed, said=said, found=found, text=text(parsed, said, found))


def concluded(reading: Reading, source: Source | None) -> Page | Rejected:
    """What the reading of a page amounts to."""
    parsed, said, found, kept = reading.parsed, reading.said, reading.found, reading.text
    return reject.refusal(parsed, said, kept, found) or _page(parsed, said, found, kept, source)


def _believed(found: FoundComments, said: Metadata) -> FoundComments:
    """What was found, without a thread's first post where nobody answers it or the page calls itself an article:
    a lone post is read as any other page is."""
    if found.first_post is None or (found.comments and not said.types & NOT_THREADS):
        return found
    return replace(found, first_post=None, first_author="", first_posted=None)


def text(parsed: Parsed, said: Metadata, found: FoundComments) -> body.Text:
    """The article's text; looked for once more, with less suspicion, where next to nothing was found."""
    if found.first_post is not None:
        ground = survey(parsed, [region for region in found.regions if region is not found.first_post])
        place = parsed.index.places[found.first_post]
        return body.read_block(ground, body.Main(place, place, body.FIRST_POST), said)
    ground = survey(parsed, found.regions)
    best = body.read(ground, said)
    if best.size < body.POOR_SHARE * ground.total:
        second = body.read(ground.trusted(), said)
        best = second if second.size > 2 * best.size else best
    return body.stated(said.text) if len(said.text) > body.STATED_TIMES * max(best.size, body.LEAST_STATED) else best


def _page(parsed: Parsed, said: Metadata, found: FoundComments, kept: body.Text, source: Source | None) -> Page:
    authors = (found.first_author,) if found.first_author else said.authors
    sections, cuts = blocks.sections(kept.pieces)
    kind, kinds = metadata.kind(said, found.first_post is not None)
    caption, captions = _caption(said, kept)
    article = Article(
        url=metadata.address(said, parsed.url),
        headline=said.headline,
        sections=sections,
        canonical_url=said.canonical_url,
        summary=said.summary,
        authors=authors,
        published=found.first_posted or said.published,
        modified=said.modified,
        site_name=said.site_name,
        section=said.section,
        tags=said.tags,
        language=said.language or (source.language if source else ""),
        image_url=said.image_url,
        image_caption=caption,
        kind=kind,
        paywalled=said.paywalled,
        comments_state=found.state,
        links=blocks.links(kept.pieces, parsed.base),
        evidence=(*said.evidence, *captions, *kinds),
    )
    return Page(article=article, comments=found.comments, cuts=(*parsed.cuts, *cuts, *found.cuts))


def _caption(said: Metadata, kept: body.Text) -> tuple[str, tuple[Evidence, ...]]:
    """The lead image's caption: the one that readers see before the one in JSON-LD."""
    offers = [(origin, raw) for origin, raw in (("caption", kept.caption), ("json-ld", said.image_caption)) if raw]
    return offers[0][1] if offers else "", told("image_caption", offers, offers[0] if offers else None)
