"""What loading shards asks and tells the database beside what a crawl does."""

from __future__ import annotations

from crawler.source import Source
from db.connect import problems_of
from db.rows import source_row
from db.store import Store


def last_read(store: Store, article_id: int) -> str:
    """UTC: when a page of the article was last read; empty where none was, as after an import."""
    with problems_of(store.path):
        sql = "SELECT max(fetched_at) FROM fetches WHERE article_id = ? AND kind = 'page'"
        return store.db.execute(sql, [article_id]).fetchone()[0] or ""


def know_source(store: Store, source: Source) -> None:
    """Makes sure that the source has a row; one that it has stays as it is."""
    row = source_row(source)
    with problems_of(store.path):
        marks = ", ".join("?" * len(row))
        store.db.execute(f"INSERT OR IGNORE INTO sources ({', '.join(row)}) VALUES ({marks})", list(row.values()))
