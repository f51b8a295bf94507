"""What a page says about its article outside the text, each value with the places that had one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import unescape
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
MARKUP = re.compile(r"<[^<>]{0,1000}>")
PAYWALLED = dict.fromkeys(("false", "no", "0", "metered", "locked"), True) | dict.fromkeys(
    ("true", "yes", "1", "free"), False
)
"""What sites say of access to a text (`isAccessibleForFree` of schema.org, `content_tier` of Facebook's articles), and
whether that means that it must be paid for."""
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
    summaries: tuple[str, ...] = ()
    """Every summary that the page offers; used to know the standfirst."""
    authors: tuple[str, ...] = ()
    published: Moment | None = None
    modified: Moment | None = None
    canonical_url: str = ""
    site_name: str = ""
    section: str = ""
    tags: tuple[str, ...] = ()
    language: str = ""
    image_url: str = ""
    image_caption: str = ""
    """As JSON-LD has it."""
    paywalled: bool | None = None
    types: frozenset[str] = frozenset()
    """Types that JSON-LD and OpenGraph give the page."""
    text: str = ""
    """The article's text as JSON-LD has it: a witness, never copied."""
    live: bool = False
    """True for a live blog."""
    updates: tuple[json_ld.Update, ...] = ()
    """Its entries as JSON-LD has them: their times are taken from there where the page shows none."""
    evidence: tuple[Evidence, ...] = ()


def read(parsed: Parsed, readers: frozenset[int] = frozenset()) -> Metadata:
    """The page's metadata. Sources in order of trust: JSON-LD, microdata, meta, `<time>`, visible text, address.

    `readers` are the places of the elements that hold what readers wrote: a time that stands there is a comment's.
    """
    said = statements(parsed, readers)
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
    tags, tagged = _tags(said)
    paywalled, access = _paywalled(said)
    types = frozenset(t for n in said.nodes for t in json_ld.types(n))
    live = "LiveBlogPosting" in types or "liveBlogUpdate" in said.item
    heads = told("headline", [*said.headlines, best] if best[1] else (), best)
    return Metadata(
        headline=line(best[1], limits.HEADLINE_CHARACTERS),
        headlines=_spelled(said, best),
        title=said.marks.title,
        summary=summary,
        summaries=tuple(dict.fromkeys(unescape(e.raw) for e in sorted(summaries, key=lambda e: not e.chosen))),
        authors=people,
        published=published,
        modified=modified,
        canonical_url=canonical,
        site_name=said.site_name,
        section=section,
        tags=tags,
        language=language,
        image_url=image,
        image_caption=_caption(said),
        paywalled=paywalled,
        types=types | {f"og:{said.meta('og:type').lower()}"},
        live=live,
        updates=json_ld.updates(said.nodes) if live else (),
        text=json_ld.text(said.article.get("articleBody")),
        evidence=(
            *heads, *dates, *changes, *credits, *addresses, *tongues, *summaries, *names, *sections, *images,
            *tagged, *access,
        ),
    )  # fmt: skip


def kind(said: Metadata, first_post: bool) -> tuple[str, tuple[Evidence, ...]]:
    """What kind of text the page holds, and what tells so. `first_post` is true where a thread begins with it."""
    stated = ", ".join(sorted(said.types & json_ld.ARTICLES))
    shared = next((named.removeprefix("og:") for named in said.types if named.startswith("og:")), "")
    offers = [("thread", "first post" if first_post else ""), ("json-ld", stated), ("meta og:type", shared)]
    given = [(origin, raw) for origin, raw in offers if raw]
    if first_post:
        return "forum thread", told("kind", given, given[0])
    return "live blog" if said.live else "article", told("kind", given, given[0] if given else None)


def address(said: Metadata, url: str) -> str:
    """The address an article is known by: its canonical URL where that is on the same host, else where it was found."""
    own, stated = host_of(url), host_of(said.canonical_url)
    return said.canonical_url if stated and (stated == own or not own) else url


def _spelled(said: Statements, best: Offer) -> tuple[str, ...]:
    """The headline's spellings; microdata calls subtitles and other texts' headlines so too."""
    texts = [text for origin, text in (*said.headlines, best) if origin != "microdata"]
    return tuple(dict.fromkeys(line(text, limits.HEADLINE_CHARACTERS) for text in texts))


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
    return line(unescape(chosen[1]), limit) if chosen else "", told(name, given, chosen)


def _address(name: str, said: Statements, offered: Iterable[Offer]) -> tuple[str, tuple[Evidence, ...]]:
    """The first address offered that is one, made absolute, and every place that states one."""
    given = [(origin, raw) for origin, raw in offered if raw.strip()]
    chosen = next((offer for offer in given if absolute(offer[1], said.parsed.base)), None)
    return absolute(chosen[1], said.parsed.base) if chosen else "", told(name, given, chosen)


def _canonicals(said: Statements) -> Iterator[Offer]:
    yield "link canonical", said.marks.canonical
    yield "meta og:url", said.meta("og:url")


def _images(said: Statements) -> Iterator[Offer]:
    for name in IMAGES:  # before JSON-LD, which begins with a thumbnail on some sites
        yield f"meta {name}", said.meta(name)
    image = _image(said)
    yield "json-ld", json_ld.text(image.get("url")) if isinstance(image, dict) else json_ld.text(image)
    for el in said.item.get("image", ()):
        yield "microdata", el.get("content") or el.get("src") or el.get("href") or ""


def _image(said: Statements) -> Any:
    image = said.article.get("image")
    return image[0] if isinstance(image, list) and image else image


def _caption(said: Statements) -> str:
    image = _image(said)
    return line(json_ld.text(image.get("caption")), limits.SUMMARY_CHARACTERS) if isinstance(image, dict) else ""


def _summaries(said: Statements) -> Iterator[Offer]:
    for name in SUMMARIES:  # before JSON-LD, which describes the picture on some sites
        yield f"meta {name}", said.meta(name)
    yield "json-ld", MARKUP.sub(" ", json_ld.text(said.article.get("description")))
    for text in said.item_texts("description"):
        yield "microdata", text


def _sections(said: Statements) -> Iterator[Offer]:
    yield "json-ld", json_ld.text(said.article.get("articleSection"))
    for text in said.item_texts("articleSection"):
        yield "microdata", text
    yield "meta article:section", said.meta("article:section")


def _tags(said: Statements) -> tuple[tuple[str, ...], tuple[Evidence, ...]]:
    """The tags of the first place that has some, and every place with its own."""
    given = [(origin, values) for origin, values in _tagged(said) if any(v.strip() for v in values)]
    offers = [(origin, "; ".join(values)) for origin, values in given]
    parts = (line(p, limits.AUTHOR_CHARACTERS) for value in given[0][1] for p in value.split(",")) if given else ()
    tags = tuple(dict.fromkeys(p for p in parts if p))[: limits.TAGS_AN_ARTICLE]
    return tags, told("tags", offers, offers[0] if tags else None)


def _tagged(said: Statements) -> Iterator[tuple[str, list[str]]]:
    stated = said.article.get("keywords")
    yield "json-ld", [json_ld.text(word) for word in (stated if isinstance(stated, list) else [stated])]
    yield "microdata", said.item_texts("keywords")
    for name, values in said.metas(TAGS):
        yield f"meta {name}", values


def _paywalled(said: Statements) -> tuple[bool | None, tuple[Evidence, ...]]:
    """Whether the text must be paid for, as the first place says that speaks of it; and all those that do."""
    offers = [(origin, raw) for origin, raw in _access(said) if raw.strip().lower() in PAYWALLED]
    chosen = offers[0] if offers else None
    return PAYWALLED[chosen[1].strip().lower()] if chosen else None, told("paywalled", offers, chosen)


def _access(said: Statements) -> Iterator[Offer]:
    for node in (said.article, *said.nodes):
        if (free := node.get("isAccessibleForFree")) is not None and isinstance(free, str | bool | int):
            yield "json-ld", str(free)
            break
    for text in said.item_texts("isAccessibleForFree"):
        yield "microdata", text
    yield "meta article:content_tier", said.meta("article:content:tier")
