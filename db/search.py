"""Full-text search over articles: ranked, with snippets, safe for any input."""

from __future__ import annotations

from typing import Any

from sqlite_utils import Database

OPEN, CLOSE = "\x02", "\x03"
"""Stand around each hit in a snippet. No stored text holds them: control characters are stripped at the door."""
WORDS = 32
"""More words than this are a pasted text, not a search."""

_SQL = f"""
SELECT a.id, a.source_id, a.headline, a.url, a.published_at, bm25(articles_fts, 8.0, 3.0, 1.0) AS rank,
  snippet(articles_fts, -1, '{OPEN}', '{CLOSE}', '…', 24) AS snippet
FROM articles_fts JOIN articles a ON a.id = articles_fts.rowid
WHERE articles_fts MATCH ? AND (? = '' OR a.source_id = ?)
ORDER BY rank LIMIT ?
"""


def search(db: Database, words: str, *, limit: int, source: str = "") -> list[dict[str, Any]]:
    """Articles that hold every word, the best first; a `"quoted phrase"` as one, a last `word*` as a beginning.

    Each row has `snippet`, its hits between `OPEN` and `CLOSE`. No words, or words without letters and digits, find
    nothing; nothing that is typed can raise.
    """
    query = match_query(words)
    if not query:
        return []
    cursor = db.execute(_SQL, (query, source, source, limit))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def match_query(words: str) -> str:
    """What was typed as an FTS5 query of quoted terms, all of which must be found; empty for nothing to look for."""
    clean = "".join(c if c.isprintable() else " " for c in words)
    terms = []
    for i, part in enumerate(clean.split('"')):
        terms += [part] if i % 2 else part.split()
    kept = [t for t in terms if any(c.isalnum() for c in t)][:WORDS]
    return " ".join(_quoted(term) for term in kept)


def _quoted(term: str) -> str:
    prefix = "*" if term.endswith("*") else ""
    inner = term.strip().strip("*").replace('"', '""')
    return f'"{inner}"{prefix}'
