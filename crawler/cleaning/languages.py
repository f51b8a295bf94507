"""A page's language: as declared, else told by its script and its commonest small words. Silent when unsure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from crawler.cleaning import json_ld
from crawler.cleaning.statements import Statements, shown, told
from crawler.items import Evidence
from crawler.text import line, words

TAG = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{1,8}){0,3}")
"""A language tag of BCP 47, small, as far as news sites use it."""
UNKNOWN = frozenset(words("und mul zxx mis qaa"))
"""Tags of ISO 639 that name no language."""
METAS = words("og:locale language content:language dc:language dcterms:language")
SMALL_WORDS = {
    "en": "the and of to in that is was for with he his it on as at by from they have has this are be said who will",
    "de": "der die das und ist nicht ein eine mit von zu auf für im den dem des sich auch als wird nach bei aus noch",
    "fr": "le la les des et est dans pour que qui sur une avec pas plus ce par au du il sont ont cette été aux mais",
    "es": "el la los las de que y en un una por con para del se su al más como pero sus ha este esta sobre lo fue",
    "pt": "o os as de que e em um uma por com para do da dos das no na se não mais como mas foi ao pelo pela é são",
    "it": "il lo la gli le di che e in un una per con del della dei delle non si è sono nel alla come più anche ha dal",
    "nl": "de het een en van in is dat op te met voor zijn niet aan er om ook als door naar bij maar uit heeft wordt",
    "sv": "och att det som en på är av för med den till inte har ett om de var men så från vid kan också efter ska",
    "no": "og det som en på er av for med den til ikke har et om de var men så fra ved kan også etter skal blir ble",
    "da": "og det som en på er af for med den til ikke har et om de var men så fra ved kan også efter skal bliver blev",
    "fi": "ja on ei se että oli hän mutta ovat myös joka kun niin kuin mukaan sekä tai vain voi hänen ole olla jo",
    "pl": "i w na z do się nie że to jest o jak po od za przez dla są ale oraz tym tego które który był co ma już",
    "cs": "a v na se je že s z do o k i pro ale jako za by po od jsou jeho bylo byl který které podle také už však",
    "sk": "a v na sa je že s z do o k i pre ale ako za by po od sú jeho bolo bol ktorý ktoré podľa tiež nie už však",
    "hu": "a az és hogy nem is egy meg de ez volt van csak mint már ki el még azt szerint vagy lesz minden után",
    "ro": "și în de la cu a pe că nu din o un pentru care este mai sunt au fost prin ce se lui ale dar după între",
    "tr": "ve bir bu da de için ile çok daha olarak olan gibi kadar sonra ne en ama göre var değil oldu ise her",
    "id": "yang dan di untuk dari dengan ini itu pada tidak dalam akan ke juga oleh ada saat telah karena atau",
    "is": "og að í á er sem við var um til ekki af með en það hann fyrir frá hefur verið því þegar eftir þá vera",
    "hr": "i u na je se da za od s su o kao koji što ne bi iz te će ali nije po koja bio biti samo kako više",
    "vi": "và của là có cho không được các với này trong những một người đã khi từ đến trên cũng như tại về",
    "sw": "na ya wa kwa ni katika za la kuwa hiyo huyo baada hata lakini wakati kama hii watu pia ambayo alisema",
}
"""The commonest small words of languages written in Latin letters. Danish and Norwegian, Czech and Slovak, Croatian
and its sisters differ in few: what fits two of them about as well is left unsaid."""
LANGUAGES_OF: dict[str, tuple[str, ...]] = {}
for _language, _listed in SMALL_WORDS.items():
    for _word in words(_listed):
        LANGUAGES_OF[_word] = (*LANGUAGES_OF.get(_word, ()), _language)
SCRIPTS = (
    (0x0370, 0x03FF, "el"), (0x0400, 0x052F, "cyrillic"), (0x0530, 0x058F, "hy"), (0x0590, 0x05FF, "he"),
    (0x0600, 0x06FF, "arabic"), (0x0900, 0x097F, "hi"), (0x0980, 0x09FF, "bn"), (0x0A00, 0x0A7F, "pa"),
    (0x0A80, 0x0AFF, "gu"), (0x0B80, 0x0BFF, "ta"), (0x0C00, 0x0C7F, "te"), (0x0D00, 0x0D7F, "ml"),
    (0x0E00, 0x0E7F, "th"), (0x1000, 0x109F, "my"), (0x10A0, 0x10FF, "ka"), (0x1780, 0x17FF, "km"),
    (0x3040, 0x30FF, "ja"), (0x4E00, 0x9FFF, "han"), (0xAC00, 0xD7AF, "ko"),
)  # fmt: skip
"""Ranges of Unicode whose letters one language uses, or a few that `OWN_LETTERS` tells apart."""
OWN_LETTERS = {
    "cyrillic": (("be", "ў"), ("kk", "қңғү"), ("uk", "їєґі"), ("sr", "ђћљњџ"), ("ru", "ыэё"), ("bg", "ъ")),
    "arabic": (("ur", "ٹڈںے"), ("fa", "پچژگ"), ("ar", "ةىأإ")),
}
"""Letters that only one language of a script has, the rarest alphabets first."""
OWN_SHARE = 0.003
"""Share of a language's own letters in a text from which on they are no quotation."""
LETTERS = 60
"""Letters that a text has at least, for its script to tell its language."""
SCRIPT_SHARE = 0.5
"""Share of the letters that are in one script. Japanese needs less: it writes in two."""
KANA_SHARE = 0.1
WORDS = 25
"""Words that a text has at least, for small words to tell its language."""
SMALL_SHARE = 0.15
"""Share of small words in running text: it is about 0.4 in the right language, below 0.1 in a wrong one."""
LEAD = 1.25
"""How many times more small words the first language has than the second."""
READ_CHARACTERS = 4_000
READ_PARAGRAPHS = 60


def language(said: Statements, headline: str) -> tuple[str, tuple[Evidence, ...]]:
    """The page's language as BCP 47, small, and where it was read; empty when unsure."""
    offered = [(origin, raw) for origin, raw in _declared(said) if raw.strip()]
    for offer in offered:
        if tag := declared(offer[1]):
            return tag, told("language", offered, offer)
    found = detected(_text(said, headline))
    return found, told("language", [*offered, ("text", found)] if found else offered, ("text", found))


def declared(raw: str) -> str:
    """A declared language in one spelling; empty for what is no language tag."""
    tag = line(raw, 35).lower().replace("_", "-").partition(".")[0].partition(",")[0]
    return tag if TAG.fullmatch(tag) and tag[:3] not in UNKNOWN else ""


def detected(text: str) -> str:
    """The language that a text is written in, two letters; empty when its letters and words do not tell."""
    script = _script(text)
    return script if script != "latin" else _by_small_words(text)


def _declared(said: Statements) -> Iterator[tuple[str, str]]:
    root = said.parsed.root
    yield "html lang", root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or ""
    yield "json-ld", json_ld.text(said.article.get("inLanguage"))
    for name in METAS:
        yield f"meta {name}", said.meta(name)


def _text(said: Statements, headline: str) -> str:
    """The headline and the paragraphs, up to what is enough to tell a language."""
    kept, size = [headline], 0
    for number, p in enumerate(said.parsed.index.by_tag("p")):
        if size >= READ_CHARACTERS or number >= READ_PARAGRAPHS:
            break
        kept.append(shown(p)[:READ_CHARACTERS])
        size += len(kept[-1])
    return " ".join(kept)[:READ_CHARACTERS]


def _script(text: str) -> str:
    """The language of a script that one language uses, `latin`, or nothing."""
    counts: Counter[str] = Counter()
    for letter, number in Counter(text).items():
        if letter.isalpha():
            counts[_script_of(ord(letter))] += number
    total = sum(counts.values())
    if total < LETTERS:
        return ""
    if counts["ja"] >= KANA_SHARE * total:
        return "ja"
    name, count = counts.most_common(1)[0]
    if count < SCRIPT_SHARE * total:
        return ""
    if name in OWN_LETTERS:
        return _by_letters(text, name, count)
    return "zh" if name == "han" else name


def _script_of(code: int) -> str:
    if code < SCRIPTS[0][0]:
        return "latin"
    return next((name for first, last, name in SCRIPTS if first <= code <= last), "latin" if code < 0x2000 else "other")


def _by_letters(text: str, script: str, total: int) -> str:
    small = text.lower()
    for name, letters in OWN_LETTERS[script]:
        if sum(map(small.count, letters)) >= OWN_SHARE * total:
            return name
    return ""


def _by_small_words(text: str) -> str:
    found: list[str] = re.findall(r"[^\W\d_]+", text.lower())
    if len(found) < WORDS:
        return ""
    counts = Counter(name for w in found for name in LANGUAGES_OF.get(w, ()))
    (first, most), (_, next_most) = [*counts.most_common(2), ("", 0), ("", 0)][:2]
    return first if most >= SMALL_SHARE * len(found) and most >= LEAD * next_most else ""
