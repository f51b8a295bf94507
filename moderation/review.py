"""The queue, and a person's word on it. A decision outranks every rule, for good, and is never lost by a re-crawl."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from crawler.text import tidy
from db.connect import now
from db.decisions import Undone
from db.store import Store
from moderation.exchange import NAME_CHARACTERS

Decision = Literal["spam", "ok"]


def decide(
    path: Path, comment_id: int, said: Decision, *, by: str = "", note: str = "", seen: int | None = None
) -> int:
    """Writes a decision down; its number.

    `seen` is the number of the verdict that the person was looking at. Raises `NotThere`, `Overtaken`,
    `DatabaseProblem`.
    """
    with Store(path) as store:
        return store.decide(comment_id, said, by=named(by), note=tidy(note), now=now(), seen=seen)


def undo(path: Path, comment_id: int | None = None, *, by: str = "") -> Undone:
    """Takes back the last decision, of all or on one comment. Raises `NotThere`, `DatabaseProblem`."""
    with Store(path) as store:
        return store.undo(comment_id, by=named(by), now=now())


def named(by: str) -> str:
    """The name that a decision carries: the one that was given, or `reviewer`."""
    return tidy(by, NAME_CHARACTERS).strip() or reviewer()


def reviewer() -> str:
    """Who decides when nobody says: WATCHFLOOR_REVIEWER, else the user's name on this machine."""
    stated = tidy(os.environ.get("WATCHFLOOR_REVIEWER", ""), NAME_CHARACTERS).strip()
    if stated:
        return stated
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def spans(links: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """Where the links of a comment stand in its text, without those inside others."""
    found = sorted({(link["start"], link["stop"]) for link in links if link["start"] < link["stop"]})
    kept: list[tuple[int, int]] = []
    for start, stop in found:
        if not kept or start >= kept[-1][1]:
            kept.append((start, stop))
    return kept


def segments(text: str, links: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """The text in pieces, each with the number (from 1) of the link that it is; 0 for none."""
    numbers = {(link["start"], link["stop"]): number for number, link in reversed(list(enumerate(links, 1)))}
    pieces, last = [], 0
    for start, stop in spans(links):
        pieces += [(text[last:start], 0), (text[start:stop], numbers[start, stop])]
        last = stop
    return [piece for piece in (*pieces, (text[last:], 0)) if piece[0]]


def because(reasons: Sequence[Mapping[str, Any]]) -> list[str]:
    """The reasons of a verdict, a line each, the heaviest first."""
    ranked = sorted(reasons, key=lambda r: -r["weight"])
    return [f"{r['name']} ({r['weight']:+g})" + (f": {r['note']}" if r["note"] else "") for r in ranked]
