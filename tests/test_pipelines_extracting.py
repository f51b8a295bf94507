"""WARC files as they come, damage included; and which of articles that say the same stays."""

from __future__ import annotations

import gzip
import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.choosing import Known
from pipelines.extracting import Sign
from pipelines.planning import Plan
from pipelines.warcs import Share, Taken, at, shares, taken

BODY = b"<p>hello</p>" * 40
HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


def record(number: int, body: bytes = BODY, http: bytes = HTML, *, length: int | None = None) -> bytes:
    block = http + b"\r\n" + body
    return (
        b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://paper.example/%d\r\n"
        b"WARC-Date: 2026-11-01T00:00:00.123Z\r\nContent-Type: application/http; msgtype=response\r\n"
        b"Content-Length: %d\r\n\r\n%s\r\n\r\n" % (number, len(block) if length is None else length, block)
    )


def other(kind: bytes) -> bytes:
    return record(0).replace(b"Type: response", b"Type: " + kind, 1)


def read(data: bytes, part: int = 0, parts: int = 1) -> list[Taken]:
    return list(taken(io.BytesIO(data), Share(path="x", part=part, parts=parts)))


def told(found: list[Taken]) -> list[str]:
    """The number in each address, or why there is no answer."""
    return [one.reason or one.url.rpartition("/")[2] for one in found]


def packed(*records: bytes) -> bytes:
    return b"".join(gzip.compress(each, mtime=0) for each in records)


def plain(*records: bytes) -> bytes:
    return b"".join(records)


def packed_as_one(*records: bytes) -> bytes:
    return gzip.compress(b"".join(records))


@pytest.mark.parametrize("put", [packed, plain, packed_as_one])
def test_answers_are_read_however_the_file_is_packed_and_other_records_passed_over(put: object) -> None:
    data = put(other(b"warcinfo"), record(1), other(b"request"), other(b"revisit"), record(2))  # type: ignore[operator]
    found = read(data)
    assert told(found) == ["1", "2"]
    assert {(one.status, one.content_type, one.at, one.body) for one in found} == {
        (200, "text/html", "2026-11-01T00:00:00Z", BODY)
    }


def test_a_packed_record_is_found_again_by_the_byte_at_which_it_begins() -> None:
    data = packed(record(1), record(2), record(3))
    assert [at(io.BytesIO(data), one.start) for one in read(data)] == read(data)


@pytest.mark.parametrize("length", [0, 100, 5_000, 10**9, 10**30, -1])
@pytest.mark.parametrize("put", [packed, plain])
def test_a_record_that_lies_about_its_length_costs_itself_alone(put: object, length: int) -> None:
    data = put(record(1), record(2, length=length), *(record(n) for n in range(3, 20)))  # type: ignore[operator]
    found = told(read(data))
    assert [each for each in found if each.isdigit() and each != "2"] == ["1", *map(str, range(3, 20))]
    assert length == 0 or found.count("damaged record") == 1


@given(st.integers(0, 2_500), st.integers(1, 40), st.randoms())
def test_damage_anywhere_costs_the_records_it_touches(start: int, length: int, dice: random.Random) -> None:
    records = [gzip.compress(record(n, BODY + dice.randbytes(200)), mtime=0) for n in range(1, 7)]
    data = bytearray(b"".join(records))
    stop = min(start + length, len(data))
    data[start:stop] = dice.randbytes(max(0, stop - start))
    found = told(read(bytes(data)))
    ends = [sum(map(len, records[: n + 1])) for n in range(6)]
    whole = [n + 1 for n in range(6) if stop <= ends[n] - len(records[n]) or start >= ends[n]]
    assert [int(each) for each in found if each.isdigit() and int(each) in whole] == whole
    assert len(found) <= 7


@given(st.integers(0, 2_000))
def test_a_file_that_is_cut_short_gives_all_that_is_whole_and_says_that_it_ends(end: int) -> None:
    records = [gzip.compress(record(n), mtime=0) for n in range(1, 6)]
    data = b"".join(records)[:end]
    whole = sum(sum(map(len, records[: n + 1])) <= end for n in range(5))
    between = end in [sum(map(len, records[:n])) for n in range(6)] or end >= sum(map(len, records))
    assert told(read(data)) == [*map(str, range(1, whole + 1)), *([] if between else ["damaged record"])]


@given(st.binary(max_size=300))
def test_any_bytes_are_read_to_their_end(data: bytes) -> None:
    for head in (b"", b"\x1f\x8b\x08", b"WARC/1.0\r\n"):
        assert len(read(head + data)) <= 2


def test_bodies_are_unpacked_where_they_are_as_their_headers_say_and_taken_as_they_are_where_not() -> None:
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    coded = HTML + b"Content-Encoding: gzip\r\n"
    for body, http in [
        (gzip.compress(BODY), coded),
        (BODY, coded),
        (chunked, HTML + b"Transfer-Encoding: chunked\r\n"),
        (BODY, HTML + b"Transfer-Encoding: chunked\r\n"),
        (BODY, HTML + b"Content-Encoding: unheard-of\r\n"),
    ]:
        (one,) = read(packed(record(1, body, http)))
        assert one.body == BODY


def test_a_body_that_unpacks_to_gigabytes_is_unpacked_to_a_byte_beyond_the_limit() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    (one,) = read(packed(record(1, bomb, HTML + b"Content-Encoding: gzip\r\n")))
    assert len(one.body) == 5 * 1024 * 1024 + 1


@given(st.integers(1, 7), st.integers(0, 9))
def test_parts_of_a_file_are_all_of_it_and_share_nothing(parts: int, number: int) -> None:
    data = packed(*(record(n) for n in range(number)))
    found = [one for part in range(parts) for one in read(data, part, parts)]
    assert sorted(found, key=lambda one: one.start) == read(data)


def test_files_are_shared_only_where_there_are_fewer_than_tasks_and_never_those_of_our_own_archives() -> None:
    own = "archive/watchfloor-20261122T120000Z-00001.warc.gz"
    assert [len(share) for share in shares(["a", "b", "c"], 2)] == [2, 1]
    assert shares([own], 3) == [(Share(path=own),), (), ()]
    cut = shares(["a", own], 4)
    assert sorted((s.path, s.part, s.parts) for share in cut for s in share) == [
        ("a", 0, 3),
        ("a", 1, 3),
        ("a", 2, 3),
        (own, 0, 1),
    ]


# ---- near-duplicates

WORDS = [f"word{n}" for n in range(400)]


def test_signatures_agree_where_texts_nearly_do_and_do_not_fold_digits() -> None:
    sign = Sign(Plan(out="/nowhere", shares=()))

    def buckets(text: str) -> list[list[int]]:
        return sign.get_signature(sign.get_shingles(text))

    text = " ".join(WORDS)
    near = text.replace("word200", "another").upper() + "!"
    far = " ".join(reversed(WORDS))
    assert buckets(text) == buckets(text.replace(" ", ",\n "))
    assert sum(a == b for a, b in zip(buckets(text), buckets(near), strict=True)) > 7
    assert not any(a == b for a, b in zip(buckets(text), buckets(far), strict=True))
    assert not any(a == b for a, b in zip(buckets("1 2 3 4 5 6"), buckets("7 8 9 10 11 12"), strict=True))
    assert sign.get_shingles("four words are none").size == 0
    assert max(value for bucket in buckets(text) for value in bucket) < 2**61 - 1


def chosen(
    known: Known, clusters: dict[tuple[int, int], int], numbers: dict[tuple[int, int], list[int]]
) -> dict[object, object]:
    left_out = known.same_pages()
    return {**left_out, **known.near_duplicates(clusters, numbers.__getitem__, left_out)}


def test_of_one_page_the_latest_reading_stays_and_of_near_duplicates_the_earliest() -> None:
    known = Known(urls=[["a", "b"], ["a", "c"]], times=[["2026-01-01", "2026-01-05"], ["2026-01-02", "2026-01-04"]])
    places = [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert chosen(known, dict.fromkeys(places, 7), {place: [] for place in places}) == {
        (0, 0): ("same page", "a"),
        (0, 1): ("near-duplicate", "a"),
        (1, 1): ("near-duplicate", "a"),
    }


def test_texts_that_differ_in_numbers_all_stay_and_one_that_leaves_numbers_out_does_not() -> None:
    places = [(0, n) for n in range(5)]
    known = Known(urls=[list("abcde")], times=[["2026-01-01"] * 5])
    numbers = dict(zip(places, [[1, 2], [1, 3], [1, 4], [2, 3], [2]], strict=True))
    assert chosen(known, dict.fromkeys(places, 7), numbers) == {(0, 4): ("near-duplicate", "a")}


rows = st.tuples(st.sampled_from("abcd"), st.sampled_from(["", "1", "2"]), st.integers(0, 2))


@given(st.lists(rows, max_size=12, unique_by=lambda row: row[:2]))
def test_what_stays_does_not_hang_on_how_the_rows_are_divided(rows: list[tuple[str, str, int]]) -> None:
    def stays(tasks: int) -> list[tuple[str, str]]:
        split = [rows[task::tasks] for task in range(tasks)]
        known = Known([[r[0] for r in part] for part in split], [[r[1] for r in part] for part in split])
        clusters = {(t, n): row[2] for t, part in enumerate(split) for n, row in enumerate(part) if row[2]}
        left_out = chosen(known, clusters, {place: [] for place in clusters})
        return sorted(r[:2] for t, part in enumerate(split) for n, r in enumerate(part) if (t, n) not in left_out)

    assert stays(1) == stays(3)
