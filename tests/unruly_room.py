"""Stands in for `crawler.reading`: what readers do when a page gets the better of them."""

from __future__ import annotations

import os
import signal
import time
from typing import Any, NoReturn


def page(body: Any, how: str) -> Any:
    """Does what it is told."""
    return {
        "echo": lambda: (body, os.getpid()),
        "take time": _take_time,
        "burn": _burn,
        "half a second": _half_a_second,
        "eat": lambda: bytearray(1 << 40),
        "grow": lambda: _grown.extend(b"x" * 60_000_000) or os.getpid(),
        "fall": lambda: os.kill(os.getpid(), signal.SIGSEGV),
        "leave": lambda: os._exit(7),
        "stop": lambda: time.sleep(60),
        "raise": _raise,
        "raise oddly": _raise_oddly,
        "files": lambda: [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _is_open(fd)],
    }[how]()


_grown = bytearray()


class Odd(Exception):
    """Cannot be made again from what it is pickled to."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


def _burn() -> NoReturn:
    while True:
        pass


def _half_a_second() -> None:
    until = time.process_time() + 0.5
    while time.process_time() < until:
        pass


def _take_time() -> tuple[float, float]:
    begun = time.monotonic()
    time.sleep(0.2)
    return begun, time.monotonic()


def _raise() -> NoReturn:
    raise ZeroDivisionError("a defect of ours")


def _raise_oddly() -> NoReturn:
    raise Odd(1, 2)


def _is_open(fd: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{fd}")
