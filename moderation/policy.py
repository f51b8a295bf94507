"""From signals to a verdict: what each signal weighs, from which score on a comment is held, which domains pass."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from crawler.items import Comment, Context, Reason, Verdict
from moderation.links import find_links
from moderation.signals import SIGNALS, Clues

SHIPPED = Path(__file__).with_name("rules.toml")
NAMES = tuple(signal.__name__ for signal in SIGNALS)
WEIGHT = 1000.0
"""Largest weight, either way: more is a slip of the pen."""


class PolicyError(Exception):
    """A rules file that cannot be used. The message names the file, the key and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How comments are judged."""

    version: str
    threshold: float
    """Score from which a comment is flagged."""
    weights: Mapping[str, float]
    """By name of the signal."""
    reasons: Mapping[str, str] = field(default_factory=dict)
    """Why each weighs what it weighs."""
    allow: frozenset[str] = frozenset()
    """Domains whose links are no reason to hold a comment; hosts below them too."""
    deny: frozenset[str] = frozenset()


def judge(comment: Comment, context: Context, policy: Policy) -> Verdict:
    """What the rules think of a comment. Pure: the same values give the same verdict."""
    links = find_links(comment)
    clues = Clues(comment=comment, context=context, links=links, allow=policy.allow, deny=policy.deny)
    reasons = tuple(_reasons(clues, policy))
    score = round(sum(reason.weight for reason in reasons), 3)
    return Verdict(
        decision="flagged" if score >= policy.threshold else "clean",
        score=score,
        reasons=reasons,
        links=links,
        by=f"rules@{policy.version}",
    )


def _reasons(clues: Clues, policy: Policy) -> Iterable[Reason]:
    """A reason for each place where a signal fired; the first carries its weight."""
    for signal in SIGNALS:
        name = signal.__name__
        weight = policy.weights.get(name, 0.0)
        for fired in signal(clues):
            yield Reason(name=name, weight=weight, start=fired.start, end=fired.end, note=fired.note)
            weight = 0.0


@cache
def default_policy() -> Policy:
    """The rules that are shipped."""
    empty = Policy(version="", threshold=1.0, weights=dict.fromkeys(NAMES, 0.0))
    return _parse(SHIPPED.read_text("utf-8"), str(SHIPPED.name), empty)


def load_policy(source: str | Path) -> Policy:
    """A policy from a file or from TOML text: the shipped rules with what it changes.

    Raises `PolicyError` with the file, the key, and the nearest known key for an unknown one.
    """
    if isinstance(source, str):
        return _parse(source, "<text>", default_policy())
    try:
        text = source.read_text("utf-8")
    except OSError as e:
        raise PolicyError(f"{source}: cannot be read: {e.strerror}") from None
    except UnicodeDecodeError as e:
        raise PolicyError(f"{source}: not UTF-8 at byte {e.start}") from None
    return _parse(text, str(source), default_policy())


def _parse(text: str, file: str, base: Policy) -> Policy:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        raise PolicyError(f"{file}: not valid TOML: {e}") from None
    except RecursionError:
        raise PolicyError(f"{file}: not valid TOML: nested too deep") from None
    _known(table, ("version", "threshold", "domains", "signals"), file, "")
    if "version" not in table:
        raise PolicyError(f"{file}: the key version is missing: it names the rules in every verdict")
    domains = _table(table.get("domains", {}), f"{file}: domains")
    _known(domains, ("allow", "deny"), file, "domains.")
    policy = replace(
        base,
        version=_text(table["version"], f"{file}: version"),
        threshold=_number(table.get("threshold", base.threshold), f"{file}: threshold"),
        allow=base.allow | _domains(domains.get("allow", []), f"{file}: domains.allow"),
        deny=base.deny | _domains(domains.get("deny", []), f"{file}: domains.deny"),
    )
    return _with_signals(policy, _table(table.get("signals", {}), f"{file}: signals"), file)


def _with_signals(policy: Policy, table: dict[str, Any], file: str) -> Policy:
    _known(table, NAMES, file, "signals.")
    weights, reasons = dict(policy.weights), dict(policy.reasons)
    for name, entry in table.items():
        where = f"{file}: signals.{name}"
        row = _table(entry, where)
        _known(row, ("weight", "reason"), file, f"signals.{name}.")
        if "weight" not in row or not row.get("reason"):
            raise PolicyError(f"{where} needs a weight and a reason")
        weights[name] = _number(row["weight"], f"{where}.weight")
        reasons[name] = _text(row["reason"], f"{where}.reason")
    return replace(policy, weights=MappingProxyType(weights), reasons=MappingProxyType(reasons))


def _known(table: Mapping[str, Any], known: Iterable[str], file: str, prefix: str) -> None:
    known = tuple(known)
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"; did you mean {prefix}{near[0]}?" if near else f"; known are {', '.join(known)}"
            raise PolicyError(f"{file}: unknown key {prefix}{key}{hint}")


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PolicyError(f"{where} must be a table")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise PolicyError(f"{where} must be a text")
    return value


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= WEIGHT:
        raise PolicyError(f"{where} must be a number between -{WEIGHT:g} and {WEIGHT:g}")
    return float(value)


def _domains(value: Any, where: str) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
        raise PolicyError(f"{where} must be a list of domains")
    return frozenset(v.strip().lower().removeprefix("*.").strip(".") for v in value)
