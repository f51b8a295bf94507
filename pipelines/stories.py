"""The same story in many outlets: by which keys an article is found again, and whether two articles tell one. Pure.

Two texts are laid side by side along the runs of words that both have. Small gaps are closed, so that words changed
here and there do not break a copy. How much of each text the other has decides; and whether that is what the article is
about: reports of one series, and articles with a house's standing paragraphs, have much in common and are no copies.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from heapq import nsmallest
from itertools import pairwise
from typing import Literal

from pipelines.overlap import DENSE_GRAM, Side, Sides, dense, plain, prepared, side_by_side, words

KEYS = 16
"""Keys of an article: of two that tell one story 996 in 1,000 share one; with 12 they were 993."""
KEY_WORD = 4
"""Bytes from which a word counts for keys: pieces without `of the` and `said he` are seldom found in other stories."""
FREQUENT = 50
"""Stories from which a key that they share tells nothing: it is a phrase, or a house's standing paragraph."""
ENOUGH = 0.125
"""Share of their keys that two texts of one story have in common at the least: of equally long ones two of sixteen,
where of the shorter one all keys count that are not above the other's last. 1 in 800 such pairs has fewer; of the pairs
that have a phrase in common and no story, nearly all."""
CANDIDATES = 20
"""Articles, those with the most keys in common first, that are worth comparing with a new one."""
LEAST = 40
"""Words from which a text is compared piece by piece; a shorter one only as a whole."""
LEAST_EQUAL = 12
"""Words from which a text is compared at all: below there are captions, teasers and error messages."""
TOLD = 0.6
"""Share of a text from which it is told by the other. Of a copy with a new beginning, a paragraph of its own and every
fifth word changed, 0.75 are; two daily reports of one series share 0.3, short articles with the same standing
paragraphs 0.65."""
BOTH = 0.8
"""Share of each of two texts that look like numbers of one series, from which they are one all the same."""
AGAIN = 0.9
"""Share of each of two texts of one source from which they are one piece, published again."""
WHOLE = 0.6
"""Share of the longer text below which the shorter one is an excerpt."""
LEDE = 40
"""Words at the beginning of a text."""
LEDE_TOLD = 0.4
"""Share of one of the two beginnings that the texts must have in common: standing paragraphs stand elsewhere."""
SAME_HEADLINE = 0.5
"""Share of the words of the shorter headline, two at least, that the other one has, from which they are one."""
HEADLINE_TOLD = 0.34
"""Share of the words of each headline that are in what the texts have in common, where the headlines differ. It is
above 0.5 for copies, and 0.1 where the texts have a house's standing paragraphs in common."""
ONE_HEADLINE, STARTS_ALIKE = 0.6, 0.5
"""Share of the words of one headline, two at least, where the other one speaks of something else: headlines are
written anew. The second one where two texts begin alike that are not equal."""
FIRMLY = 0.85
"""Share of a text that the other has, from which one headline is enough."""
NEARLY, NOTICE = 0.95, 200
"""Share of each of two texts, and words, from which the headlines do not matter: a notice that stands in place of
articles is shorter."""
UNTITLED = 0.7
"""Share of each of two texts from which they are one story, where there is no headline to go by."""
STEM = 5
"""Letters by which words of headline and text are compared: they are bent in many languages."""
SAME_FORM = 0.4
"""Share of the numbers, or of the names, in what two texts have in common that the other one has not, from which it is
one form filled in twice. It stays below 0.3 where every third word was changed on both sides."""
FILLED_IN = 3
"""Numbers or names from which that share says something."""
SAME_TITLE = 0.5
"""Share of the words of two headlines, numbers aside, from which they are numbers of one series."""
DAYS = 30
"""Days between two articles after which they are rather two of a series."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_BITS = (1 << 63) - 1
_SHORT_TEXT = 1 << 62
_SPACED = bytes(code if code > 127 or chr(code).isalnum() else 32 for code in range(256))
_SIGNS = "\u00a0«»„“”‘’‚–—…"
"""What is no ASCII and stands at words in most texts."""
_ODD = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93)
"""Odd multipliers that spread the sums of words evenly: 2⁶⁴ over the golden ratio, and two of well-known mixers."""
_SPELLINGS = (("ou", "o"), ("z", "s"), ("ll", "l"), ("ce", "se"), ("re", "er"), ("ae", "e"), ("mme", "m"), ("ey", "ay"))
"""What British and American spellings differ in: both are made the same, wrong as it may look."""


@dataclass(frozen=True, slots=True)
class Told:
    """An article, as far as its story goes."""

    headline: str
    body: str
    """Blocks divided by an empty line."""
    language: str = ""
    """BCP 47; empty when unknown, which goes with every language."""
    source: str = ""
    """Id of the source; empty when unknown, which is no other's."""
    published_at: str | None = None
    """ISO 8601."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How two articles tell one story."""

    share: float
    """0 to 1: of the words of that text which the other has the most of."""
    kind: Literal["copy", "edited", "excerpt"]
    """`copy`: the same words, spelling aside; `excerpt`: one has only a part of the other, whatever it adds."""


def keys(text: str) -> tuple[int, ...]:
    """Up to `KEYS` numbers below 2⁶³ of which two texts that tell one story most likely share one; none for a very
    short text, one for a short text as a whole.

    The least hashes of the pieces in one permutation (Broder 1997, bottom-k): unlike min-hashes of many, a part of a
    text keeps its share of them.
    """
    tokens = 2 if dense(text) else 1
    said = _spelt_words(text) if tokens == 1 else []
    if len(said) < LEAST:
        return _keys_of_characters(words(text), tokens)
    return tuple(nsmallest(KEYS, _hashes(said))) or _whole_key(words(text))


def promising(found: Collection[int], others: Collection[int]) -> bool:
    """Do two texts have so many of their keys in common that they are worth comparing?

    Only keys that both would have if they had the whole text in common count: those up to the lower of the last ones.
    """
    last = min(max(found, default=0), max(others, default=0))
    size = min(sum(key <= last for key in side) for side in (found, others))
    return len(set(found).intersection(others)) >= max(1, ENOUGH * size)


def alike(one: Told, other: Told) -> Likeness | None:
    """How two articles tell one story; `None` when they do not, or when one may be a translation of the other."""
    if _language(one) != _language(other) and _language(one) and _language(other):
        return None
    text, beside = prepared(one.body), prepared(other.body)
    if min(text.size, beside.size) < (LEAST_EQUAL if text.words == beside.words else LEAST):
        return None
    sides = side_by_side(text, beside)
    if sides is None or not _one_story(one, other, sides):
        return None
    return Likeness(max(side.told for side in sides), _kind(sides))


# ---- keys ----------------------------------------------------------------------------------------


def _spelt_words(text: str) -> list[bytes]:
    """The words of a text in UTF-8, much faster than `words` and nearly the same."""
    cut = plain(text).casefold()
    if not cut.isascii():
        for sign in _SIGNS:
            cut = cut.replace(sign, " ")
    return cut.encode("utf-8", "surrogatepass").translate(_SPACED).split()


def _keys_of_characters(said: list[str], tokens: int) -> tuple[int, ...]:
    """Of a text that is short, in a script without spaces, or of a few giant words."""
    if len(said) < LEAST_EQUAL * tokens:
        return ()
    if len(said) < LEAST * tokens:
        return _whole_key(said)
    spelt, size = "".join(said).encode("utf-32-le", "surrogatepass"), 4 * DENSE_GRAM
    found = {zlib.crc32(spelt[at : at + size]) * _ODD[0] & _BITS for at in range(0, len(spelt) - size + 1, 4)}
    return tuple(nsmallest(KEYS, found))


def _whole_key(said: list[str]) -> tuple[int, ...]:
    return (_SHORT_TEXT | zlib.crc32(" ".join(said).encode("utf-8", "surrogatepass")),)


def _hashes(said: list[bytes]) -> set[int]:
    """Of each three words that follow one another, short ones left out."""
    known = {word: zlib.crc32(word) for word in set(said) if len(word) >= KEY_WORD}
    numbers = [known[word] for word in said if word in known]
    one, two, three = _ODD
    following = zip(numbers, numbers[1:], numbers[2:], strict=False)
    return {(a * one ^ b * two ^ c * three) & _BITS for a, b, c in following}


# ---- is it one story? ----------------------------------------------------------------------------


def _one_story(one: Told, other: Told, sides: Sides) -> bool:
    least, most = sorted(side.told for side in sides)
    if most < TOLD or _same_form(sides) or max(side.begins(LEDE) for side in sides) < LEDE_TOLD:
        return False
    if one.source and one.source == other.source:
        return _again(sides) and not _numbered_apart(one, other) and _headlines_agree(one, other, sides)
    if least < BOTH and (_numbered_apart(one, other) or _days_apart(one, other)):
        return False
    return (least >= NEARLY and sides[0].text.size >= NOTICE) or _headlines_agree(one, other, sides)


def _again(sides: Sides) -> bool:
    """Is it a piece that its source published again, and no other of its series? There a number is what is new."""
    return min(side.told for side in sides) >= AGAIN and not all(_numbers(side) & side.alone() for side in sides)


def _headlines_agree(one: Told, other: Told, sides: Sides) -> bool:
    """Are the headlines one, or is what the texts have in common what they speak of?

    They do not say when there are none, or when both are one word, the same, which names a page and no story.
    """
    titles = [_stems(words(told.headline)) for told in (one, other)]
    common = len(titles[0] & titles[1])
    if common > 1 and common >= SAME_HEADLINE * min(map(len, titles)):
        return True
    if titles[0] == titles[1]:
        return min(side.told for side in sides) >= UNTITLED
    known = _stems([word for side in sides for word in side.shared(side.text.words)])
    told = [(len(title & known), len(title)) for title in titles]
    return all(found >= HEADLINE_TOLD * of for found, of in told) or _one_headline_told(told, sides)


def _one_headline_told(told: list[tuple[int, int]], sides: Sides) -> bool:
    """Does one headline speak of what nearly all of a text is, and the other text has, whatever the other one says?"""
    if max(side.told for side in sides) < FIRMLY:
        return False
    begin_alike = min(side.begins(LEDE) for side in sides) >= LEDE_TOLD
    share = STARTS_ALIKE if begin_alike and sides[0].text.words != sides[1].text.words else ONE_HEADLINE
    return any(found > 1 and found >= share * of for found, of in told)


def _stems(said: Sequence[str]) -> set[str]:
    """What words say, whatever their endings; short ones say nothing, but two neighbours of one character do."""
    stems = {word[:STEM] for word in set(said) if len(word) > 3 or not word.isalpha()}
    return stems | {one + other for one, other in pairwise(said) if len(one) == len(other) == 1}


def _same_form(sides: Sides) -> bool:
    """Are the words alike, but not the numbers or the names: one form, filled in twice?"""
    alone = [side.alone() for side in sides]
    if min(map(len, alone)) < FILLED_IN:
        return False
    return any(_filled_in([marks(side) for side in sides], alone) for marks in (_numbers, _names))


def _filled_in(marks: list[set[str]], alone: list[set[str]]) -> bool:
    gone = [len(one & other) for one, other in zip(marks, alone, strict=True)]
    shares = [count / max(1, len(said)) for count, said in zip(gone, marks, strict=True)]
    return min(gone) >= FILLED_IN and min(shares) >= SAME_FORM


def _numbers(side: Side) -> set[str]:
    return {word for word in set(side.shared(side.text.words)) if not word.isalpha()}


def _names(side: Side) -> set[str]:
    """Words that are written with a capital, and never without."""
    named = {word.casefold() for word in set(side.shared(side.text.raw)) if word[0].isupper() and len(word) > 1}
    return named.difference(side.text.raw)


def _numbered_apart(one: Told, other: Told) -> bool:
    """Are the headlines numbers of one series: the same, but for the day or the count?"""
    first, second = set(words(one.headline)), set(words(other.headline))
    numbers = {word for word in first ^ second if not word.isalpha()}
    if not numbers & first or not numbers & second:
        return False
    titles = [{word for word in said if word.isalpha()} for said in (first, second)]
    return len(titles[0] & titles[1]) >= SAME_TITLE * len(titles[0] | titles[1])


def _days_apart(one: Told, other: Told) -> bool:
    days = [day for told in (one, other) if (day := _day(told.published_at))]
    return len(days) > 1 and abs((days[0] - days[1]).days) > DAYS


def _day(moment: str | None) -> date | None:
    found = _DAY.match(moment or "")
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None


def _language(told: Told) -> str:
    return re.split(r"[-_]", told.language.lower(), maxsplit=1)[0]


# ---- how do they tell it? -------------------------------------------------------------------------


def _kind(sides: Sides) -> Literal["copy", "edited", "excerpt"]:
    one, other = sides[0].text.words, sides[1].text.words
    if len(one) == len(other) and all(a == b or _spelt(a) == _spelt(b) for a, b in zip(one, other, strict=True)):
        return "copy"
    return "excerpt" if min(side.told for side in sides) < WHOLE else "edited"


def _spelt(word: str) -> str:
    for one, other in _SPELLINGS:
        word = word.replace(one, other)
    return word
