"""The author's name from the line above or below a comment, where no element names it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from crawler import limits
from crawler.cleaning.comments.draft import ASIDE, BLOCK, LINE, Anchor, Draft
from crawler.cleaning.comments.when import ANY_ORDER, find_time

LEAD = re.compile(
    r"^(?:(?:comment|commented|posted|written|submitted|kommentar|kommentiert|geschrieben|verfasst|publicado"
    r"|enviado|escrito"
    r"|inviato|scritto|rédigé|posté|écrit|message)\s+)?(?:(?:by|von|vom|par|de|por|da|door|av|af|from|przez|от)\s+)?",
    re.IGNORECASE,
)
"""What stands before a name: `Comment by`, `von`, `par`."""
SAYS = re.compile(
    r"\s+(?:says|said|sagt|sagte|schreibt|schrieb|meint|meinte|dit|a dit|a écrit|dijo|dice|disse|diz|zegt"
    r"|schreef|skriver|sier|säger"
    r"|sanoo|pisze|napisał|napisała|írta|yazdı|diyor|пишет|говорит|wrote|writes|commented|replied|on|at|am|le"
    r"|el|il|op|den|em|på)"
    r"[\s:,.…]*$",
    re.IGNORECASE,
)
"""What stands after a name: `says:`, `schrieb am`."""
SAYS_CHARACTERS = 40
"""At the end of a name, among which one of these is looked for."""
EDGES = " \t\n\xa0|•·–—-:,»«/@#"
PARTS = re.compile(r"\s[|•·–—»/-]\s|[|•·»]|\s@\s")
"""What divides a name from a date on one line."""
DAY_BEFORE = re.compile(
    r"\s(?:on |am |le |el |il )?(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|jeu|ven|sam|dim|mié"
    r"|jue|vie|sáb|dom|gio|sab|пн|вт|ср|чт|пт|сб|вс)[^\W\d_]{0,7}\.?,?\s*$",
    re.IGNORECASE,
)
"""A day of the week before a date."""
COUNTER = re.compile(r"\s#\d{1,6}$")
LOOKED_AT = 2 * limits.AUTHOR_CHARACTERS
"""Characters of what may name an author."""
LONGEST = 60
LINE_LENGTH = 120
"""Characters of the longest author line."""
MOST_WORDS = 6
"""A longer text is no name."""
NO_NAME = re.compile(
    r"\d+|#?\d+|reply|antworten|répondre|responder|rispondi|link|permalink|permalien|quote|zitieren|report"
    r"|share|like|edit|delete"
    r"|parent|profile|profil|on|off|»|up|down|flag|vote|comment|kommentar",
    re.IGNORECASE,
)
"""Words of buttons and numbers that are nobody's name."""


def set_apart(draft: Draft) -> None:
    """In a comment whose parts bear no names, take a short first or last line with a date in it for the author line."""
    if draft.top or draft.times:
        return
    lines = _lines(draft)
    if len(lines) < 2:
        return
    for start, end in (lines[0], lines[-1]):
        text = "".join(p.text for p in draft.pieces[start:end] if p.zone == 0)
        if len(text) <= LINE_LENGTH and find_time(text, ANY_ORDER):
            for piece in draft.pieces[start:end]:
                piece.zone = min(piece.zone, ASIDE)
            for anchor in draft.anchors:
                anchor.zone = ASIDE if start <= anchor.start < end else anchor.zone
            return


def _lines(draft: Draft) -> list[tuple[int, int]]:
    """Where each line with words begins and ends among the pieces."""
    lines, start, worded = [], 0, False
    for index, piece in enumerate(draft.pieces):
        if piece.kind in (BLOCK, LINE):
            if worded:
                lines.append((start, index))
            start, worded = index + 1, False
        elif piece.zone == 0 and piece.text.strip():
            worded = True
    if worded:
        lines.append((start, len(draft.pieces)))
    return lines


def name_in(text: str) -> str:
    """A name without what stands around it: `Comment by Ann says:` is Ann. A date, and all after it, goes."""
    text = text.lstrip(EDGES)[:LOOKED_AT]
    found = find_time(text, ANY_ORDER)
    if found:
        before = PARTS.split(text[: found[1]].strip(EDGES))[0]
        text = before or text[found[2] :]
    text = COUNTER.sub("", text.strip(EDGES)).strip(EDGES)
    text = LEAD.sub("", text, count=1).strip(EDGES) or text
    while (shorter := _without_says(text)) != text and shorter:
        text = shorter
    return text


def _without_says(text: str) -> str:
    return (text[:-SAYS_CHARACTERS] + SAYS.sub("", text[-SAYS_CHARACTERS:])).strip(EDGES)


def read_byline(lines: Iterable[str], anchors: Sequence[Anchor]) -> tuple[str, str]:
    """Name and address from an author line: its first link that is no button, else the words beside its date.

    `lines` are what may be that line, the likeliest first.
    """
    for anchor in anchors[:4]:
        if "#" not in anchor.url and plausible(text := name_in(anchor.text)) and not find_time(anchor.text, ANY_ORDER):
            return text, anchor.url
    return next((name for line in lines if (name := _beside_date(line))), ""), ""


def _beside_date(line: str) -> str:
    found = find_time(line, ANY_ORDER)
    if not found:
        return ""
    for part in (DAY_BEFORE.sub("", line[: found[1]]), line[found[2] :]):
        for words in PARTS.split(part):
            if plausible(name := name_in(words)):
                return name
    return ""


def plausible(name: str) -> bool:
    """True when a text may be somebody's name."""
    if not name or len(name) > LONGEST or len(name.split()) > MOST_WORDS:
        return False
    return any(c.isalnum() for c in name) and not NO_NAME.fullmatch(name)
