"""Which line of a robots.txt decides on a URL. Pure; the reading itself is Protego's, as in the crawl."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Collection
from dataclasses import dataclass

from protego import Protego

AGENT = "watchfloor"
"""By this name we look for the group of lines that is ours; the one of `*` holds where there is none."""
NEUTRAL = "Crawl-delay: 0"
"""Stands where a rule is left out: the groups stay as they are, and it says nothing of any URL."""
NOT_OURS = "-"
"""Stands for whoever else a group is for."""
_RULE = re.compile(r"\s*(allow|dis\w*|dias\w*)\s*[:\s]\s*(\S.*)", re.IGNORECASE)
_GROUP = re.compile(r"\s*user[ -]?agent\s*[:\s]\s*(\S.*)", re.IGNORECASE)

_AGENT_LINE = re.compile(r"\s*user(?:-|\s*)agent\s*[:\s]\s*(.*)", re.IGNORECASE)
"""Every way in which Protego lets one be written, and more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a robots.txt says of a URL."""

    allowed: bool
    rule: str = ""
    """The line that decides; empty when none forbids the URL."""
    group: str = ""
    """Whom its group of lines is for: `*`, or names."""
    delay: float | None = None
    """Crawl-delay in seconds; None without one."""


def parsed(text: str) -> Protego:
    """A robots.txt to be asked what we may.

    All groups that cannot be ours go by one name, so that it is linear: of thousands of names over thousands of rules
    each would have a copy of all of them.
    """
    return Protego.parse("\n".join(_named_once(line) for line in text.splitlines()))


def _named_once(line: str) -> str:
    match = _AGENT_LINE.match(line.partition("#")[0])
    if not match:
        return line
    stated = match[1].strip().lower()
    name = stated.replace("*", "")
    ours = stated if stated == "*" else name if name and AGENT.startswith(name) else NOT_OURS
    return f"User-agent: {ours}"


def decide(text: str, url: str) -> Decision:
    """What this robots.txt says of a URL.

    The longest rule that matches decides, an allowing one where both are of one length (RFC 9309, 2.2.2).
    """
    lines = [line.split("#")[0].rstrip() for line in text.splitlines()]
    rules = {number: match for number, line in enumerate(lines) if (match := _RULE.match(line))}
    by_length = sorted(rules, key=lambda n: len(rules[n][2]), reverse=True)
    allowing = [n for n in by_length if rules[n][1].lower() == "allow"]
    forbidding = [n for n in by_length if n not in set(allowing)]

    def allowed(kept: Collection[int]) -> bool:
        only = (NEUTRAL if n in rules and n not in kept else line for n, line in enumerate(lines))
        return bool(parsed("\n".join(only)).can_fetch(url, AGENT))

    decider = _first(forbidding, lambda kept: not allowed(kept))
    if decider is not None:
        lifted = _first(allowing, lambda kept: allowed({*kept, *forbidding}))
        decider = decider if lifted is None else lifted
    delay = parsed(text).crawl_delay(AGENT)
    return Decision(
        allowed=allowed(rules),
        rule="" if decider is None else lines[decider].strip(),
        group="" if decider is None else _group(lines, decider),
        delay=None if delay is None else float(delay),
    )


def _first(rules: list[int], holds: Callable[[set[int]], bool]) -> int | None:
    """The first rule in this order with which something holds that more rules never undo; None if it never does."""
    if not holds(set(rules)):
        return None
    number = bisect_left(range(len(rules) + 1), True, key=lambda n: holds(set(rules[:n])))
    return rules[number - 1] if number else None


def _group(lines: list[str], rule: int) -> str:
    names: list[str] = []
    for line in reversed(lines[:rule]):
        if match := _GROUP.match(line):
            names.append(match[1].strip())
        elif names and line.strip():
            break
    return ", ".join(reversed(names))
