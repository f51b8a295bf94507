"""Names of people out of what bylines and metadata say: split, without "By", titles and credits, each once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from crawler import limits
from crawler.cleaning.headline import key
from crawler.text import line, words

LEAD = re.compile(
    r"^(?:(?:written|posted|published|reported|edited|story|text|words|analysis|report|commentary|opinion|"
    r"review|interview)\s*(?:by|:)|"
    r"(?:ein |eine )?(?:kommentar|analyse|bericht|interview|reportage|gastbeitrag|kolumne|essay|glosse|leitartikel)"
    r"\s+von|propos recueillis par|"
    r"(?:by|authors?|von|par|por|di|af|av|door|autor(?:/?in)?(?:/autor(?:in)?)?|autore|auteur|texto?|texte|przez|oleh|"
    r"penulis|editor)(?=\s*:|\s))\s*:?\s*|"
    r"^[文記者기자]{1,2}\s*[:：/]\s*",
    re.I,
)
CONJUNCTION = re.compile(r"\s+(?:and|und|et|y|e|og|och|dan|ve|with|mit|en|&)\s+|\s*&\s*", re.I)
"""Words that stand between two names; a name of an agency or paper may hold one too (`Le Figaro et AFP`)."""
BREAK = re.compile(r"\s*[;|\n•·、，]\s*|\s+[/–—-]\s+")
COMMA = re.compile(r"\s*,\s*(?:(?:and|und|et|y)\s+)?")
JOBS = re.compile(
    r"\b(?:reporters?|correspondents?|editors?|writers?|journalists?|columnists?|producers?|photographers?|"
    r"videographer|contributor|analyst|"
    r"redakteur\w*|redaktor\w*|korrespondent\w*|journaliste|périodista|director|chief|fellow|professor|"
    r"intern|associate|senior|special to|updated|published|veröffentlicht|publié|publicado|pubblicato|"
    r"posted|photos?|images?|getty|istock\w*|shutterstock|webmaster|administrator|freelance|ph\.?d|m\.?d|"
    r"jr|latest|letzte|artikel|articles?|posts|beiträge|kommentare|comentarios|comments|"
    r"read more|follow|email|view|see all|contact|minutes?|expert|advisor|"
    r"january|february|march|april|june|july|august|september|october|november|december)\b\.?",
    re.I,
)
"""Words that no person's name has: jobs, credits, buttons."""
UNNAMED = frozenset(
    words(
        "admin administrator staff guest author authors editor editorial webmaster unknown anonymous null "
        "none undefined user redaktion redazione team "
        "contributor newsroom profile profil name nama имя editors facebook twitter instagram whatsapp share follow"
    )
)
"""Words that stand where a name should and are none."""
LEAD_WORD = re.compile(
    r"(?:(?:written|reported|posted|published|story|words) )?(?:by|von|par|por|af|av|door|przez|oleh|yazan)\s+"
    r"(?-i:(?=[^\W\d_a-zß-öø-ÿ]))|"
    r"(?:authors?|autor\w*(?:/autor\w*)?|auteurs?|autore|text|texto?|penulis|yazar)\s*:\s*\S",
    re.I,
)
"""How a byline begins that says it is one: a word for by, or for author with a colon."""
LEAD_ALONE = re.compile(
    r"(?:(?:written|reported|posted|published|story|words) )?(?:by|von|par|por|di|da|de|af|av|door|przez|oleh|yazan|"
    r"and|und|et|y|e|og|och|&|,|\||/|·|•|–|-|:|authors?|autor\w*(?:/autor\w*)?|auteurs?|text|texto?)\s*:?",
    re.I,
)
"""A piece of a byline between its names."""
TITLE_BEHIND = re.compile(
    r"([가-힣]{2,4})\s?(?:선임)?(?:기자|특파원)(?![가-힣])|([\u4e00-\u9fff]{2,4})\s?[記记]者(?![\u4e00-\u9fff])"
)
"""A name with `reporter` behind it, as Korean and Chinese bylines have it."""
REPORTER = words("기자 특파원 記者 记者")
"""One of these is in what `TITLE_BEHIND` finds; they are found sooner."""
JOINT = re.compile(r"^(?:,|&|(?:and|und|et|y|e|og|och|with|mit|avec|con)(?=\s))\s*", re.I)
CREDIT = re.compile(
    r"(?:photo|foto|bild|image|picture|video|illustration|credit|quelle|source|graphic|grafik|imagen|fuente)s?"
    r"(?:grap\w+)?\b",
    re.I,
)
"""How the credit of a picture begins."""
DIGITS = re.compile(r"[\s,|(–—·•-]*\d.*$", re.S)
INSTITUTION = re.compile(
    r"\b(?:universi\w+|institut\w*|colleges?|departments?|bureau|akademie|academy|cent(?:er|re)|hospital|foundation|"
    r"stiftung|gmbh|ltd|verlag)\b",
    re.I,
)
"""Words that tell an author's employer in a byline from the author."""
PARTICLES = frozenset(words("de da di do du van von der den del della la le el al bin ibn ter ten af zu dos das e y d"))
"""Small words that a person's name may begin with."""
NO_NAME = re.compile(r"https?:|www\.|@|\d{3}|[{}<>\[\]=_#?!]", re.I)
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)+")
BRACKETS = re.compile(r"\([^()]{0,200}\)|\[[^\[\]]{0,200}\]")
PLACE = re.compile(r"\s+(?:in|aus|für|[Ff]or|FOR|at|from)\s+[A-Z].*$")
DATELINE = re.compile(r"(?<=\w \w\w)(\w*),\s*[A-Z][^\W\d_]+$")
"""A place behind a name: `Lea Wagner, Nairobi`."""
ITEM = 2 * limits.SUMMARY_CHARACTERS
"""Characters of a listed author looked at."""
NAME_WORDS = 6
"""Words in a person's name: `María del Carmen de la Torre` has six."""
NAME_CHARACTERS = 60
UNCASED_CHARACTERS = 12
"""Letters of a name in a script without capitals: Chinese, Japanese and Korean names have two to seven."""
AGENCIES = frozenset(
    words(
        "afp ansa anp ap apa belga cna dapd dpa efe epd jta kna lusa ntb pa pap pti reuters ritzau sda sid tass tt upi"
    )
)
"""News agencies as bylines have them, in small letters too."""
DANGLING = re.compile(r"\s*,\s*[^\W\d_A-Z]{1,4}$")
"""What is left of the sentence behind a name: `Ann Lee, in`."""


def people(items: Iterable[str], not_a_person: Iterable[str] = ()) -> tuple[str, ...]:
    """Authors that a page lists as such, one to an item: kept as they are unless an item plainly holds several.

    `not_a_person` are the site's and publisher's own names.
    """
    own = {key(n) for n in not_a_person if n}
    hosts = [n for n in not_a_person if "." in n]
    foreign = (item for item in items if not any(f"www.{host}" in item for host in hosts))
    return _once(name for item in foreign for name in _but(own, _split(item[:ITEM])))


def names(values: Iterable[str], not_a_person: Iterable[str] = ()) -> tuple[str, ...]:
    """The people that bylines name: as `people`, and without what does not look like a person's name."""
    found = (DANGLING.sub("", n) for n in people(values, not_a_person))
    return tuple(n for n in found if n.casefold() in AGENCIES or _like_a_name(n))


def is_byline(text: str) -> bool:
    """True when a visible line can be a byline: it says `By`, or each part begins like a name of several words."""
    bare = LEAD.sub("", text.strip())
    words = bare.split()
    return bare != text.strip() or (
        len(words) >= 2 and all(w[:1].isupper() or not w[:1].isalpha() or len(w) < 4 for w in words)
    )


def has_lead(text: str) -> bool:
    """True for a line that begins with the word for by and a name, or has a name with `reporter` behind it."""
    if text.isascii() or not any(word in text for word in REPORTER):
        return LEAD_WORD.match(text) is not None
    return LEAD_WORD.match(text) is not None or TITLE_BEHIND.search(text) is not None


def without_joint(text: str) -> str:
    """A piece of a byline without the word that joins it to the piece before: `and Bo Ek`."""
    return JOINT.sub("", text)


def is_lead(text: str) -> bool:
    """True for a piece of a byline that stands between names: `By`, `and`, a comma."""
    return LEAD_ALONE.fullmatch(text.strip()) is not None


def is_credit(text: str) -> bool:
    """True for the credit of a picture."""
    return CREDIT.match(text) is not None


def before_digits(text: str) -> str:
    """A byline's text up to the date or the clock that follows a name."""
    return DIGITS.sub("", text) if any(c.isalpha() for c in text[:4]) else text


def is_whole_name(text: str) -> bool:
    """True for two or three words that each begin as a name's do, and nothing else."""
    parts = text.split()
    return 2 <= len(parts) <= 3 and all(p.isalpha() and p[0].isupper() and len(p) > 2 for p in parts)


def is_job(part: str) -> bool:
    """True for a part of a byline that says what someone does, or a word that stands where a name should."""
    return bool(JOBS.search(part)) or part.casefold().strip(" .") in UNNAMED


def is_job_first(part: str) -> bool:
    """True for a part of a byline that begins with what someone does."""
    return JOBS.match(LEAD.sub("", part)) is not None


def is_shown_name(name: str) -> bool:
    """True for what reads as a person's name in a visible line: capitals throughout, particles only inside."""
    parts = name.split()
    small = [p for p in parts if p.islower()]
    if name.upper() == name.lower():
        return len(name) <= UNCASED_CHARACTERS
    return set(small) <= PARTICLES and not parts[-1].islower() and ":" not in name and not INSTITUTION.search(name)


def _but(own: set[str], found: tuple[str, ...]) -> list[str]:
    """The names without the site's own, and without the places that follow it: `paper.example, Berlin, Germany`."""
    itself = bool(found) and key(found[0]) in own
    return [n for n in found if key(n) not in own and (not itself or " " in n)]


def is_short_name(name: str) -> bool:
    """True for one word that can stand for an author: an agency's letters, a name in a script without capitals."""
    return name.isupper() or not name[0].isascii() or name.casefold() in AGENCIES


def _once(found: Iterable[str]) -> tuple[str, ...]:
    kept: dict[str, str] = {}
    for name in found:
        kept.setdefault(key(name), name)
    return tuple(kept.values())[: limits.AUTHORS]


@lru_cache(maxsize=1024)
def _split(item: str) -> tuple[str, ...]:
    """One listed author as names: cut at breaks, at commas and conjunctions where whole names stand on both sides.

    Kept for a while: a page names its author in many places, and so do the pages of one site.
    """
    plain = line(item, limits.SUMMARY_CHARACTERS).replace("\xad", "")
    text = LEAD.sub("", BRACKETS.sub("", plain).strip())
    if titled := TITLE_BEHIND.findall(text):
        return tuple(korean or chinese for korean, chinese in titled)
    found: list[str] = []
    for part in BREAK.split(text):
        for piece in _halves(DATELINE.sub(r"\1", part), COMMA):
            found += [_bare(n) for n in _halves(piece, CONJUNCTION)]
    return tuple(n for n in found if n)


def _halves(text: str, at: re.Pattern[str]) -> list[str]:
    """The text split, if what comes out are names of several words or titles that go; else whole."""
    parts = [p for p in at.split(text) if p]
    named = [p for p in parts if len(LEAD.sub("", p).split()) > 1 or is_job(p)]
    if len(parts) < 2 or len(named) == len(parts):
        return parts
    return [text] if at is CONJUNCTION or len(parts) == 2 else parts


def _bare(part: str) -> str:
    """The part as a name, or nothing where it is a job, an address or no name at all."""
    name = PLACE.sub("", LEAD.sub("", part.strip(" ,.:;-–—*|/／\u200b\ufeff"))).strip()
    if not 2 <= len(name) <= limits.AUTHOR_CHARACTERS or NO_NAME.search(name) or SLUG.fullmatch(name):
        return ""
    return "" if is_job(name) or not any(c.isalpha() for c in name) else name


def _like_a_name(name: str) -> bool:
    parts = name.split()
    first = parts[0]
    begins = not first[0].islower() or first.casefold() in PARTICLES or "’" in first or "'" in first
    return (
        begins
        and first[0].isalpha()
        and "," not in name
        and len(parts) <= NAME_WORDS
        and len(name) <= NAME_CHARACTERS
        and not name.islower()
        and UNNAMED.isdisjoint(map(str.casefold, parts))
    )
