"""Pages that are no article, and why. In doubt a page is an article: a poor one is better than a lost one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from crawler.cleaning.body import Text
from crawler.cleaning.comments.find import FoundComments
from crawler.cleaning.index import Index
from crawler.cleaning.json_ld import ARTICLES
from crawler.cleaning.metadata import Metadata
from crawler.cleaning.page import Parsed
from crawler.items import Rejected

WALL = re.compile(
    r"just a moment|attention required|checking your browser|access (?:to this page has been )?denied|"
    r"are you (?:a )?(?:human|robot)|not a robot|"
    r"verify (?:that )?you are (?:a )?human|verifying you are human|pardon our interruption|captcha|"
    r"unusual traffic|ddos protection|"
    r"please (?:turn|enable) (?:on )?(?:javascript|js|cookies)|turn javascript on|"
    r"enable javascript and cookies|request unsuccessful|"
    r"security check|one more step|bot (?:detection|protection)|blocked by (?:cloudflare|incapsula)|"
    r"sucuri website firewall",
    re.I,
)
"""What walls against crawlers say, in their title or first words."""
ERROR = re.compile(
    r"^\W*(?:error\s*)?(?:403|404|410|500|502|503|504)\b|page (?:not found|cannot be found|does not exist|"
    r"unavailable)|(?:404|403|500)[ -]+(?:error|not found|forbidden)|"
    r"(?:seite|artikel) (?:wurde )?nicht gefunden|page (?:introuvable|non trouvée)|página no encontrada|"
    r"pagina non trovata|página não encontrada|"
    r"strona nie (?:została znaleziona|istnieje)|pagina niet gevonden|страница не найдена|not found\W*$|"
    r"(?:bad gateway|service unavailable|internal server error|gateway time-?out|database error|error establishing)",
    re.I,
)
SHORT = 1_500
"""Characters of text up to which a page whose title speaks of a wall or an error is one; longer ones write about it."""
STUB = 300
"""Characters of text up to which a page that sends its reader on is a redirect stub."""
NEXT_PAGE = re.compile(r"/page/\d+/?$|[?&]paged=\d|forumdisplay|[?&](?:cat|tag)=", re.I)
ARCHIVE = re.compile(
    r"/(?:category|categories|tag|tags|author|topics?|archives?|search|label)/|[?&](?:page|s|q)=|/forums?/?$", re.I
)
LISTING_CLASS = re.compile(
    r"(?:^|\s)(?:home|blog|archive|category|tag|paged|search|search-results|author|front|is-front|"
    r"forum-archive|post-type-archive)(?:\s|$)"
)
"""Classes that WordPress and its like give the body of a listing."""
SINGLE_CLASS = re.compile(r"(?:^|\s)(?:single|single-post|postid-\d+|page-node-\d+|page-id-\d+)(?:\s|$)")
LISTINGS = {"CollectionPage", "SearchResultsPage", "ItemList"}
LISTING_SCORE = 3
"""Weight of signals from which on a page is a listing: 16 of 25 open index pages reach it, 1 of 760 open articles."""


@dataclass(frozen=True)
class Look:
    """What the signals look at."""

    parsed: Parsed
    said: Metadata
    text: Text
    found: FoundComments

    @cached_property
    def headings(self) -> int:
        """Headings that are links: on a listing each leads to an article."""
        index = self.parsed.index
        found = [place for tag in ("h1", "h2", "h3", "h4") for place in index.tagged.get(tag, ())]
        return sum(index.tags[index.parents[place]] == "a" or "a" in _tags_in(index, place) for place in found)

    @cached_property
    def articles(self) -> int:
        """`article` elements that stand in no other."""
        index, count, end = self.parsed.index, 0, -1
        for place in index.tagged.get("article", ()):
            if place > end:
                count, end = count + 1, index.ends[place]
        return count

    @cached_property
    def paragraphs(self) -> list[int]:
        """Lengths of the text's paragraphs."""
        return [len(p.text) for p in self.text.pieces if p.kind not in ("heading", "caption", "row")]

    @cached_property
    def long_paragraphs(self) -> int:
        """Paragraphs of more than a hundred characters."""
        return sum(size > 100 for size in self.paragraphs)

    @cached_property
    def body_class(self) -> str:
        """The class of the page's body."""
        return next((body.get("class") or "" for body in self.parsed.index.by_tag("body")), "")


HEADINGS = 8, 15
"""Headings that are links, and twice as many about: a listing's."""
TEASERS = 4, 8
"""`article` elements side by side: a listing has one for each teaser, a page of one text has some for other stories."""
TEXT_PARAGRAPHS, LONGEST_PARAGRAPH = 3, 500
"""Long paragraphs, and the characters of one, that speak for a text."""


def _further_page(look: Look) -> bool:
    return NEXT_PAGE.search(look.parsed.url) is not None


def _archive(look: Look) -> bool:
    return ARCHIVE.search(look.parsed.url) is not None and not _further_page(look)


def _home(look: Look) -> bool:
    parts = urlsplit(look.parsed.url)
    return bool(look.parsed.url) and parts.path in ("", "/") and not parts.query


def _classed_as_listing(look: Look) -> bool:
    return LISTING_CLASS.search(look.body_class) is not None


def _typed_as_listing(look: Look) -> bool:
    return not LISTINGS.isdisjoint(look.said.types)


def _some_headings(look: Look) -> bool:
    return look.headings >= HEADINGS[0]


def _many_headings(look: Look) -> bool:
    return look.headings >= HEADINGS[1]


def _some_teasers(look: Look) -> bool:
    return look.articles >= TEASERS[0]


def _many_teasers(look: Look) -> bool:
    return look.articles >= TEASERS[1]


def _no_long_paragraph(look: Look) -> bool:
    return look.long_paragraphs == 0


def _typed_as_article(look: Look) -> bool:
    return bool(look.said.types & ARTICLES) or "og:article" in look.said.types


def _classed_as_article(look: Look) -> bool:
    return SINGLE_CLASS.search(look.body_class) is not None


def _dated(look: Look) -> bool:
    return look.said.published is not None


def _long_paragraphs(look: Look) -> bool:
    return look.long_paragraphs >= TEXT_PARAGRAPHS


def _one_very_long(look: Look) -> bool:
    return max(look.paragraphs, default=0) > LONGEST_PARAGRAPH


def _answered(look: Look) -> bool:
    return bool(look.found.comments) or look.found.first_post is not None


Signal = tuple[int, Callable[[Look], bool]]
SIGNALS: tuple[Signal, ...] = (
    (3, _further_page),
    (2, _archive),
    (2, _home),
    (2, _classed_as_listing),
    (2, _typed_as_listing),
    (1, _some_headings),
    (1, _many_headings),
    (1, _some_teasers),
    (1, _many_teasers),
    (1, _no_long_paragraph),
    (-2, _typed_as_article),
    (-1, _classed_as_article),
    (-1, _dated),
    (-1, _long_paragraphs),
    (-1, _one_very_long),
    (-5, _answered),
)
"""What speaks for a listing and what against it, weighed on the open pages."""


def refusal(parsed: Parsed, said: Metadata, text: Text, found: FoundComments) -> Rejected | None:
    """Why the page is no article; None when it is one."""
    title = f"{said.title[:300]} {said.headline}"
    if text.size <= SHORT and (WALL.search(title) or (text.size <= STUB and WALL.search(_first_words(parsed)))):
        return Rejected(reason="bot wall", detail=said.headline)
    if text.size <= SHORT and not found.comments and (ERROR.search(said.headline) or ERROR.search(title)):
        return Rejected(reason="error page", detail=said.headline)
    if text.size <= STUB and "url=" in (target := _refresh(parsed)).lower():
        return Rejected(reason="redirect stub", detail=target[:200])
    if not text.pieces and not found.comments:
        return Rejected(reason="no text")
    look = Look(parsed, said, text, found)
    score = sum(weight for weight, signal in SIGNALS if signal(look))
    return Rejected(reason="index page", detail=f"score {score}") if score >= LISTING_SCORE else None


def _tags_in(index: Index, place: int) -> list[str]:
    return index.tags[place + 1 : index.ends[place] + 1]


def _refresh(parsed: Parsed) -> str:
    """Where the page sends its reader on to, with the seconds before it."""
    metas = parsed.index.by_tag("meta")
    return next((el.get("content", "") for el in metas if el.get("http-equiv", "").lower() == "refresh"), "")


def _first_words(parsed: Parsed) -> str:
    """The first words of the page, scripts left out."""
    words: list[str] = []
    for el in parsed.root.iter("h1", "h2", "h3", "p", "span", "noscript"):
        words.append(" ".join(el.itertext()))
        if len(words) >= 10:
            break
    return " ".join(words)[:SHORT]
