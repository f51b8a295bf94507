"""Where a link stands in a folded text."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A link in the folded text."""

    start: int
    end: int
    host: str
    """As it stands in the folded text; empty without one."""
    scheme: str = ""
    disguise: str = ""
    url: str = ""
    """When it is not simply the folded text."""


make = tuple.__new__
"""Makes a named tuple of all its fields, at half the price of its own constructor, which is a call of Python."""
