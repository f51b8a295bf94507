"""Who wrote a text: the sources that name its authors, and which of them to believe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from crawler import limits
from crawler.cleaning import authors, json_ld, marks
from crawler.cleaning.headline import key
from crawler.cleaning.index import Index
from crawler.cleaning.marks import spelled
from crawler.cleaning.statements import Statements, labelled, pieces, shown
from crawler.items import Evidence
from crawler.text import line, words

AUTHORS = tuple(
    map(
        spelled,
        words(
            "author article:author parsely-author sailthru.author dc.creator dcterms.creator byl article:author_name "
            "cxenseparse:author citation_author articleauthor twitter:misc:written:by twitter:data1 twitter:data2"
        ),
    )
)
"""Names of `meta` elements that state an author, the surest first."""
WRITER_LABEL = re.compile(r"\b(?:by|von|par|por|da|di|door|av|af|yazan|author|autor\w*|auteur)\b|작성|作者", re.I)
"""What `twitter:label1` says where `twitter:data1` is an author: else it is the time that reading takes."""
ADDRESS = 300
"""Characters of an address looked at."""
ACCOUNT = re.compile(r"/author/(?:\w{0,12}admin\w{0,12}|editors?|staff|webmaster|redaktion|newsroom)/?$", re.I)
"""Addresses of accounts that whole newsrooms write with."""
BYLINE_CHARACTERS = 150
BYLINE_PIECES = 12
BYLINE_ELEMENTS = 12
WITNESSES = 2
"""Bylines read where JSON-LD alone names the authors: they are evidence then, and decide nothing."""
SURE = ("rule", "json-ld")
"""Sources that are believed whatever else a page says."""
MISSES = 2
"""Pieces of a byline that may name nobody before one that does: a photograph's text, a rubric."""
ROUND = 6
"""Elements round a byline that are asked whether it is another text's."""
ELSEWHERE = frozenset(words("nav figure figcaption blockquote"))
ASIDE = frozenset(words("aside footer"))
"""Elements that hold a byline only inside an `article`."""
ELSEWHERE_CLASSES = words("comment related recommend sidebar most-read popular latest quote zitat embed")
LABELS = frozenset(words("author authors autor autorin autorin/autor autor/in auteur auteurs autore autores penulis"))
"""Words that stand before a text's author in a list of facts about it."""
NEAR = 250
"""Elements behind the headline within which a name is a byline that nothing but its class marks."""
TOGETHER = 12
"""Elements between two bylines of one text, where each author has an element."""
FIRST_PARAGRAPHS = 6
"""Paragraphs looked at for a name that stands alone above the text."""


@dataclass(frozen=True, slots=True)
class Named:
    """The authors that one source names."""

    origin: str
    raw: str
    names: tuple[str, ...]


def authors_of(said: Statements, headline_at: int) -> tuple[tuple[str, ...], tuple[Evidence, ...]]:
    """The authors, and every source that names some. `headline_at` is the headline's place in the page."""
    own = _own(said)
    found = _sources(said, own, headline_at)
    best = _believed(found)
    rows = [
        Evidence(
            field="authors",
            origin=n.origin,
            raw=line(n.raw, limits.HEADLINE_CHARACTERS),
            chosen=n is best,
        )
        for n in found
    ]
    if best:
        return best.names, tuple(rows)
    return _last_resort(said, own)


def _own(said: Statements) -> tuple[str, ...]:
    """The names of the site itself: it writes nothing."""
    label = said.host.partition(".")[0]
    return (said.site_name, json_ld.text(said.article.get("publisher")), said.host, label)


def _believed(found: list[Named]) -> Named | None:
    """The first source; a later one where the byline shown speaks for it against a `meta` element."""
    if not found:
        return None
    best = found[0]
    if not best.origin.startswith("meta"):
        return best
    bylines = [n for n in found if n.origin == "byline"]
    if fuller := next((n for n in bylines if _keys(best) < _keys(n)), None):
        return fuller
    metas = [n for n in found if n.origin.startswith("meta")]
    return next((m for m in metas if any(_keys(m) & _keys(n) for n in bylines)), best)


def _keys(named: Named) -> set[str]:
    return set(map(key, named.names))


def _sources(said: Statements, own: tuple[str, ...], headline_at: int) -> list[Named]:
    found = [named for named in _stated(said, own) if named.names]
    if _is_settled(found):
        return found
    alone = bool(found) and found[0].origin in SURE
    return found + [n for n in _shown(said, own, headline_at, WITNESSES if alone else BYLINE_ELEMENTS) if n.names]


def _is_settled(found: list[Named]) -> bool:
    """True where another source names the authors that the surest does: a byline could only say it again."""
    return bool(found) and found[0].origin in SURE and any(_keys(n) == _keys(found[0]) for n in found[1:])


def _stated(said: Statements, own: tuple[str, ...]) -> Iterator[Named]:
    """What is stated for machines, the surest first."""
    ruled = said.ruled(said.parsed.rules.author)
    yield Named("rule", "; ".join(ruled), authors.people(ruled, own))
    listed = _listed(said, own)
    yield Named("json-ld", "; ".join(listed), authors.people(listed, own))
    for name, values in said.metas(AUTHORS):
        if not name.startswith("twitter:data") or WRITER_LABEL.search(said.meta(name.replace("data", "label"))):
            yield Named(f"meta {name}", "; ".join(values), authors.names(values, own))
    for el in islice(said.marks.items.get("author", ()), BYLINE_ELEMENTS):
        yield _microdata(el, own)


def _microdata(el: Any, own: tuple[str, ...]) -> Named:
    """An element that is said to be the author; a short code is one too where nothing but that is said."""
    inner = [i for i in el.iter("span", "a", "meta", "div", "b") if "name" in (i.get("itemprop") or "").split()]
    texts = [(i.get("content") or shown(i))[:BYLINE_CHARACTERS] for i in inner]
    if not texts:
        texts = [(el.get("content") or shown(el))[:BYLINE_CHARACTERS]]
    lenient = len(el) == 0 and el.tag in ("span", "a")
    names = authors.people(texts, own) if lenient else authors.names(texts, own)
    return Named("microdata", "; ".join(texts), names)


def _shown(said: Statements, own: tuple[str, ...], headline_at: int, most: int) -> Iterator[Named]:
    """The bylines that readers see, `most` of each kind, those behind the headline first; neighbours are one."""
    index = said.parsed.index
    behind = [(at, el) for at, el in said.shown.bylines if at > headline_at][:most]
    before = [(at, el) for at, el in said.shown.bylines if at <= headline_at][:most]
    near = marks.near_headline(index) if most > WITNESSES else ()
    spoken = [(at, el) for at, el, text in near if at > headline_at and authors.has_lead(text)]
    group: list[tuple[int, str, tuple[str, ...]]] = []
    for at, el in [*behind, *spoken[:most], *before]:
        if _is_elsewhere(index, at):
            continue
        parts = pieces(el)
        text = " ".join(parts)[:BYLINE_CHARACTERS]
        far = headline_at and _is_far(at - headline_at, text)
        names = () if far else _read(el, parts, own, marked=(at, el) not in spoken)
        if not names:
            continue
        if group and not 0 <= at - group[-1][0] <= TOGETHER:
            yield _joined(group)
            group = []
        group.append((at, text, names))
    if group:
        yield _joined(group)


def _joined(group: list[tuple[int, str, tuple[str, ...]]]) -> Named:
    """Bylines that stand together as one, each text and each name once."""
    texts = dict.fromkeys(text for _, text, _ in group)
    return Named("byline", "; ".join(texts), authors.people(n for _, _, names in group for n in names))


def _is_far(distance: int, text: str) -> bool:
    """True for a name too far behind the headline to be a byline, unless it says that it is one."""
    return distance > NEAR and not authors.has_lead(text)


def _is_elsewhere(index: Index, place: int) -> bool:
    """True in a sidebar, a picture's caption, a quotation, a comment, a list of other texts."""
    aside = False
    for above in islice(index.chain(place), ROUND):
        tag, stated = index.tags[above], index.classes[above].lower()
        if tag == "body":
            break
        if tag in ELSEWHERE or any(part in stated for part in ELSEWHERE_CLASSES):
            return True
        aside = (aside or tag in ASIDE) and tag != "article"
    return aside


def _read(el: Any, parts: list[str], own: tuple[str, ...], *, marked: bool) -> tuple[str, ...]:
    """The names in a byline, part by part, up to the first part that names nobody."""
    links = [a for a in el.iter("a") if marks.names_author(a)]
    if any(_is_account(a.get("href"), shown(a), own) for a in links):
        return ()
    linked = {shown(a) for a in links}
    found: list[str] = []
    led, misses = False, 0
    for piece in parts[:BYLINE_PIECES]:
        text = authors.without_joint(authors.before_digits(piece[: 2 * BYLINE_CHARACTERS]))
        if authors.is_credit(text) or (authors.is_job(text) if found else authors.is_job_first(text)):
            break
        if authors.is_lead(text):
            led = led or any(c.isalpha() for c in text)
            continue
        alone = not found and (text in linked or (marked and (led or authors.has_lead(text))))
        got = _spoken(text, own, led=led, alone=alone)
        if not got and (found or misses >= MISSES):
            break
        misses += not got
        found += got
    return authors.people(found)


def _spoken(text: str, own: tuple[str, ...], *, led: bool, alone: bool) -> tuple[str, ...]:
    """The names in one piece. A single word is one only where it stands `alone` behind the word for by, or in a link
    to an author; or where it is an agency's."""
    if len(text) > BYLINE_CHARACTERS or not (led or alone or authors.is_byline(text)):
        return ()
    led = led or authors.has_lead(text)
    names = (n for n in authors.names([text], own) if authors.is_shown_name(n))
    return tuple(n for n in names if len(n.split()) > 1 or alone or (led and authors.is_short_name(n)))


def _listed(said: Statements, own: tuple[str, ...] = ()) -> list[str]:
    """The names of the article's authors in JSON-LD, references to other nodes followed; without the accounts of
    newsrooms where the site's `own` names are given."""
    stated = said.article.get("author") or said.article.get("creator") or ()
    by_id = {n["@id"]: n for n in said.nodes if n.get("name") and isinstance(n.get("@id"), str)}
    items = stated if isinstance(stated, list) else [stated]
    nodes = [by_id.get(str(a.get("@id")), a) if isinstance(a, dict) else a for a in items]
    return [_author_name(n) for n in nodes if not (own and _is_newsroom(n, own))]


def _is_newsroom(node: Any, own: tuple[str, ...]) -> bool:
    return isinstance(node, dict) and any(_is_account(node.get(k), _author_name(node), own) for k in ("@id", "url"))


def _is_account(address: Any, name: str, own: tuple[str, ...]) -> bool:
    """True for the account that a whole newsroom writes with: its address says so, and its name has a word of the
    site's. A blog's only author may well be its administrator, under a name of their own."""
    if not isinstance(address, str) or not ACCOUNT.search(address[:ADDRESS]):
        return False
    sites = {word for n in own for word in n.casefold().replace(".", " ").split()}
    return not sites.isdisjoint(name.casefold().split())


def _author_name(item: Any) -> str:
    if not isinstance(item, dict):
        return json_ld.text(item)
    name = item.get("name")
    if isinstance(name, list):
        return "; ".join(filter(None, map(json_ld.text, name)))
    return json_ld.text(name) or " ".join(
        filter(None, (json_ld.text(item.get("givenName")), json_ld.text(item.get("familyName"))))
    )


def _last_resort(said: Statements, own: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Evidence, ...]]:
    """Where a page credits nobody but itself: a name that stands alone above its text, else its own name."""
    listed = [*_listed(said), *said.marks.metas.get("author", ())]
    itself = authors.people(listed)[:1]
    alone = next(_labelled(said, own), None) or (next(_alone(said, own), None) if itself else None)
    if not itself and not alone:
        return (), ()
    chosen = alone or itself
    rows = [Evidence(field="authors", origin="byline", raw="; ".join(alone), chosen=True)] if alone else []
    if itself:
        rows.append(Evidence(field="authors", origin="stated", raw=line("; ".join(listed), 500), chosen=not alone))
    return chosen, tuple(rows)


def _labelled(said: Statements, own: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Names that stand behind a label, as in `<strong>Autor</strong> Ann Lee`."""
    for text in labelled(said.parsed.index, LABELS):
        if found := authors.names([text[:BYLINE_CHARACTERS]], own):
            yield found


def _alone(said: Statements, own: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Paragraphs that hold a name in bold and nothing else, above the first that runs."""
    filled = (p for p in said.parsed.index.by_tag("p") if len(shown(p)) > 1)
    for p in islice(filled, FIRST_PARAGRAPHS):
        text = shown(p)
        bold = [el for el in p if el.tag in ("strong", "b")]
        if len(p) == 1 and bold and shown(bold[0]) == text and authors.is_whole_name(text):
            yield authors.names([text], own)
