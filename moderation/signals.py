"""The clues: a small function each, which says where it fired and why. What a clue weighs is the policy's business."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from crawler.items import Comment, Context, Link
from moderation.finding import LINKS
from moderation.hosts import ip_address, messengers, shorteners
from moderation.tables import read_rows

MANY = 3
"""Links from which a comment has many; WordPress holds a comment from two on."""
SHOUT_LETTERS = 20
"""Fewer letters are an abbreviation or a cheer."""
SHOUT_SHARE = 0.7
"""Capitals among the letters of a comment that shouts; headlines in capitals have more, names in prose far fewer."""
MARKS = re.compile(r"[!?]{4,}|\${3,}")
SCRIPTS = ("javascript:", "data:", "vbscript:")
NOTE_CHARACTERS = 80
"""What a reviewer can take in at a glance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clues:
    """All that a signal may look at."""

    comment: Comment
    context: Context
    links: tuple[Link, ...]
    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fired:
    """Where a signal fired, in the comment's text, and what a reviewer should know."""

    start: int = 0
    end: int = 0
    note: str = ""


Signal = Callable[[Clues], Iterator[Fired]]


def link(clues: Clues) -> Iterator[Fired]:
    """A link in the text or behind words of it that no rule lets pass."""
    for found in _held(clues):
        if found.place != "author":
            yield _at(found, _shown(found))


def author_link(clues: Clues) -> Iterator[Fired]:
    """The author's own URL field."""
    for found in _held(clues):
        if found.place == "author":
            yield _at(found, f"the author's address: {_short(found.url)}")


def own_site(clues: Clues) -> Iterator[Fired]:
    """A link on the source's own site."""
    for found in clues.links:
        if _own(found, clues.context):
            yield _at(found, f"{found.host} is the site itself")


def allowed_domain(clues: Clues) -> Iterator[Fired]:
    """A link that a rule lets pass."""
    for found in clues.links:
        if under(found, clues.allow) and not under(found, clues.deny):
            yield _at(found, f"{found.domain} is allowed")


def denied_domain(clues: Clues) -> Iterator[Fired]:
    """A link to a domain on the deny list."""
    for found in clues.links:
        if under(found, clues.deny):
            yield _at(found, f"{found.domain} is denied")


def disguised_link(clues: Clues) -> Iterator[Fired]:
    """A link that is written so that filters miss it."""
    for found in _held(clues):
        if found.disguise:
            yield _at(found, f"{found.disguise}: {_shown(found)}")


def shortener(clues: Clues) -> Iterator[Fired]:
    """A link that leads wherever its maker wants."""
    for found in _held(clues):
        if found.host in shorteners() or found.domain in shorteners():
            yield _at(found, f"{found.host} hides where it leads")


def text_href_mismatch(clues: Clues) -> Iterator[Fired]:
    """Words that name one site over a link to another."""
    texts = [found for found in clues.links if found.place == "text" and found.domain]
    for found in _held(clues):
        named = [t for t in texts if found.place == "href" and _covers(found, t) and t.domain != found.domain]
        for other in named[:1]:
            yield _at(found, f"says {_short(other.text)} -> {_short(found.url)}")


def hidden_link(clues: Clues) -> Iterator[Fired]:
    """An href without words."""
    for found in _held(clues):
        if found.place == "href" and found.start == found.end and found.host:
            yield _at(found, f"no visible text -> {_short(found.url)}")


def script_link(clues: Clues) -> Iterator[Fired]:
    """An address that runs code."""
    for found in clues.links:
        if found.url.lower().lstrip().startswith(SCRIPTS):
            yield _at(found, _short(found.url))


def ip_link(clues: Clues) -> Iterator[Fired]:
    """An IP address for a host."""
    for found in _held(clues):
        if ip_address(found.host):
            yield _at(found, f"the bare address {found.host}")


def messenger(clues: Clues) -> Iterator[Fired]:
    """An invitation to a channel or a chat."""
    for found in _held(clues):
        if {found.host, found.domain, _with_port(found.url)} & messengers():
            yield _at(found, _short(found.url))


def many_links(clues: Clues) -> Iterator[Fired]:
    """Three links and more, the author's own not counted; or so many that not all were looked at."""
    everything = len(clues.links)
    count = everything if everything >= LINKS else sum(found.place != "author" for found in _held(clues))
    if count >= MANY:
        yield Fired(note=f"{count} links")


def cited_by_article(clues: Clues) -> Iterator[Fired]:
    """A link to a site that the article cites too."""
    for found in _held(clues):
        if found.place != "author" and found.host and found.host in clues.context.article_hosts:
            yield _at(found, f"the article links to {found.host} too")


NUMBER = r"\+?\d[\d ()-]{6,18}\d"
CONTACT = re.compile(
    r"(?i)\b(?:whats ?app|wh?ats?ap|wasap|wapp|telegram|viber|kakao ?talk|wechat|kik|skype|signal|line id|snapchat)\b"
    r"(?:\W{0,3}\b(?:id|me|on|at|number|no|user(?:name)?|:)\b){0,2}\W{0,4}"
    rf"(?:@\w{{4,32}}|{NUMBER}|(?<=id: )\w{{4,32}})"
    rf"|\b(?:телеграм\w*|телег\w*|вотсап\w*|ватсап\w*|вайбер\w*|тг)\W{{1,4}}(?:@\w{{4,32}}|{NUMBER})"
    r"|(?<![\w.+-])[\w.+-]{1,64}\s?(?:@|[\[(]at[\])])\s?[\w-]{1,63}(?:\.[\w-]{1,63}){0,3}\.[a-z]{2,24}\b"
)
"""An account or a number behind the name of a messenger, or an e-mail address."""


def contact(clues: Clues) -> Iterator[Fired]:
    """A call to write to an account, a number or an e-mail address."""
    for found in CONTACT.finditer(clues.comment.text):
        yield Fired(found.start(), found.end(), _short(found[0]))


def spam_phrase(clues: Clues) -> Iterator[Fired]:
    """A phrase that sells."""
    for found in phrases().finditer(clues.comment.text):
        yield Fired(found.start(), found.end(), _short(found[0]))


def shouting(clues: Clues) -> Iterator[Fired]:
    """Mostly capitals, or rows of marks."""
    text = clues.comment.text
    letters = sum(map(str.isalpha, text))
    if letters >= SHOUT_LETTERS and sum(map(str.isupper, text)) >= SHOUT_SHARE * letters:
        yield Fired(note="mostly capitals")
    elif marks := MARKS.search(text):
        yield Fired(marks.start(), marks.end(), _short(marks[0]))


def known_spam_domain(clues: Clues) -> Iterator[Fired]:
    """A link to a domain for which people found another comment spam."""
    for found in _held(clues):
        if found.domain in clues.context.domain_spam:
            yield _at(found, f"{found.domain} was in a comment that a person found spam")


def known_good_domain(clues: Clues) -> Iterator[Fired]:
    """A link to a domain with which people found another comment ok, and none spam."""
    for found in _held(clues):
        if found.place != "author" and found.domain in clues.context.domain_ok - clues.context.domain_spam:
            yield _at(found, f"{found.domain} was in a comment that a person found ok")


def known_spammer(clues: Clues) -> Iterator[Fired]:
    """A name under which people found other comments spam."""
    if clues.context.author_spam:
        yield Fired(note=f"{clues.context.author_spam} comments under this name were spam")


def same_text_elsewhere(clues: Clues) -> Iterator[Fired]:
    """The very same text under other articles."""
    if clues.context.same_text:
        yield Fired(note=f"posted {clues.context.same_text} more times, under other articles")


def edited_after_decision(clues: Clues) -> Iterator[Fired]:
    """A text that changed after a person had decided."""
    if clues.context.decided_before:
        yield Fired(note=f"decided as {clues.context.decided_before} before this edit")


SIGNALS: tuple[Signal, ...] = (
    denied_domain,
    known_spam_domain,
    script_link,
    text_href_mismatch,
    disguised_link,
    link,
    author_link,
    hidden_link,
    ip_link,
    many_links,
    shortener,
    messenger,
    contact,
    edited_after_decision,
    same_text_elsewhere,
    known_spammer,
    spam_phrase,
    shouting,
    cited_by_article,
    known_good_domain,
    own_site,
    allowed_domain,
)
"""Every signal, the gravest first."""


@cache
def phrases() -> re.Pattern[str]:
    """All spam phrases as one pattern."""
    rows = sorted((row[0] for row in read_rows("spam_phrases.txt")), key=len, reverse=True)
    words = "|".join(re.escape(row).replace(r"\ ", r"\s") for row in rows)
    return re.compile(rf"(?i)(?<!\w)(?:{words})(?!\w)")


def under(found: Link, domains: frozenset[str]) -> bool:
    """Is the link's host one of these domains, or below one?"""
    if not domains or not found.host:
        return False
    labels = found.host.split(".")
    return any(".".join(labels[i:]) in domains for i in range(len(labels)))


def _held(clues: Clues) -> list[Link]:
    """The links that no rule lets pass."""
    return [
        found
        for found in clues.links
        if under(found, clues.deny) or not (_own(found, clues.context) or under(found, clues.allow))
    ]


def _own(found: Link, context: Context) -> bool:
    if not found.host or not found.url.lower().startswith(("http:", "https:")):
        return False
    bare = frozenset(host.removeprefix("www.") for host in context.own_hosts)
    return under(found, bare) or _with_port(found.url) in context.own_hosts


def _with_port(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower().rpartition("@")[2]
    except ValueError:
        return ""


def _covers(href: Link, text: Link) -> bool:
    return href.start <= text.start and text.end <= href.end


def _at(found: Link, note: str) -> Fired:
    return Fired(found.start, found.end, note)


def _shown(found: Link) -> str:
    if found.text in (found.url, ""):
        return _short(found.url)
    if found.disguise or found.place == "href":
        return f"says {_short(found.text)!r} -> {_short(found.host or found.url)}"
    return _short(found.text)


def _short(text: str) -> str:
    return text if len(text) <= NOTE_CHARACTERS else text[: NOTE_CHARACTERS - 1] + "…"
