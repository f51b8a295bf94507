"""A person's word on a comment: appended, never changed; taken back by another row."""

from __future__ import annotations

from dataclasses import dataclass

from db.file import File


class NotThere(LookupError):
    """No such comment, article or decision."""


class Overtaken(Exception):
    """Somebody decided, or the comment changed, since it was looked at. The message says who and when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """A decision that was taken back."""

    comment_id: int
    said: str
    now: str
    """What holds for the comment now: an earlier decision, or the rules'."""


class Decisions(File):
    """The database, for one reviewer."""

    def decide(self, comment_id: int, said: str, *, by: str, note: str = "", now: str, seen: int | None = None) -> int:
        """Appends a person's decision, `spam` or `ok`, on the present version of a comment; its number.

        `seen` is the number of the verdict that the person was looking at: when another one holds by now, nothing is
        written. Raises `NotThere`, `Overtaken`.
        """
        with self._transaction(durable=True):
            comment = self._row(_DECIDABLE, comment_id)
            if comment is None:
                raise NotThere(f"no comment {comment_id}")
            if seen is not None and seen != comment["verdict_id"]:
                raise Overtaken(f"comment {comment_id}: {comment['judge']} said {comment['said']} at {comment['at']}")
            row = {"comment_id": comment_id, "revision": comment["revision"], "said": said, "judge": by, "note": note}
            return self._insert("verdicts", {**row, "reasons": "[]", "person": 1, "at": now})

    def undo(self, comment_id: int | None = None, *, by: str, now: str) -> Undone:
        """Takes back the last decision that stands, of all or on one comment.

        The decision stays in the table; its undoing is a row of its own. Raises `NotThere`.
        """
        with self._transaction(durable=True):
            row = self._row(_LAST_DECISION, comment_id, comment_id)
            if row is None:
                on = "" if comment_id is None else f" on comment {comment_id}"
                raise NotThere(f"no decision{on} to take back")
            undo = {"comment_id": row["comment_id"], "revision": row["revision"], "said": "undo", "undoes": row["id"]}
            self._insert("verdicts", {**undo, "reasons": "[]", "judge": by, "person": 1, "note": "", "at": now})
            holds = self._row("SELECT state FROM standing WHERE comment_id = ?", row["comment_id"])
            return Undone(comment_id=row["comment_id"], said=row["said"], now=holds["state"] if holds else "unjudged")


_DECIDABLE = """
SELECT c.revision, t.verdict_id, v.judge, v.said, v.at
FROM comments c LEFT JOIN standing t ON t.comment_id = c.id LEFT JOIN verdicts v ON v.id = t.verdict_id WHERE c.id = ?
"""

_LAST_DECISION = """
SELECT v.id, v.comment_id, v.revision, v.said FROM verdicts v
WHERE v.said IN ('spam', 'ok') AND (? IS NULL OR v.comment_id = ?)
  AND NOT EXISTS (SELECT 1 FROM verdicts u WHERE u.undoes = v.id)
ORDER BY v.id DESC LIMIT 1
"""
