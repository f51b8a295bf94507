"""What strangers wrote, on a page of ours: escaped, and what nobody could see spelled out. Pure."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
"""Controls, zero-width, right-to-left and tag characters: they act on a page, or hide in it (Unicode TR 36)."""


LANGUAGE = re.compile(r"([a-z]{2})(?:-[a-z0-9]{2,8}){0,2}", re.ASCII | re.IGNORECASE)
"""A language as sites state it, the part of BCP 47 that they use."""
LANGUAGES = (
    " aa ab af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cs cu cv cy da de dv dz ee el en eo es"
    " et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka"
    " kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne"
    " ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss"
    " st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"
    " "
)
"""ISO 639-1."""


def language(stated: str) -> Markup:
    """A `lang` attribute, with a space before it; empty where what was stated is no language."""
    found = LANGUAGE.fullmatch(stated)
    known = found is not None and f" {found[1].lower()} " in LANGUAGES
    return Markup(' lang="{}"').format(stated) if known else Markup("")


def shown(text: str, most: int = 0) -> Markup:
    """The text as markup that shows just it, cut after `most` characters when given; hidden ones as `U+202E`."""
    cut = f"{text[:most]}…" if most and len(text) > most else text
    return Markup("").join(_part(part) for part in _parts(cut))


def is_address(text: str) -> bool:
    """True for an http or https address of printable characters without spaces: no other becomes a link."""
    return text.startswith(("http://", "https://")) and text.isprintable() and not re.search(r"\s", text)


def link(address: str, most: int = 0) -> Markup:
    """A link that takes nothing along: no referrer, no opener, no vote for search engines."""
    template = Markup('<a href="{}" rel="noopener noreferrer nofollow" target="_blank">{}</a>')
    return template.format(address, shown(address, most))


def _parts(text: str) -> list[str]:
    return re.split(f"({HIDDEN.pattern})", text)


def _part(part: str) -> Markup:
    if len(part) == 1 and HIDDEN.match(part):
        return Markup('<span class="hidden">U+{:04X}</span>').format(ord(part))
    return escape(part)
