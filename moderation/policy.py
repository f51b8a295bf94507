"""From signals to a verdict: what each signal weighs, from which score on a comment is held, which domains pass."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from crawler.items import Comment, Context, Link, Reason, Verdict
from moderation.classifier import Model, score
from moderation.links import find_links
from moderation.signals import SIGNALS, WITHOUT_LINKS, Clues

SHIPPED = Path(__file__).with_name("rules.toml")
MODEL = "model"
"""The name under which the model speaks among the reasons."""
NAMES = (*(signal.__name__ for signal in SIGNALS), MODEL)
WEIGHT = 1000.0
"""Largest weight, either way: more is a slip of the pen."""


@dataclass(frozen=True, slots=True)
class DomainRule:
    """A person's word on a domain."""

    number: int
    domain: str
    said: Literal["allow", "deny"]
    source: str = ""
    """The source under which it holds; empty for all."""


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
    model: Model | None = None
    """What was learnt from people's decisions; None before there is enough."""
    model_acts: bool = False
    """May the model alone hold a comment, or let one pass? Without, it only orders the queue."""


def judge(comment: Comment, context: Context, policy: Policy) -> Verdict:
    """What the rules think of a comment. Pure: the same values give the same verdict."""
    return judge_links(comment, find_links(comment), context, policy)


def judge_links(
    comment: Comment,
    links: tuple[Link, ...],
    context: Context,
    policy: Policy,
    topic: frozenset[str] = frozenset(),
) -> Verdict:
    """`judge`, for who has found the links of the comment already, and may know the `content_words` of the article."""
    clues = Clues(comment=comment, context=context, links=links, allow=policy.allow, deny=policy.deny, topic=topic)
    reasons = tuple(_reasons(clues, policy))
    acting = sum(reason.weight for reason in reasons)
    if policy.model is not None:
        reasons = (*reasons, _opinion(comment, reasons, policy.model, policy.weights.get(MODEL, 0.0)))
    total = sum(reason.weight for reason in reasons)
    return Verdict(
        decision="flagged" if round(total if policy.model_acts else acting, 3) >= policy.threshold else "clean",
        score=round(total, 3),
        reasons=reasons,
        links=links,
        by=f"rules@{policy.version}" + (f" model@{policy.model.version}" if policy.model else ""),
    )


def with_rules(policy: Policy, rules: Iterable[DomainRule], source: str) -> Policy:
    """The policy with people's domain rules for this source: they outrank the file, and one for a source those for all.

    The version tells how far the rules had come: `1+17`.
    """
    holding = sorted((r for r in rules if r.source in ("", source)), key=lambda r: r.source)
    if not holding:
        return policy
    said = {rule.domain: rule.said for rule in holding}
    allow = {domain for domain, word in said.items() if word == "allow"}
    deny = {domain for domain, word in said.items() if word == "deny"}
    return replace(
        policy,
        version=f"{policy.version}+{max(r.number for r in holding)}",
        allow=(policy.allow - deny) | allow,
        deny=(policy.deny - allow) | deny,
    )


def _opinion(comment: Comment, reasons: Iterable[Reason], model: Model, weight: float) -> Reason:
    """The model's word: its whole weight when sure of spam, none when it cannot tell, below none for an honest one."""
    opinion = score(model, comment.text, {reason.name for reason in reasons})
    told = f": {', '.join(opinion.because)}" if opinion.because else ""
    return Reason(name=MODEL, weight=round(weight * (2 * opinion.spam - 1), 3), note=f"{opinion.spam:.0%} spam{told}")


def _reasons(clues: Clues, policy: Policy) -> Iterable[Reason]:
    """A reason for each place where a signal fired; the first carries its weight."""
    for signal in SIGNALS if clues.links else WITHOUT_LINKS:
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
    except ValueError as e:  # TOMLDecodeError, and what Python says of a number of 5,000 digits
        raise PolicyError(f"{file}: not valid TOML: {e}") from None
    except RecursionError:
        raise PolicyError(f"{file}: not valid TOML: nested too deep") from None
    _known(table, ("version", "threshold", "domains", "signals", "model"), file, "")
    if "version" not in table:
        raise PolicyError(f"{file}: the key version is missing: it names the rules in every verdict")
    domains = _table(table.get("domains", {}), f"{file}: domains")
    _known(domains, ("allow", "deny"), file, "domains.")
    model = _table(table.get("model", {}), f"{file}: model")
    _known(model, ("acts",), file, "model.")
    policy = replace(
        base,
        version=_text(table["version"], f"{file}: version"),
        threshold=_number(table.get("threshold", base.threshold), f"{file}: threshold"),
        allow=base.allow | _domains(domains.get("allow", []), f"{file}: domains.allow"),
        deny=base.deny | _domains(domains.get("deny", []), f"{file}: domains.deny"),
        model_acts=_yes_or_no(model.get("acts", base.model_acts), f"{file}: model.acts"),
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


def _yes_or_no(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise PolicyError(f"{where} must be true or false")
    return value


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= WEIGHT:
        raise PolicyError(f"{where} must be a number between -{WEIGHT:g} and {WEIGHT:g}")
    return float(value)


def _domains(value: Any, where: str) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
        raise PolicyError(f"{where} must be a list of domains")
    return frozenset(v.strip().lower().removeprefix("*.").strip(".") for v in value)
