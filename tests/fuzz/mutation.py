"""From one input to another: cut, spliced, nested, repeated, in other quotes and charsets. The seed alone decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

from fuzz.vocabulary import ODD

SIZES = (9, 16)
"""Powers of two between which the largest size of an input lies: many are small, since small ones are fast; what takes
quadratic time takes seconds for 64 KB already."""
MANY_BYTES = 512 * 1024
MANY_EVERY = 100
"""One input among so many may be larger."""
STEPS = 6
"""Mutations of one input, at most."""
CHARSETS = ("utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1251", "shift_jis", "gb18030", "utf-8-sig", "iso2022_jp")

Step = Callable[[Random, bytes, Sequence[bytes]], bytes]


def mutated(chance: Random, data: bytes, others: Sequence[bytes], pieces: Sequence[bytes], most: int = 0) -> bytes:
    """Another input made of `data`, of pieces of its format and of other inputs; at most `most` bytes long."""
    most = most or (2 ** chance.randint(*SIZES) if chance.randrange(MANY_EVERY) else MANY_BYTES)
    for _ in range(chance.randint(1, STEPS)):
        words = pieces if chance.random() < 0.8 else (*ODD, *others)
        data = chance.choice(MUTATIONS)(chance, data, words)[: 2 * most]
    return data[:most]


def _place(chance: Random, data: bytes) -> int:
    """A place in the data: often where a tag, a field or a line begins or ends."""
    at = chance.randint(0, len(data))
    if chance.random() < 0.6 and (mark := re.compile(rb"[<>{}\[\],\n\" ]").search(data, at)):
        return mark.start() + chance.randint(0, 1)
    return at


def _span(chance: Random, data: bytes) -> tuple[int, int]:
    one = _place(chance, data)
    other = _place(chance, data) if chance.random() < 0.3 else min(len(data), one + chance.choice((1, 4, 16, 64, 256)))
    return min(one, other), max(one, other)


def _insert(chance: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    at = _place(chance, data)
    return data[:at] + b"".join(chance.choices(words, k=chance.randint(1, 5))) + data[at:]


def _put_in_place(chance: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    start, end = _span(chance, data)
    return data[:start] + chance.choice(words) + data[end:]


def _splice(chance: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    other = chance.choice(words)
    return data[: _place(chance, data)] + other[_place(chance, other) :]


def _drop(chance: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    start, end = _span(chance, data)
    return data[:start] + data[end:]


def _repeat(chance: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    start, end = _span(chance, data)
    return data[:start] + data[start:end] * 2 ** chance.randint(1, 14) + data[end:] if end - start < 4096 else data


def _repeat_word(chance: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    at = _place(chance, data)
    return data[:at] + b"".join(chance.choices(words, k=chance.randint(1, 2))) * 2 ** chance.randint(1, 14) + data[at:]


def _number(chance: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    """A word many times, each with a number of its own."""
    at, word = _place(chance, data), chance.choice(words)
    many = (re.sub(rb"\d+|(?<==)(?=[\"']?[ >])", b"%d" % n, word) for n in range(2 ** chance.randint(1, 11)))
    return data[:at] + b"".join(many) + data[at:]


def _nest(chance: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    start, end = _span(chance, data)
    name = chance.choice(re.findall(rb"<([a-z]\w*)", data[:4096]) or [b"div"])
    deep = 2 ** chance.randint(0, 11)
    return data[:start] + b"<%s>" % name * deep + data[start:end] + b"</%s>" % name * deep + data[end:]


def _quotes(chance: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    old, new = chance.sample((b'"', b"'", b"", b"`", b"\xe2\x80\x9d"), 2)
    start, end = _span(chance, data)
    return data[:start] + (data[start:end].replace(old, new) if old else new) + data[end:]


def _charset(chance: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    try:
        return data.decode("utf-8", "replace").encode(chance.choice(CHARSETS), "replace")
    except (UnicodeError, LookupError):
        return data


def _case(chance: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    start, end = _span(chance, data)
    return data[:start] + data[start:end].swapcase() + data[end:]


def _attributes(chance: Random, data: bytes, words: Sequence[bytes]) -> bytes:
    """Many different attributes, or names, one behind the other."""
    at = _place(chance, data)
    pattern = chance.choice((b" a%d", b" a%d=1", b' a%d=""', b'"a%d":1,', b"a%d.", b"a%d,"))
    return data[:at] + b"".join(pattern % n for n in range(2 ** chance.randint(1, 13))) + data[at:]


MUTATIONS: tuple[Step, ...] = (
    _insert,
    _insert,
    _insert,
    _put_in_place,
    _put_in_place,
    _splice,
    _drop,
    _repeat,
    _repeat_word,
    _number,
    _nest,
    _quotes,
    _charset,
    _case,
    _attributes,
)
"""Each as likely as the next; those that stand here more than once, more."""
