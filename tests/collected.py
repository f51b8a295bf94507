"""What tests of the web application put into its database: articles, comments, another outlet, an edit."""

from __future__ import annotations

from typing import Any

from browser import Room


def publish(room: Room, url: str, *, source: str = "demo", at: str = "2026-01-01T00:00:00Z", **fields: Any) -> int:
    """One more article, like the first but for these fields."""
    names = [row[1] for row in room.rows("PRAGMA table_info(articles)") if row[1] != "id"]
    row = dict(zip(names, room.rows(f"SELECT {', '.join(names)} FROM articles WHERE id = 1")[0], strict=True))
    row |= {"url": url, "source_id": source, "published_at": at, **fields}
    return room.write(f"INSERT INTO articles ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", *row.values())


def say(room: Room, article: int, text: str, *, key: str = "", parent: str | None = None, **fields: Any) -> int:
    """One more comment."""
    names = [row[1] for row in room.rows("PRAGMA table_info(comments)") if row[1] != "id"]
    row = dict(zip(names, room.rows(f"SELECT {', '.join(names)} FROM comments LIMIT 1")[0], strict=True))
    row |= {"article_id": article, "text": text, "key": key or f"fp:{text[:40]}", "parent_key": parent, **fields}
    return room.write(f"INSERT INTO comments ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", *row.values())


def tell_again(room: Room) -> int:
    """Another source tells the story of the first article; the number of its article."""
    names = [row[1] for row in room.rows("PRAGMA table_info(sources)")]
    row = dict(zip(names, room.rows("SELECT * FROM sources")[0], strict=True))
    row |= {"id": "second", "name": "Second Wire", "country": "NO", "kind": "agency", "home": "https://second.example/"}
    room.write(f"INSERT INTO sources ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", *row.values())
    body = room.rows("SELECT body FROM articles WHERE id = 1")[0][0].replace(" the ", " that ", 2)
    id = publish(room, "https://second.example/1", source="second", at="2026-12-01T00:00:00Z", body=body)
    for article, kind in ((1, "first"), (id, "edited")):
        sql = "INSERT INTO story_articles (article_id, story_id, like_id, share, kind) VALUES (?, 1, ?, 0.9, ?)"
        room.write(sql, article, None if article == 1 else 1, kind)
    return id


def edit(room: Room, article: int, before: str) -> None:
    """The body of an article was another one once."""
    room.write(
        "INSERT INTO article_revisions SELECT id, 1, headline, summary, ?, blocks, authors, published_at, modified_at,"
        " '[\"body\"]', 3, 4, '2026-11-01T00:00:00Z', 1 FROM articles WHERE id = ?",
        *(before, article),
    )
    room.write("UPDATE articles SET revision = 2 WHERE id = ?", article)
