"""Where the links stand in a folded text: addresses with a scheme, bare domains, IP addresses.

Every pattern runs in linear time: runs are possessive and start only where the run before has ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from crawler.limits import URL_CHARACTERS
from moderation.folding import Folded
from moderation.hosts import HOST_CHARACTERS, LABEL_CHARACTERS, ip_address, lookalike, top_level
from moderation.partial import accounts, videos
from moderation.places import Place
from moderation.prose import Run, is_domain, tiers

LINKS = 1000
"""Links of a text that are told apart; one with more is held whatever they are."""
SCHEME_CHARACTERS = 24
"""How far back from `://` a scheme is looked for; `microsoft-edge` has 14."""
ENCLOSURE_CHARACTERS = 300
"""How far back an opening bracket is looked for that a closing one behind a link belongs to."""

SYMBOL = "\u2190-\u21ff\u2600-\u27bf\u2b00-\u2bff\U0001f300-\U0001faff"
RUN = re.compile(rf"(?<![\w{SYMBOL}-])[\w{SYMBOL}-]++(?:\.[\w{SYMBOL}-]++)+")
LATIN_RUN = re.compile(r"(?<![A-Za-z0-9-])[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)+")
NO_BLANKS = re.compile("[\u0e00-\u0eff\u1780-\u17ff\u2e80-\ua4cf\uac00-\ud7ff\uff66-\uff9f]")
"""Scripts that write without blanks, and Korean, whose endings follow a Latin word directly."""
EDGE = re.compile(rf"[{SYMBOL}-]+(?=\w)|-+")
MARK = re.compile(r":[/\\]{2}")
SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.*-]*\Z")
KNOWN_SCHEME = re.compile(r"(?:h[tx*]{2}ps?|f[tx]ps?|sftp|file|feed|wss?|tg|ipfs|magnet)\Z", re.IGNORECASE)
USER = re.compile(r"[^\s/?#@<>\"()\[\]]{1,80}@")
HOST = re.compile(r"\[[0-9a-fA-F:.]{2,45}\]|[^\s/?#:<>\"'()\[\]{}|,;!\\`“”«»。、，｜]+")
WRONG_PORT = re.compile(r":\d{6}")
PORT = re.compile(r":(\d{1,5})(?!\d)")
TAIL = re.compile(rf"[/?#\\][^\s<>\"“”«»「」『』（）｜。、，`]{{0,{URL_CHARACTERS}}}")
BBCODE = re.compile(r"\[/?[a-zA-Z]{1,9}[\]=]")
GLUED = re.compile(r"(?<=[a-zA-Z0-9])_?(?=[\u0370-\u1cff\u2e80-\uabff\uac00-\ud7ff])")
"""Prose of another script that follows a path without a blank."""
OPAQUE = re.compile(
    r"(?<![\w])(?:magnet:\?xt=|data:(?:text|image|application)/[\w+.-]{1,60}[;,]|javascript:(?=[\w(]{2})|ed2k:(?=/)"
    r"|tel:(?=\+?\d{5})|bitcoin:(?=\w{25})|intent:(?=//))[^\s<>\"]*",
    re.IGNORECASE,
)
"""Addresses without a host."""
OPAQUE_MARK = re.compile(
    r"(?i):(?<=[tank2el]:)(?:(?<=magnet:)|(?<=data:)|(?<=javascript:)|(?<=ed2k:)|(?<=tel:)|(?<=coin:)|(?<=tent:))"
)
DOT = re.compile(rf"\.[\w{SYMBOL}]")
LEET_SUFFIXES = {"c0m": "com", "n3t": "net", "0rg": "org", "1nfo": "info", "inf0": "info", "biz": "biz", "c0": "co"}
POSSIBLE = re.compile(rf"(?![.-])(?:[^.]{{1,{LABEL_CHARACTERS}}}\.)*[^.]{{1,{LABEL_CHARACTERS}}}(?<!_)|\[.*\]")
NO_LETTER = re.compile(rf"[^\w{SYMBOL}]+")
CLOSER = re.compile(r"[)\]}]")
VERSION = re.compile(
    r"(?:\b(?:v|ver|version|firmware|release|build|para|paragraph|section|chapter|art|rev)\.?|§)\s?\Z", re.I
)
HARMLESS = ("", "invisible characters")
"""Disguises that do not show that a dot was meant as a dot."""
CLOSERS = {")": "(", "]": "[", "}": "{"}
TRAILING = ".,;:!?'*_~|\\-…’"


def find_places(folded: Folded) -> list[Place]:
    """The links of a folded text, in order, not overlapping."""
    text = folded.text
    places: list[Place] = []
    if ":" in text:
        places += islice(_with_scheme(text), LINKS)
        if OPAQUE_MARK.search(text):
            places += islice(_opaque(text), LINKS)
    if "@" in text:
        places += islice(accounts(text), LINKS)
    if "watch?v" in text:
        places += islice(videos(text), LINKS)
    if DOT.search(text):
        places.sort(key=_start)
        places += islice(_bare(folded, places), LINKS)
    places.sort(key=_start)
    return places[:LINKS]


def _start(place: Place) -> int:
    return place.start


def _with_scheme(text: str) -> Iterator[Place]:
    done = 0
    for mark in MARK.finditer(text):
        if mark.start() < done:
            continue
        place = _at_mark(text, mark, done)
        if place:
            done = place.end
            yield place


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
    scheme = SCHEME.search(text[max(done, mark.start() - SCHEME_CHARACTERS) : mark.start()])
    if not scheme:
        return None
    known = KNOWN_SCHEME.search(scheme[0])
    name = known[0] if known else scheme[0]
    host_start = mark.end()
    user = USER.match(text, host_start)
    host = HOST.match(text, user.end() if user else host_start)
    if not host:
        return None
    name_of_host = _before_prose(host[0]).rstrip(TRAILING.replace("_", ""))
    if not _possible(name_of_host):
        return None
    end = host.start() + len(name_of_host)
    if end == host.end():
        end = _tail(text, mark.start(), end)
    return Place(mark.start() - len(name), end, name_of_host, name.lower())


def _possible(host: str) -> bool:
    """Could a browser take this for a host?"""
    return len(host) <= HOST_CHARACTERS and bool(POSSIBLE.fullmatch(host)) and not NO_LETTER.fullmatch(host)


def _bare(folded: Folded, taken: list[Place]) -> Iterator[Place]:
    size = len(folded.text)
    done, ahead = 0, iter([*taken, Place(size + 1, size + 1, "")])
    other = next(ahead)
    for run in RUN.finditer(folded.text):
        start, end = run.span()
        while other.end <= start:
            other = next(ahead)
        if start < done or end > other.start or _hopeless(run[0]):
            continue
        for part in _parts(run):
            place = _in_run(folded, part) if part.start() >= done else None
            if place:
                done = place.end
                yield place


def _hopeless(run: str) -> bool:
    """Two plain words with a full stop between them, of which the second is no suffix: most runs of prose."""
    _first, _, last = run.partition(".")
    if not run.isascii() or "." in last or last.isdigit():
        return False
    last = last.rstrip("-").lower()
    return last not in top_level() and last not in LEET_SUFFIXES


def _parts(run: re.Match[str]) -> list[re.Match[str]]:
    """Latin domains between words of a script that has no blanks; else the run as it is."""
    if run[0].isascii() or not NO_BLANKS.search(run[0]):
        return [run]
    return list(LATIN_RUN.finditer(run.string, run.start(), run.end())) or [run]


def _in_run(folded: Folded, run: re.Match[str]) -> Place | None:
    text = folded.text
    start, end = _trimmed(run)
    labels = text[start:end].split(".")
    if labels[-1].isdigit():
        return _bare_ip(text, start, end)
    count, suffix = _suffix(labels)
    if not count:
        return None
    if count < len(labels):
        labels = labels[:count]
        end = start + len(".".join(labels))
    if not _possible(text[start:end]) or _entangled(text, start, end, run.start()):
        return None
    stop = _tail(text, start, end)
    if suffix:
        labels[-1] = suffix
    known = bool(folded.disguises) and folded.disguise(*folded.span(start, end)) not in HARMLESS
    if not is_domain(Run(tuple(labels), text, start, end, stop, known)):
        return None
    if not suffix:
        return Place(start, stop, text[start:end])
    meant = ".".join(labels)
    return Place(start, stop, meant, disguise="lookalike letters", url=f"http://{meant}{text[end:stop]}")


def _trimmed(run: re.Match[str]) -> tuple[int, int]:
    """Without signs and hyphens at the ends, and from a `www.` on that is glued to a word."""
    start, end = run.span()
    edge = EDGE.match(run[0])
    if edge:
        start += edge.end()
    glued = run[0].lower().find("www.", start - run.start())
    if glued > 0:
        start = run.start() + glued
    while end > start and run.string[end - 1] == "-":
        end -= 1
    return start, end


def _entangled(text: str, start: int, end: int, run_start: int) -> bool:
    """Part of something else: an e-mail address, a mention, a tag, a ticker, a broken address, a port too large."""
    before, after = text[max(0, start - 2) : start], text[end : end + 1]
    if before[-1:] in ("@", "#", "$") or after == "@" or text[start] == "_" or before == "/.":
        return True
    if before == "@ " and text[start - 3 : start - 2].isalnum():
        return True
    if before == "//" and (start != run_start or text[start - 3 : start - 2] == "/"):
        return True
    return bool(after == ":" and WRONG_PORT.match(text, end))


def _bare_ip(text: str, start: int, end: int) -> Place | None:
    """Four numbers up to 255 that are no version, paragraph or part of a longer row."""
    host = text[start:end]
    if host.count(".") != 3 or not ip_address(host) or VERSION.search(text[max(0, start - 16) : start]):
        return None
    before, after = text[start - 1 : start], text[end : end + 1]
    if before in ("@", "#", "$", ".") or (after in ("@", ".") and text[end + 1 : end + 2].isalnum()):
        return None
    return Place(start, _tail(text, start, end), host)


def _suffix(labels: list[str]) -> tuple[int, str]:
    """How many labels make the host, and the suffix that is meant when it is written with other letters."""
    known = top_level()
    last = labels[-1].lower()
    if last in known:
        return len(labels), ""
    meant = LEET_SUFFIXES.get(last) or ("" if last.isascii() else lookalike(last))
    if meant in known:
        return len(labels), meant
    for i in range(len(labels) - 2, 0, -1):
        if tiers().get(labels[i].lower()) == "strong" and labels[i + 1][0].isupper() and labels[i].islower():
            return i + 1, ""
    return 0, ""


def _tail(text: str, start: int, end: int) -> int:
    """Where the link that starts at `start` and whose host ends at `end` ends."""
    port = PORT.match(text, end)
    if port and int(port[1]) < 65536:
        end = port.end()
    tail = TAIL.match(text, end)
    if not tail:
        return end
    stop = tail.end()
    for cut in (BBCODE, GLUED):
        found = cut.search(text, end, stop)
        stop = found.start() if found else stop
        if cut is BBCODE and CLOSER.search(text, end, stop):
            stop = _balanced(text, start, end, stop)
    while stop > end and text[stop - 1] in TRAILING:
        stop -= 1
    return stop


def _balanced(text: str, start: int, end: int, stop: int) -> int:
    """Cut at a closing bracket whose opening one stands before the link."""
    window = text[max(0, start - ENCLOSURE_CHARACTERS) : start]
    open_before = {closer: window.rfind(opener) > window.rfind(closer) for closer, opener in CLOSERS.items()}
    if not any(open_before.values()):
        return stop
    depth = dict.fromkeys(CLOSERS, 0)
    openers = {opener: closer for closer, opener in CLOSERS.items()}
    for i in range(end, stop):
        c = text[i]
        if c in openers:
            depth[openers[c]] += 1
        elif c in CLOSERS:
            if not depth[c] and open_before[c]:
                return i
            depth[c] = max(0, depth[c] - 1)
    return stop
