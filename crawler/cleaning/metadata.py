"""What a page says about its article outside the text, each value with the places that had one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from crawler import limits
from crawler.cleaning import authors, headline, json_ld
from crawler.cleaning.dates import moment
from crawler.cleaning.page import Parsed, absolute, select
from crawler.items import Evidence, Moment
from crawler.text import line, words

METAS = etree.XPath("//meta[@content]")
TITLE = etree.XPath("string(/html/head/title)")
CANONICAL = etree.XPath("string(//link[@rel='canonical']/@href)")
ITEMS = etree.XPath("//*[@itemprop]")
LANGUAGE = etree.XPath("string(/html/@lang | /html/@xml:lang)")
BYLINES = etree.XPath("//*[contains(@class, 'uthor') or contains(@class, 'yline') or @rel='author']")

PUBLISHED = words(
    "article:published_time og:article:published_time og:published_time article:published datepublished "
    "parsely-pub-date sailthru.date dc.date.issued dcterms.created dcterms.date dc.date dc.date.created date pubdate "
    "publish-date publish_date publishdate publication_date cxenseparse:recs:publishtime article.published og:pubdate "
    "article_date_original created originalpublicationdate rnews:datepublished datecreated citation_publication_date "
    "ptime displaydate"
)
"""Names of `meta` elements that state when a text was published, the surest first."""
MODIFIED = (
    "article:modified_time",
    "og:updated_time",
    "datemodified",
    "lastmod",
    "last-modified",
    "dcterms.modified",
    "dc.date.modified",
    "date_modified",
)
AUTHORS = (
    "author",
    "article:author",
    "parsely-author",
    "sailthru.author",
    "dc.creator",
    "dcterms.creator",
    "byl",
    "article:author_name",
    "cxenseparse:author",
    "citation_author",
    "article.author",
    "twitter:data1",
)
HEADLINES = (
    "og:title",
    "twitter:title",
    "dc.title",
    "parsely-title",
    "sailthru.title",
    "title",
    "headline",
    "cxenseparse:title",
)
SUMMARIES = ("og:description", "description", "twitter:description", "dc.description", "sailthru.description")
SHOWN = etree.XPath(".//text()[not(ancestor::script or ancestor::style)]")
DATED = etree.XPath(
    "//body//*[self::span or self::div or self::p or self::li or self::small or self::td or self::b]"
    "[contains(@class, 'date') or contains(@class, 'Date') or contains(@class, 'publish') or "
    "contains(@class, 'time') or contains(@class, 'datum')]"
)
DATED_ELEMENTS = 10
"""Elements whose class speaks of a date, looked at where nothing else states one: further down stand other stories."""
STATED_TIMES = 10
"""Times kept as evidence for one field: a live blog states hundreds."""
BYLINE_ELEMENTS = 10
BYLINE_CHARACTERS = 150
TAGS = ("article:tag", "news_keywords", "keywords", "parsely-tags")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """A page's statements about its article, decided."""

    headline: str = ""
    headlines: tuple[str, ...] = ()
    """Every spelling of the headline that the page offers; used to know it again in the text."""
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


@dataclass(slots=True)
class Statements:
    """Everything a page states, read once, for the fields to be chosen from."""

    parsed: Parsed
    metas: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    nodes: tuple[json_ld.Node, ...] = ()
    article: json_ld.Node = field(default_factory=dict)
    items: list[Any] | None = None


def read(parsed: Parsed) -> Metadata:
    """The page's metadata. Sources in order of trust: JSON-LD, microdata, meta, `<time>`, visible text."""
    said = statements(parsed)
    site_name = _site_name(said)
    titles = list(_headlines(said, site_name))
    published, dates = _first_moment("published", _dates(said, PUBLISHED, "datePublished"))
    modified, changes = _first_moment("modified", _dates(said, MODIFIED, "dateModified"))
    people, bylines = _authors(said, site_name)
    best = _headline(titles)
    return Metadata(
        headline=best,
        headlines=tuple(dict.fromkeys(t for _, t in titles)),
        summary=_summary(said),
        authors=people,
        published=published,
        modified=modified,
        canonical_url=absolute(CANONICAL(parsed.root), parsed.base) or absolute(_meta(said, "og:url"), parsed.base),
        site_name=site_name,
        section=line(
            json_ld.text(said.article.get("articleSection")) or _meta(said, "article:section"), limits.AUTHOR_CHARACTERS
        ),
        tags=_tags(said),
        language=_language(said),
        image_url=_image(said),
        paywalled=_paywalled(said),
        types=frozenset(t for n in said.nodes for t in json_ld.types(n)) | {f"og:{_meta(said, 'og:type').lower()}"},
        text=json_ld.text(said.article.get("articleBody")),
        evidence=(*_told("headline", titles, best), *dates, *changes, *bylines),
    )


def address(said: Metadata, url: str) -> str:
    """The address an article is known by: its canonical URL where that is on the same host, else where it was found."""
    own, stated = _host(url), _host(said.canonical_url)
    return said.canonical_url if stated and (stated == own or not own) else url


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def statements(parsed: Parsed) -> Statements:
    """The page's metas by name and its JSON-LD nodes."""
    said = Statements(parsed=parsed)
    for meta in METAS(parsed.root):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop") or ""
        said.metas[name.strip().lower()].append(meta.get("content"))
    said.nodes = json_ld.nodes(parsed.root)
    said.article = json_ld.article(said.nodes)
    return said


def _meta(said: Statements, *keys: str) -> str:
    return next((v.strip() for k in keys for v in said.metas.get(k, ()) if v.strip()), "")


def _told(name: str, values: list[tuple[str, str]], chosen: str) -> Iterator[Evidence]:
    done = False
    for origin, raw in values:
        hit = not done and raw == chosen
        done = done or hit
        yield Evidence(field=name, origin=origin, raw=line(raw, limits.HEADLINE_CHARACTERS), chosen=hit)


def _site_name(said: Statements) -> str:
    publisher = said.article.get("publisher")
    name = _meta(said, "og:site_name") or json_ld.text(publisher) or _meta(said, "application-name")
    return line(name or _behind_headline(said), limits.AUTHOR_CHARACTERS)


def _behind_headline(said: Statements) -> str:
    """What the title has behind the headline that the page shows: as a rule the site's name."""
    title = line(TITLE(said.parsed.root), limits.HEADLINE_CHARACTERS)
    shown = (line("".join(h.itertext()), limits.HEADLINE_CHARACTERS) for h in islice(said.parsed.root.iter("h1"), 2))
    rest = next((title.removeprefix(h) for h in shown if headline.extends(title, h) and title.startswith(h)), "")
    return headline.DIVIDERS.split(f" {rest}")[-1].strip() if rest else ""


def _ruled(said: Statements, css: str) -> list[str]:
    """The texts that the source's own rule names; `content` and `datetime` count before the text shown."""
    found = select(said.parsed, css)
    return [
        el.get("content") or el.get("datetime") or " ".join(t for t in SHOWN(el) if t.strip())
        for el in found[:STATED_TIMES]
    ]


def _headlines(said: Statements, site_name: str) -> Iterator[tuple[str, str]]:
    root, host = said.parsed.root, _host(said.parsed.url)
    offered = [("rule", t) for t in _ruled(said, said.parsed.rules.headline)]
    offered += [("json-ld", json_ld.text(said.article.get("headline") or said.article.get("name")))]
    offered += [(f"meta {k}", _meta(said, k)) for k in HEADLINES]
    offered += [("h1", "".join(h.itertext())) for h in islice(root.iter("h1"), 5)]
    offered += [("title", TITLE(root))]
    for origin, raw in offered:
        text = headline.without_site(raw, site_name, host) if origin != "h1" else line(raw)
        if headline.key(text):
            yield origin, line(text, limits.HEADLINE_CHARACTERS)


def _headline(titles: list[tuple[str, str]]) -> str:
    """The most trusted source's spelling, without a site's name that the visible headline does not have."""
    if not titles:
        return ""
    best = titles[0][1]
    shown = (t for origin, t in titles if origin == "h1")
    return next((t for t in shown if headline.extends(best, t)), best)


def _summary(said: Statements) -> str:
    return line(_meta(said, *SUMMARIES) or json_ld.text(said.article.get("description")), limits.SUMMARY_CHARACTERS)


def _dates(said: Statements, metas: tuple[str, ...], prop: str) -> Iterator[tuple[str, str]]:
    for text in _ruled(said, said.parsed.rules.date) if prop == "datePublished" else ():
        yield "rule", text
    yield "json-ld", json_ld.text(said.article.get(prop))
    for node in said.nodes:
        if node is not said.article and "comment" not in str(node.get("@type", "")).lower():
            yield "json-ld", json_ld.text(node.get(prop))
    for name in metas:
        yield f"meta {name}", _meta(said, name)
    for el in _microdata(said, prop):
        yield "microdata", el.get("datetime") or el.get("content") or "".join(el.itertext())
    for el in islice(said.parsed.root.iter("time"), STATED_TIMES):
        if prop == "datePublished":
            yield "time", el.get("datetime") or "".join(el.itertext())
    if prop == "datePublished":
        yield "text", ""
        for el in DATED(said.parsed.root)[:DATED_ELEMENTS]:
            yield "text", " ".join(t.strip() for t in SHOWN(el) if t.strip())


def _microdata(said: Statements, prop: str) -> list[Any]:
    """Elements with an `itemprop`, found once for the page."""
    if said.items is None:
        said.items = ITEMS(said.parsed.root)
    return [el for el in said.items if prop in el.get("itemprop").split()]


def _first_moment(name: str, offered: Iterator[tuple[str, str]]) -> tuple[Moment | None, list[Evidence]]:
    """The first time that can be read; one with a zone instead, where it shows the same clock."""
    found: list[tuple[str, Moment]] = []
    for origin, raw in offered:
        if len(found) >= STATED_TIMES or (found and origin == "text"):
            break
        if raw and (m := moment(raw)):
            found.append((origin, m))
    if not found:
        return None, []
    chosen = found[0][1]
    if not chosen.zoned:
        chosen = next((m for _, m in found if m.zoned and _same_clock(chosen, m)), chosen)
    return chosen, [Evidence(field=name, origin=o, raw=m.raw, chosen=m is chosen) for o, m in found]


def _same_clock(unzoned: Moment, zoned: Moment) -> bool:
    """True when both texts show the same day, and the same hour and minute as far as the first gives them."""
    return zoned.raw.replace("T", " ")[:16].startswith(unzoned.iso.replace("T", " ")[:16])


def _authors(said: Statements, site_name: str) -> tuple[tuple[str, ...], list[Evidence]]:
    own = (site_name, json_ld.text(said.article.get("publisher")), _host(said.parsed.url))
    chosen: tuple[str, ...] = ()
    told = []
    for origin, values in _bylines(said):
        if chosen and origin == "byline":
            break
        found = authors.people(values, own) if origin in ("json-ld", "rule") else authors.names(values, own)
        if found:
            told.append(
                Evidence(
                    field="authors",
                    origin=origin,
                    raw=line("; ".join(values), limits.HEADLINE_CHARACTERS),
                    chosen=not chosen,
                )
            )
            chosen = chosen or found
    return chosen or authors.people([*_listed(said), *said.metas.get("author", ())])[:1], told


def _bylines(said: Statements) -> Iterator[tuple[str, list[str]]]:
    yield "rule", _ruled(said, said.parsed.rules.author)
    yield "json-ld", _listed(said)
    for name in AUTHORS:
        yield f"meta {name}", said.metas.get(name, [])
    for el in _microdata(said, "author"):
        yield "microdata", [el.get("content") or " ".join(t for t in SHOWN(el) if t.strip())[:BYLINE_CHARACTERS]]
    yield "byline", []
    for el in BYLINES(said.parsed.root)[:BYLINE_ELEMENTS]:
        text = " ".join(t for t in SHOWN(el) if t.strip())
        if 0 < len(text) <= BYLINE_CHARACTERS and authors.is_byline(text):
            yield "byline", [text]


def _listed(said: Statements) -> list[str]:
    """The names of the article's authors in JSON-LD, references to other nodes followed."""
    stated = said.article.get("author") or said.article.get("creator") or ()
    by_id = {n["@id"]: n for n in said.nodes if n.get("name") and isinstance(n.get("@id"), str)}
    items = stated if isinstance(stated, list) else [stated]
    return [_author_name(by_id.get(str(a.get("@id")), a) if isinstance(a, dict) else a) for a in items]


def _author_name(item: Any) -> str:
    if not isinstance(item, dict):
        return json_ld.text(item)
    name = item.get("name")
    if isinstance(name, list):
        return "; ".join(filter(None, map(json_ld.text, name)))
    return json_ld.text(name) or " ".join(
        filter(None, (json_ld.text(item.get("givenName")), json_ld.text(item.get("familyName"))))
    )


def _tags(said: Statements) -> tuple[str, ...]:
    raw = next((said.metas[k] for k in TAGS if said.metas.get(k)), [])
    parts = (line(p, limits.AUTHOR_CHARACTERS) for value in raw for p in value.split(","))
    return tuple(dict.fromkeys(p for p in parts if p))[: limits.TAGS_AN_ARTICLE]


def _language(said: Statements) -> str:
    declared = (
        LANGUAGE(said.parsed.root)
        or json_ld.text(said.article.get("inLanguage"))
        or _meta(said, "og:locale", "language", "content-language")
    )
    return line(declared, 35).lower().replace("_", "-")


def _image(said: Statements) -> str:
    image: Any = said.article.get("image")
    image = image[0] if isinstance(image, list) and image else image
    stated = json_ld.text(image.get("url")) if isinstance(image, dict) else json_ld.text(image)
    return absolute(_meta(said, "og:image", "og:image:url", "twitter:image") or stated, said.parsed.base)


def _paywalled(said: Statements) -> bool | None:
    free = said.article.get("isAccessibleForFree")
    if free is None:
        tier = _meta(said, "article:content_tier").lower()
        return {"free": False, "metered": True, "locked": True}.get(tier)
    return str(free).strip().lower() in ("false", "no", "0")
