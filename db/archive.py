"""The archive: answers as they came, in WARC files that other tools read too (ISO 28500:2017, WARC/1.1).

A file is a row of gzip members, one a record, as annex D of the standard has it. It is only ever appended to, so that
whatever ends a run in the middle costs no more than the record that was being written: `mend` cuts that off.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from isal import isal_zlib
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler import limits

NAMED = re.compile(r"watchfloor-(\d{8}T\d{6}Z)-(\d{5,9})\.warc\.gz")
DATE = "%Y%m%dT%H%M%SZ"
GZIP = 16 + zlib.MAX_WBITS
CHUNK = 256 * 1024
MEMBER_BYTES = 4 * limits.LISTING_BYTES
"""Of one record, unpacked. More is no record of ours: answers have their limits, and headers theirs."""
NOT_SENT = frozenset(("content-length", "transfer-encoding", "connection"))
"""Headers that speak of the transfer: what is kept was put together again, and unpacked."""
STANDARD = "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"


class Damaged(Exception):
    """A record that is not there, or not as it was written. The message says in what way."""


class Place(NamedTuple):
    """Where a record lies."""

    file: str
    """Its name in the archive's folder."""
    start: int
    """In bytes."""
    length: int
    """In bytes, packed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server answered."""

    url: str
    """Where it came from, after redirects."""
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    """As it is read: put together, and unpacked where its headers do not say otherwise."""
    ip: str = ""

    def header(self, name: str) -> str:
        """The last value under this name; empty without one."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What reading a whole file showed."""

    records: int
    problem: str = ""
    """The first one, and at which byte; empty for none."""


# ---- writing


class Archive:
    """Appends answers to the newest file of a folder, and begins another one when that is large or old enough."""

    def __init__(self, folder: Path, *, software: str, file_bytes: int = limits.ARCHIVE_FILE_BYTES) -> None:
        """Touches nothing yet. `software` is who writes, as the files say."""
        self.folder, self.software, self.file_bytes = folder, software, file_bytes
        self._file: BinaryIO | None = None
        self._end = 0

    def append(self, answer: Answer) -> Place:
        """Writes one record and hands it to the system. Raises `OSError`; of what it could not write nothing stays."""
        packed = pack(answer)
        self._check_room()
        file = self._writable()
        start = self._end
        self._write(file, packed)
        return Place(Path(file.name).name, start, len(packed))

    def close(self) -> None:
        """Waits until the disk has all of it. Harmless when done twice."""
        file, self._file = self._file, None
        if file:
            with contextlib.suppress(OSError), file:
                os.fsync(file.fileno())

    def _check_room(self) -> None:
        """The database is worth more than the archive: it keeps room to write in."""
        beside = self.folder if self.folder.exists() else self.folder.parent
        disk = os.statvfs(beside)
        if disk.f_bavail * disk.f_frsize < limits.ARCHIVE_SPARED_BYTES:
            raise OSError(errno.ENOSPC, f"less than {limits.ARCHIVE_SPARED_BYTES // 1_000_000} MB left on its disk")

    def _writable(self) -> BinaryIO:
        if self._file and self._end < self.file_bytes:
            return self._file
        self.close()
        self.folder.mkdir(parents=True, exist_ok=True)
        newest = next(iter(files(self.folder)[-1:]), None)
        self._file = (self._continued(newest) if newest else None) or self._begun(newest)
        return self._file

    def _continued(self, path: Path) -> BinaryIO | None:
        """The newest file where there is room in it, it is young enough and nobody else writes to it."""
        if path.stat().st_size >= self.file_bytes or _is_old(path):
            return None
        file = path.open("ab", buffering=0)
        if not _locked(file):
            file.close()
            return None
        self._end = file.seek(0, io.SEEK_END)
        return file

    def _begun(self, newest: Path | None) -> BinaryIO:
        """A new file. Its number is the next one, so that the order holds when the clock is set back."""
        number = int(_named(newest)[2]) + 1 if newest else 1
        path = self.folder / f"watchfloor-{datetime.now(UTC):{DATE}}-{number:05d}.warc.gz"
        file: BinaryIO = path.open("xb", buffering=0)
        _locked(file)
        self._end = 0
        try:
            self._write(file, _info(path.name, self.software))
        except OSError:
            file.close()
            path.unlink(missing_ok=True)
            raise
        return file

    def _write(self, file: BinaryIO, packed: bytes) -> None:
        rest = memoryview(packed)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError:
            with contextlib.suppress(OSError):
                file.truncate(self._end)
            raise
        self._end += len(packed)


def pack(answer: Answer) -> bytes:
    """The answer as one packed `response` record. Never raises, whatever the headers are."""
    listed = [(_ascii(name), _ascii(value)) for name, value in answer.headers]
    kept = [(name, value) for name, value in listed if name and name.lower() not in NOT_SENT]
    status = f"{answer.status} {_reason(answer.status)}".strip()
    http = StatusAndHeaders(status, [*kept, ("Content-Length", str(len(answer.body)))], protocol="HTTP/1.1")
    stated = {"WARC-IP-Address": answer.ip} if answer.ip else {}

    def made(writer: Any) -> Any:
        body = io.BytesIO(answer.body)
        return writer.create_warc_record(
            _ascii(answer.url), "response", body, len(answer.body), http_headers=http, warc_headers_dict=stated
        )

    return _packed(made)


def _info(name: str, software: str) -> bytes:
    about = {"software": software, "format": "WARC File Format 1.1", "conformsTo": STANDARD}
    return _packed(lambda writer: writer.create_warcinfo_record(name, about))


def _packed(made: Any) -> bytes:
    """A record by warcio, packed here: warcio packs with zlib at level 9, at ten times the cost."""
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=False, warc_version="1.1")
    writer.write_record(made(writer))
    packer = isal_zlib.compressobj(limits.ARCHIVE_LEVEL, isal_zlib.DEFLATED, GZIP)
    return packer.compress(buffer.getbuffer()) + packer.flush()


def _ascii(text: str) -> str:
    """Of a header: on one line, and with letters beyond ASCII spelled as their bytes, %E9."""
    line = " ".join(text.split())
    return line if line.isascii() else "".join(c if c.isascii() else _spelled(c) for c in line)


def _spelled(c: str) -> str:
    return "".join(f"%{byte:02X}" for byte in c.encode("utf-8", "replace"))


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


# ---- reading


def read(folder: Path, place: Place) -> Answer:
    """The answer that lies there. Raises `Damaged`."""
    if not NAMED.fullmatch(place.file) or place.start < 0 or not 0 < place.length <= MEMBER_BYTES:
        raise Damaged(f"{place.file}: no place in the archive")
    try:
        with (folder / place.file).open("rb") as file:
            file.seek(place.start)
            packed = file.read(place.length)
    except OSError as e:
        raise Damaged(f"{place.file}: {e.strerror or e}") from None
    found = next(members(io.BytesIO(packed)), None)
    if found is None or found[1] != place.length:
        raise Damaged(f"{place.file}: no whole record at byte {place.start}")
    answer = _record(found[2])
    if answer is None:
        raise Damaged(f"{place.file}: no answer at byte {place.start}")
    return answer


def members(file: BinaryIO, start: int = 0) -> Iterator[tuple[int, int, bytes]]:
    """Each whole gzip member from this byte on: where it begins, its length, what it holds. Ends before the first that
    is none, or is larger than a record can be."""
    file.seek(start)
    rest = b""
    while True:
        unpacker, held, length, packed = zlib.decompressobj(GZIP), bytearray(), 0, rest
        while not unpacker.eof:
            packed = packed or file.read(CHUNK)
            try:
                held += unpacker.decompress(packed, MEMBER_BYTES + 1 - len(held))
            except zlib.error:
                return
            left = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            length += len(packed) - len(left)
            if not packed or len(held) > MEMBER_BYTES:
                return
            packed = left
        yield start, length, bytes(held)
        start, rest = start + length, packed


def check(path: Path) -> Checked:
    """Reads every record with its digests. Raises `OSError`."""
    records = end = 0
    with path.open("rb") as file:
        for start, length, held in members(file):
            try:
                _record(held)
            except Damaged as e:
                return Checked(records=records, problem=f"byte {start}: {e}")
            records, end = records + 1, start + length
        if left := path.stat().st_size - end:
            return Checked(records=records, problem=f"byte {end}: {left} bytes that are no whole record")
    return Checked(records=records)


def _record(held: bytes) -> Answer | None:
    """The answer of a `response`; None for another record. Raises `Damaged` when it is not as it was written."""
    try:
        record = next(iter(ArchiveIterator(io.BytesIO(held), check_digests=True)), None)
        if record is None:
            raise Damaged("no record")
        body = record.raw_stream.read()
        if record.digest_checker.passed is not True:
            raise Damaged("; ".join(record.digest_checker.problems) or "not the length that it states")
        if record.rec_type != "response":
            return None
        return Answer(
            url=record.rec_headers.get_header("WARC-Target-URI") or "",
            status=int(record.http_headers.get_statuscode()),
            headers=tuple((name, value) for name, value in record.http_headers.headers),
            body=body,
            ip=record.rec_headers.get_header("WARC-IP-Address") or "",
        )
    except Damaged:
        raise
    except Exception as e:  # noqa: BLE001 - what warcio says of bytes that are no WARC is no type of its own
        raise Damaged(f"no WARC record ({type(e).__name__})") from None


# ---- files


def files(folder: Path) -> list[Path]:
    """The archive's files, the oldest first; others in the folder, and links to elsewhere, are none of ours. Empty
    without a folder."""
    found = (p for p in folder.glob("watchfloor-*.warc.gz") if NAMED.fullmatch(p.name) and not p.is_symlink())
    return sorted(found, key=lambda path: (int(_named(path)[2]), path.name))


def begun(file: str) -> str:
    """UTC: when a file was begun, as its name says; empty for a name that is none of ours."""
    named = NAMED.fullmatch(file)
    if not named:
        return ""
    day, time = named[1][:8], named[1][9:]
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{time[:2]}:{time[2:4]}:{time[4:6]}Z"


def mend(path: Path, last: int) -> int | None:
    """Cuts off what is no whole record at the end of a file, and tells how long the file is then; None where another
    process writes to it.

    `last` is the byte at which a record should begin, the last one that is known of: only from there on it is read.
    Where none begins, the whole file is. Whole records behind it stay. A file without any is removed.
    """
    with path.open("r+b") as file:
        if not _locked(file):
            return None
        end = _whole_until(file, last)
        end = _whole_until(file, 0) if end == last else end
        if end < path.stat().st_size:
            file.truncate(end)
            os.fsync(file.fileno())
    if not end:
        path.unlink()
    return end


def _whole_until(file: BinaryIO, start: int) -> int:
    end = start
    for at, length, _ in members(file, start):
        end = at + length
    return end


def _locked(file: Any) -> bool:
    """False where another process writes to it. The lock ends with the file, or its process."""
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _named(path: Path) -> re.Match[str]:
    named = NAMED.fullmatch(path.name)
    assert named, path
    return named


def _is_old(path: Path) -> bool:
    before = datetime.now(UTC) - timedelta(days=limits.ARCHIVE_FILE_DAYS)
    return begun(path.name) < f"{before:%Y-%m-%dT%H:%M:%SZ}"
