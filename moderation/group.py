"""One decision for a whole campaign: which waiting comments are like one, and the same word on each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from crawler.items import Link
from crawler.text import tidy
from db.connect import Database, now
from db.decisions import Undone
from db.judging import Desk, waiting
from db.people import Ledger
from moderation.campaigns import Member, advertised, campaigns, like
from moderation.review import named

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Waiting comments that one decision settles."""

    comments: tuple[int, ...]
    """Their numbers; the first is the one that the others are like, and the one to decide on."""
    places: tuple[str, ...]
    """What it advertises that others of them do too, the commonest first: domains, or pages of public sites."""
    alike: int
    """How many advertise nothing that it does, and are there because they say nearly the same."""


def groups(db: Database, *, source: str = "") -> Iterator[Group]:
    """The campaigns that wait, the largest first, each as the groups that `group_of` gives: a group is what is like its
    first comment, the worst that is in none yet. A comment can be like two that are not like each other: it is in both.

    With a source, the groups around its comments, with what is like them anywhere.
    """
    waits = _Waiting(db)
    for campaign in waits.campaigns:
        left = [id for id in campaign if source in ("", waits.rows[id]["source_id"])]
        while left:
            group = waits.group(left[0])
            left = [id for id in left[1:] if id not in group.comments]
            if len(group.comments) > 1:
                yield group


def group_of(db: Database, comment_id: int) -> list[Row]:
    """The waiting comments like this one, itself first where it waits; empty when it does not.

    Each is {id, text}. Like means: a domain in common, or nearly the same text; see `moderation.campaigns.like`.
    """
    waits = _Waiting(db)
    if comment_id not in waits.rows:
        return []
    return [{"id": id, "text": waits.rows[id]["text"]} for id in waits.group(comment_id).comments]


def decide_group(
    path: Path,
    comment_ids: Sequence[int],
    said: Literal["spam", "ok"],
    *,
    by: str = "",
    note: str = "",
    seen: Mapping[int, int] | None = None,
) -> list[int]:
    """One verdict a comment, all or none written; the numbers of those that still waited, or, with the numbers of the
    verdicts that were `seen`, of those on which that one still held. Raises `DatabaseProblem`."""
    why = tidy(note) or f"decided with #{comment_ids[0]}"
    with Desk(path) as desk:
        return desk.decide_all(comment_ids, said, by=named(by), note=why, now=now(), seen=seen)


def undo_group(path: Path, comment_id: int, *, by: str = "") -> list[Undone]:
    """Takes back, all or none, the last decision on this comment and all that were made with it. Raises `NotThere`,
    `DatabaseProblem`."""
    with Ledger(path) as ledger:
        return ledger.undo_all(comment_id, by=named(by), now=now())


class _Waiting:
    """The comments that wait, and which of them belong together."""

    def __init__(self, db: Database) -> None:
        self.rows = {row["id"]: row for row in waiting(db)}
        self.members = {id: Member(id, r["text"], advertised(map(_link, r["links"]))) for id, r in self.rows.items()}
        self.campaigns = campaigns(tuple(self.members.values()))
        self._campaign = {id: campaign for campaign in self.campaigns for id in campaign}

    def group(self, id: int) -> Group:
        """What is like this comment within its campaign: what the reviewer sees is what a decision then reaches."""
        one = self.members[id]
        others = like(one, (self.members[other] for other in self._campaign.get(id, ())))
        shared = Counter(place for other in others for place in one.places & self.members[other].places)
        places = sorted(shared, key=lambda place: (-shared[place], place))
        alike = sum(not one.places & self.members[other].places for other in others)
        return Group(comments=(id, *others), places=tuple(places), alike=alike)


def _link(row: dict[str, str]) -> Link:
    return Link(start=0, end=0, text="", url=row["url"], host=row["host"], domain=row["domain"])
