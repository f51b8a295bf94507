"""What a row of a shard is: a page with its verdicts, flat where people query it and whole beside that. Pure.

A row is a dict of the columns in `COLUMNS`. `page` and `verdicts` are JSON without loss: `page_of` and `verdicts_of`
give back what `stored` was given. Values that are as their field has them by default are left out of the JSON.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from crawler import limits
from crawler.items import Delta, Link, Page, Rejected, Verdict
from crawler.text import tidy

VERSION = 1
"""Of the columns and of what their JSON means."""
COLUMNS: dict[str, type] = {
    "version": int,
    "url": str,
    "asked": str,
    "source_id": str,
    "fetched_at": str,
    "outcome": str,
    "reason": str,
    "detail": str,
    "status": int,
    "bytes": int,
    "headline": str,
    "authors": list,
    "published": str,
    "modified": str,
    "section": str,
    "tags": list,
    "language": str,
    "kind": str,
    "canonical": str,
    "summary": str,
    "words": int,
    "text": str,
    "comments_state": str,
    "comments": int,
    "flagged": int,
    "cleaned_by": str,
    "rules": str,
    "file": str,
    "start": int,
    "page": str,
    "verdicts": str,
}
"""By name; a `list` is one of texts. Empty, or 0, where there is nothing to say."""
STANDS_FOR = "stood_for_by"
"""The further column of rows that were left out: the url of what stands for them."""
MEANING = {
    "version": "Of the columns, 1.",
    "url": "What the article is known by; of a page that is none, where it came from.",
    "asked": "The address that the record states, spelled our one way.",
    "source_id": "The source: by the page's host, made from it where no source file names it.",
    "fetched_at": "UTC: the record's date.",
    "outcome": "stored, rejected (no article) or failed (not to be read).",
    "reason": "A short name for every outcome but stored.",
    "detail": "More about it.",
    "status": "HTTP status; 0 without one.",
    "bytes": "Of the body, unpacked.",
    "headline": "",
    "authors": "List.",
    "published": "UTC, or as far as the page says it; empty when unknown.",
    "modified": "The same.",
    "section": "",
    "tags": "List.",
    "language": "BCP 47; empty when unknown.",
    "kind": "article, live blog, forum thread.",
    "canonical": "As the page states it.",
    "summary": "",
    "words": "Of the text.",
    "text": "Blocks divided by an empty line.",
    "comments_state": "open, closed, none, script, unknown.",
    "comments": "How many.",
    "flagged": "How many of them the rules would hold.",
    "cleaned_by": "The version of watchfloor, and of the source's rules.",
    "rules": "The version of the rules that judged.",
    "file": "The WARC file.",
    "start": "The byte at which its record, or the packed member that holds it, begins.",
    "page": "JSON: everything, as `crawler.items.Page`.",
    "verdicts": "JSON: a list, one for each comment in the page's order, as `crawler.items.Verdict` with its `key`.",
}
ROW_CHARACTERS = 40_000_000
"""Of one JSON column: a page at all limits has 5,000 comments of 20,000 characters at most in theory, and 5 MB as it
came; more is no page of ours."""
AROUND = 24
"""Characters before and behind a number, in which the words next to it are looked for."""
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_WORD = re.compile(r"[^\W\d]+")

Row = dict[str, Any]


class BadRow(Exception):
    """A row that is not as it was written. The message says in what way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a page came from."""

    asked: str
    source_id: str
    fetched_at: str
    """UTC."""
    cleaned_by: str
    file: str
    start: int
    status: int = 0
    bytes: int = 0


# ---- out


def stored(delta: Delta, origin: Origin) -> Row:
    """The row of an article, its comments judged: `delta` is the page compared with nothing."""
    page, article = delta.page, delta.page.article
    body = article.body
    verdicts = [(keyed.key, delta.verdicts[keyed.key]) for keyed in delta.new]
    return {
        **_row(origin, article.url, "stored"),
        "headline": article.headline,
        "authors": list(article.authors),
        "published": article.published.iso if article.published else "",
        "modified": article.modified.iso if article.modified else "",
        "section": article.section,
        "tags": list(article.tags),
        "language": article.language,
        "kind": article.kind,
        "canonical": article.canonical_url,
        "summary": article.summary,
        "words": len(body.split()),
        "text": body,
        "comments_state": article.comments_state,
        "comments": len(page.comments),
        "flagged": sum(verdict.decision == "flagged" for _, verdict in verdicts),
        "rules": next((verdict.by for _, verdict in verdicts), ""),
        "page": to_json(page),
        "verdicts": to_json([{"key": key, **_told(verdict)} for key, verdict in verdicts]) if verdicts else "[]",
    }


def rejected(why: Rejected, origin: Origin) -> Row:
    """The row of a page that is no article."""
    return {**_row(origin, origin.asked, "rejected"), "reason": why.reason, "detail": _detail(why.detail)}


def failed(reason: str, detail: str, origin: Origin) -> Row:
    """The row of a record that could not be read."""
    return {**_row(origin, origin.asked, "failed"), "reason": reason, "detail": _detail(detail)}


def numbers(text: str) -> list[int]:
    """The numbers of a text, each with the words around it, once, as 32-bit hashes in order: two reports of one form
    differ in nothing else."""
    said = {_with_words(text, match) for match in _NUMBER.finditer(text)}
    return sorted({zlib.crc32(each.encode("utf-8", "replace")) for each in said})


def _with_words(text: str, number: re.Match[str]) -> str:
    before = _WORD.findall(text[max(0, number.start() - AROUND) : number.start()])
    behind = _WORD.search(text[number.end() : number.end() + AROUND])
    return f"{before[-1] if before else ''} {number[0]} {behind[0] if behind else ''}".lower()


def _row(origin: Origin, url: str, outcome: str) -> Row:
    empty: Row = {name: kind() for name, kind in COLUMNS.items()}
    return empty | {
        "version": VERSION,
        "url": url,
        "asked": origin.asked,
        "source_id": origin.source_id,
        "fetched_at": origin.fetched_at,
        "outcome": outcome,
        "status": origin.status,
        "bytes": origin.bytes,
        "cleaned_by": origin.cleaned_by,
        "file": origin.file,
        "start": origin.start,
    }


def _detail(text: str) -> str:
    return tidy(text, limits.DETAIL_CHARACTERS)


def to_json(value: Any) -> str:
    """A value of the vocabulary, without loss but for what is as it is by default."""
    return json.dumps(value, default=_told, ensure_ascii=False, separators=(",", ":"))


def _told(value: Any) -> dict[str, Any]:
    of: type = type(value)
    return {name: said for name, default in _defaults(of) if (said := getattr(value, name)) != default}


@cache
def _defaults(of: type) -> tuple[tuple[str, Any], ...]:
    return tuple((f.name, MISSING if f.default is MISSING else f.default) for f in fields(of))


# ---- back


def page_of(row: Mapping[str, Any]) -> Page:
    """The page, as it was. Raises `BadRow`."""
    if row.get("version") != VERSION:
        raise BadRow(f"version {str(row.get('version'))[:20]!r}, not {VERSION}")
    page: Page = _read(row, "page", Page)
    for place, comment in enumerate(page.comments):
        if comment.parent is not None and not 0 <= comment.parent < place:
            raise BadRow(f"comment {place} answers to comment {comment.parent}")
    if len(page.comments) > limits.COMMENTS_A_PAGE:
        raise BadRow(f"more than {limits.COMMENTS_A_PAGE} comments")
    return page


def verdicts_of(row: Mapping[str, Any]) -> dict[str, Verdict]:
    """What the rules said of each comment, by its key. Raises `BadRow`."""
    listed: tuple[_Keyed, ...] = _read(row, "verdicts", tuple[_Keyed, ...])
    return {keyed.key: keyed.verdict for keyed in listed}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Keyed:
    key: str
    verdict: Verdict


def _read(row: Mapping[str, Any], name: str, wanted: Any) -> Any:
    text = row.get(name)
    if not isinstance(text, str) or len(text) > ROW_CHARACTERS:
        raise BadRow(f"{name}: no text, or too long a one")
    try:
        return _value(json.loads(text), wanted, name)
    except (ValueError, RecursionError) as e:
        raise BadRow(f"{name}: no JSON of ours ({type(e).__name__})") from None


def _value(said: Any, wanted: Any, where: str) -> Any:
    """What JSON said as a value of this type. Raises `BadRow`, naming the place."""
    origin = get_origin(wanted)
    if origin is UnionType:
        return None if said is None else _value(said, get_args(wanted)[0], where)
    if origin is Literal:
        if said not in get_args(wanted):
            raise BadRow(f"{where}: {str(said)[:40]!r} is none of {get_args(wanted)}")
        return said
    if origin is tuple and isinstance(said, list):
        return tuple(_value(each, get_args(wanted)[0], where) for each in said)
    if wanted is _Keyed and isinstance(said, dict):
        key, rest = said.get("key"), {name: value for name, value in said.items() if name != "key"}
        return _Keyed(key=_value(key, str, where), verdict=_value(rest, Verdict, where))
    if wanted is Link and isinstance(said, list):
        return _link(said, where)
    if isinstance(wanted, type) and is_dataclass(wanted) and isinstance(said, dict):
        return _item(said, wanted, where)
    if wanted is float and isinstance(said, int) and not isinstance(said, bool):
        return float(said)
    if not isinstance(wanted, type) or type(said) is not wanted or (isinstance(said, int) and abs(said) >= 2**63):
        raise BadRow(f"{where}: not of the type that it should have")
    return said


def _item(said: dict[str, Any], wanted: type, where: str) -> Any:
    known = _fields(wanted)
    if unknown := said.keys() - known.keys():
        raise BadRow(f"{where}: {next(iter(unknown))[:40]!r} is no field")
    values = {name: _value(value, known[name][1], f"{where}.{name}") for name, value in said.items()}
    missing = (name for name, (f, _) in known.items() if name not in values and _needed(f))
    if name := next(missing, ""):
        raise BadRow(f"{where}: {name} is missing")
    return wanted(**values)


def _needed(f: Field[Any]) -> bool:
    return f.default is MISSING and f.default_factory is MISSING


def _link(said: list[Any], where: str) -> Link:
    kinds = list(get_type_hints(Link).values())
    if len(said) != len(kinds):
        raise BadRow(f"{where}: a link has {len(kinds)} parts")
    return Link(*(_value(part, kind, where) for part, kind in zip(said, kinds, strict=True)))


@cache
def _fields(of: type) -> dict[str, tuple[Field[Any], Any]]:
    hints = get_type_hints(of)
    return {f.name: (f, hints[f.name]) for f in fields(of)}
