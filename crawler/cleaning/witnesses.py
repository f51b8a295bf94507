"""Where each field of an article was read, and whether the places that state it agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial

from crawler.cleaning.dates import moment
from crawler.cleaning.headline import key
from crawler.cleaning.page import absolute
from crawler.items import Evidence
from crawler.moments import machine_time
from crawler.urls import normal

ADDRESSES, TIMES = ("canonical_url", "image_url"), ("published", "modified")
"""Fields whose values are compared as addresses and as times; the others are by their words."""
DAYS_APART = 1
"""Days that two statements of one time may differ where one has no zone or is a bare day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """One place that states a field."""

    origin: str
    """As in `Evidence.origin`."""
    raw: str
    chosen: bool
    agrees: bool
    """False when it says something else than the place that was believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field with all that the page states of it."""

    name: str
    witnesses: tuple[Witness, ...]

    @property
    def disputed(self) -> bool:
        """True when the places that state it disagree."""
        return not all(witness.agrees for witness in self.witnesses)


def fields_of(evidence: Iterable[Evidence], base: str) -> tuple[Field, ...]:
    """Each field that something was said of, in the order of the evidence; those believed first.

    `base` is what relative addresses are relative to.
    """
    ordered = sorted(evidence, key=lambda e: not e.chosen)
    named = dict.fromkeys(e.field for e in ordered)
    by_name = {name: [e for e in ordered if e.field == name] for name in named}
    return tuple(Field(name=name, witnesses=tuple(_witnesses(name, said, base))) for name, said in by_name.items())


def _witnesses(name: str, said: list[Evidence], base: str) -> Iterator[Witness]:
    """Each statement beside those that were believed; beside nothing all agree."""
    believed = [e.raw for e in said if e.chosen]
    same = partial(same_address, base=base) if name in ADDRESSES else same_time if name in TIMES else same_words
    for e in said:
        agrees = e.chosen or not believed or any(same(e.raw, raw) for raw in believed)
        yield Witness(origin=e.origin, raw=e.raw, chosen=e.chosen, agrees=agrees)


def same_words(a: str, b: str) -> bool:
    """True where one text is the other, or the beginning, the end or a part of it, letters and digits compared."""
    first, second = key(a), key(b)
    return first in second or second in first


def same_time(a: str, b: str) -> bool:
    """True for one instant, to the minute; where a zone is not known, for days that the zone can explain."""
    first, second = _iso(a), _iso(b)
    if not (first and second):
        return first == second
    if first.endswith("Z") and second.endswith("Z"):
        return first[:16] == second[:16]
    apart = date.fromisoformat(first[:10]) - date.fromisoformat(second[:10])
    return abs(apart.days) <= DAYS_APART


def same_address(a: str, b: str, *, base: str) -> bool:
    """True for two spellings of one address."""
    first, second = (normal(absolute(address, base)) or address for address in (a, b))
    return first == second


def _iso(raw: str) -> str:
    found = machine_time(raw) or moment(raw)
    return found.iso if found else ""
