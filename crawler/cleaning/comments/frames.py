"""The places of a page that belong to its readers: lists of comments, forms, notices, script widgets.

What they say where no comment stands in them: open (a form), closed, none, or loaded by a script.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

from crawler.cleaning.comments.roles import spelled
from crawler.items import CommentsState
from crawler.text import words

LIST = re.compile(
    r"(?:[a-z]+-)?(?:comments|comments?-?(?:area|list|section|container|wrapper|holder|module|region|stream))"
    r"|commentlist|comment-?holder|kommentare?|commentaires?|comentarios?|commenti|reacties|komentarze"
    r"|discussion-?comments"
    r"|wpdcom|wpcomm|wc-comments|epoch-comments|responses|reader-comments"
)
FORM = re.compile(
    r"respond|(?:comment|reply)-?(?:respond|form|reply-form)(?:-wrapper)?|commentform|add-?comment"
    r"|leave-?comment|new-?comment"
)
WIDGET = re.compile(
    r"disqus-(?:thread|comments?|container|embed)|fb-comments(?:-.*)?|livefyre(?:-.*)?|coral-?(?:talk|comments?"
    r"|thread|stream|embed)(?:-.*)?"
    r"|(?:.*-)?spot-?im(?:-.*)?|openweb-.*|viafoura(?:-.*)?|vf-.*comments.*|vuukle-comments|hyvor-talk-view"
    r"|commento|remark42|isso-thread"
    r"|idc-container.*|ds-thread|cackle-.*|hypercomments-widget|giscus|utterances|cusdis-thread|jetpack-remote-comment"
    r"|gig-?comments?(?:-.*)?|gigya-comments.*|comments-?div-gigya|echo-(?:stream|comments).*|js-kit-comments"
    r"|muut|vk-comments"
)
SERVICES = words(
    "disqus spot.im vuukle viafoura livefyre coral hyvor commento giscus utteranc intensedebate js-kit echoenabled "
    "jetpack"
)
"""Parts of the addresses of comment services: one is in each that `SOURCE` knows."""
SOURCE = re.compile(
    r"(?://|\.)(?:disqus\.com/(?:embed|count)|[\w-]+\.disqus\.com|(?:launcher|recirculation)\.spot\.im"
    r"|cdn\.vuukle|[\w.-]*viafoura|[\w.-]*livefyre"
    r"|[\w-]+\.coral(?:project)?\.|coral\.[\w.-]+|talk\.hyvor|cdn\.commento|giscus\.app|utteranc\.es"
    r"|[\w.-]*intensedebate\.com/js|(?:cdn\.)?js-kit\.com"
    r"|cdn\.echoenabled)|jetpack\.wordpress\.com/jetpack-comment",
    re.IGNORECASE,
)
CLOSED_WORD = re.compile(r"(?:comments?-?closed|no-?comments?|nocomments|comment-closed)")
CLOSED = re.compile(
    r"comment(?:s|ing)? (?:are|is|have been|has been|were|now) (?:now |currently )?(?:closed|disabled"
    r"|turned off|off)|comments? closed"
    r"|closed (?:to|for) (?:new )?comments|kommentar(?:e|funktion)?\b.{0,40}\b(?:geschlossen|deaktiviert"
    r"|nicht mehr möglich)"
    r"|commentaires (?:sont )?(?:fermés|clos)|comentarios (?:están )?cerrados"
    r"|comentários (?:estão )?(?:fechados|encerrados)"
    r"|commenti (?:sono )?chiusi|reacties zijn gesloten|комментарии закрыты"
    r"|komentarze (?:są )?(?:zamknięte|wyłączone)|コメントは受け付けていません",
    re.IGNORECASE,
)
NONE = re.compile(
    r"no comments? (?:available|yet|found|so far|posted|here|on this)|(?:there are |currently )no comments"
    r"|no comments\b|be the first (?:one )?to (?:comment|post|leave|reply)"
    r"|\b0 (?:comments|kommentare|commentaires|comentarios|commenti|reacties)|(?:noch )?keine kommentare"
    r"|aucun commentaire"
    r"|(?:no hay|sin) comentarios|nenhum comentário|sem comentários|nessun commento"
    r"|nog geen reacties|brak komentarzy|нет комментариев",
    re.IGNORECASE,
)
NOTICE = 3_000
"""Characters of a frame that are searched for a notice."""
KEPT = frozenset(("html", "body", "main", "article", "head", "a", "h1", "input", "meta", "link"))
"""Elements that are no frame, whatever their class says: themes put `comments` on the whole page."""
FRAME, FORM_FRAME, WIDGET_FRAME, CLOSED_FRAME = range(1, 5)


@lru_cache(maxsize=8192)
def frame_kind(tag: str, names: str) -> int:
    """What a class and id say of an element's part in the readers' corner; 0 for none."""
    if tag in KEPT:
        return 0
    words = [spelled(n) for n in names.split() if len(n) <= 60]
    for kind, pattern in ((WIDGET_FRAME, WIDGET), (CLOSED_FRAME, CLOSED_WORD), (FORM_FRAME, FORM), (FRAME, LIST)):
        if any(pattern.fullmatch(w) for w in words):
            return kind
    return 0


def outermost(frames: Iterable[Any]) -> tuple[Any, ...]:
    """The frames that stand in no other one; each element on the way up is looked at once."""
    known = set(frames)
    free: set[Any] = set()
    found = []
    for frame in frames:
        path = _free_path(frame, known, free)
        if path is not None:
            free.update(path)
            found.append(frame)
    return tuple(found)


def _free_path(frame: Any, known: set[Any], free: set[Any]) -> list[Any] | None:
    """The elements above that are new, or None where another frame is among them."""
    path = []
    for above in frame.iterancestors():
        if above in known:
            return None
        if above in free:
            break
        path.append(above)
    return path


def state_of(
    frames: Sequence[tuple[Any, int]], scripted: bool, comments: Collection[Any], holders: Collection[Any]
) -> CommentsState:
    """Whether readers may comment, and whether they did, as far as the page says.

    `comments` are the elements that are comments, `holders` those that have one inside: what stands in a comment is no
    notice.
    """
    kinds = {kind for _, kind in frames}
    places = outermost([*comments, *(frame for frame, kind in frames if kind != WIDGET_FRAME)])
    said = _notices(places, comments, holders)
    if CLOSED.search(said):
        return "closed"
    if comments:
        return "open"
    if scripted or WIDGET_FRAME in kinds:
        return "script"
    if FORM_FRAME in kinds:
        return "open"
    return "none" if NONE.search(said) else "unknown"


def _notices(places: Iterable[Any], comments: Collection[Any], holders: Collection[Any]) -> str:
    """The words of the places, as far as they are not comments, `NOTICE` characters at most, in no certain order."""
    parts: list[str] = []
    left = NOTICE
    stack = list(places)
    while stack and left > 0:
        place = stack.pop()
        if place in comments:
            continue
        if place in holders:
            stack.extend(place)
            parts.append(place.text or "")
            continue
        for text in place.itertext("*"):
            parts.append(text)
            left -= len(text)
            if left < 0:
                break
    return " ".join(" ".join(parts).split())
