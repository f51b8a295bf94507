"""What the web application has, and what tests put into its database: its pages, articles, comments, hostile texts."""

from __future__ import annotations

from typing import Any

from browser import Room

READING = (
    "/",
    "/?by=article",
    "/search",
    "/search?q=navigation",
    "/search?q=casino&in=comments",
    "/search?q=nothingatall",
    "/articles/1",
    "/articles/1/history",
    "/articles/1/history?version=1",
    "/stories",
    "/sources",
    "/sources/demo",
    "/runs",
    "/runs/1",
    "/status",
    "/feeds",
)
"""Every page of the reading room, over the demo's database."""
REVIEW = ("/review", "/review?order=newest", "/review?order=campaigns", "/review?order=domains", "/audit")
"""Every list of the review desk."""
TABLES = (
    "/sql/watchfloor",
    "/sql/watchfloor/articles?_size=3&_facet=section",
    "/sql/watchfloor/articles?_search=zzzz",
    "/sql/watchfloor/comments/1",
    "/sql/watchfloor/published-per-week?weeks=1000",
    "/sql/watchfloor/languages",
    "/sql/watchfloor?sql=select+headline+from+articles+limit+2",
    "/sql/watchfloor?sql=select+*+from+nowhere",
    "/sql/watchfloor/nothing",
)
"""Pages of the database itself: each template of ours in Datasette, what it says of mistakes too."""
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=http://evil.example/x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "{{ 7 * 7 }}{% include 'base.html' %}",
    "<a href=javascript:alert(1)>click</a> &lt;b&gt; &amp;amp;",
    "<style>*{display:none}</style><base href=http://evil.example/><meta http-equiv=refresh content='0;url=//e.test'>",
    "</title></textarea></script><iframe src=//evil.example>",
    "' onmouseover='alert(1)",
    "]]><!--",
)
SPOOFED = "invoice\u202egpj.exe \u200bzero\u2066\u2069 \x1b[31m \ufeff"
ZALGO = "Z" + "\u0301\u0316\u0489" * 300 + "algo"


def publish(room: Room, url: str, *, source: str = "demo", at: str = "2026-01-01T00:00:00Z", **fields: Any) -> int:
    """One more article, like the first but for these fields."""
    names = [name for name in room.columns("articles") if name != "id"]
    row = dict(zip(names, room.rows(f"SELECT {', '.join(names)} FROM articles WHERE id = 1")[0], strict=True))
    row |= {"url": url, "source_id": source, "published_at": at, **fields}
    return room.write(f"INSERT INTO articles ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", *row.values())


def say(room: Room, article: int, text: str, *, key: str = "", parent: str | None = None, **fields: Any) -> int:
    """One more comment."""
    names = [name for name in room.columns("comments") if name != "id"]
    row = dict(zip(names, room.rows(f"SELECT {', '.join(names)} FROM comments LIMIT 1")[0], strict=True))
    row |= {"article_id": article, "text": text, "key": key or f"fp:{text[:40]}", "parent_key": parent, **fields}
    return room.write(f"INSERT INTO comments ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", *row.values())


def tell_again(room: Room) -> int:
    """Another source tells the story of the first article; the number of its article."""
    names = room.columns("sources")
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


def hostile(room: Room) -> int:
    """An article, comments, a source and a run of somebody with bad intentions; the article's number."""
    names = room.columns("sources")
    row = dict(zip(names, room.rows("SELECT * FROM sources")[0], strict=True))
    row |= {"id": "evil", "name": HOSTILE[1], "home": "javascript:alert(1)", "note": HOSTILE[2], "country": HOSTILE[8]}
    room.write(f"INSERT INTO sources ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", *row.values())
    fields = {"headline": HOSTILE[0], "summary": HOSTILE[5], "body": "\n\n".join(HOSTILE), "section": HOSTILE[6]}
    fields |= {
        "blocks": '["paragraph","item","quote","row","caption","code","h2","paragraph","h2"]',
        "authors": '["<b>"]',
    }
    fields |= {
        "language": 'en" onload="alert(1)',
        "tags": '["</dl>"]',
        "kind": HOSTILE[7],
        "image_url": "//evil.example",
    }
    fields |= {"links": '[{"url": "javascript:alert(1)", "text": ""}, {"url": "http://[::1", "text": ""}]'}
    article = publish(room, "javascript:alert(1)//<img src=x onerror=alert(2)>", source="evil", **fields)
    for number, text in enumerate(HOSTILE):
        say(room, article, text, author=HOSTILE[-number], author_url="javascript:alert(1)", position=number)
    room.write("INSERT INTO cuts VALUES (?, ?, 1, 2, ?)", article, HOSTILE[1], HOSTILE[2])
    room.write("INSERT INTO field_evidence VALUES (?, ?, ?, ?, 1)", article, HOSTILE[1], HOSTILE[2], HOSTILE[3])
    problems = '[{"name": "blocked", "source": "evil", "detail": "<img src=http://evil.example/x onerror=alert(1)>"}]'
    room.write("UPDATE runs SET problems = ?, status = 'trouble', version = ?", problems, HOSTILE[0])
    edit(room, article, HOSTILE[2])
    for subject in ("articles", "comments"):
        room.write(f"INSERT INTO {subject}_fts ({subject}_fts) VALUES ('rebuild')")
        room.write(f"DELETE FROM {subject}_to_index")
    return article
