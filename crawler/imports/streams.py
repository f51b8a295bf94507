"""A file whose beginning was read to see what it is, as one file again."""

from __future__ import annotations

import io
from typing import Any, BinaryIO


class Rejoined(io.RawIOBase):
    """What was read already and what follows."""

    def __init__(self, start: bytes, rest: BinaryIO) -> None:
        self.start, self.rest = start, rest

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As `io.RawIOBase` asks."""
        part = self.start[: len(buffer)] or self.rest.read(len(buffer))
        self.start = self.start[len(part) :]
        buffer[: len(part)] = part
        return len(part)


def rejoined(start: bytes, rest: BinaryIO) -> BinaryIO:
    """A stream that begins with `start`."""
    return io.BufferedReader(Rejoined(start, rest))
