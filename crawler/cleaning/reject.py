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

    @cached_property
    def declared(self) -> bool:
        """True when the page calls itself an article."""
        return bool(self.said.types & ARTICLES) or "og:article" in self.said.types


Signal = tuple[int, Callable[[Look], bool]]
SIGNALS: tuple[Signal, ...] = (
    (3, lambda p: bool(NEXT_PAGE.search(p.parsed.url))),
    (2, lambda p: bool(ARCHIVE.search(p.parsed.url)) and not NEXT_PAGE.search(p.parsed.url)),
    (2, lambda p: _is_home(p.parsed.url)),
    (2, lambda p: bool(LISTING_CLASS.search(p.body_class))),
    (2, lambda p: bool(p.said.types & LISTINGS)),
    (1, lambda p: p.headings >= 8),
    (1, lambda p: p.headings >= 15),
    (1, lambda p: p.articles >= 4),
    (1, lambda p: p.articles >= 8),
    (1, lambda p: p.long_paragraphs == 0),
    (-2, lambda p: p.declared),
    (-1, lambda p: bool(SINGLE_CLASS.search(p.body_class))),
    (-1, lambda p: p.said.published is not None),
    (-1, lambda p: p.long_paragraphs >= 3),
    (-1, lambda p: max(p.paragraphs, default=0) > 500),
    (-5, lambda p: bool(p.found.comments) or p.found.first_post is not None),
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


def _is_home(url: str) -> bool:
    parts = urlsplit(url)
    return bool(url) and parts.path in ("", "/") and not parts.query


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
