"""What a page says about its article outside the text, each value with the places that had one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from crawler import limits
from crawler.cleaning import bylines, headline, json_ld, languages, titles, when
from crawler.cleaning.marks import spelled
from crawler.cleaning.page import Parsed, absolute
from crawler.cleaning.statements import Statements, host_of, statements, told
from crawler.items import Evidence, Moment
from crawler.text import line, words

SUMMARIES = tuple(
    map(spelled, words("og:description description twitter:description dc.description sailthru.description"))
)
IMAGES = words("og:image og:image:url twitter:image")
TAGS = tuple(map(spelled, words("article:tag news_keywords keywords parsely-tags")))
Offer = tuple[str, str]
"""An origin and the value that it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """A page's statements about its article, decided."""

    headline: str = ""
    headlines: tuple[str, ...] = ()
    """Every spelling of the headline that the page offers; used to know it again in the text."""
    title: str = ""
    """The page's title as it stands."""
    summary: str = ""
    authors: tuple[str, ...] = ()
    published: Moment | None = None
    modified: Moment | None = None
    canonical_url: str = ""
    site_name: str = ""
    section: str = ""
    tags: tuple[str, ...] = ()
    language: str = ""
    image_url: str = ""
    paywalled: bool | None = None
    types: frozenset[str] = frozenset()
    """Types that JSON-LD and OpenGraph give the page."""
    text: str = ""
    """The article's text as JSON-LD has it: a witness, never copied."""
    evidence: tuple[Evidence, ...] = ()


def read(parsed: Parsed) -> Metadata:
    """The page's metadata. Sources in order of trust: JSON-LD, microdata, meta, `<time>`, visible text, address."""
    said = statements(parsed)
    said.site_name, names = _first("site_name", titles.site_names(said), limits.AUTHOR_CHARACTERS)
    said.headlines = titles.offered(said)
    best = titles.chosen(said)
    at = _headline_at(said, best[1])
    published, dates = when.published(said, at)
    modified, changes = when.modified(said, published)
    people, credits = bylines.authors_of(said, at)
    canonical, addresses = _address("canonical_url", said, _canonicals(said))
    image, images = _address("image_url", said, _images(said))
    language, tongues = languages.language(said, best[1])
    summary, summaries = _first("summary", _summaries(said), limits.SUMMARY_CHARACTERS)
    section, sections = _first("section", _sections(said), limits.AUTHOR_CHARACTERS)
    heads = told("headline", [*said.headlines, best] if best[1] else (), best)
    return Metadata(
        headline=line(best[1], limits.HEADLINE_CHARACTERS),
        headlines=tuple(dict.fromkeys(line(t, limits.HEADLINE_CHARACTERS) for _, t in said.headlines)),
        title=said.marks.title,
        summary=summary,
        authors=people,
        published=published,
        modified=modified,
        canonical_url=canonical,
        site_name=said.site_name,
        section=section,
        tags=_tags(said),
        language=language,
        image_url=image,
        paywalled=_paywalled(said),
        types=frozenset(t for n in said.nodes for t in json_ld.types(n)) | {f"og:{said.meta('og:type').lower()}"},
        text=json_ld.text(said.article.get("articleBody")),
        evidence=(
            *heads, *dates, *changes, *credits, *addresses, *tongues, *summaries, *names, *sections, *images,
        ),
    )  # fmt: skip


def address(said: Metadata, url: str) -> str:
    """The address an article is known by: its canonical URL where that is on the same host, else where it was found."""
    own, stated = host_of(url), host_of(said.canonical_url)
    return said.canonical_url if stated and (stated == own or not own) else url


def _headline_at(said: Statements, best: str) -> int:
    """The headline's place in the page: the `h1` that shows it, else the first, else the page's start."""
    wanted = headline.key(best)
    for place, h1 in said.marks.h1s:
        shown = headline.key("".join(h1.itertext()))
        if shown and (shown in wanted or wanted in shown):
            return place
    return said.marks.h1s[0][0] if said.marks.h1s else 0


def _first(name: str, offered: Iterable[Offer], limit: int) -> tuple[str, tuple[Evidence, ...]]:
    """The first value offered, on one line, and every place that has one."""
    given = [(origin, raw) for origin, raw in offered if raw.strip()]
    chosen = given[0] if given else None
    return line(chosen[1], limit) if chosen else "", told(name, given, chosen)


def _address(name: str, said: Statements, offered: Iterable[Offer]) -> tuple[str, tuple[Evidence, ...]]:
    """The first address offered that is one, made absolute, and every place that states one."""
    given = [(origin, raw) for origin, raw in offered if raw.strip()]
    chosen = next((offer for offer in given if absolute(offer[1], said.parsed.base)), None)
    return absolute(chosen[1], said.parsed.base) if chosen else "", told(name, given, chosen)


def _canonicals(said: Statements) -> Iterator[Offer]:
    yield "link canonical", said.marks.canonical
    yield "meta og:url", said.meta("og:url")


def _images(said: Statements) -> Iterator[Offer]:
    for name in IMAGES:
        yield f"meta {name}", said.meta(name)
    image: Any = said.article.get("image")
    image = image[0] if isinstance(image, list) and image else image
    yield "json-ld", json_ld.text(image.get("url")) if isinstance(image, dict) else json_ld.text(image)


def _summaries(said: Statements) -> Iterator[Offer]:
    for name in SUMMARIES:
        yield f"meta {name}", said.meta(name)
    yield "json-ld", json_ld.text(said.article.get("description"))


def _sections(said: Statements) -> Iterator[Offer]:
    yield "json-ld", json_ld.text(said.article.get("articleSection"))
    yield "meta article:section", said.meta("article:section")


def _tags(said: Statements) -> tuple[str, ...]:
    raw = next((values for _, values in said.metas(TAGS)), [])
    parts = (line(p, limits.AUTHOR_CHARACTERS) for value in raw for p in value.split(","))
    return tuple(dict.fromkeys(p for p in parts if p))[: limits.TAGS_AN_ARTICLE]


def _paywalled(said: Statements) -> bool | None:
    free = said.article.get("isAccessibleForFree")
    if free is None:
        tier = said.meta("article:content:tier").lower()
        return {"free": False, "metered": True, "locked": True}.get(tier)
    return str(free).strip().lower() in ("false", "no", "0")
