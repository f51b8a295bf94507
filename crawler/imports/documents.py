"""JSON as exports have it: one document, or one on each line, read with the line of what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from crawler import limits
from crawler.imports.export import BrokenExport

Row = dict[str, Any]
LINE_BYTES = 8 * 1024 * 1024
"""Of one comment with all that a program keeps beside it."""


def document(stream: BinaryIO) -> Any:
    """A file that is one JSON document. Raises `BrokenExport`."""
    body = stream.read(limits.EXPORT_JSON_BYTES + 1)
    if len(body) > limits.EXPORT_JSON_BYTES:
        raise BrokenExport(f"a JSON document of more than {limits.EXPORT_JSON_BYTES // 2**20} MB; export it in parts")
    return _value(body, 0)


def lines(stream: BinaryIO) -> Iterator[tuple[int, Row]]:
    """(line, object) of a file with a JSON object on each line, empty lines aside. Raises `BrokenExport`."""
    number = 0
    while line := stream.readline(LINE_BYTES + 1):
        number += 1
        if len(line) > LINE_BYTES:
            raise BrokenExport(f"a line of more than {LINE_BYTES // 2**20} MB", number)
        if not line.strip():
            continue
        row = _value(line, number)
        if not isinstance(row, dict):
            raise BrokenExport("not a JSON object", number)
        yield number, row


def text(row: Any, *keys: str) -> str:
    """The first of these values that is a text or a number, as a text."""
    for key in keys:
        value = row.get(key) if isinstance(row, dict) else None
        if isinstance(value, str) and value:
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _figure(value)
    return ""


def _figure(value: float) -> str:
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else repr(value)
    return str(value) if abs(value) < 10**20 else ""


def listed(value: Any) -> list[Row]:
    """The objects of a list; none for anything else."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _value(body: bytes, line: int) -> Any:
    try:
        return json.loads(body.decode("utf-8-sig"))
    except UnicodeDecodeError as e:
        raise BrokenExport("not UTF-8", line or body.count(b"\n", 0, e.start) + 1) from None
    except json.JSONDecodeError as e:
        raise BrokenExport(f"not JSON: {e.msg} at column {e.colno}", line or e.lineno) from None
    except RecursionError:
        raise BrokenExport("not JSON that can be read: nested too deep", line) from None
    except ValueError as e:
        raise BrokenExport(f"not JSON that can be read: {e}", line) from None
