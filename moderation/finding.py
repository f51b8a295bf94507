"""Where the links stand in a folded text: addresses with a scheme, bare domains, IP addresses.

Every pattern runs in linear time: runs are possessive and start only where the run before has ended.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from itertools import islice
from typing import NamedTuple

from crawler.limits import URL_CHARACTERS
from moderation.endings import BEGINS_TAIL, TRAILING, is_end, tail
from moderation.folding import Folded
from moderation.hosts import HOST_CHARACTERS, LABEL_CHARACTERS, ip_address, lookalike, top_level
from moderation.partial import accounts, videos
from moderation.places import Place, make
from moderation.prose import Run, by_itself, is_domain, tiers

LINKS = 1000
"""Links of a text that are told apart; one with more is held whatever they are."""
RUNS = 8192
"""Runs of labels whose reading is remembered."""
IP_DOTS = 3
SCHEME_CHARACTERS = 24
"""How far back from `://` a scheme is looked for; `microsoft-edge` has 14."""
SYMBOL = "\u2190-\u21ff\u2600-\u27bf\u2b00-\u2bff\U0001f300-\U0001faff"
RUN = re.compile(rf"(?<![\w{SYMBOL}-])[\w{SYMBOL}-]++(?:\.[\w{SYMBOL}-]++)+")
PLAIN_RUN = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]++(?:\.[A-Za-z0-9_-]++)+")
"""The same in a text that is ASCII."""
LATIN_RUN = re.compile(r"(?<![A-Za-z0-9-])[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)+")
NO_BLANKS = re.compile("[\u0e00-\u0eff\u1780-\u17ff\u2e80-\ua4cf\uac00-\ud7ff\uff66-\uff9f]")
"""Scripts that write without blanks, and Korean, whose endings follow a Latin word directly."""
WWW = re.compile(r"www\.", re.IGNORECASE)
ADDRESSED = re.compile(r"[wW]{3}\.(?:[a-zA-Z0-9-]+\.)+(?:[a-z]{2,24}|[A-Z]{2,24})")
"""What is written as an address is one, under whatever suffix: as GitHub's Markdown has it (GFM, 6.9)."""
EDGE = re.compile(rf"[{SYMBOL}-]+(?=\w)|-+")
MARK = re.compile(
    r":[/\\][/\\](?:(?<=[ps]://)"
    r"(?=([A-Za-z0-9][A-Za-z0-9.-]*+(?<![.-]))"
    rf"([/?#][A-Za-z0-9_/?#.,:;=&%+~@!$*'|-]{{0,{URL_CHARACTERS}}}+(?![^\s<>\")\]\[])|(?=[()\[\]<>\"])|[.,!]*(?!\S)))|)"
)
"""The middle of an address; with it the host and path of one in plain letters between blanks or brackets."""
SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.*-]*\Z")
KNOWN_SCHEME = re.compile(r"(?:h[tx*]{2}ps?|f[tx]ps?|sftp|file|feed|wss?|tg|ipfs|magnet)\Z", re.IGNORECASE)
USER = re.compile(r"[^\s/?#@<>\"()\[\]]{1,80}@")
HOST = re.compile(r"\[[0-9a-fA-F:.]{2,45}\]|[^\s/?#:<>\"'()\[\]{}|,;!\\`“”«»。、，｜]+")
WRONG_PORT = re.compile(r":\d{6}")
OPAQUE = re.compile(
    r"(?<![\w])(?:magnet:\?xt=|data:(?:text|image|application)/[\w+.-]{1,60}[;,]|javascript:(?=[\w(]{2})|ed2k:(?=/)"
    r"|tel:(?=\+?\d{5})|bitcoin:(?=\w{25})|intent:(?=//))[^\s<>\"]*",
    re.IGNORECASE,
)
"""Addresses without a host."""
OPAQUE_MARK = re.compile(
    r"(?i):(?<=[tank2el]:)(?:(?<=magnet:)|(?<=data:)|(?<=javascript:)|(?<=ed2k:)|(?<=tel:)|(?<=coin:)|(?<=tent:))"
)
LEET_SUFFIXES = {"c0m": "com", "n3t": "net", "0rg": "org", "1nfo": "info", "inf0": "info", "biz": "biz", "c0": "co"}
POSSIBLE = re.compile(rf"(?![.-])(?:[^.]{{1,{LABEL_CHARACTERS}}}\.)*[^.]{{1,{LABEL_CHARACTERS}}}(?<!_)|\[.*\]")
NO_LETTER = re.compile(rf"[^\w{SYMBOL}]+")
VERSION = re.compile(
    r"(?:\b(?:v|ver|version|firmware|release|build|para|paragraph|section|chapter|art|rev)\.?|§)\s?\Z", re.I
)
HARMLESS = ("", "invisible characters")
"""Disguises that do not show that a dot was meant as a dot."""
HOST_TRAILING = TRAILING.replace("_", "")


@cache
def _dot_finder(plain: bool) -> Callable[..., re.Match[str] | None]:
    """What finds a full stop before a suffix, in a text that is ASCII or in any; each is made when it is needed."""
    return inner_dot(plain=plain).search


def inner_dot(*, plain: bool) -> re.Pattern[str]:
    """A full stop, in small letters, behind which a suffix stands, or what may be meant for one, or before it `www`.

    In a plain text, which is ASCII, a suffix cannot be meant by other letters.
    """
    suffixes = _any_of(sorted({tld for tld in tiers() if tld.isascii()} | set(LEET_SUFFIXES)))
    number = r"[0-9][0-9a-fx]*\."
    letter, start, other = rf"\w{SYMBOL}", r"\w", r"|(?=[a-z0-9_-]*+[^\W\0-\x7f])"
    if plain:
        letter, start, other = "a-z0-9_", "a-z0-9", ""
    before, behind = f"(?=[{start}-])(?<=[{letter}-]\\.)", f"(?!-*[{letter}])"
    return re.compile(rf"\.{before}(?:{suffixes}{behind}|(?<=www\.)|(?={number}{number}[0-9]){other})")


def _any_of(words: list[str]) -> str:
    """One of the words, by its letters from the first on."""
    ends = "" in words
    rests: dict[str, list[str]] = {}
    for word in words:
        if word:
            rests.setdefault(word[0], []).append(word[1:])
    either = "|".join(re.escape(first) + _any_of(rest) for first, rest in rests.items())
    if not either:
        return ""
    return f"(?:{either})" + ("?" if ends else "") if len(rests) > 1 or ends else either


def find_places(folded: Folded) -> list[Place]:
    """The links of a folded text, in order, not overlapping."""
    text = folded.text
    places: list[Place] = []
    if ":" in text:
        places = _with_scheme(text)
        if text.count(":") > len(places) and OPAQUE_MARK.search(text):
            places += islice(_opaque(text), LINKS)
    if "@" in text:
        places += islice(accounts(text), LINKS)
    if "watch?v" in text:
        places += islice(videos(text), LINKS)
    if len(places) > 1:
        places.sort(key=_start)
    if "." in text if len(places) != 1 else _dotted(text, places[0]):
        bare = _bare(folded, places)
        places = sorted(places + bare, key=_start) if places and bare else places or bare
    return places[:LINKS]


def _dotted(text: str, place: Place) -> bool:
    """Is there a full stop beside the place?"""
    return "." in text[: place.start] or "." in text[place.end :]


def _start(place: Place) -> int:
    return place.start


def _with_scheme(text: str) -> list[Place]:
    places: list[Place] = []
    done, last = 0, text.rfind(":")
    mark = MARK.search(text)
    while mark and len(places) < LINKS:
        at = mark.start()
        place = (mark[1] and _plain(text, mark, at, done)) or _at_mark(text, mark, done)
        if place:
            done = place.end
            places.append(place)
        ahead = done if done > at else at + 1
        mark = MARK.search(text, ahead) if ahead <= last else None
    return places


def _plain(text: str, mark: re.Match[str], at: int, done: int) -> Place | None:
    """An address that stands whole between blanks or brackets, in plain letters: most do."""
    host, path = mark.groups()
    scheme = "https" if text[at - 1] == "s" else "http"
    start = at - len(scheme)
    if start < done or text[start:at] != scheme or len(host) > LABEL_CHARACTERS or ".." in host:
        return None
    end = mark.end(1)
    if path[:1] in BEGINS_TAIL:
        end = mark.end(2)
        if not is_end(text, at, end):
            return None
    while text[end - 1] in TRAILING:
        end -= 1
    return make(Place, (start, end, host, scheme, "", ""))


def _before_prose(host: str) -> str:
    """The host, without words that follow it directly in a script that has no blanks."""
    latin = None if host.isascii() else LATIN_RUN.match(host)
    if latin and NO_BLANKS.match(host, latin.end()) and latin[0].rpartition(".")[2].lower() in top_level():
        return latin[0]
    return host


def _opaque(text: str) -> Iterator[Place]:
    for found in OPAQUE.finditer(text):
        end = found.start() + len(found[0].rstrip(TRAILING))
        yield Place(found.start(), end, "", found[0].partition(":")[0].lower())


def _at_mark(text: str, mark: re.Match[str], done: int) -> Place | None:
    name = _scheme(text[max(done, mark.start() - SCHEME_CHARACTERS) : mark.start()])
    if not name:
        return None
    host_start = mark.end()
    user = USER.match(text, host_start) if "@" in text else None
    host = HOST.match(text, user.end() if user else host_start)
    if not host:
        return None
    name_of_host = _before_prose(host[0]).rstrip(HOST_TRAILING)
    if not name_of_host or not _possible(name_of_host):
        return None
    end = host.start() + len(name_of_host)
    if end == host.end():
        end = tail(text, mark.start(), end)
    return Place(mark.start() - len(name), end, name_of_host, name)


def _scheme(before: str) -> str:
    """The scheme that ends what stands before `://`, without a word that it is glued to."""
    for plain in ("https", "http"):
        if before.endswith(plain):
            return plain
    known = KNOWN_SCHEME.search(before) or SCHEME.search(before)
    return known[0] if known else ""


def _possible(host: str) -> bool:
    """Could a browser take this for a host?"""
    if host[0].isalnum() and len(host) <= LABEL_CHARACTERS and host[-1] not in "._" and ".." not in host:
        return True
    return len(host) <= HOST_CHARACTERS and bool(POSSIBLE.fullmatch(host)) and not NO_LETTER.fullmatch(host)


def _bare(folded: Folded, taken: list[Place]) -> list[Place]:
    """Bare domains and addresses beside the places taken, which are in order."""
    text, low = folded.text, folded.low
    plain = text.isascii()
    find_dot = _dot_finder(plain)
    found: list[Place] = []
    dot = find_dot(low)
    if not dot:
        return found
    done, final, ahead = 0, low.rfind("."), iter(taken)
    other = next(ahead, None)
    while dot and len(found) < LINKS:
        at = dot.start()
        while other and other.end <= at:
            other = next(ahead, None)
        if other and other.start <= at:
            done = other.end
        else:
            start, end = _run(text, done, at, PLAIN_RUN if plain else RUN)
            parts = ((start, end),) if plain else _parts(text, start, end)
            for first, last in parts if start < end <= (other.start if other else end) else ():
                place = _in_run(folded, first, last) if first >= done else None
                if place:
                    done = place.end
                    found.append(place)
            stop = end if end > at else at + 1
            done = stop if stop > done else done
        dot = find_dot(low, done) if done <= final else None
    return found


def _run(text: str, done: int, dot: int, runs: re.Pattern[str]) -> tuple[int, int]:
    """Start and end of the labels around a full stop, or nothing where the run began before what is done."""
    blank = text.rfind(" ", done, dot)
    run = runs.search(text, blank if blank > done else done)
    while run and run.end() <= dot:
        run = runs.search(text, run.end())
    return run.span() if run and run.start() < dot else (dot, dot)


def _parts(text: str, start: int, end: int) -> Iterable[tuple[int, int]]:
    """Latin domains between words of a script that has no blanks; else the run as it is."""
    if not NO_BLANKS.search(text, start, end):
        return [(start, end)]
    return [latin.span() for latin in LATIN_RUN.finditer(text, start, end)] or [(start, end)]


class Reading(NamedTuple):
    """What a run says by itself, whatever stands around it."""

    start: int
    end: int
    """Where the host stands in the run."""
    host: str
    """As it is meant."""
    label: str
    tld: str
    tier: str
    """Empty for an IP address."""
    other_letters: bool
    """The suffix is written with other letters than it is meant with."""
    by_itself: str
    """What `prose.by_itself` says of it."""


@lru_cache(RUNS)
def _read(run: str) -> Reading | None:
    """The host in a run, or None where there is none. Comments say the same ones again and again."""
    start, end = _trimmed(run)
    name, _, tld = run[start:end].rpartition(".")
    if tld.isdigit():
        whole = run[start:end]
        is_address = whole.count(".") == IP_DOTS and ip_address(whole)
        return Reading(start, end, whole, "", "", "", False, "") if is_address else None
    meant = tld
    if tld.lower() not in tiers():
        name, tld, meant = _other_suffix(name, tld)
        end = start + len(name) + 1 + len(tld)
    if not meant and ADDRESSED.fullmatch(run, start, end):
        meant = tld
    if not meant or not _possible(run[start:end]):
        return None
    label, tier = name.rpartition(".")[2], tiers().get(meant.lower(), "plain")
    host = f"{name}.{meant}"
    return Reading(start, end, host, label, meant, tier, meant != tld, by_itself(host, label, meant, tier))


def _in_run(folded: Folded, run_start: int, run_end: int) -> Place | None:
    text = folded.text
    run = text[run_start:run_end]
    read = _read(run) if len(run) <= HOST_CHARACTERS else _read.__wrapped__(run)
    if not read:
        return None
    first, last, host, label, tld, tier, other_letters, said = read
    if said == "prose" and not folded.disguises:
        return None
    start, end = run_start + first, run_start + last
    if not tier:
        return _bare_ip(text, start, end)
    if _entangled(text, start, end, run_start):
        return None
    stop = tail(text, start, end)
    if said != "domain":
        deliberate = bool(folded.disguises) and folded.disguise(*folded.span(start, end)) not in HARMLESS
        if not is_domain(make(Run, (host, label, tld, tier, text, start, end, stop, deliberate))):
            return None
    if not other_letters:
        return make(Place, (start, stop, host, "", "", ""))
    return Place(start, stop, host, disguise="lookalike letters", url=f"http://{host}{text[end:stop]}")


def _trimmed(run: str) -> tuple[int, int]:
    """Without signs and hyphens at the ends, and from a `www.` on that is glued to a word."""
    edge = EDGE.match(run)
    www = WWW.search(run, edge.end() if edge else 0)
    start = www.start() if www else edge.end() if edge else 0
    return start, len(run.rstrip("-."))


def _entangled(text: str, start: int, end: int, run_start: int) -> bool:
    """Part of something else: an e-mail address, a mention, a tag, a ticker, a broken address, a port too large."""
    after = text[end : end + 1]
    if after == "@" or text[start] == "_" or (after == ":" and WRONG_PORT.match(text, end)):
        return True
    before = text[start - 1] if start else " "
    if before == " ":
        return start > 2 and text[start - 2] == "@" and text[start - 3].isalnum()
    if before == "/":
        doubled = text[max(0, start - 2) : start] == "//"
        return doubled and (start != run_start or text[start - 3 : start - 2] == "/")
    return before in "@#$" or (before == "." and text[max(0, start - 2) : start] == "/.")


def _bare_ip(text: str, start: int, end: int) -> Place | None:
    """Four numbers up to 255 that are no version, paragraph or part of a longer row."""
    if VERSION.search(text[max(0, start - 16) : start]):
        return None
    before, after = text[start - 1 : start], text[end : end + 1]
    if before in ("@", "#", "$", ".") or (after in ("@", ".") and text[end + 1 : end + 2].isalnum()):
        return None
    return Place(start, tail(text, start, end), text[start:end])


def _other_suffix(name: str, tld: str) -> tuple[str, str, str]:
    """A name, its suffix as written and as meant: one in other letters, or one that a sentence follows directly."""
    last = tld.lower()
    meant = LEET_SUFFIXES.get(last) or ("" if last.isascii() else lookalike(last))
    if meant in tiers():
        return name, tld, meant
    labels = [*name.split("."), tld]
    for i in range(len(labels) - 2, 0, -1):
        if tiers().get(labels[i].lower()) == "strong" and labels[i + 1][:1].isupper() and labels[i].islower():
            return ".".join(labels[:i]), labels[i], labels[i]
    return name, tld, ""
