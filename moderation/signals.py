"""The clues: a small function each, which says where it fired and why. What a clue weighs is the policy's business."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from urllib.parse import urlsplit

from crawler import limits
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
LONG_WORD, STEM = 6, 6
"""Letters from which a word says what a text is about, in any language, and letters of it that outlive its endings."""
SAID, TOPIC = 8, 50
"""Different such words that a comment, and an article, must have before it can be told that they share none. On saved
pages 5 in 100 such comments share none with their own article, and 34 in 100 with another one about defense."""
SYLLABLES = r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]"
"""Scripts in which a character is a syllable or a word; two neighbours say what a word of six letters says."""
UNSPACED = r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]"
"""Scripts of letters without spaces between words: Thai, Lao, Burmese, Khmer. Nothing is told of them."""
_SYLLABLES, _UNUSUAL = re.compile(f"{SYLLABLES}+"), re.compile(f"{SYLLABLES}|{UNSPACED}")
_WORD, _LONG_WORDS = re.compile(r"[^\W\d_]+"), re.compile(rf"[^\W\d_]{{{LONG_WORD},}}")


@dataclass(frozen=True, kw_only=True)
class Clues:
    """All that a signal may look at."""

    comment: Comment
    context: Context
    links: tuple[Link, ...]
    allow: frozenset[str] = frozenset()
    deny: frozenset[str] = frozenset()
    topic: frozenset[str] = frozenset()
    """`content_words` of the article; empty where they are not known."""

    @cached_property
    def held(self) -> tuple[Link, ...]:
        """The links that no rule lets pass."""
        return tuple(
            found
            for found in self.links
            if under(found, self.deny) or not (_own(found, self.context) or under(found, self.allow))
        )

    @cached_property
    def folded(self) -> str:
        """The comment's text without capitals."""
        return self.comment.text.casefold()

    @cached_property
    def words(self) -> frozenset[str]:
        """The runs of letters of that."""
        return frozenset(_WORD.findall(self.folded))


@dataclass(frozen=True, slots=True)
class Fired:
    """Where a signal fired, in the comment's text, and what a reviewer should know."""

    start: int = 0
    end: int = 0
    note: str = ""


Signal = Callable[[Clues], Iterator[Fired]]


def link(clues: Clues) -> Iterator[Fired]:
    """A link in the text or behind words of it that no rule lets pass."""
    for found in clues.held:
        if found.place != "author":
            yield _at(found, _shown(found))


def author_link(clues: Clues) -> Iterator[Fired]:
    """The author's own URL field."""
    for found in clues.held:
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
    for found in clues.held:
        if found.disguise:
            yield _at(found, f"{found.disguise}: {_shown(found)}")


def shortener(clues: Clues) -> Iterator[Fired]:
    """A link that leads wherever its maker wants."""
    for found in clues.held:
        if found.host in shorteners() or found.domain in shorteners():
            yield _at(found, f"{found.host} hides where it leads")


def text_href_mismatch(clues: Clues) -> Iterator[Fired]:
    """Words that name one site over a link to another."""
    texts = [found for found in clues.links if found.place == "text" and found.domain]
    for found in clues.held:
        named = [t for t in texts if found.place == "href" and _covers(found, t) and t.domain != found.domain]
        for other in named[:1]:
            yield _at(found, f"says {_short(other.text)} -> {_short(found.url)}")


def hidden_link(clues: Clues) -> Iterator[Fired]:
    """An href without words."""
    for found in clues.held:
        if found.place == "href" and found.start == found.end and found.host:
            yield _at(found, f"no visible text -> {_short(found.url)}")


def script_link(clues: Clues) -> Iterator[Fired]:
    """An address that runs code."""
    for found in clues.links:
        if found.url.lower().lstrip().startswith(SCRIPTS):
            yield _at(found, _short(found.url))


def ip_link(clues: Clues) -> Iterator[Fired]:
    """An IP address for a host."""
    for found in clues.held:
        if ip_address(found.host):
            yield _at(found, f"the bare address {found.host}")


def messenger(clues: Clues) -> Iterator[Fired]:
    """An invitation to a channel or a chat."""
    for found in clues.held:
        if {found.host, found.domain, _with_port(found.url)} & messengers():
            yield _at(found, _short(found.url))


def many_links(clues: Clues) -> Iterator[Fired]:
    """Three links and more, the author's own not counted; or so many that not all were looked at."""
    everything = len(clues.links)
    count = everything if everything >= LINKS else sum(found.place != "author" for found in clues.held)
    if count >= MANY:
        yield Fired(note=f"{count} links")


def cited_by_article(clues: Clues) -> Iterator[Fired]:
    """A link to a site that the article cites too."""
    for found in clues.held:
        if found.place != "author" and found.host and found.host in clues.context.article_hosts:
            yield _at(found, f"the article links to {found.host} too")


NUMBER = r"\+?\d[\d ()-]{6,18}\d"
ACCOUNT = re.compile(
    r"(?i)\b(?:whats ?app|wh?ats?ap|wasap|wapp|telegram|viber|kakao ?talk|wechat|kik|skype|signal|line id|snapchat)\b"
    r"(?:\W{0,3}\b(?:id|me|on|at|number|no|user(?:name)?|:)\b){0,2}\W{0,4}"
    rf"(?:@\w{{4,32}}|{NUMBER}|(?<=id: )\w{{4,32}})"
    rf"|\b(?:телеграм\w*|телег\w*|вотсап\w*|ватсап\w*|вайбер\w*|тг)\W{{1,4}}(?:@\w{{4,32}}|{NUMBER})"
)
"""An account or a number behind the name of a messenger."""
MAIL = re.compile(
    r"(?i)(?<![\w.+-])[\w.+-]{1,64}\s?(?:@|[\[(]at[\])])\s?[\w-]{1,63}(?:\.[\w-]{1,63}){0,3}\.[a-z]{2,24}\b"
)
"""An e-mail address."""
NEAR_ACCOUNT = re.compile(r"@|\d|id: ")
NEAR_MAIL = ("@", "at]", "at)")
MESSENGERS = (
    *("ats", "atap", "wasap", "wapp", "telegram", "viber", "kakao", "wechat", "kik", "skype", "signal", "line id"),
    *("snapchat", "телег", "отсап", "атсап", "вайбер", "тг"),
)
"""Every text that holds an account, or an address, holds one of these; the others need no close look."""


def contact(clues: Clues) -> Iterator[Fired]:
    """A call to write to an account, a number or an e-mail address."""
    text = clues.comment.text
    named = NEAR_ACCOUNT.search(clues.folded) and any(map(clues.folded.__contains__, MESSENGERS))
    accounts = ACCOUNT.finditer(text) if named else ()
    mails = MAIL.finditer(text) if any(map(clues.folded.__contains__, NEAR_MAIL)) else ()
    for found in sorted((*accounts, *mails), key=re.Match.start):
        yield Fired(found.start(), found.end(), _short(found[0]))


def spam_phrase(clues: Clues) -> Iterator[Fired]:
    """A phrase that sells."""
    begun = phrases().keys() & clues.words
    found = [found for word in begun for found in phrases()[word].finditer(clues.comment.text)]
    for phrase in sorted(found, key=re.Match.start):
        yield Fired(phrase.start(), phrase.end(), _short(phrase[0]))


def unrelated(clues: Clues) -> Iterator[Fired]:
    """No longer word in common with the article, in a comment that has eight of them and more."""
    own = _content(clues.comment.text, clues.words) if len(clues.topic) >= TOPIC else frozenset()
    if len(own) >= SAID and own.isdisjoint(clues.topic):
        yield Fired(note=f"none of its {len(own)} longer words stands in the article")


def shouting(clues: Clues) -> Iterator[Fired]:
    """Mostly capitals, or rows of marks."""
    text = clues.comment.text
    capitals = sum(map(str.isupper, text))
    letters = sum(map(str.isalpha, text)) if capitals >= SHOUT_SHARE * SHOUT_LETTERS else 0
    if letters >= SHOUT_LETTERS and capitals >= SHOUT_SHARE * letters:
        yield Fired(note="mostly capitals")
    elif marks := MARKS.search(text):
        yield Fired(marks.start(), marks.end(), _short(marks[0]))


def known_spam_domain(clues: Clues) -> Iterator[Fired]:
    """A link to a domain for which people found another comment spam."""
    for found in clues.held:
        if found.domain in clues.context.domain_spam:
            yield _at(found, f"{found.domain} was in a comment that a person found spam")


def known_good_domain(clues: Clues) -> Iterator[Fired]:
    """A link to a domain with which people found another comment ok, and none spam."""
    for found in clues.held:
        if found.place != "author" and found.domain in clues.context.domain_ok - clues.context.domain_spam:
            yield _at(found, f"{found.domain} was in a comment that a person found ok")


def known_spammer(clues: Clues) -> Iterator[Fired]:
    """A name under which people found other comments spam."""
    if clues.context.author_spam:
        yield Fired(note=f"{clues.context.author_spam} comments under this name were spam")


def same_text_elsewhere(clues: Clues) -> Iterator[Fired]:
    """The same text under other articles, small changes aside."""
    if times := clues.context.same_text:
        least = "at least " if times >= limits.SAME_TEXTS else ""
        yield Fired(note=f"posted {least}{times} more times, under other articles")


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
    unrelated,
    shouting,
    cited_by_article,
    known_good_domain,
    own_site,
    allowed_domain,
)
"""Every signal, the gravest first."""
WITHOUT_LINKS = (
    contact,
    edited_after_decision,
    same_text_elsewhere,
    known_spammer,
    spam_phrase,
    unrelated,
    shouting,
)
"""Those of them that can fire on a comment without any link."""


@cache
def phrases() -> dict[str, re.Pattern[str]]:
    """The spam phrases by their first words, those with the same one as one pattern."""
    rows = sorted((row[0] for row in read_rows("spam_phrases.txt")), key=len, reverse=True)
    begun: dict[str, list[str]] = {}
    for row in rows:
        begun.setdefault(_WORD.findall(row.casefold())[0], []).append(re.escape(row).replace(r"\ ", r"\s"))
    return {word: re.compile(rf"(?i)(?<!\w)(?:{'|'.join(said)})(?!\w)") for word, said in begun.items()}


def content_words(text: str) -> frozenset[str]:
    """The beginnings of the longer words of a text, by which two texts about one thing know each other."""
    return _content(text, _LONG_WORDS.findall(text.casefold()))


def _content(text: str, words: Iterable[str]) -> frozenset[str]:
    long = [word for word in words if len(word) >= LONG_WORD]
    if not _UNUSUAL.search(text):
        return frozenset([word[:STEM] for word in long])
    runs = _SYLLABLES.findall(text)
    pairs = (run[at : at + 2] for run in runs for at in range(len(run) - 1))
    return frozenset((*(word[:STEM] for word in long if not _UNUSUAL.search(word)), *pairs))


def under(found: Link, domains: frozenset[str]) -> bool:
    """Is the link's host one of these domains, or below one?"""
    if not domains or not found.host:
        return False
    labels = found.host.split(".")
    return any(".".join(labels[i:]) in domains for i in range(len(labels)))


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
