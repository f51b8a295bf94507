"""Links that leave out where they are: an account with a call to write, half an address of a video site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from moderation.places import Place
from moderation.tables import read_rows

CALL_CHARACTERS = 48
"""How far before an account the call to write to it may stand."""
DEFAULT_HOME = "https://t.me/"
"""Where an account lives when nothing says: comments that leave it out mean Telegram."""

ACCOUNT = r"(?<![\w@./])@(?P<name>[A-Za-z]\w{4,31})(?![\w@]|\.\w)"
CALLS = (
    r"write|contact|dm|pm|message|msg|text|inbox|hit|reach|join|subscribe|channel|chat|group|order|signals"
    r"|пиши(?:те)?|писать|напиши(?:те)?|подпи(?:сывайтесь|шись|шитесь|ска)|канал[еа]?|чат[еа]?|связь|обращайтесь|лс|личку"
    r"|escr[ií]b(?:e|eme|anme)|cont[aá]cta(?:me|nos)?|canal|kanal(?:[ea]|imiz|ıma)?|schreib(?:t|en)?|napisz|pisz|kana[łl]"
    r"|yaz(?:ın)?|contactez|écri(?:vez|s)|rejoi(?:gnez|ns)|scrivi(?:mi)?|频道|联系|加"
)
VIDEO = re.compile(r"(?<![\w/.?])/?watch\?v=[\w-]{11}(?![\w-])")


@cache
def _homes() -> tuple[re.Pattern[str], dict[str, str]]:
    """What to look for, and where the accounts of each messenger live."""
    homes: dict[str, str] = {}
    for home, words in read_rows("handles.tsv"):
        for word in words.split():
            homes.setdefault(word, home)
    names = "|".join(map(re.escape, sorted(homes, key=len, reverse=True)))
    pattern = rf"{ACCOUNT}|(?<!\w)(?:(?P<messenger>{names})|(?P<call>{CALLS}))(?!\w)|(?P<end>[.!?\n]+(?!\w))"
    return re.compile(pattern, re.IGNORECASE), homes


def prepare() -> None:
    """Read the table that the first comment would pay for."""
    _homes()


def accounts(text: str) -> Iterator[Place]:
    """`@channel` behind a call to write to it or the name of a messenger."""
    pattern, homes = _homes()
    home, until = "", -1
    for found in pattern.finditer(text):
        if found["name"]:
            if found.start() <= until:
                yield Place(found.start(), found.end(), "", "account", "", home + found["name"])
        elif found["end"]:
            until = -1
        else:
            named = homes.get((found["messenger"] or "").lower(), "")
            home = named or (home if found.start() <= until else "") or DEFAULT_HOME
            until = found.end() + CALL_CHARACTERS


def videos(text: str) -> Iterator[Place]:
    """`/watch?v=…` without the site."""
    for found in VIDEO.finditer(text):
        url = "https://www.youtube.com/" + found[0].lstrip("/")
        yield Place(found.start(), found.end(), "www.youtube.com", "https", "half an address", url)
