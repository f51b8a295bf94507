"""The archive's files: standard, whole after every end, read back as they were written."""

from __future__ import annotations

import gzip
import io
import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastwarc.warc import ArchiveIterator as FastIterator
from fastwarc.warc import WarcRecordType
from hypothesis import given
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from crawler import limits
from crawler.items import Found, Moment
from crawler.source import Source
from db import archive
from db.archive import Answer, Archive, Damaged, Place, check, files, mend, pack, read
from db.captures import Capture, Captures, Kept, captured_comments, kept, prune, surplus
from db.store import Store

NOW = "2026-11-22T12:00:00Z"
HEADERS = (("Content-Type", "text/html; charset=utf-8"), ("Transfer-Encoding", "chunked"), ("Set-Cookie", "a"))


def answer(number: int = 1, body: bytes = b"", **how: object) -> Answer:
    url = f"https://paper.example/{number}"
    body = body or f"<h1>Number {number}</h1>".encode() * 20
    return Answer(**{"url": url, "status": 200, "headers": HEADERS, "body": body, **how})  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive"


def writer(folder: Path, **how: int) -> Archive:
    return Archive(folder, software="watchfloor/test", **how)


def filled(folder: Path, number: int = 3) -> tuple[Path, list[Place]]:
    """An archive with so many answers, in one file."""
    ours = writer(folder)
    places = [ours.append(answer(n)) for n in range(number)]
    ours.close()
    (file,) = files(folder)
    return file, places


# ---- standard


def test_what_was_appended_is_read_back_from_where_it_is_said_to_lie(folder: Path) -> None:
    _, places = filled(folder)
    assert [read(folder, place).body for place in places] == [answer(n).body for n in range(3)]
    assert read(folder, places[1]).url == "https://paper.example/1"
    assert read(folder, places[1]).header("content-type") == "text/html; charset=utf-8"


def test_warcio_and_fastwarc_read_every_record_and_its_digests_hold(folder: Path) -> None:
    file, _ = filled(folder)
    with file.open("rb") as stream:
        records = [(r.rec_type, r.content_stream().read(), r) for r in ArchiveIterator(stream, check_digests=True)]
    assert [kind for kind, _, _ in records] == ["warcinfo", "response", "response", "response"]
    assert [body for _, body, _ in records[1:]] == [answer(n).body for n in range(3)]
    assert all(r.digest_checker.passed for _, _, r in records)
    for _, body, record in records[1:]:
        assert record.http_headers.get_header("Content-Length") == str(len(body))
        assert record.http_headers.get_header("Transfer-Encoding") is None
        assert record.rec_headers.protocol == "WARC/1.1"
    with file.open("rb") as stream:
        fast = [r for r in FastIterator(stream, parse_http=False) if r.verify_block_digest()]
    assert len(fast) == 4
    with file.open("rb") as stream:
        bodies = [r.reader.read() for r in FastIterator(stream, record_types=WarcRecordType.response)]
    assert bodies == [answer(n).body for n in range(3)]


@pytest.mark.parametrize("command", ["check", "index"])
def test_warcios_own_tools_take_the_files(folder: Path, command: str) -> None:
    file, _ = filled(folder)
    tool = "import sys; from warcio.cli import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", tool, command, file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if command == "index":
        assert done.stdout.count('"response"') == 3


@given(
    st.lists(st.tuples(st.text(max_size=20), st.text(max_size=40)), max_size=5),
    st.binary(max_size=300),
    st.integers(0, 999),
    st.text(max_size=60),
)
def test_any_answer_makes_a_record_that_is_read_back_with_its_body(
    headers: list[tuple[str, str]], body: bytes, status: int, path: str
) -> None:
    packed = pack(Answer(url=f"https://paper.example/{path}", status=status, headers=tuple(headers), body=body))
    ((start, length, held),) = archive.members(io.BytesIO(packed))
    again = archive._record(held)
    assert again is not None
    assert (start, length, again.body) == (0, len(packed), body)


def test_headers_cannot_end_the_record_early(folder: Path) -> None:
    evil = (("X-A", "b\r\n\r\nHTTP/1.1 200 OK"), ("X-C\r\nContent-Length", "3"), ("Content-Type", "text/h\xe9"))
    place = writer(folder).append(answer(headers=evil))
    again = read(folder, place)
    assert again.body == answer().body
    assert again.header("X-A") == "b HTTP/1.1 200 OK"
    assert again.header("Content-Type") == "text/h%C3%A9"


# ---- files


def test_the_next_run_appends_to_the_newest_file(folder: Path) -> None:
    file, _ = filled(folder)
    ours = writer(folder)
    place = ours.append(answer(9))
    ours.close()
    assert files(folder) == [file]
    assert read(folder, place).body == answer(9).body


def test_another_file_is_begun_when_one_is_large_enough_or_old_enough(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = writer(folder, file_bytes=1)
    names = {ours.append(answer(n)).file for n in range(3)}
    ours.close()
    assert [path.name for path in files(folder)] == sorted(names)
    assert len(names) == 3
    monkeypatch.setattr(limits, "ARCHIVE_FILE_DAYS", -1)
    assert writer(folder).append(answer()).file not in names


def test_the_order_of_files_holds_when_the_clock_is_set_back(folder: Path) -> None:
    folder.mkdir()
    (folder / "watchfloor-20991231T235959Z-00007.warc.gz").write_bytes(b"")
    (folder / "watchfloor-notes.warc.gz").write_bytes(b"not ours")
    (folder / "watchfloor-20991231T235959Z-00007.warc.gz").write_bytes(b"x" * 100)
    place = writer(folder, file_bytes=10).append(answer())
    assert [path.name for path in files(folder)][-1] == place.file
    assert place.file.endswith("-00008.warc.gz")


def test_two_processes_never_write_to_one_file(folder: Path) -> None:
    one, other = writer(folder), writer(folder)
    places = [one.append(answer(1)), other.append(answer(2)), one.append(answer(3)), other.append(answer(4))]
    assert len({place.file for place in places}) == 2
    assert [read(folder, place).url[-1] for place in places] == ["1", "2", "3", "4"]
    assert mend(folder / places[0].file, 0) is None


@pytest.fixture
def little_room() -> Iterator[None]:
    """No file of this process can be larger than 4 KB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_of_a_record_for_which_there_is_no_room_nothing_stays(folder: Path, little_room: None) -> None:
    ours = writer(folder)
    place = ours.append(answer(1))
    noise = bytes(hash((n, "noise")) & 255 for n in range(9000))
    with pytest.raises(OSError, match="too large"):
        ours.append(answer(2, noise))
    assert (folder / place.file).stat().st_size == place.start + place.length
    assert check(folder / place.file).problem == ""


def test_the_archive_leaves_room_for_the_database(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ARCHIVE_SPARED_BYTES", 1 << 60)
    with pytest.raises(OSError, match="left on its disk"):
        writer(folder).append(answer())
    assert not folder.exists()


# ---- after a kill, or a power cut


@pytest.mark.parametrize("lost", [1, 7, 60, 150])
def test_a_record_that_was_being_written_is_cut_off_and_the_others_stay(folder: Path, lost: int) -> None:
    file, places = filled(folder)
    whole = file.read_bytes()
    file.write_bytes(whole[:-lost])
    assert check(file).problem.startswith(f"byte {places[-1].start}: ")
    assert mend(file, places[0].start) == places[-1].start
    assert check(file).problem == ""
    place = writer(folder).append(answer(7))
    assert place == Place(file.name, places[-1].start, place.length)
    assert read(folder, place).body == answer(7).body


def test_whole_records_behind_the_last_that_is_known_of_stay(folder: Path) -> None:
    file, places = filled(folder)
    size = file.stat().st_size
    with file.open("ab") as stream:
        stream.write(bytes(5000))  # a power cut leaves zeros
    assert mend(file, places[0].start) == size


def test_a_file_whose_known_records_are_lost_is_read_from_its_beginning(folder: Path) -> None:
    file, places = filled(folder)
    file.write_bytes(file.read_bytes()[: places[1].start + 10])
    assert mend(file, places[2].start) == places[1].start


def test_a_file_without_a_whole_record_goes(folder: Path) -> None:
    file, _ = filled(folder)
    file.write_bytes(b"\x1f\x8b\x08")
    assert mend(file, 0) == 0
    assert files(folder) == []


def test_what_is_damaged_is_said_and_never_read_as_something_else(folder: Path) -> None:
    file, places = filled(folder)
    data = bytearray(file.read_bytes())
    data[places[1].start + places[1].length // 2] ^= 0xFF
    file.write_bytes(data)
    with pytest.raises(Damaged):
        read(folder, places[1])
    assert read(folder, places[0]).body == answer(0).body
    assert (check(file).records, bool(check(file).problem)) == (2, True)


def test_a_record_that_was_changed_and_packed_again_does_not_pass(folder: Path) -> None:
    file, places = filled(folder, 1)
    with file.open("rb") as stream:
        *_, (start, _, held) = archive.members(stream)
    packed = gzip.compress(held.replace(b"Number 0", b"Number 9"))
    file.write_bytes(file.read_bytes()[:start] + packed)
    with pytest.raises(Damaged, match="digest"):
        read(folder, places[0]._replace(length=len(packed)))
    assert "digest" in check(file).problem


@pytest.mark.parametrize(
    "place", [("../secret", 0, 5), ("/etc/passwd", 0, 5), ("watchfloor-20260101T000000Z-00001.warc.gz", 0, 9)]
)
def test_a_place_that_is_none_is_damage_and_no_other_file_is_opened(folder: Path, place: tuple[str, int, int]) -> None:
    with pytest.raises(Damaged):
        read(folder, Place(*place))


def test_a_member_that_unpacks_to_more_than_a_record_can_have_is_none() -> None:
    bomb = gzip.compress(bytes(archive.MEMBER_BYTES + 1))
    assert list(archive.members(io.BytesIO(bomb))) == []


# ---- with the database


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "watchfloor.db") as store:
        source = Source(id="paper", name="Paper", home="https://paper.example/")
        store.begin_run((source,), version="test", now=NOW)
        yield store


def captures(store: Store) -> Captures:
    return Captures(store.db, store.path)


def capture(place: Place | None, url: str = "https://paper.example/1", **how: object) -> Capture:
    stated = {"run_id": 1, "source_id": "paper", "url": url, "place": place, "at": NOW, **how}
    return Capture(**stated)  # type: ignore[arg-type]


def rows(store: Store) -> list[tuple[str, int, int]]:
    return list(store.db.execute("SELECT file, start, length FROM captures ORDER BY id"))


def test_a_capture_keeps_what_the_listing_said(store: Store, folder: Path) -> None:
    _, (place, *_) = filled(folder)
    day = Moment(iso="2026-11-01", raw="1 Nov")
    found = Found(url="https://paper.example/1", listing="https://paper.example/feed", title="A ‘title’", published=day)
    captures(store).add(capture(place, role="comments", page_url="page", found=found))
    assert captured_comments(store.db, capture(None, "page"))[0].found == found


def test_rows_of_records_that_are_lost_go_with_them(store: Store, folder: Path) -> None:
    file, places = filled(folder)
    for place in places[:2]:
        captures(store).add(capture(place))
    assert captures(store).mend(folder) == {}
    file.write_bytes(file.read_bytes()[: places[1].start + 9])
    assert list(captures(store).mend(folder)) == [file.name]
    assert rows(store) == [tuple(places[0])]
    assert captures(store).mend(folder) == {}


def test_a_page_that_is_not_kept_is_noted_once_and_only_where_older_ones_are(store: Store, folder: Path) -> None:
    captures(store).add(capture(None))
    assert rows(store) == []
    _, (place, *_) = filled(folder)
    captures(store).add(capture(place))
    captures(store).add(capture(None))
    captures(store).add(capture(None))
    assert rows(store) == [tuple(place), ("", 0, 0)]


def test_files_that_are_let_go_take_their_rows_along(store: Store, folder: Path) -> None:
    ours = writer(folder, file_bytes=1)
    places = [ours.append(answer(n)) for n in range(3)]
    ours.close()
    for place in places:
        captures(store).add(capture(place))
    listed = kept(store.db, folder)
    assert [(k.file, k.records, k.last) for k in listed] == [(p.file, 1, NOW) for p in places]
    prune(store.db, store.path, folder, surplus(listed, most=listed[0].bytes * 2))
    assert [path.name for path in files(folder)] == [p.file for p in places[1:]]
    assert rows(store) == [tuple(p) for p in places[1:]]


def test_the_oldest_files_go_first_and_the_newest_only_by_its_age() -> None:
    day = datetime(2026, 11, 22, tzinfo=UTC)
    listed = [
        Kept(file=str(n), bytes=10, records=1, first="", last=f"{day - timedelta(days=9 - n):%FT%TZ}") for n in range(4)
    ]

    def gone(**how: int) -> str:
        return "".join(k.file for k in surplus(listed, now=day, **how))

    assert (gone(most=40), gone(most=39), gone(most=10), gone(most=1)) == ("", "0", "012", "012")
    assert (gone(days=8), gone(days=7), gone(days=0)) == ("0", "01", "0123")
    assert gone(days=8, most=25) == "01"
    assert surplus([], most=1, days=1) == []


def test_a_file_that_the_database_knows_nothing_of_is_as_old_as_its_name_says() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    listed = [Kept(file=f"watchfloor-2026{month}01T000000Z-00001.warc.gz", bytes=1) for month in ("08", "11")]
    assert surplus(listed, days=30, now=now) == listed[:1]
