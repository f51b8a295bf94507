"""What waits for a person, held in memory: ordered, filtered, counted, grouped while somebody waits for a page. Pure.

Twenty thousand comments are sorted and sieved in milliseconds. Which of them belong together is looked up by what the
database keeps with each: what it advertises, and the keys of its text (`moderation.campaigns.near_keys`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from moderation.campaigns import same_text

Order = Literal["score", "newest"]

SURE = 2
"""Keys in common from which two texts need no comparing: of such that share 0.3 of their pieces one pair in 1,000 has
as many by chance, of strangers none."""
COMPARED = 200
"""Texts with one key in common that are compared for a group: a third of a millisecond each, and few are alike."""
FOLDED = 2_000
"""Characters of a comment in which words are looked for; a filter is no search."""


class Entry(NamedTuple):
    """A comment that waits. The first two fields are its place in the queue: entries sort as they stand in it."""

    rank: float
    """The lower, the earlier: what `standing.place` says, turned round."""
    id: int
    verdict: int
    """The number of the verdict that holds."""
    blind: bool
    """One of the blind sample: no rule holds it."""
    source: str
    language: str
    """Of the article it hangs under."""
    at: str
    """When it was posted, or first seen; UTC."""
    signals: tuple[str, ...]
    """Names of the reasons."""
    domains: tuple[str, ...]
    """Registrable domains of its links."""
    places: frozenset[str]
    """What it advertises (`moderation.campaigns.advertised`)."""
    keys: tuple[int, ...]
    """By which its text is found again."""
    folded: str
    """Its author and text in small letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sieve:
    """What of the queue somebody wants to see; empty fields want everything."""

    source: str = ""
    reason: str = ""
    language: str = ""
    domain: str = ""
    since: str = ""
    """UTC: posted then or later."""
    before: str = ""
    """UTC: posted before."""
    words: tuple[str, ...] = ()
    """In small letters; each must stand in the comment or its author's name."""
    among: frozenset[int] | None = None
    """Only these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Waiting comments that one decision settles."""

    comments: tuple[int, ...]
    """The first is the one that the others are like."""
    places: tuple[str, ...]
    """What it advertises that others of them do too, the commonest first."""
    alike: int
    """How many advertise nothing that it does, and are there because they say nearly the same."""


@dataclass(slots=True)
class Counts:
    """How many wait, in all and by each thing that can be asked for; a name nobody has any more may stand there
    with 0."""

    waiting: int = 0
    sources: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    domains: Counter[str] = field(default_factory=Counter)


class Queue:
    """The comments that wait. Not for several threads at once."""

    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}
        self.blind = False
        """May those of the blind sample be shown?"""
        self._by_place: dict[str, set[int]] = {}
        self._by_key: dict[int, set[int]] = {}
        self._lists: dict[Order, list[tuple[Any, ...]]] = {}
        """What is shown, sorted, each with the entry at the end; without what came and went since it was last asked."""
        self._came: dict[int, Entry] = {}
        self._went: set[int] = set()
        self._counts = Counts()
        self._groups: list[Group] | None = None
        self._grouped_all = False

    def put(self, entries: Iterable[Entry]) -> None:
        """Takes these in, in place of what is known of the same comments."""
        for entry in entries:
            self._forget(entry.id)
            self.entries[entry.id] = entry
            for place in entry.places:
                self._by_place.setdefault(place, set()).add(entry.id)
            for key in entry.keys:
                self._by_key.setdefault(key, set()).add(entry.id)
            self._came[entry.id] = entry
            self._grouped_all = False
            self._count(entry, 1)

    def drop(self, ids: Iterable[int]) -> None:
        """Forgets these."""
        for id in ids:
            self._forget(id)

    def show_blind(self) -> None:
        """From now on those of the blind sample are among the others."""
        blind = [entry for entry in self.entries.values() if entry.blind]
        self.drop(entry.id for entry in blind)
        self.blind = True
        self.put(blind)

    def found(self, sieve: Sieve, order: Order = "score") -> list[Entry]:
        """What passes, in this order: the worst first, or the newest."""
        tests = list(_tests(sieve))
        ordered = self._ordered(order)
        for test in tests:
            ordered = [entry for entry in ordered if test(entry)]
        return ordered

    def counts(self) -> Counts:
        """Of the whole queue."""
        return self._counts

    def group(self, id: int, texts: Callable[[list[int]], dict[int, str]]) -> Group | None:
        """What is like this comment: advertises a place of it, or says nearly the same. None when it does not wait.

        `texts` reads the texts of the few that must be compared.
        """
        one = self.entries.get(id)
        if one is None:
            return None
        related = {other for place in one.places for other in self._by_place[place]} - {id}
        shared = Counter(other for key in one.keys for other in self._by_key[key] if other != id)
        alike = {other for other, times in shared.items() if times >= SURE} - related
        doubtful = sorted(set(shared) - related - alike)[:COMPARED]
        if doubtful:
            read = texts([id, *doubtful])
            alike |= {other for other in doubtful if same_text(read.get(id, ""), read.get(other, ""))}
        members = sorted(self.entries[other] for other in related | alike)
        held = tuple(entry.id for entry in members if not entry.blind)
        places = Counter(place for entry in members for place in entry.places & one.places)
        listed = tuple(sorted(places, key=lambda place: (-places[place], place)))
        return Group(comments=(id, *held), places=listed, alike=len(alike & set(held)))

    def groups(self, texts: Callable[[list[int]], dict[int, str]], *, roughly: bool = False) -> list[Group]:
        """All groups of two and more, the largest first; each round the worst comment that is in none before it.

        A comment can be like two that are not like each other: it is in both. `roughly`: those that came since the
        groups were last made may be missing, those that went are not among them.
        """
        if self._groups is None or not (self._grouped_all or roughly):
            self._groups, self._grouped_all = list(self._grouped(texts)), True
            self._groups.sort(key=lambda group: -len(group.comments))
        kept = (_without(group, self.entries) for group in self._groups)
        return [group for group in kept if group]

    def _grouped(self, texts: Callable[[list[int]], dict[int, str]]) -> Iterator[Group]:
        taken: set[int] = set()
        for entry in self._ordered("score"):
            if entry.id in taken or entry.blind or self._alone(entry):
                continue
            group = self.group(entry.id, texts)
            if group and len(group.comments) > 1:
                taken.update(group.comments)
                yield group

    def _alone(self, entry: Entry) -> bool:
        places = all(len(self._by_place[place]) == 1 for place in entry.places)
        return places and all(len(self._by_key[key]) == 1 for key in entry.keys)

    def _ordered(self, order: Order) -> list[Entry]:
        """Sorted anew from what was sorted before, which takes a pass when little changed."""
        if self._came or self._went:
            gone = self._went | self._came.keys()
            for name, listed in self._lists.items():
                listed[:] = [item for item in listed if item[-1].id not in gone]
                listed.extend(_key(name, entry) for entry in self._came.values() if self.blind or not entry.blind)
                listed.sort()
            self._came, self._went = {}, set()
        if order not in self._lists:
            shown = (entry for entry in self.entries.values() if self.blind or not entry.blind)
            self._lists[order] = sorted(_key(order, entry) for entry in shown)
        ordered = [item[-1] for item in self._lists[order]]
        return ordered if order == "score" else ordered[::-1]

    def _forget(self, id: int) -> None:
        entry = self.entries.pop(id, None)
        if entry is None:
            return
        for place in entry.places:
            self._by_place[place].discard(id)
        for key in entry.keys:
            self._by_key[key].discard(id)
        self._came.pop(id, None)
        self._went.add(id)
        self._count(entry, -1)

    def _count(self, entry: Entry, by: int) -> None:
        if entry.blind and not self.blind:
            return
        counts = self._counts
        counts.waiting += by
        counts.sources[entry.source] += by
        counts.languages[entry.language] += by
        for name in entry.signals:
            counts.reasons[name] += by
        for domain in entry.domains:
            counts.domains[domain] += by


def _key(order: Order, entry: Entry) -> tuple[Any, ...]:
    return (entry.rank, entry.id, entry) if order == "score" else (entry.at, entry.id, entry)


def _without(group: Group, waiting: Mapping[int, Entry]) -> Group | None:
    """The group of those that still wait; none when fewer than two do. Round the next one when the first has gone."""
    left = tuple(id for id in group.comments if id in waiting)
    return group if len(left) == len(group.comments) else replace(group, comments=left) if len(left) > 1 else None


def cursor(entry: Entry, order: Order) -> str:
    """Where a page ended that ended with this one."""
    return f"{entry.rank!r}~{entry.id}" if order == "score" else f"{entry.at}~{entry.id}"


def after(found: list[Entry], order: Order, place: str) -> list[Entry]:
    """What comes behind a place that `cursor` gave; all of it when the place makes no sense."""
    first, _, number = place.rpartition("~")
    if not number.isascii() or not number.isdecimal() or len(number) > 18:
        return found
    if order == "newest":
        last = (first, int(number))
        return [entry for entry in found if (entry.at, entry.id) < last]
    try:
        return found[bisect_right(found, (float(first), int(number)), key=lambda entry: entry[:2]) :]
    except ValueError:
        return found


def _tests(sieve: Sieve) -> Iterator[Callable[[Entry], bool]]:
    """The cheapest first."""
    if (among := sieve.among) is not None:
        yield lambda entry: entry.id in among
    if sieve.source:
        yield lambda entry: entry.source == sieve.source
    if sieve.language:
        yield lambda entry: entry.language == sieve.language
    if sieve.since:
        yield lambda entry: entry.at >= sieve.since
    if sieve.before:
        yield lambda entry: entry.at < sieve.before
    if sieve.reason:
        yield lambda entry: sieve.reason in entry.signals
    if sieve.domain:
        yield lambda entry: sieve.domain in entry.domains
    for word in sieve.words:
        yield lambda entry, word=word: word in entry.folded  # type: ignore[misc]
