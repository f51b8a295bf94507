"""When a text was published and changed: the sources of a page's times, and which of them to believe."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from crawler.cleaning import json_ld
from crawler.cleaning.dates import moment
from crawler.cleaning.marks import spelled
from crawler.cleaning.statements import Statements, labelled, pieces, stated
from crawler.items import Evidence, Moment
from crawler.text import words

PUBLISHED = tuple(
    map(
        spelled,
        words(
            "article:published_time og:article:published_time og:published_time article:published datepublished "
            "parsely-pub-date sailthru.date dc.date.issued dcterms.issued dcterms.created dcterms.date dc.date "
            "dc.date.created date pubdate publish-date publishdate publication_date cxenseparse:recs:publishtime "
            "og:pubdate article_date_original created originalpublicationdate rnews:datepublished datecreated "
            "citation_publication_date ptime displaydate"
        ),
    )
)
"""Names of `meta` elements that state when a text was published, the surest first."""
MODIFIED = tuple(
    map(
        spelled,
        words(
            "article:modified_time og:updated_time og:article:modified_time article:modified datemodified lastmod "
            "last-modified dcterms.modified dc.date.modified date_modified"
        ),
    )
)
LABELS = frozenset(
    words("date published datum veröffentlicht erschienen publié fecha publicado data pubblicato dato julkaistu tarih")
)
"""Words that stand before the day of publication in a list of facts about a text."""
CHANGED = re.compile(r"updat|aktualis|mis à jour|actualiz|aggiorn|güncelle|обновл|zmodyf|opdater|oppdater", re.I)
"""Words that tell that a date shown is a later change's."""
STATED_TIMES = 10
"""Times kept as evidence for one field: a live blog states hundreds."""
DATED_ELEMENTS = 10
"""Elements whose class speaks of a date, looked at where nothing else states one: further down stand other stories."""
IN_URL = re.compile(r"/((?:19|20)\d\d)[/-]?(0[1-9]|1[0-2])[/-]?(0[1-9]|[12]\d|3[01])(?=[/_-])")
Offer = tuple[str, str]


def published(said: Statements, headline_at: int) -> tuple[Moment | None, tuple[Evidence, ...]]:
    """The time of publication and every source that has one. `headline_at` is the headline's place in the page."""
    found = _read(_published(said, headline_at))
    return _decided("published", found, found[0][1] if found else None)


def modified(said: Statements, since: Moment | None) -> tuple[Moment | None, tuple[Evidence, ...]]:
    """The time of the last change and every source that has one; none before `since` is believed."""
    found = _read(_modified(said))
    return _decided("modified", found, next((m for _, m in found if not _before(m, since)), None))


def _read(offered: Iterable[Offer]) -> list[tuple[str, Moment]]:
    """The offers that can be read as times. Texts and the address count only where nothing else does."""
    found: list[tuple[str, Moment]] = []
    for origin, raw in offered:
        if len(found) >= STATED_TIMES or (found and origin in ("text", "url")):
            break
        if raw and (m := moment(raw)):
            found.append((origin, m))
    return found


def _decided(
    name: str, found: list[tuple[str, Moment]], first: Moment | None
) -> tuple[Moment | None, tuple[Evidence, ...]]:
    """The first time, or a more precise one that shows the same clock; with the evidence."""
    best = _sharper(first, found) if first else None
    chosen = next((place for place, (_, m) in enumerate(found) if m is best), None)
    rows = [Evidence(field=name, origin=o, raw=m.raw, chosen=place == chosen) for place, (o, m) in enumerate(found)]
    return best, tuple(rows)


def _sharper(first: Moment, found: list[tuple[str, Moment]]) -> Moment:
    """A more precise time of the same day. Of `time` elements only the first counts: comments have them too."""
    if first.zoned:
        return first
    times = [m for origin, m in found if origin == "time"][:1]
    surer = [m for origin, m in found if origin != "time"] + times
    same = [m for m in surer if len(m.iso) > len(first.iso) and _same_clock(first, m)]
    return next((m for m in same if m.zoned), same[0] if same else first)


def _same_clock(first: Moment, other: Moment) -> bool:
    """True when both texts show the same day, and the same hour and minute as far as the first gives them."""
    shown = other.raw if other.zoned else other.iso
    return shown.replace("T", " ")[:16].startswith(first.iso.replace("T", " ")[:16])


def _before(change: Moment, since: Moment | None) -> bool:
    """True when a change is stated to be earlier than what it changed; days are compared where a zone is unknown."""
    if since is None:
        return False
    size = 20 if change.zoned and since.zoned else 10
    return change.iso[:size] < since.iso[:size]


def _published(said: Statements, headline_at: int) -> Iterator[Offer]:
    for text in said.ruled(said.parsed.rules.date):
        yield "rule", text
    yield from _json_ld(said, "datePublished")
    yield from _listed(said, PUBLISHED)
    yield from _items(said, "datePublished")
    for el in _nearest(said.marks.times, headline_at):
        yield "time", _not_a_change(stated(el))
    yield "text", ""
    for text in labelled(said.parsed.index, LABELS):
        yield "text", text
    for el in _nearest(said.shown.dated, headline_at)[:DATED_ELEMENTS]:
        yield "text", _not_a_change(" ".join(pieces(el)))
    for _, el in said.shown.bylines[:DATED_ELEMENTS]:
        for piece in pieces(el):
            yield "text", _not_a_change(piece)
    if match := IN_URL.search(said.parsed.url):
        yield "url", "-".join(match.groups())


def _modified(said: Statements) -> Iterator[Offer]:
    yield from _json_ld(said, "dateModified")
    yield from _listed(said, MODIFIED)
    yield from _items(said, "dateModified")


def _json_ld(said: Statements, prop: str) -> Iterator[Offer]:
    yield "json-ld", json_ld.text(said.article.get(prop))
    for node in said.nodes:
        if prop in node and node is not said.article and "comment" not in str(node.get("@type", "")).lower():
            yield "json-ld", json_ld.text(node[prop])


def _listed(said: Statements, names: tuple[str, ...]) -> Iterator[Offer]:
    for name, values in said.metas(names):
        for value in values[:STATED_TIMES]:
            yield f"meta {name}", value


def _items(said: Statements, prop: str) -> Iterator[Offer]:
    for el in said.marks.items.get(prop, ()):
        yield "microdata", stated(el)


def _nearest(placed: list[tuple[int, Any]], headline_at: int) -> list[Any]:
    """Elements behind the headline first, then those before it."""
    return [el for at, el in placed if at > headline_at] + [el for at, el in placed if at <= headline_at]


def _not_a_change(text: str) -> str:
    return "" if CHANGED.search(text[:80]) else text
