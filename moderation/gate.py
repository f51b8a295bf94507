"""Which disguises may a text hold? One look at its marks and its words tells, before any rule runs.

The look is wider than the rules, never narrower: a rule that is not suspected would change nothing.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from moderation.folding import Edit

SURROGATES = "surrogatepass"
"""Text that breaks the rules of Unicode is looked at like any other."""
COMBINATIONS = 4096
"""Combinations of marks and words whose suspects are remembered; prose has some hundred."""
BETWEEN_WORDS = re.compile("[\x85\xa0«»\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000【】（）]")
"""Blanks and brackets beyond ASCII."""
COMMON = ".,:/'dpw"
"""Marks that nearly every comment has. Where it has no others in ASCII, a shorter look does."""
IN_WORDS = frozenset(c for c in range(256) if chr(c).isalnum() or c >= 0x80 or chr(c) == ".")
"""Bytes of words. A full stop is one of them, so that the `com` of `bank.com` is no word."""
BLANK, RARE = b" \f"
"""What stands between words instead: a blank, or another one that tells of a mark that few comments have."""


FEW = 4
"""Rules at the end that look for themselves in less time than one look for all takes."""


class Sign(NamedTuple):
    """What a rule is known by: a mark with something around it, or a word."""

    marks: str = ""
    around: str = ""
    """A pattern for what follows one of the marks; what stands before it is looked for backwards, the mark included.

    What it takes in, and does not only look at, holds no mark of another sign.
    """
    words: Iterable[str] = ()
    """Whole words between blanks, brackets and other marks, the full stop apart."""


class Rule(NamedTuple):
    """How one disguise is undone."""

    name: str
    edits: Callable[[str, str], Iterator[Edit]]
    """From a text, and the same text in small letters character for character."""
    signs: tuple[Sign, ...]
    """One of them is there, in small letters, wherever the rule has an edit to make."""
    needs: str = ""
    """A pattern for what is there besides, where a rule is suspected more often than it has work."""


class Suspect(NamedTuple):
    """A rule that may have work on a text."""

    order: int
    """Where the rule stands among the rules."""
    rule: Rule
    look: Callable[[str], object] | None
    """Finds what the rule needs, or a sign of its own where other rules share the marks; nothing where it is sure."""


class Gate:
    """The look at a text for the signs of some rules."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        signs = [sign for rule in self._rules for sign in rule.signs]
        self._words = frozenset(word.encode() for sign in signs for word in sign.words)
        self._find_marks = re.compile(_either(signs)).findall
        self._find_plain = re.compile(_either(signs, str.isascii)).findall
        self._find_common = re.compile(_either(signs, COMMON.__contains__)).findall
        rare = {ord(mark) for sign in signs for mark in sign.marks if mark.isascii() and mark not in COMMON}
        self._table = bytes(RARE if c in rare else c if c in IN_WORDS else BLANK for c in range(256))
        times = Counter(mark for rule in self._rules for mark in _marks(rule))
        self._shared = frozenset(mark for mark in times if times[mark] > 1)
        self._looks = [re.compile(rule.needs or _either(rule.signs)).search for rule in self._rules]
        self._each = tuple(Suspect(order, rule, self._looks[order]) for order, rule in enumerate(self._rules))
        by_words = [at for at, rule in enumerate(self._rules) if not rule.needs and any(s.words for s in rule.signs)]
        self._last_few = max([len(self._rules) - FEW, 1, *(order + 1 for order in by_words)])
        self._suspects = lru_cache(COMBINATIONS)(self._of)

    def suspects(self, low: str, first: int = 0) -> tuple[Suspect, ...]:
        """The rules, from the first one asked for on, that may have work on a text in small letters, in their order."""
        if first >= self._last_few:
            return self._each[first:]
        if low.isascii():
            spaced = low.encode().translate(self._table)
            words = spaced.split()
            marks = self._find_plain(low) if RARE in spaced else self._find_common(low)
        else:
            words = self._words_beyond(low)
            marks = self._find_marks(low)
        if not marks and self._words.isdisjoint(words):
            return ()
        return self._suspects(frozenset(marks), self._words.intersection(words), first)

    def _words_beyond(self, low: str) -> list[bytes]:
        """The words between blanks and brackets of any kind, and those of plain letters between anything else."""
        spaced = BETWEEN_WORDS.sub(" ", low).encode("utf-8", SURROGATES)
        return (spaced + b" " + low.encode("ascii", "replace")).translate(self._table).split()

    def _of(self, found: frozenset[str], words: frozenset[bytes], first: int) -> tuple[Suspect, ...]:
        """The suspects by the marks found, each with what it takes in, and the words."""
        marks = {mark[0] for mark in found}
        said = {word.decode() for word in words}
        suspects = []
        for order, rule in enumerate(self._rules[first:], first):
            its = marks & _marks(rule)
            named = any(not said.isdisjoint(sign.words) for sign in rule.signs)
            if its or named:
                sure = not rule.needs and (named or its - self._shared)
                suspects.append(Suspect(order, rule, None if sure else self._looks[order]))
        return tuple(suspects)


def _marks(rule: Rule) -> set[str]:
    """The marks of all signs of a rule."""
    return {mark for sign in rule.signs for mark in sign.marks}


def _either(signs: Iterable[Sign], chosen: Callable[[str], bool] = bool) -> str:
    """A pattern that matches the marks that are chosen, each with something around it.

    Each alternative begins with a letter: what the engine skips fastest by. Those that texts have most come first.
    """
    around: defaultdict[str, list[str]] = defaultdict(list)
    for sign in signs:
        for mark in filter(chosen, sign.marks):
            around[mark].append(sign.around)
    marks = sorted(around, key=lambda mark: mark not in COMMON and not mark.isalpha())
    return "|".join(f"{re.escape(mark)}(?:{'|'.join(around[mark])})" for mark in marks)
