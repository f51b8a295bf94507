"""One decision for a whole campaign: which waiting comments are like one, and the same word on each of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from crawler.items import Link
from crawler.text import tidy
from db.connect import Database, now
from db.judging import Desk, waiting
from moderation.campaigns import Member, advertised, like
from moderation.review import reviewer


def group_of(db: Database, comment_id: int) -> list[dict[str, Any]]:
    """The waiting comments like this one, itself first where it waits; empty when it does not.

    Each is {id, text}. Like means: a domain in common, or nearly the same text; see `moderation.campaigns.like`.
    """
    rows = {row["id"]: row for row in waiting(db)}
    if comment_id not in rows:
        return []
    members = {id: Member(id, row["text"], advertised(map(_link, row["links"]))) for id, row in rows.items()}
    ids = (comment_id, *like(members[comment_id], members.values()))
    return [{"id": id, "text": rows[id]["text"]} for id in ids]


def decide_group(
    path: Path, comment_ids: Sequence[int], said: Literal["spam", "ok"], *, by: str = "", note: str = ""
) -> list[int]:
    """One verdict a comment, all or none written; the numbers of those that still waited. Raises `DatabaseProblem`."""
    why = tidy(note) or f"decided with #{comment_ids[0]}"
    with Desk(path) as desk:
        return desk.decide_all(comment_ids, said, by=tidy(by) or reviewer(), note=why, now=now())


def _link(row: dict[str, str]) -> Link:
    return Link(start=0, end=0, text="", url=row["url"], host=row["host"], domain=row["domain"])
