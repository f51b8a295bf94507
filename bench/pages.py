"""How long the server takes for each page of the reading room, on a database at size.

python -m bench.pages DB [--fill]

DB is one that `python -m bench.db --keep DB` made. `--fill` adds to it what that leaves out: a year of runs, stories,
edits, an article with 5,000 comments. Times are of the application alone, guard included, without a browser.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sqlite3
import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.web.application import walled
from app.web.guard import App, Key

PORT = 8765
REPEATS = 40
RUNS = 2_000
STORIES = 9_000
TALKED = 5_000
EDITED = 5_000
"""At most, of each: in a smaller database every eighth article is told by others too, every fourth is edited."""
SEED = 20261122


def pages(db: sqlite3.Connection) -> list[str]:
    """The addresses to ask for, with numbers of this database in them."""

    def one(sql: str) -> Any:
        return (db.execute(sql).fetchone() or (0,))[0]

    talked = one("SELECT article_id FROM comments GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")
    story = one("SELECT story_id FROM story_articles GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")
    edited = one("SELECT article_id FROM article_revisions LIMIT 1")
    middle = one(
        "SELECT coalesce(published_at, first_seen_at) FROM articles ORDER BY 1 LIMIT 1"
        " OFFSET (SELECT count(*) / 2 FROM articles)"
    )
    return [
        "/",
        "/?by=article",
        f"/?before={middle}~1",
        "/?source=s05",
        "/?country=NO&by=article",
        "/?kind=agency",
        "/?language=xx",
        "/?source=s05&language=xx",
        "/index.atom",
        "/search",
        "/search?q=waterfall",
        "/search?q={0}",
        "/search?q={1}",
        "/search?q={0}+{1}",
        "/search?q={0}*",
        "/search?q={0}+source:s05",
        "/search?q={0}&in=comments",
        "/search?q={1}&in=comments",
        "/search?q={0}+{1}&in=comments",
        f"/articles/{one('SELECT max(id) / 8 FROM articles')}",
        f"/articles/{talked}",
        f"/articles/{talked}?page=25",
        f"/articles/{edited}/history",
        "/stories",
        "/stories?publishers=10",
        f"/stories/{story}",
        "/sources",
        "/sources/s05",
        "/runs",
        f"/runs/{one('SELECT max(id) FROM runs')}",
        "/status",
        "/status.json",
        "/feeds",
    ]


def fill(db: sqlite3.Connection) -> None:
    """What a watch of a year has besides articles and comments."""
    random.seed(SEED)
    sources = [id for (id,) in db.execute("SELECT id FROM sources ORDER BY id")]
    for number, id in enumerate(sources):
        kind, country = ("agency", "news", "think tank")[number % 3], ("US", "GB", "NO", "DE")[number % 4]
        db.execute("UPDATE sources SET kind = ?, country = ? WHERE id = ?", (kind, country, id))
    began = datetime.now(UTC) - timedelta(hours=4 * RUNS)
    visit = [name for _, name, *_ in db.execute("PRAGMA table_info(run_sources)")][2:]
    last = db.execute("SELECT max(id) FROM runs").fetchone()[0]
    for n in range(1, RUNS + 1):
        at = f"{began + timedelta(hours=4 * n):%Y-%m-%dT%H:%M:%SZ}"
        problems = json.dumps([{"name": "slow", "source": sources[n % 46], "detail": "took 9 s", "since": last + n}])
        db.execute(
            "INSERT INTO runs (id, kind, started_at, ended_at, status, exit_code, version, problems)"
            " VALUES (?, 'crawl', ?, ?, 'trouble', 1, '1', ?)",
            (last + n, at, at, problems),
        )
        rows = [[last + n, id, *(random.randrange(9) if name != "resting" else 0 for name in visit)] for id in sources]
        db.executemany(f"INSERT INTO run_sources VALUES ({', '.join('?' * (len(visit) + 2))})", rows)
        for id in sources:
            fields = [(last + n, id, field, 9, 8) for field in ("article", "headline", "body", "authors", "published")]
            sql = "INSERT INTO run_fields (run_id, source_id, field, read, filled, filled_url, missing_url)"
            db.executemany(f"{sql} VALUES (?, ?, ?, ?, ?, '', '')", fields)
    ids = [id for (id,) in db.execute("SELECT id FROM articles ORDER BY id")]
    stories = min(STORIES, len(ids) // 8)
    told = random.sample(ids, stories * 4)
    for story in range(stories):
        for number, id in enumerate(told[story * 4 : story * 4 + random.randint(2, 4)]):
            row = (id, told[story * 4], None if not number else told[story * 4], 0.9, "edited" if number else "first")
            db.execute("INSERT OR IGNORE INTO story_articles VALUES (?, ?, ?, ?, ?)", row)
    for id in random.sample(ids, min(EDITED, len(ids) // 4)):
        db.execute(
            "INSERT INTO article_revisions SELECT id, 1, headline, summary, body || ' more', blocks, authors,"
            " published_at, modified_at, '[\"body\"]', 0, 1, first_seen_at, 1 FROM articles WHERE id = ?",
            [id],
        )
        db.execute("UPDATE articles SET revision = 2 WHERE id = ?", [id])
    names = [name for _, name, *_ in db.execute("PRAGMA table_info(comments)")][1:]
    row = dict(zip(names, db.execute(f"SELECT {', '.join(names)} FROM comments WHERE id = 1").fetchone(), strict=True))
    for n in range(TALKED):
        parent = f"id:{random.randrange(n)}" if n and n % 3 else None
        said = {**row, "article_id": ids[0], "key": f"id:{n}", "position": n, "parent_key": parent}
        db.execute(
            f"INSERT INTO comments ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", [*said.values()]
        )
    db.commit()


async def ask(app: App, key: Key, path: str) -> tuple[int, int]:
    """Status and length of the answer to a GET."""
    name, _, query = path.partition("?")
    headers = [(b"host", b"127.0.0.1:%d" % PORT), (b"cookie", key.set_cookie().partition(";")[0].encode())]
    scope = {"type": "http", "method": "GET", "path": name, "raw_path": name.encode(), "query_string": query.encode()}
    scope |= {"headers": headers, "scheme": "http", "http_version": "1.1", "root_path": "", "client": ("127.0.0.1", 1)}
    scope["server"] = ("127.0.0.1", PORT)
    said: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    await app(scope, receive, send)
    return said[0]["status"], sum(len(message.get("body", b"")) for message in said)


def words(db: sqlite3.Connection) -> list[str]:
    """A word of nearly every article, and one of few."""
    body = db.execute("SELECT body FROM articles WHERE id = 777").fetchone()[0].split()
    found = sorted({word.strip(".,").lower() for word in body}, key=lambda word: (-body.count(word), word))
    return [found[0], found[-1]]


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("db", type=Path)
    parser.add_argument("--fill", action="store_true")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    with sqlite3.connect(options.db) as db:
        db.execute("PRAGMA trusted_schema = ON")
        if options.fill:
            fill(db)
        asked = [path.format(*words(db)) for path in pages(db) if options.only in path]
    key = Key(PORT)
    app = walled(options.db, key, PORT, home=options.db.parent)
    print(f"{'page':<52} {'status':>6} {'kB':>6} {'p50 ms':>8} {'p95 ms':>8} {'cpu ms':>8}")
    for path in asked:
        print(measured(app, key, path), flush=True)


def measured(app: App, key: Key, path: str) -> str:
    """A line of the table."""

    async def repeated() -> tuple[list[float], int, int]:
        times = []
        status, length = await ask(app, key, path)
        for _ in range(REPEATS):
            at = time.perf_counter()
            await ask(app, key, path)
            times.append((time.perf_counter() - at) * 1000)
        return times, status, length

    at = time.process_time()
    times, status, length = asyncio.run(repeated())
    cpu = (time.process_time() - at) * 1000 / (REPEATS + 1)
    p95 = statistics.quantiles(times, n=20)[-1]
    return f"{path:<52} {status:>6} {length / 1000:>6.0f} {statistics.median(times):>8.1f} {p95:>8.1f} {cpu:>8.1f}"


if __name__ == "__main__":
    main()
