"""A person's word on a domain: which stored comments it changes, told before and done after it is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from crawler.text import tidy
from db.connect import Database, now
from db.desk import carrying
from db.judging import Desk
from moderation.exchange import domain_of, open_to_all
from moderation.policy import DomainRule, Policy
from moderation.rejudge import BATCH, Change, changes, tell
from moderation.review import named

SHOWN = 20
"""Comments that would turn, of which examples are kept."""

Hosts = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a word on a domain does to the stored comments."""

    carrying: int
    """Comments that link to the domain."""
    changed: int
    """Of these, judged otherwise, if only by another score."""
    held: int
    """Of these, newly held for a person."""
    freed: int
    """Of these, held no more."""
    examples: tuple[int, ...]
    """Some of those that turn, by number."""


class NotADomain(ValueError):
    """No domain, or one that may not be allowed. The message says which."""


def checked(domain: str, said: str) -> str:
    """The domain as the network knows it. Raises `NotADomain`."""
    host = domain_of(domain)
    if not host:
        raise NotADomain("That is no domain.")
    if said == "allow" and open_to_all(host):
        raise NotADomain(f"Anybody can register below {host}: allow a domain of somebody's own.")
    return host


def what_if(db: Database, policy: Policy, hosts: Hosts, domain: str, said: str) -> Effect:
    """What it would change to `allow` or `deny` this domain, or to have no rule on it (`none`). Writes nothing."""
    ids = carrying(db, domain)
    rule = DomainRule(number=2**31, domain=domain, said=said)  # type: ignore[arg-type]
    return _effect(len(ids), changes(db, policy, hosts, among=ids, more=[rule]))


def rule(path: Path, domain: str, said: str, *, by: str = "", note: str = "") -> int:
    """Writes the word down; its number. `apply` judges by it what is stored. Raises `DatabaseProblem`."""
    with Desk(path) as desk:
        return desk.rule_domain(domain, said, source="", note=tidy(note), by=named(by), now=now())


def apply(path: Path, policy: Policy, hosts: Hosts, domain: str) -> Effect:
    """Judges again what links to the domain, as `watchfloor rejudge` does for all. Raises `DatabaseProblem`."""
    with Desk(path) as desk:
        ids = carrying(desk.db, domain)
        found = changes(desk.db, policy, hosts, among=ids)
        return _effect(len(ids), _written(desk, found))


def _written(desk: Desk, found: Iterator[Change]) -> Iterator[Change]:
    while batch := list(islice(found, BATCH)):
        desk.append(((c.stored.id, c.stored.revision, c.verdict) for c in batch), now=now())
        yield from batch


def _effect(carrying: int, found: Iterable[Change]) -> Effect:
    counts: Counter[str] = Counter()
    examples: list[int] = []
    for change in found:
        tell(change, counts)
        if change.turned and len(examples) < SHOWN:
            examples.append(change.stored.id)
    told: dict[str, Any] = {name: counts[name] for name in ("changed", "held", "freed")}
    return Effect(carrying=carrying, examples=tuple(examples), **told)
