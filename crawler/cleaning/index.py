"""A page's elements as a numbered list: the one walk over the tree that body and comments share.

lxml makes a Python object for an element whenever it is asked for one, and forgets it when nobody holds it. Here they
are made once and held; who stands in whom is then told by numbers, without asking the tree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

ASKED = ("itemprop", "itemtype", "href", "rel", "hidden", "aria-hidden", "style")
"""Attributes besides class and id that more than a few elements of a page are asked for."""
NAME_CHARACTERS = 1_000
"""Characters kept of a class or an id: style frameworks write some hundred."""


@dataclass(frozen=True)
class Index:
    """Every element of a page by its place in reading order. The root has place 0."""

    elements: list[Any]
    tags: list[str]
    parents: list[int]
    """Place of the element that each one stands in; -1 for the root."""
    ends: list[int]
    """Place of the last element inside each one; its own where it holds none."""
    classes: list[str]
    ids: list[str]
    attributes: dict[str, dict[int, str]]
    """The values of the attributes `ASKED` for, by place, for the elements that have them."""
    tagged: dict[str, list[int]]
    """Places by tag."""
    depth: int
    """How many elements stand in one another, at most."""

    @cached_property
    def places(self) -> dict[Any, int]:
        """The place of each element. Few pages are asked for it."""
        return dict(zip(self.elements, range(len(self.elements)), strict=True))

    def by_tag(self, *tags: str) -> Iterator[Any]:
        """The elements of these tags: tag by tag, each in reading order."""
        for tag in tags:
            for place in self.tagged.get(tag, ()):
                yield self.elements[place]

    def chain(self, place: int) -> Iterator[int]:
        """The element and those round it, from the inside out."""
        while place >= 0:
            yield place
            place = self.parents[place]

    def children(self, place: int) -> Iterator[int]:
        """The elements right inside one."""
        child, end = place + 1, self.ends[place]
        while child <= end:
            yield child
            child = self.ends[child] + 1

    def holds(self, outer: int, inner: int) -> bool:
        """True when the second element stands in the first, or is it."""
        return outer <= inner <= self.ends[outer]

    def holds_tag(self, place: int, tag: str) -> bool:
        """True when an element of this tag stands in the one at the place."""
        end = self.ends[place]
        return any(place < other <= end for other in self.tagged.get(tag, ()))

    def placed(self, elements: Iterable[Any]) -> frozenset[int]:
        """The places of elements, those of another page left out."""
        return frozenset(self.places[el] for el in elements if el in self.places)


def index_of(root: Any) -> Index:
    """The index of a page. Linear in the number of its elements."""
    elements = list(root.iter("*"))
    tags = [el.tag for el in elements]
    parents, ends, depth = _nesting(elements)
    classes, ids, attributes = _attributes(elements)
    tagged: dict[str, list[int]] = defaultdict(list)
    for place, tag in enumerate(tags):
        tagged[tag].append(place)
    return Index(
        elements=elements,
        tags=tags,
        parents=parents,
        ends=ends,
        classes=classes,
        ids=ids,
        attributes=attributes,
        tagged=dict(tagged),
        depth=depth,
    )


def _nesting(elements: list[Any]) -> tuple[list[int], list[int], int]:
    """Parents, ends and depth: from each element out to the one that holds the next. Every element is left once."""
    parents, ends = [-1], list(range(len(elements)))
    at, depth, deepest = 0, 1, 1
    for place in range(1, len(elements)):
        holder = elements[place].getparent()
        while elements[at] is not holder:
            ends[at] = place - 1
            at = parents[at]
            depth -= 1
        parents.append(at)
        at = place
        depth += 1
        if depth > deepest:
            deepest = depth
    while at >= 0:
        ends[at] = len(elements) - 1
        at = parents[at]
    return parents, ends, deepest


def _attributes(elements: list[Any]) -> tuple[list[str], list[str], dict[str, dict[int, str]]]:
    """Classes, ids and the attributes asked for: one question for all that an element has."""
    classes, ids = [""] * len(elements), [""] * len(elements)
    asked: dict[str, dict[int, str]] = {name: {} for name in ASKED}
    for place, element in enumerate(elements):
        for name, value in element.items():
            if name == "class":
                classes[place] = value[:NAME_CHARACTERS]
            elif name == "id":
                ids[place] = value[:NAME_CHARACTERS]
            elif name in asked:
                asked[name][place] = value
    return classes, ids, asked
