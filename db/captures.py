"""Which answers lie where in the archive: the table `captures`, kept in step with the archive's files."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from crawler.items import Cut, Found, Moment, Outcome
from db.archive import NAMED, Damaged, Place, begun, files, mend
from db.connect import Database, problems_of

Role = Literal["page", "comments"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """An answer, as a run took it up."""

    run_id: int
    source_id: str
    url: str
    """As it was asked for, as in `fetches`."""
    role: Role = "page"
    page_url: str = ""
    """For comments: the url of their page."""
    found: Found | None = None
    """For a page: what the listing said."""
    place: Place | None = None
    """None for a page that was read and is not in the archive: what lies there of it is older than what is stored."""
    at: str
    """UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The ledger's row of a page, as far as a replay needs it."""

    url: str
    outcome: Outcome
    reason: str
    detail: str
    run_id: int
    article_id: int | None
    cleaned_by: str
    receipt: bool
    """True when the page can be asked for with a receipt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One file of the archive."""

    file: str
    bytes: int
    """0 for one that is missing."""
    records: int = 0
    """Of which the database knows."""
    first: str = ""
    """UTC; empty without records."""
    last: str = ""


class Captures:
    """The table, in one database."""

    def __init__(self, db: Database, path: Path) -> None:
        self.db, self.path = db, path

    def add(self, capture: Capture) -> None:
        """Writes down an answer that was appended. One that was not is noted only where the table has something to be
        older than it, and once a page. Raises `DatabaseProblem`, `Unstorable`."""
        with self._transaction():
            if capture.place is None:
                self.db.execute("DELETE FROM captures WHERE url = ? AND file = ''", [capture.url])
                if not self.db.execute("SELECT EXISTS (SELECT 1 FROM captures)").fetchone()[0]:
                    return
            self.db.execute(_INSERT, _row(capture))

    def mend(self, folder: Path) -> dict[str, int]:
        """Puts the files right after a run that was killed, or a power cut, and drops the rows of records that are
        lost: how many, for each file that was not whole. Raises `OSError`, `DatabaseProblem`."""
        listed = files(folder)
        mended = {path.name: self._mended(path, newest=path is listed[-1]) for path in listed}
        return {name: lost for name, lost in mended.items() if lost is not None}

    def forget(self, file: str) -> None:
        """Drops every row of a file that is about to go, and what is only there to be newer than rows that are gone."""
        with self._transaction():
            self.db.execute("DELETE FROM captures WHERE file = ?", [file])
            self.db.execute(
                "DELETE FROM captures WHERE file = ''"
                " AND run_id < coalesce((SELECT min(run_id) FROM captures WHERE file <> ''), 9e18)"
            )

    def _mended(self, path: Path, *, newest: bool) -> int | None:
        """How many records were lost; None for a file that was whole, or is another database's: that one is read whole
        only to append to it."""
        size = path.stat().st_size
        with problems_of(self.path):
            row = self.db.execute("SELECT max(start), max(start + length) FROM captures WHERE file = ?", [path.name])
            last, known = row.fetchone()
        end = mend(path, last or 0) if newest or last is not None else None
        if end is None:
            return None
        lost = 0
        if known and known > end:
            with self._transaction():
                sql = "DELETE FROM captures WHERE file = ? AND start + length > ?"
                lost = self.db.execute(sql, [path.name, end]).rowcount
        return lost if end < max(size, known or 0) else None

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with problems_of(self.path):
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.db.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(Exception):
                    self.db.execute("ROLLBACK")
                raise


# ---- what the files hold


def kept(db: Database | None, folder: Path) -> list[Kept]:
    """The archive's files, the oldest first, with what the database knows of them; missing ones too."""
    sizes = {path.name: path.stat().st_size for path in files(folder)}
    known = {row[0]: row[1:] for row in db.execute(_FILES)} if db else {}
    lost = [Kept(file=f, bytes=0, records=n, first=a, last=z) for f, (n, a, z) in known.items() if f not in sizes]
    return lost + [_kept(name, size, *known.get(name, ())) for name, size in sizes.items()]


def _kept(file: str, size: int, records: int = 0, first: str = "", last: str = "") -> Kept:
    return Kept(file=file, bytes=size, records=records, first=first, last=last)


def surplus(
    listed: Sequence[Kept], *, most: int | None = None, days: int | None = None, now: datetime | None = None
) -> list[Kept]:
    """The files to let go, the oldest first: all whose last record is older than `days`, and as many more as it takes
    to get down to `most` bytes. The newest file is appended to, and only its age lets it go."""
    before = f"{(now or datetime.now(UTC)) - timedelta(days=days or 0):%Y-%m-%dT%H:%M:%SZ}"
    gone = [k for k in listed if days is not None and (k.last or begun(k.file)) < before]
    total = sum(k.bytes for k in listed) - sum(k.bytes for k in gone)
    for each in listed[:-1]:
        if most is not None and total > most and each not in gone:
            gone.append(each)
            total -= each.bytes
    return [k for k in listed if k in gone]


def prune(db: Database | None, path: Path, folder: Path, gone: Iterable[Kept]) -> None:
    """Removes these files. Their rows go first: a row without its record is worse than a file without rows.

    A row can name anything. Only what is named as the archive names its files is removed, and only in its folder.
    """
    for each in gone:
        if db:
            Captures(db, path).forget(each.file)
        if NAMED.fullmatch(each.file):
            (folder / each.file).unlink(missing_ok=True)


def missing(db: Database, folder: Path) -> list[Kept]:
    """Files of which the database knows records, and that are not there."""
    return [each for each in kept(db, folder) if each.records and not (folder / each.file).is_file()]


# ---- what can be replayed


def latest(db: Database, sources: Sequence[str], *, since: str = "", limit: int = -1) -> list[int]:
    """The numbers of the last captures of each article's pages, of its own address before others, and of each page
    that gave no article: of these the `limit` newest (-1 for all), in the order in which they were made.

    A visit that was cut off before it had its row in the ledger does not count: the next crawl makes it again.
    """
    marks = ", ".join("?" * len(sources))
    return [id for (id,) in db.execute(_LATEST.format(marks=marks), [*sources, since, limit])]


def captured(db: Database, number: int) -> tuple[Capture, Ledger]:
    """The capture of this number, and the row that the ledger has of its page. Raises `Damaged`."""
    columns = ", ".join((*(f"c.{name}" for name in _COLUMNS), *(f"f.{name}" for name in _LEDGER[:-1]), _RECEIPT))
    sql = f"SELECT {columns} FROM captures c JOIN fetches f ON f.url = c.url WHERE c.id = ?"
    row = db.execute(sql, [number]).fetchone()
    return _capture(row[: len(_COLUMNS)]), _ledger(row[3], row[len(_COLUMNS) :])


def captured_comments(db: Database, page: Capture) -> list[Capture]:
    """The answers with a page's further comments, of the same run."""
    columns = ", ".join(_COLUMNS)
    sql = f"SELECT {columns} FROM captures WHERE page_url = ? AND run_id = ? AND role = 'comments' ORDER BY id"
    return [_capture(row) for row in db.execute(sql, [page.url, page.run_id])]


def earlier(db: Database, article_id: int, capture: Capture) -> Iterator[Capture]:
    """Captures of the article's pages by runs before that of this one, the last first, for as long as no crawl has
    found anything since that they would take back."""
    columns = ", ".join(f"c.{name}" for name in _COLUMNS)
    for row in db.execute(_EARLIER.format(columns=columns), [article_id, capture.run_id]).fetchall():
        before = _capture(row)
        since = [article_id, before.run_id]
        if db.execute(_FOUND_SINCE, [*since, *since, *since, article_id, before.at]).fetchone()[0]:
            return
        yield before


def read_since(db: Database, article_id: int, run_id: int) -> bool:
    """True when a later run than this one read the article, whether it archived it or not."""
    return bool(db.execute(_READ_SINCE, [article_id, run_id, article_id, run_id]).fetchone()[0])


def imported_since(db: Database, article_id: int, run_id: int) -> frozenset[str]:
    """Keys of comments that an import added or edited after this run."""
    return frozenset(key for (key,) in db.execute(_IMPORTED_SINCE, [article_id, run_id, article_id, run_id]))


def stored_cuts(db: Database, article_id: int) -> frozenset[Cut]:
    """What limits left out of the article's page."""
    rows = db.execute("SELECT name, kept, left_out, unit FROM cuts WHERE article_id = ?", [article_id])
    return frozenset(Cut(limit=name, kept=kept, left_out=out, unit=unit) for name, kept, out, unit in rows)


# ---- rows


_COLUMNS = ("id", "run_id", "source_id", "url", "role", "page_url", "found", "file", "start", "length", "at")
_RECEIPT = "f.etag <> '' OR f.last_modified <> ''"
_LEDGER = ("outcome", "reason", "detail", "run_id", "article_id", "cleaned_by", "receipt")


def _row(capture: Capture) -> list[Any]:
    """In the order of `_COLUMNS`, without the number."""
    file, start, length = capture.place or ("", 0, 0)
    found = json.dumps(asdict(capture.found)) if capture.found else ""
    told = [capture.run_id, capture.source_id, capture.url, capture.role, capture.page_url, found]
    return [*told, file, start, length, capture.at]


def _capture(row: Sequence[Any]) -> Capture:
    values = dict(zip(_COLUMNS, row, strict=True))
    place = Place(values.pop("file"), values.pop("start"), values.pop("length"))
    found, number = values.pop("found"), values.pop("id")
    try:
        said = _found(json.loads(found)) if found else None
    except (ValueError, TypeError, KeyError) as e:
        raise Damaged(f"capture {number}: what its listing said cannot be read ({type(e).__name__})") from None
    return Capture(**values, found=said, place=place if place.file else None)


def _ledger(url: str, row: Sequence[Any]) -> Ledger:
    values = dict(zip(_LEDGER, row, strict=True))
    return Ledger(url=url, **{**values, "receipt": bool(values["receipt"])})


def _found(said: dict[str, Any]) -> Found:
    moments = {name: Moment(**said[name]) if said[name] else None for name in ("published", "lastmod")}
    return Found(**{**said, **moments})


_INSERT = f"INSERT INTO captures ({', '.join(_COLUMNS[1:])}) VALUES ({', '.join('?' * len(_COLUMNS[1:]))})"

_FILES = "SELECT file, count(*), min(at), max(at) FROM captures WHERE file <> '' GROUP BY file ORDER BY file"

_LATEST = """
WITH finished AS (
  SELECT c.id, c.url, c.run_id, c.source_id, c.at, f.article_id, a.url IS c.url AS own,
    CASE WHEN f.run_id = c.run_id THEN f.fetched_at ELSE c.at END AS done_at
  FROM captures c JOIN fetches f ON f.url = c.url AND f.run_id >= c.run_id LEFT JOIN articles a ON a.id = f.article_id
  WHERE c.role = 'page'
), placed AS (
  SELECT *, row_number() OVER (
    PARTITION BY coalesce('article ' || article_id, url) ORDER BY own DESC, run_id DESC, done_at DESC, id DESC) AS place
  FROM finished
), chosen AS (
  SELECT id FROM placed WHERE place = 1 AND source_id IN ({marks}) AND at >= ? ORDER BY id DESC LIMIT ?
)
SELECT id FROM chosen ORDER BY id
"""

_EARLIER = """
SELECT {columns} FROM captures c JOIN fetches f ON f.url = c.url
WHERE f.article_id = ? AND c.role = 'page' AND c.run_id < ? ORDER BY c.run_id DESC, c.id DESC
"""

_FOUND_SINCE = """
WITH crawls AS (SELECT id FROM runs WHERE kind = 'crawl')
SELECT EXISTS (SELECT 1 FROM article_revisions WHERE article_id = ? AND replaced_run_id > ?
    AND replaced_run_id IN crawls)
  OR EXISTS (SELECT 1 FROM comments WHERE article_id = ? AND first_run_id > ? AND first_run_id IN crawls)
  OR EXISTS (SELECT 1 FROM comments c JOIN comment_revisions v ON v.comment_id = c.id
    WHERE c.article_id = ? AND v.replaced_run_id > ? AND v.replaced_run_id IN crawls)
  OR EXISTS (SELECT 1 FROM comments WHERE article_id = ? AND gone_at > ?)
"""

_READ_SINCE = """
SELECT EXISTS (
  SELECT 1 FROM fetches f JOIN captures c ON c.url = f.url AND c.role = 'page' AND c.run_id <= f.run_id
  WHERE f.article_id = ? AND c.run_id > ?
) OR EXISTS (
  SELECT 1 FROM fetches f WHERE f.article_id = ? AND f.kind = 'page' AND f.outcome IN ('stored', 'unchanged')
  AND coalesce(f.status, 0) <> 304 AND f.run_id > ?
)
"""

_IMPORTED_SINCE = """
SELECT c.key FROM comments c JOIN runs r ON r.id = c.first_run_id
WHERE c.article_id = ? AND r.kind = 'import' AND r.id > ?
UNION SELECT c.key FROM comments c JOIN comment_revisions v ON v.comment_id = c.id
  JOIN runs r ON r.id = v.replaced_run_id
WHERE c.article_id = ? AND r.kind = 'import' AND r.id > ?
"""
