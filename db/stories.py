"""Which stored articles tell the same story. Marked, never removed; a batch at a time, each article on its own.

An article is compared with those alone that share a key with it: the hundred thousandth costs what the first did.
"""

from __future__ import annotations

import json
from collections import Counter

from db.rows import dicts
from db.sqlite import Database
from pipelines.stories import CANDIDATES, FREQUENT, Likeness, Told, alike, keys, promising

BATCH = 25
"""Articles that are compared in one transaction: most take a millisecond, one with many candidates takes twenty."""
OF_A_STORY = 3
"""Articles of one story that a new one is compared with."""
HOLDERS = 2_000
"""Articles with one key that are looked at."""


def group(db: Database, run_id: int | None, now: str) -> bool:
    """Compares the next batch of articles with the others; whether there may be more. Inside a transaction."""
    ids = [id for (id,) in db.execute("SELECT article_id FROM articles_to_group ORDER BY 1 LIMIT ?", [BATCH])]
    for id in ids:
        _place(db, id)
        db.execute("DELETE FROM articles_to_group WHERE article_id = ?", [id])
    return len(ids) == BATCH


def _place(db: Database, id: int) -> None:
    """Puts one article into the story that it tells, if others tell it too; out of the one that it told before."""
    _leave(db, id)
    db.execute("DELETE FROM story_keys WHERE article_id = ?", [id])
    article = _told(db, id)
    if article is None:
        return
    found = keys(article.body)
    match = _likest(db, article, _candidates(db, found))
    sql = "INSERT OR IGNORE INTO story_keys (key, article_id) VALUES (?, ?)"
    db.conn.executemany(sql, [(key, id) for key in found])
    if match:
        _join(db, id, *match)


def _candidates(db: Database, found: tuple[int, ...]) -> list[int]:
    """The articles to compare with, those with most keys in common first. A key that many stories have is a phrase of
    the trade; one that many copies of a single story have is as good as ever, and a few of them will do."""
    shared: Counter[tuple[int, int]] = Counter()
    for key in found:
        holders = db.execute(_HOLDERS, (key, HOLDERS)).fetchall()
        if len({story for _, story in holders}) <= FREQUENT:
            shared.update(holders)
    keys_of = _keys_of(db, [other for other, _ in shared])
    chosen: list[int] = []
    taken: Counter[int] = Counter()
    for other, story in sorted(shared, key=lambda pair: (-shared[pair], pair)):
        if taken[story] < OF_A_STORY and len(chosen) < CANDIDATES and promising(found, keys_of[other]):
            chosen.append(other)
            taken[story] += 1
    return chosen


def _keys_of(db: Database, ids: list[int]) -> dict[int, list[int]]:
    sql = "SELECT article_id, key FROM story_keys WHERE article_id IN (SELECT value FROM json_each(?))"
    keys_of: dict[int, list[int]] = {id: [] for id in ids}
    for id, key in db.execute(sql, [json.dumps(ids)]):
        keys_of[id].append(key)
    return keys_of


def _likest(db: Database, article: Told, candidates: list[int]) -> tuple[int, Likeness] | None:
    """The article that it is most like, of equals the oldest, with how much; None when it is like none."""
    compared = ((other, alike(article, told)) for other in candidates if (told := _told(db, other)))
    matches = [(other, likeness) for other, likeness in compared if likeness]
    return min(matches, key=lambda match: (-match[1].share, match[0]), default=None)


def _join(db: Database, id: int, match: int, how: Likeness) -> None:
    """Into the story of the one that it is most like. Two stories that it is like stay two: one text that quotes both
    would make one of them for good."""
    row = db.execute("SELECT story_id FROM story_articles WHERE article_id = ?", [match]).fetchone()
    story = row[0] if row else match
    if row is None:
        _add(db, match, story, None, 1.0, "first")
    if id < story:
        sql = "UPDATE story_articles SET like_id = ?, share = ?, kind = ? WHERE story_id = ? AND like_id IS NULL"
        db.execute(sql, (id, round(how.share, 3), how.kind, story))
    _add(db, id, story, match, how.share, how.kind)
    _number(db, story)


def _leave(db: Database, id: int) -> None:
    """Out of its story; one that is left to a single article is none."""
    row = db.execute("SELECT story_id FROM story_articles WHERE article_id = ?", [id]).fetchone()
    if row is None:
        return
    db.execute("DELETE FROM story_articles WHERE article_id = ?", [id])
    (left,) = db.execute("SELECT count(*) FROM story_articles WHERE story_id = ?", row).fetchone()
    if left == 1:
        db.execute("DELETE FROM story_articles WHERE story_id = ?", row)
    else:
        _number(db, row[0])


def _number(db: Database, story: int) -> None:
    """A story has the number of the oldest article in it, and that is what the others were compared with."""
    (oldest,) = db.execute("SELECT min(article_id) FROM story_articles WHERE story_id = ?", [story]).fetchone()
    db.execute("UPDATE story_articles SET story_id = ? WHERE story_id = ?", (oldest, story))
    db.execute("UPDATE story_articles SET like_id = NULL, kind = 'first', share = 1.0 WHERE article_id = ?", [oldest])


def _add(db: Database, id: int, story: int, like: int | None, share: float, kind: str) -> None:
    db.execute(
        "INSERT OR REPLACE INTO story_articles (article_id, story_id, like_id, share, kind) VALUES (?, ?, ?, ?, ?)",
        (id, story, like, round(share, 3), kind),
    )


def _told(db: Database, id: int) -> Told | None:
    sql = "SELECT headline, body, language, source_id AS source, published_at FROM articles WHERE id = ?"
    return next((Told(**row) for row in dicts(db.execute(sql, [id]))), None)


_HOLDERS = """
SELECT k.article_id, coalesce(t.story_id, -k.article_id)
FROM story_keys k LEFT JOIN story_articles t ON t.article_id = k.article_id WHERE k.key = ? LIMIT ?
"""
