"""Links that leave out where they are: an account with a call to write, half an address of a video site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from crawler.text import words
from moderation.places import Place
from moderation.tables import read_rows

CALL_CHARACTERS = 48
"""How far before an account the call to write to it may stand."""
DEFAULT_HOME = "https://t.me/"
"""Where an account lives when nothing says: comments that leave it out mean Telegram."""

ACCOUNT = r"@(?<![\w@./]@)(?P<name>[A-Za-z]\w{4,31})(?![\w@]|\.\w)"
SAID = re.compile(rf"{ACCOUNT}|(?P<word>\w+)|(?P<end>[.!?\n]+(?!\w))")
"""An account, a word, the end of a sentence."""
HAS_ACCOUNT = re.compile(ACCOUNT)
DOT_ABOVE = "\u0307"
"""What `İ` has more than `i` in small letters."""
CALLS = frozenset(
    words(
        "write contact dm pm message msg text inbox hit reach join subscribe channel chat group order signals"
        " пиши пишите писать напиши напишите подписывайтесь подпишись подпишитесь подписка канал канале канала"
        " чат чате чата связь обращайтесь лс личку"
        " escribe escribeme escribanme escríbe escríbeme escríbanme contacta contactame contactanos contácta contáctame"
        " contáctanos canal kanal kanale kanala kanalimiz kanalıma schreib schreibt schreiben napisz pisz kanał"
        " yaz yazın contactez écrivez écris rejoignez rejoins scrivi scrivimi 频道 联系 加"
    )
)
VIDEO = re.compile(r"(?<![\w/.?])/?watch\?v=[\w-]{11}(?![\w-])")


@cache
def _homes() -> dict[str, str]:
    """Name of a messenger to where its accounts live."""
    homes: dict[str, str] = {}
    for home, names in read_rows("handles.tsv"):
        for name in names.split():
            homes.setdefault(name, home)
    return homes


def prepare() -> None:
    """Read the table that the first comment would pay for."""
    _homes()


def accounts(text: str) -> Iterator[Place]:
    """`@channel` behind a call to write to it or the name of a messenger."""
    home, until = "", -1
    for found in SAID.finditer(text) if HAS_ACCOUNT.search(text) else ():
        if found.lastgroup == "word":
            word = found[0].lower().replace(DOT_ABOVE, "")
            named = _homes().get(word, "")
            if named or word in CALLS:
                home = named or (home if found.start() <= until else "") or DEFAULT_HOME
                until = found.end() + CALL_CHARACTERS
        elif found.lastgroup == "end":
            until = -1
        elif found.start() <= until:
            yield Place(found.start(), found.end(), "", "account", "", home + found["name"])


def videos(text: str) -> Iterator[Place]:
    """`/watch?v=…` without the site."""
    for found in VIDEO.finditer(text):
        url = "https://www.youtube.com/" + found[0].lstrip("/")
        yield Place(found.start(), found.end(), "www.youtube.com", "https", "half an address", url)
