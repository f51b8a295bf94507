"""Disguised dots: in brackets, spoken, set apart, replaced by another mark, left out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

from moderation.folding import Edit
from moderation.hosts import is_known
from moderation.prose import is_called, is_common, tiers
from moderation.tables import read_rows

NAME_CHARACTERS = 3
"""Shortest name in front of a spoken dot: "hp dot com" is rare, "a dot com company" is not."""
GAP = 3
"""Blanks that may stand on either side of a dot."""
LOOK_BACK = 80
"""How far back the name in front of a dot may begin; a label has 63 characters."""
GLUED_FROM = "\u0e80"
"""Words from here on stand without blanks."""
OPENING, CLOSING = "[({<«【（", "])}>»】）"
OPEN, CLOSE = f"[{re.escape(OPENING)}]", f"[{re.escape(CLOSING)}]"
MARKS = ".,·•∙。·"
MARK = f"[{MARKS}]"
QUOTES = "\"'*|_~"
LEET = str.maketrans("013457@$", "oleastas")
ARTICLES = frozenset(
    {"the", "this", "that", "these", "those", "its", "his", "her", "their", "our", "your", "and", "with", "from", "for"}
    | {"until", "early", "late", "whole", "every", "any"}
)
"""What stands before "dot com boom"."""
SPOKEN_TOO = frozenset(
    {"info", "tv", "me", "co", "us", "de", "es", "eu", "it", "shop", "store", "online", "site", "club", "top", "pro"}
    | {"live", "news", "app", "in", "ai"}
)
"""Suffixes that are words and yet are believed behind a spoken dot."""

LABEL_AFTER = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


def word_before(text: str, end: int, joints: str = "-") -> str:
    """The letters and digits, with the joints between them, that end at a place in the text."""
    word = text[end - LOOK_BACK if end > LOOK_BACK else 0 : end].rpartition(" ")[2]
    bare = word
    for joint in joints:
        bare = bare.replace(joint, "")
    if not word or bare.isalnum():
        return word
    start, first = end, end - len(word)
    while start > first and (text[start - 1].isalnum() or text[start - 1] in joints):
        start -= 1
    return text[start:end]


@cache
def spoken() -> dict[str, dict[str, str]]:
    """Word for a dot -> suffix as spoken -> suffix as written; an empty table stands for every suffix."""
    table: dict[str, dict[str, str]] = {}
    for word, suffixes in read_rows("dot_words.tsv"):
        pairs = (pair.partition("=") for pair in suffixes.split() if pair != "*")
        table[word] = {said: written or said for said, _, written in pairs}
    return table


def _either(words: list[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def prepare() -> None:
    """Compile what the first comment would pay for."""
    _bracketed()
    _spoken_dot()


BRACKETS = rf"[{re.escape(OPENING + CLOSING)}\"'*|_~/\\-]"
"""One stands wherever a dot is in brackets or quotes."""


@cache
def _bracketed() -> re.Pattern[str]:
    words = _either(list(spoken()))
    quote, quotes = r"[\"'*|_~/\\-]", rf"[{QUOTES}]"
    closed = rf"(?<={OPEN}){OPEN}?\s?(?:{MARK}|{words})\s?{CLOSE}{{1,2}}\s?"
    word = rf"\s?(?:{words})\s?{quote}{{1,3}}"
    quoted = rf"(?<={quote}){quote}{{0,2}}(?:{word}|(?<={quotes})\.(?={quotes}){quote}{{1,3}})\s?"
    half = rf"(?<={OPEN})(?:{MARK}{OPEN}?|(?:{words}){OPEN})|(?<={MARK}){CLOSE}|(?<=\\)\."
    first = rf"[{re.escape(OPENING)}\"'*|_~/\\{MARKS}-]"
    return re.compile(rf"{first}(?:(?:(?<=\w.)|(?<=\w\s.))(?:{closed}|{quoted})|(?<=\w.)(?:{half}))(?=\w)")


def bracketed_dots(_text: str, low: str) -> Iterator[Edit]:
    """`a[.]b`, `a (dot) b`, `a{.}b`, `a<.>b`, `a\\.b`, `a[.b`, `a".."b`"""
    for found in _bracketed().finditer(low):
        start = found.start()
        yield start - low[start - 1].isspace(), found.end(), "."


@cache
def _spoken_dot() -> re.Pattern[str]:
    alone, glued = rf"(?:\s{{1,{GAP}}}|[-_])(?=\w)", rf"\s{{0,{GAP}}}(?=\w)"
    rests: defaultdict[str, list[str]] = defaultdict(list)
    for word in sorted(spoken(), key=len, reverse=True):
        rests[word[0]].append(re.escape(word[1:]))
    return re.compile(
        "|".join(
            f"{first}(?:{'|'.join(ends)}){glued}"
            if first >= GLUED_FROM
            else rf"{first}(?<=[\s_-]{first})(?:{'|'.join(ends)}){alone}"
            for first, ends in rests.items()
        )
    )


def _said(low: str) -> list[tuple[int, int, str]]:
    """Start and end of each spoken dot between a name and a label, with what is around it, and the word for it."""
    said = []
    for found in _spoken_dot().finditer(low):
        at = start = found.start()
        while start > max(0, at - GAP) and low[start - 1].isspace():
            start -= 1
        word = found[0].rstrip("-_").rstrip()
        if start == at and word < GLUED_FROM:
            start -= low[at - 1 : at] in ("-", "_")
        if start and (low[start - 1].isalnum() or low[start - 1] == "_") and (start < at or word >= GLUED_FROM):
            said.append((start, found.end(), word))
    return said


def spoken_dots(text: str, low: str) -> Iterator[Edit]:
    """`bank dot com`, `bank dot co dot uk`, `https://www dot bank.com`, `банк точка ру`, `bank_dot_com`"""
    dots = _said(low)
    joined = -1
    for i, (start, end, word) in enumerate(dots):
        label = LABEL_AFTER.match(low, end)
        if not label:
            continue
        said = label[0]
        meant = _written(word, said)
        goes_on = i + 1 < len(dots) and dots[i + 1][0] == label.end()
        ends_sentence = text[label.end() : label.end() + 1] == "."
        if not (meant or goes_on or ends_sentence):
            continue
        name = word_before(text, start)
        sure = start == joined or _is_host(text, start - len(name), name)
        written = said if goes_on or (sure and ends_sentence) else meant
        if not written or not (
            sure or (goes_on and len(said) <= NAME_CHARACTERS) or (not goes_on and _named(name, written))
        ):
            continue
        joined = label.end()
        yield start, end, "."
        if written != said:
            yield label.start(), label.end(), written


def _is_host(text: str, start: int, name: str) -> bool:
    """Is this, by what stands there already, the beginning of a host?"""
    return name.lower() == "www" or text[max(0, start - 3) : start] == "://"


def _named(name: str, suffix: str) -> bool:
    """A name, and no article: "the dot com boom"."""
    return (len(name) >= NAME_CHARACTERS and name.lower() not in ARTICLES) or is_known(f"{name}.{suffix}")


def _written(word: str, said: str) -> str:
    """The suffix that is said, or an empty text when none is."""
    pairs = spoken().get(word, {})
    if pairs:
        return pairs.get(said, "")
    plain = said.translate(LEET) if said not in tiers() else said
    return plain if tiers().get(plain) in ("strong", "plain", "program") or plain in SPOKEN_TOO else ""


GLUED_DOT = re.compile(
    r"(?<=[a-z0-9])(?:D[O0]T(?=(?:com|net|org|COM|NET|ORG|ru|RU)\b)|ТОЧКА(?=(?:ру|ком|РУ|КОМ|ru|com)\b))"
    r"|(?<=\w)\s(?:dot)(?=(?:com|net|org)\b)"
)


def glued_dots(text: str, low: str) -> Iterator[Edit]:
    """`bankDOTcom`, `bankname dotcom`; not "the dotcom boom"."""
    for found in GLUED_DOT.finditer(text):
        apart = found[0][0].isspace()
        if not apart or not is_common(word_before(text, found.start())):
            yield found.start(), found.end(), "."


SLASH = re.compile(rf"\s?{OPEN}(?:slash|/){CLOSE}\s?|(?<=\w) (?:forward )?(?:slash|слэш|слеш) (?=\w)")


def slashes(_text: str, low: str) -> Iterator[Edit]:
    """`a.com(slash)b`: only behind something that has a dot."""
    for found in SLASH.finditer(low):
        if "." in low[max(0, found.start() - LOOK_BACK) : found.start()].rpartition(" ")[2]:
            yield found.start(), found.end(), "/"


SPACED_SUFFIX = (
    r"com|c o m|c0m|net|n e t|org|o r g|ru|ua|su|info|biz|de|co\.uk|co\.za|com\.\w\w|uk|pl|fr|eu|tv|t v|io|xyz|shop"
    r"|online|site|top|club|vip|by|kz|me|us|cz|ca|in|ly|gl|gg|cc|be|gd|link|рф|ру|ком"
)
SPACED_DOT = re.compile(
    rf"\.(?:(?<=\s\.)\s{{0,3}}|[ \n]{{1,2}})(?P<tld>{SPACED_SUFFIX})(?![\w-])(?P<after>\s?[/\\]\s?(?=\w))?"
)
AROUND_SPACED = rf"[ \n][ \n]?(?=(?:{SPACED_SUFFIX})(?![\w-]))"
BEHIND_BLANK = rf"(?<=\s\.)\s{{0,3}}(?=(?:{SPACED_SUFFIX})(?![\w-]))"


def spaced_dots(text: str, low: str) -> Iterator[Edit]:
    """`bank . com`, `bank. com`, `bank .com / path`; not the end of a sentence."""
    for found in SPACED_DOT.finditer(low):
        start = at = found.start()
        while start > max(0, at - GAP) and text[start - 1].isspace():
            start -= 1
        token = word_before(text, start, "-._")
        said, after = found.groups()
        tld = said.replace(" ", "")
        if not token or token[-1] == "." or not _is_name(text, found, token, start, tld):
            continue
        first, last = found.span("tld")
        yield start, first, "."
        if tld != said:
            yield first, last, tld
        if after and after not in "/\\":
            yield last, found.end(), "/"


def _is_name(text: str, found: re.Match[str], token: str, end: int, tld: str) -> bool:
    """Does a name stand before the spaced dot, and not the last word of a sentence?"""
    start = end - len(token)
    name = token.rpartition(".")[2]
    if token.lower().startswith("www.") or text[max(0, start - 3) : start] == "://" or is_known(f"{name}.{tld}"):
        return True
    if found["after"] and len(name) >= NAME_CHARACTERS:
        return True
    first, last = found.span("tld")
    written = text[first:last]
    written_alike = written.islower() or (written.isupper() and token.isupper())
    tier = tiers().get(tld, "name")
    if not written_alike or name.isdigit() or tier == "word":
        return False
    ends_sentence = end == found.start()
    if ends_sentence and tier not in ("strong", "plain"):
        return False
    if any(c.isdigit() or c in "-." for c in token.strip("-.")) and (tier == "strong" or not ends_sentence):
        return True
    return not is_common(name) or (tier == "strong" and is_called(text, start))


SPACED_WWW = re.compile(
    r"w(?<![\w.]w)ww(?:\s{0,2}[.,*•]\s{0,2}|\s{1,2})(?=[\w-]{2,63}\s{0,2}(?:[.,*•]|\s(?:com|net|org|ru|de)\b))"
)


def spaced_www(_text: str, low: str) -> Iterator[Edit]:
    """`www. example. com`, `www,example,com`, `www example com`"""
    for found in SPACED_WWW.finditer(low):
        if found[0] != "www.":
            yield found.start(), found.end(), "www."


ODD_MARKS = ",;*•∙·‧・∘◦●⋅|^°~'_۔⚫🔴"
DOUBTFUL_MARKS = "_'"
"""Marks that join words in prose: a call must stand before them."""
PROSE_MARKS = ",;'_|"
"""Marks that prose has without a blank behind them now and then."""
ODD_DOT = re.compile(
    rf"(?<![\w.,*-])(?P<name>(?:www\.)?[\w-]{{1,63}})(?P<mark>[{ODD_MARKS}])(?:[\w-]{{2,63}}(?P=mark)){{0,3}}"
    r"(?P<tld>com|net|org|ru|рф|ly|me)(?![\w-])"
)
BEHIND_ODD = r"(?:com|net|org|ru|рф|ly|me)(?![\w-])"


def odd_dots(text: str, low: str) -> Iterator[Edit]:
    """`bank,com`, `bank*com`, `bank•com`; not "missiles,com munitions"."""
    for found in ODD_DOT.finditer(low):
        if not text[found.start("tld") : found.end()].islower() or not _is_odd(low, found):
            continue
        at = found.start("mark")
        while at >= 0:
            yield at, at + 1, "."
            at = low.find(found["mark"], at + 1, found.end())


def _is_odd(low: str, found: re.Match[str]) -> bool:
    name, mark, tld = found["name"], found["mark"], found["tld"]
    if name.startswith("www") or is_known(f"{name}.{tld}"):
        return True
    if tld in ("ly", "me"):
        return False
    if mark in DOUBTFUL_MARKS:
        return not is_common(name) and is_called(low, found.start())
    bold = mark not in PROSE_MARKS and len(name) > NAME_CHARACTERS
    return bold or not is_common(name) or is_called(low, found.start())


MISSING_DOT = re.compile(
    r"(?<![\w.@/-])(?P<www>w{2,3}[\s.])?(?P<name>[a-zA-Z][\w-]{4,40})(?P<gap>\s)(?P<tld>com|net|org)(?![\w.-])"
)
SUFFIX_APART = r"\s(?:com|net|org)(?<=[\w-]{5}\s...)(?![\w.-])"
"""What every missing dot has around it."""
CALL = re.compile(r"\b(?:visit|check out|go to|site|website|google|see|search for)\b[\W_]{0,30}\Z", re.IGNORECASE)


def missing_dots(text: str, low: str) -> Iterator[Edit]:
    """`check out swagFriends com`, `ww example com`: a call, a name that is no word, a suffix that is none."""
    for found in MISSING_DOT.finditer(text):
        before = text[max(0, found.start() - LOOK_BACK) : found.start()]
        if found["www"]:
            if found["www"] != "www.":
                yield found.start(), found.end("www"), "www."
        elif is_common(found["name"]) or not CALL.search(before):
            continue
        yield found.start("gap"), found.end("gap"), "."
