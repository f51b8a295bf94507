"""WARC files, wherever they lie: what servers answered, one record after the other, damage included.

Packed with gzip a record at a time (as we, Common Crawl and the standard have it), packed as a whole, or plain; on this
machine, or behind an address that fsspec knows. A record that is not whole costs itself alone: reading goes on at the
next one that can be found.
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO

import fsspec
from fastwarc.stream_io import BrotliReader, ChunkedReader, GzipReader, ZstdReader
from fastwarc.warc import ArchiveIterator, WarcRecordType
from isal import isal_zlib

from crawler import limits
from crawler.gathering import Got
from db.archive import CHUNK, GZIP, MEMBER_BYTES, NAMED, members
from pipelines.elsewhere import told_as

ENDINGS = (".warc", ".warc.gz")
MAGIC = b"\x1f\x8b\x08"
CODINGS = {"gzip": GzipReader, "x-gzip": GzipReader, "br": BrotliReader, "zstd": ZstdReader}
"""Of a body, as archives of other makers may hold it."""
SEARCHED = 4 * 1024 * 1024
"""Bytes that are looked through at a time for the next record, behind a damaged one."""
RECORD = re.compile(rb"\r\nWARC/1\.[01]\r\n")
URI = re.compile(rb"(?im)^WARC-Target-URI:[ \t]*<?([^\s>]{1,2000})")
PEEKED = 4096
"""Bytes of a damaged record, unpacked, in which its address is looked for."""
BLOCK_BYTES = 8 * 1024 * 1024
"""Asked for at a time where a file lies elsewhere: less would be more requests, and each is paid for."""


class Unreachable(Exception):
    """A file that cannot be opened. The message names it, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one task reads of a file: each of its records, or every so-manieth."""

    path: str
    part: int = 0
    parts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One answer, or what is left of one."""

    start: int
    """The byte at which it begins; in a file that is packed as a whole, of what is unpacked."""
    url: str = ""
    at: str = ""
    """UTC."""
    status: int = 0
    content_type: str = ""
    body: bytes = b""
    reason: str = ""
    """A short name for why it is not to be read; empty for an answer that is whole."""
    detail: str = ""

    @property
    def got(self) -> Got:
        """As reading wants it."""
        return Got(url=self.url, body=self.body, content_type=self.content_type)


def is_own(path: str) -> bool:
    """True for a file of a watchfloor archive, as its name says: further pages of comments lie behind their page."""
    return NAMED.fullmatch(path.rpartition("/")[2]) is not None


def found(path: str) -> list[tuple[str, int]]:
    """The WARC files that a path or address means, with their sizes: a file, all below a folder, or a pattern. A size
    is 0 where asking would cost a request. Raises `Unreachable`."""
    with told_as(Unreachable, path):
        fs, inner = fsspec.core.url_to_fs(path)
        if "http" in fs.protocol:
            return [(path, 0)]
        listed = fs.glob(inner) if any(c in inner for c in "*?[") else [inner]
        named = [each for one in listed for each in (_below(fs, one) if fs.isdir(one) else [one])]
        if named and all(fs.exists(each) for each in named):
            return [(_full(fs, each), int(fs.size(each) or 0)) for each in sorted(named)]
    raise Unreachable(f"{path}: no WARC file (.warc, .warc.gz) there")


def _below(fs: Any, folder: str) -> list[str]:
    return [each for each in fs.find(folder) if each.endswith(ENDINGS)]


def _full(fs: Any, path: str) -> str:
    """With its protocol, save on this machine."""
    return path if "file" in fs.protocol else str(fs.unstrip_protocol(path))


def shares(paths: Iterable[str], tasks: int) -> list[tuple[Share, ...]]:
    """What each task reads. Fewer files than tasks are read by several each; those of an own archive never are, since
    pages and their comments belong together."""
    paths = list(paths)
    shareable = sum(not is_own(path) for path in paths)
    more = max(0, tasks - len(paths))
    parts = 1 + -(-more // shareable) if shareable else 1
    cut = [
        Share(path=path, part=part, parts=1 if is_own(path) else parts)
        for path in paths
        for part in range(1 if is_own(path) else parts)
    ]
    return [tuple(cut[task::tasks]) for task in range(tasks)]


# ---- reading


@contextlib.contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """The file, for reading. Raises `Unreachable`, also for what the connection does later."""
    with told_as(Unreachable, path):
        fs, inner = fsspec.core.url_to_fs(path)
        how = {} if "file" in fs.protocol else {"block_size": BLOCK_BYTES}
        with fs.open(inner, "rb", **how) as file:
            if file.size is None:  # a server that gives no parts of a file
                with tempfile.TemporaryFile() as whole:
                    shutil.copyfileobj(file, whole, BLOCK_BYTES)
                    whole.seek(0)
                    yield whole
            else:
                yield file


def taken(file: BinaryIO, share: Share) -> Iterator[Taken]:
    """The answers of a share, in the file's order. Raises what reading the file raises."""
    each = _members(file, share) if _packed(file) and not _one_member(file) else _stream(file, share)
    yield from (one for one in each if one is not None)


def at(file: BinaryIO, start: int) -> Taken | None:
    """The answer whose packed record begins there; None for another record, or damage."""
    return next((_first(held, start) for _, _, held in members(file, start)), None)


def addresses(file: BinaryIO) -> Iterator[tuple[str, int]]:
    """The address of each answer in a file that is packed a record at a time, and where its record begins."""
    for start, _, held in members(file):
        if match := URI.search(held, 0, PEEKED):
            yield match[1].decode("utf-8", "replace"), start


def _members(file: BinaryIO, share: Share) -> Iterator[Taken | None]:
    """Of a file that is packed a record at a time."""
    start = number = 0
    while True:
        for begun, end, held in _unpacked(file, start):
            if number % share.parts == share.part:
                yield from _records(io.BytesIO(held), begun, fixed=True)
            number, start = number + 1, end
        file.seek(start)
        head = file.read(PEEKED)
        if not head:
            return
        if number % share.parts == share.part:
            yield _lost(start, _peeked(head), "no whole packed record")
        number += 1
        found_at = _next_member(file, start + 1)
        if found_at is None:
            return
        start = found_at


def _unpacked(file: BinaryIO, start: int) -> Iterator[tuple[int, int, bytes]]:
    """As `db.archive.members`, in half the time: where each begins and ends, and what it holds."""
    file.seek(start)
    rest = b""
    while True:
        unpacker, held, end = isal_zlib.decompressobj(GZIP), b"", start
        packed = rest or file.read(CHUNK)
        while packed:
            try:
                held += unpacker.decompress(packed, MEMBER_BYTES + 1 - len(held))
            except isal_zlib.IsalError:  # type: ignore[misc]  # a type that its stub does not know as one
                return
            end += len(packed)
            if unpacker.eof:
                break
            packed = file.read(CHUNK) if len(held) <= MEMBER_BYTES else b""
        if not unpacker.eof or len(held) > MEMBER_BYTES:
            return
        rest = unpacker.unused_data
        yield start, end - len(rest), held
        start = end - len(rest)


def _packed(file: BinaryIO) -> bool:
    """True for gzip; where the beginning says neither that nor a plain file, by what lies behind the damage."""
    head = file.read(len(MAGIC))
    packed = head.startswith(MAGIC[:2]) or (not b"WARC".startswith(head) and _next_member(file, 1) is not None)
    file.seek(0)
    return packed


def _next_member(file: BinaryIO, start: int) -> int | None:
    """Where the next packed record begins: what unpacks to a WARC header."""
    for place in _places(file, start, re.compile(re.escape(MAGIC))):
        file.seek(place)
        if _peeked(file.read(PEEKED)).startswith(b"WARC/1."):
            return place
    return None


def _peeked(packed: bytes) -> bytes:
    with contextlib.suppress(zlib.error):
        return zlib.decompressobj(GZIP).decompress(packed, PEEKED)
    return b""


def _one_member(file: BinaryIO) -> bool:
    """True where all records are packed as one: the first member ends neither soon nor with its first record."""
    unpacker, held = zlib.decompressobj(GZIP), 0
    try:
        while not unpacker.eof and held <= MEMBER_BYTES and (packed := file.read(limits.PAGE_BYTES)):
            held += len(unpacker.decompress(packed, MEMBER_BYTES + 1 - held))
    except zlib.error:
        return False
    finally:
        file.seek(0)
    return held > MEMBER_BYTES


def _stream(file: BinaryIO, share: Share) -> Iterator[Taken | None]:
    """Of a plain file, or one that is packed as a whole."""
    yield from islice(_resuming(file), share.part, None, share.parts)


def _resuming(file: BinaryIO) -> Iterator[Taken | None]:
    start = 0
    while True:
        file.seek(start)
        last = start
        broke = False
        for one in _records(file, start):
            yield one
            if one is not None:
                last, broke = one.start, one.reason == DAMAGED
        places = (match + 2 for match in _places(file, last, RECORD)) if broke else iter(())
        following = next((place for place in places if place > last), None)
        if following is None:
            return
        start = following


def _places(file: BinaryIO, start: int, wanted: re.Pattern[bytes]) -> Iterator[int]:
    """Where in the file this is found, from a byte on."""
    reach = 32
    while True:
        file.seek(start)
        chunk = file.read(SEARCHED)
        if len(chunk) <= reach:
            return
        for match in wanted.finditer(chunk):
            yield start + match.start()
        start += len(chunk) - reach


# ---- one record

DAMAGED = "damaged record"


def _first(held: bytes, start: int) -> Taken | None:
    return next(_records(io.BytesIO(held), start, fixed=True), None)


def _records(stream: BinaryIO, start: int, *, fixed: bool = False) -> Iterator[Taken | None]:
    """Each record from the stream's place on, None for one that is no answer; the last one may be damaged, and what
    lies behind it is not read. `fixed`: all of them begin at `start`, else there and behind it."""
    held: Taken | None = None
    waiting = False
    try:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.any_type, parse_http=True):
            if waiting:
                yield held
            begun = start if fixed else start + record.stream_pos
            held, waiting = _taken(record, begun), True
    except (OSError, ValueError) as e:
        if getattr(e, "errno", None):
            raise  # of the file, not of what it says
        place, url = (held.start, held.url) if held else (start, "")
        yield _lost(place, b"", "the record's length does not hold, or its header is none", url=url)
        return
    if waiting:
        yield held


def _lost(start: int, head: bytes, detail: str, *, url: str = "") -> Taken:
    match = URI.search(head)
    url = url or (match[1].decode("utf-8", "replace") if match else "")
    return Taken(start=start, url=url, reason=DAMAGED, detail=detail)


def _taken(record: Any, start: int) -> Taken | None:
    """What a record says; None when it is no answer of a server."""
    raw = record.reader.read(MEMBER_BYTES + 1)
    whole = len(raw) == record.content_length
    if record.record_type != WarcRecordType.response or record.http_headers is None:
        return None
    url = (record.headers.get("WARC-Target-URI") or "").strip("<> \t")
    if not whole:
        return _lost(start, b"", f"{len(raw):,} bytes of {record.content_length:,}", url=url)
    headers = record.http_headers
    status = headers.status_code
    return Taken(
        start=start,
        url=url,
        at=_utc(record.headers.get("WARC-Date") or ""),
        status=status if isinstance(status, int) else 0,
        content_type=(headers.get("Content-Type") or "")[: limits.DETAIL_CHARACTERS],
        body=_plain(raw, headers),
    )


def _plain(raw: bytes, headers: Any) -> bytes:
    """The body put together and unpacked, where it is as its headers say; archives often keep it so already, and its
    headers as they were. At most a byte more than a page may have."""
    codings = (headers.get("Content-Encoding") or "").lower().replace(",", " ").split()
    readers = [CODINGS[c] for c in reversed(codings) if c in CODINGS]
    if "chunked" in (headers.get("Transfer-Encoding") or "").lower():
        readers.insert(0, ChunkedReader)
    for reader in islice(readers, 3):
        with contextlib.suppress(OSError, ValueError):
            raw = reader(io.BytesIO(raw)).read(limits.PAGE_BYTES + 1) or raw
    return raw


def _utc(date: str) -> str:
    """To the second, as the database has times; empty for what is none."""
    match = re.match(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z", date)
    return f"{match[1]}Z" if match else ""
