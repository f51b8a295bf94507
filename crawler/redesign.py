"""When many articles of a source change at once and in the same way: its template changed, not they. Pure.

A newsroom edits articles one by one, each in its own words. One and the same paragraph, byline or piece of a headline
that comes or goes on nearly every page that was read again is the work of a template.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import takewhile

from crawler.items import Delta

PAGES = 5
"""Known articles that must have changed in one way: two or three may share a correction, or the note of one editor."""
END_PAGES = 10
"""Where they share no text but the place alone, their end: there newsrooms put corrections too."""
SHARE = 0.8
"""Of the known articles that were read again: some may not carry the part, and some are edited at the same time."""
SHOWN = 60
"""Characters of what they share that a problem repeats."""
_DIGITS = re.compile(r"\d+")

Trait = tuple[str, str, str]
"""What a change did: the field, `new` or `gone`, and the text."""


class Redesign:
    """What the known articles of one source that a run read again have in common in how they changed."""

    def __init__(self) -> None:
        self._read = 0
        self._traits: Counter[Trait] = Counter()

    def add(self, delta: Delta) -> None:
        """A page that was read; one that was not known before says nothing."""
        if delta.known.article_id is None:
            return
        self._read += 1
        if delta.revised:
            self._traits.update(set(traits(delta)))

    def told(self) -> str:
        """What nearly all of them share, in words; empty where they have no such thing."""
        shared = [(n, trait) for trait, n in self._traits.items() if n >= max(_enough(trait), SHARE * self._read)]
        if not shared:
            return ""
        times, (field, way, text) = max(shared)
        what = {"new": "gained", "gone": "lost", "end": "changed only at its end"}[way]
        shown = f": {text[:SHOWN]}{'…' if len(text) > SHOWN else ''}" if text else ""
        return f"{times} of {self._read} known articles changed in one way, {field.replace('_', ' ')} {what}{shown}"


def _enough(trait: Trait) -> int:
    return END_PAGES if trait[1] == "end" else PAGES


def traits(delta: Delta) -> Iterator[Trait]:
    """What an edit shares with another one that has the same cause. Numbers in it are all alike."""
    for field in delta.revised:
        was, now = delta.known.fields.get(field), delta.fields.get(field)
        if field == "published_at":
            yield _dated(str(was or ""), str(now or ""))
        elif field == "headline":
            yield from _around(str(was or ""), str(now))
        else:
            yield from _parts(field, _split(field, str(was or "")), _split(field, str(now)))


def _around(was: str, now: str) -> Iterator[Trait]:
    """What a headline got before or behind it, or what went from there: a site's name, a section."""
    for way, short, long in (("new", was, now), ("gone", now, was)):
        if short and short in long:
            yield "headline", way, _alike(long.replace(short, " … ", 1))


def _dated(was: str, now: str) -> Trait:
    """A date that is told more or less exactly, comes or goes is a template's doing; as is the same one everywhere."""
    way = "new" if len(now) >= len(was) else "gone"
    return "published_at", way, "the time" if was[:10] == now[:10] else now[:10]


def _parts(field: str, was: list[str], now: list[str]) -> Iterator[Trait]:
    old, new = Counter(map(_alike, was)), Counter(map(_alike, now))
    for way, only in (("gone", old - new), ("new", new - old)):
        for text in only:
            yield field, way, text
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(was, now, strict=False)))
    if field == "body" and same and same >= min(len(was), len(now)) - 1:
        yield field, "end", ""


def _split(field: str, text: str) -> list[str]:
    if field == "authors":
        return [str(name) for name in json.loads(text or "[]")]
    return text.split("\n\n")


def _alike(text: str) -> str:
    return _DIGITS.sub("0", " ".join(text.split()))
