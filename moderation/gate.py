"""Is there anything in a text that could be a link? One cheap look, before any work, wider than what is found later."""

from __future__ import annotations

import re
from functools import cache

from moderation import dots

OPEN = r"[\[({<«【（]"
PLAIN = re.compile(
    r"[.:/@](?:(?<=[^\s.]\.)[^\W_\d]|(?<=\d\.)\d{1,3}\.\d"  # bank.com, 185.220.101.44
    r"|(?<=:)//|(?<=/)/|(?<=@)[a-zA-Z]"
    r"|(?<=:)(?:(?<=agnet:)|(?<=ata:)|(?<=cript:)|(?<=el:)|(?<=oin:)|(?<=d2k:)|(?<=tent:)))"
)
"""What links look like that are not disguised."""
DISGUISED = re.compile(
    rf"[.:/\[({{<«【（&%\\\"+{dots.ODD_MARKS}{dots.MARK[1:-1]}-](?:"
    rf"(?<=\s\.)\s{{0,3}}(?:{dots.SPACED_SUFFIX})\b|(?<=\.)\s{{1,3}}(?:{dots.SPACED_SUFFIX})\b|(?<=\s\.)\s\w\b"
    rf"|(?<=:)(?:\s?/\s|\s/|//\s|/\w|\\|(?<!http:)(?<!https:)//|(?<=http:)\w|(?<=https:)\w)"
    rf"|(?<=[^:/]/)/|(?<=//)/|(?<=//){dots.CLOSE}|(?<=[ps]/)[^/]|(?<=[ps]\s/)|(?<=[ps]\s\s/)"  # http:///, hxxp/x
    rf"|(?<={OPEN})\s?(?:{dots.MARK}|[:;/])|(?<={dots.MARK})\s?{dots.CLOSE}\w|(?<=[\\\"'*|_~])\."  # bank[.]com
    rf"|(?<=[{dots.ODD_MARKS}])(?:com|net|org|ru|рф|ly|me)\b"  # bank,com
    r"|(?<=[-_*~+])\w[-_*~+]\w|(?<=[ps]_)_|(?<=%)[2-7][0-9a-f]"
    r"|(?<=&)(?:#|period|sol|colon|dot|lowbar|hyphen|dash|num|quest)"
    r")"
)
"""What the rules of `moderation.disguises` have work on, words apart."""
BEYOND_LATIN = re.compile("[\u0250-\u1fff\u2e80-\uabff\uac00-\ud7ff]")
LATIN = "\u0250"
"""Words below it are looked for in every text."""
MORE_WORDS = ("d o t", "slash", "forward slash", "ww ", "www ", "www,", "www. ", "www*", "www•")


@cache
def _latin_words() -> re.Pattern[str]:
    said = [word for word in dots.spoken() if word < LATIN]
    words = _by_initial([*said, *MORE_WORDS])
    return re.compile(rf"\W(?:{words})|\s(?:com|net|org)\b|^www?(?:[ ,*•]|\. )|ot(?:com|net|org|ru)\b|watch\?v")


@cache
def _other_words() -> re.Pattern[str]:
    return re.compile(_by_initial([word for word in (*dots.spoken(), "слэш", "слеш") if word >= LATIN]))


def _by_initial(words: list[str]) -> str:
    """The words as alternatives, gathered by their first letter: a look at that is all that most places cost."""
    initials = sorted({word[0] for word in words})
    rests = ("|".join(re.escape(word[1:]) for word in words if word[0] == initial) for initial in initials)
    return "|".join(f"{re.escape(initial)}(?:{rest})" for initial, rest in zip(initials, rests, strict=True))


def prepare() -> None:
    """Compile what the first comment would pay for."""
    _latin_words()
    _other_words()


def may_link(text: str) -> bool:
    """False when nothing in the text, whose styled and invisible characters are undone, can be a link."""
    return bool(PLAIN.search(text)) or may_be_disguised(text)


def may_be_disguised(text: str) -> bool:
    """False when none of the disguises of words and marks can be in the text."""
    low = text.lower()
    if DISGUISED.search(low) or _latin_words().search(low):
        return True
    if "\n" in low and ("://" in low or "www." in low):
        return True
    return not text.isascii() and bool(BEYOND_LATIN.search(low)) and bool(_other_words().search(low))
