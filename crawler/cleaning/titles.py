"""The headline's sources, and which of them to believe."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from crawler import limits
from crawler.cleaning import headline, json_ld
from crawler.cleaning.headline import key
from crawler.cleaning.marks import spelled
from crawler.cleaning.statements import Statements, pieces
from crawler.text import line, words

HEADLINES = tuple(
    map(spelled, words("og:title twitter:title dc.title parsely-title sailthru.title title headline cxenseparse:title"))
)
H1S = 5
"""`h1` elements looked at: more stand on index pages and beside players."""
KICKERS = words("kicker overline eyebrow roofline topline dachzeile supertitle uptitle surtitre occhiello antetitulo")
"""Parts of class names that mark the line above a headline."""
WITNESSES = 3
"""Sources that must agree on a longer headline before it is believed against JSON-LD."""
ALIKE = 0.5
"""Share of a meta headline's words that the `h1` has, from which on both are spellings of one headline."""
TRAIL = "breadcrumb"
"""What an element says somewhere that holds the way from the front page to this one."""
TRAIL_LEVELS = 4
"""Elements round an `h1` that are asked whether they are such a trail."""
BEHIND_TRAIL = 3
"""`h2` elements behind a trail among which the headline shown is looked for: a rubric may come first."""
Offer = tuple[str, str]
"""An origin and its spelling of the headline."""


def site_names(said: Statements) -> Iterator[Offer]:
    """The site's name as the page states it, else what the title has behind the headline shown."""
    publisher = json_ld.text(said.article.get("publisher"))
    yield "meta og:site_name", said.meta("og:site:name")
    yield "json-ld", "" if "://" in publisher else publisher
    yield "meta application-name", said.meta("application:name")
    yield "title", _behind_headline(said)


def offered(said: Statements) -> list[Offer]:
    """Every source's spelling of the headline without the site's name, the most trusted source first."""
    return [
        (origin, text)
        for origin, raw in _raw(said)
        if key(text := line(raw) if origin == "h1" else headline.without_site(raw, said.site_name, said.host))
    ]


def chosen(said: Statements) -> Offer:
    """The offer to believe: JSON-LD's before the rest, save where the page itself shows it to be cut or decorated."""
    if not said.headlines:
        return "", ""
    first = said.headlines[0]
    if first[0] == "rule":
        return first
    best = _alternative(said) or _with_kicker(said.headlines) or _of_the_page(said.headlines) or first
    return _without_kicker(said, best) or _under_trail(said, best) or _shown(said.headlines, best)


def _raw(said: Statements) -> Iterator[Offer]:
    for text in said.ruled(said.parsed.rules.headline):
        yield "rule", text
    yield "json-ld", json_ld.text(said.article.get("headline") or said.article.get("name"))
    for name in HEADLINES:
        yield f"meta {name}", said.meta(name)
    for text in said.item_texts("headline"):  # behind the others: it marks subtitles and other texts' headlines too
        yield "microdata", text
    for _, h1 in said.marks.h1s[:H1S]:
        yield "h1", "".join(h1.itertext())
    yield "title", said.marks.title


def _behind_headline(said: Statements) -> str:
    title = line(said.marks.title, limits.HEADLINE_CHARACTERS)
    shown = (line("".join(h.itertext()), limits.HEADLINE_CHARACTERS) for _, h in islice(said.marks.h1s, 2))
    rest = next((title.removeprefix(h) for h in shown if headline.extends(title, h) and title.startswith(h)), "")
    return headline.DIVIDERS.split(f" {rest}")[-1].strip() if rest else ""


def _alternative(said: Statements) -> Offer | None:
    """JSON-LD's second headline, where it is the one that the page shows and the first is shown nowhere."""
    other = key(json_ld.text(said.article.get("alternativeHeadline")))
    shown = {key(text) for origin, text in said.headlines if origin == "h1"}
    if not other or other not in shown or key(said.headlines[0][1]) in shown:
        return None
    return next((offer for offer in said.headlines if key(offer[1]) == other), None)


def _with_kicker(offers: list[Offer]) -> Offer | None:
    """The longer headline that title, `h1` and meta agree on, where JSON-LD has only its last part."""
    if offers[0][0] != "json-ld":
        return None
    last = key(offers[0][1])
    others = [(o, t) for o, t in offers[1:] if o in ("meta og:title", "h1", "title")]
    longer = {key(t) for _, t in others if key(t) != last and key(t).endswith(last)}
    agreeing = [offer for offer in others if {key(offer[1])} == longer]
    return agreeing[0] if len({o for o, _ in agreeing}) >= WITNESSES else None


def _of_the_page(offers: list[Offer]) -> Offer | None:
    """The `h1` that the title repeats, where there is no JSON-LD and the meta element speaks of something else."""
    if not offers[0][0].startswith("meta"):
        return None
    titles = {key(text) for origin, text in offers if origin == "title"}
    h1 = next((offer for offer in offers if offer[0] == "h1" and key(offer[1]) in titles), None)
    if h1 is None:
        return None
    stated, shown = words(offers[0][1].casefold()), set(words(h1[1].casefold()))
    return h1 if sum(word in shown for word in stated) < ALIKE * len(stated) else None


def _without_kicker(said: Statements, best: Offer) -> Offer | None:
    """The part of an `h1` that is no kicker, where the best offer puts another label before it than the page shows."""
    for _, h1 in said.marks.h1s[:H1S]:
        above = next((el for el in h1 if _is_kicker(el)), None)
        if above is None:
            continue
        rest = line(" ".join(t for el in h1 if el is not above for t in pieces(el) if key(t)))
        label = best[1].removesuffix(rest)
        if (
            len(rest) >= headline.SHORTEST
            and label != best[1]
            and key(label) not in ("", key(line(" ".join(pieces(above)))))
        ):
            return "h1", rest
    return None


def _is_kicker(el: Any) -> bool:
    stated = (el.get("class") or "").lower()
    return any(part in stated for part in KICKERS)


def _under_trail(said: Statements, best: Offer) -> Offer | None:
    """The title for sharing that an `h2` shows, where the best offer is but the `h1` of a breadcrumb, as search engines
    are to have it: what readers see as the headline then stands below."""
    own = key(best[1])
    ends = (_trail_end(said, at) for at, h1 in said.marks.h1s[:H1S] if key("".join(h1.itertext())) == own)
    end = next((end for end in ends if end), 0)
    below = [key(text) for text in _second_headings(said, end)] if end else []
    if any(own.endswith(shown) or shown.endswith(own) for shown in below):
        return None
    shared = (offer for offer in said.headlines if offer[0] == "meta og:title")
    return next((offer for offer in shared if any(shown.endswith(key(offer[1])) for shown in below)), None)


def _trail_end(said: Statements, place: int) -> int:
    """The last place of the trail that an `h1` stands in; 0 for one that stands in none."""
    index = said.parsed.index
    for above in islice(index.chain(place), 1, 1 + TRAIL_LEVELS):
        if index.tags[above] in ("article", "main", "body", "html"):
            break
        if index.tags[above] == "nav" or any(TRAIL in value.lower() for value in index.elements[above].values()):
            return index.ends[above]
    return 0


def _second_headings(said: Statements, behind: int) -> list[str]:
    """The texts of the first `h2` elements behind a place that are long enough for a headline."""
    index = said.parsed.index
    places = islice((at for at in index.tagged.get("h2", ()) if at > behind), BEHIND_TRAIL)
    texts = (" ".join(pieces(index.elements[at])) for at in places)
    return [text for text in texts if len(text) >= headline.SHORTEST]


def _shown(offers: list[Offer], best: Offer) -> Offer:
    """The `h1`, where the best offer is the same with something divided off, unless two sources have that too."""
    text = best[1]
    for origin, shown in offers:
        if origin == "h1" and headline.extends(text, shown):
            same = [o for o in offers if o[0] != best[0] and key(o[1]) == key(text)]
            if best[0] != "json-ld" or not same:
                return origin, shown
            return same[0] if " - " in text else best
    return best
