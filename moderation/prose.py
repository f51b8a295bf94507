"""Is it a domain, or prose with a missing blank, a file, a model number, an abbreviation?

The suffix speaks first (its tier in `tlds.tsv`), then how the labels are written, then what stands around them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from crawler.text import words
from moderation.hosts import is_known, top_level
from moderation.tables import read_rows, read_words

CALL_CHARACTERS = 32
"""How far back a call such as "check out ---->" is looked for."""
AROUND = 16
"""Marks and blanks on either side of an address that is all the text says."""
COUNTRY_CODE = 2
"""Letters of a country's code."""
SHORT = 3
"""A label of up to three letters before a suffix that is a word is an abbreviation more often than a name."""
ENDINGS = {"s": ("s", "es"), "d": ("d", "ed"), "g": ("ing",), "y": ("ly",), "r": ("er",), "n": ("en", "n"), "e": ("e",)}
"""Taken off a word to find it in the list in its plain form, by the last letter."""

CALLS = (
    *words(
        "visit see check checking join click try google browse search open site sites website websites page"
        " link source url via from at on here mirror зайди зайдите заходи заходите сайт сайте сайта смотри"
        " смотрите на тут здесь источник besucht siehe unter auf bei sur voir visite visiten visitez en sitio"
        " zobacz na strona odwiedz odwiedź adres su"
    ),
    "check out",
    "checking out",
    "check it out",
    "check us out",
    "check me out",
    "check this out",
    "checking it out",
    "checking us out",
    "checking me out",
    "checking this out",
    "go to",
    "going to",
    "went to",
    "head to",
    "head over to",
    "come to",
    "search for",
    "site is",
    "sites is",
    "website is",
    "websites is",
    "website called",
    "page is",
)
CALL = re.compile(rf"\b(?:{'|'.join(CALLS)})\b[\W_]{{0,24}}\Z")
LAST_OF_CALLS = frozenset(call.rpartition(" ")[2] for call in CALLS)
"""A word before an address that is none of them makes no call."""
DESIGNATION = re.compile(r"(?=[^a-z]*[A-Z])(?=\D*\d)[A-Za-z]{0,6}-?\d+[A-Za-z0-9-]*|[A-Z]{1,5}-\d+\w*")
ADDRESS_LIKE = re.compile(r"[/?#\\]\S*[\d._=?%&~+-]|[/\\]\S+[/\\]|[/\\][A-Za-z]*[a-z][A-Z]|:\d")


class Run(NamedTuple):
    """Labels divided by full stops that end in a known suffix, in their place in the text."""

    labels: str
    """As the text has them, but for a suffix in other letters."""
    label: str
    """What stands before the suffix."""
    tld: str
    """The suffix, as written."""
    tier: str
    """How far the suffix speaks for itself."""
    text: str
    start: int
    end: int
    stop: int
    """Where the path behind it ends; `end` without one."""
    deliberate: bool = False
    """The full stop was written in a disguise, so it is no slip of the pen."""

    def alone(self) -> bool:
        """Nothing else stands in the text, save a few marks around."""
        if self.start > AROUND or len(self.text) - self.stop > AROUND:
            return False
        return not self.text[: self.start].strip("<([{\"'> ") and not self.text[self.stop :].strip(">)]}\"'. ")

    def called(self) -> bool:
        """A call to go there stands right before it."""
        return is_called(self.text, self.start)

    def addressed(self) -> bool:
        """What follows is a path or a port, not the second half of "yes.no/maybe"."""
        return self.stop > self.end and bool(ADDRESS_LIKE.match(self.text, self.end, self.stop))


@cache
def tiers() -> dict[str, str]:
    """How far each top-level domain speaks for itself: its tier in `tlds.tsv`, or what its length says."""
    named = {tld: tier for tier, tlds in read_rows("tlds.tsv") for tld in tlds.split()}
    return {tld: "name" if len(tld) > COUNTRY_CODE else "doubtful" for tld in top_level()} | named


def prepare() -> None:
    """Read the tables that the first comment would pay for."""
    tiers()
    for name in ("common_words.txt", "not_domains.txt", "file_stems.txt"):
        read_words(name)


def is_called(text: str, at: int) -> bool:
    """Does a call to go somewhere end at this place?"""
    before = text[max(0, at - CALL_CHARACTERS) : at].lower()
    last = before.rpartition(" ")[2] or before[:-1].rpartition(" ")[2]
    return not (last.isalnum() and last not in LAST_OF_CALLS) and bool(CALL.search(before))


def is_common(word: str) -> bool:
    """Is it a word of prose, in one form or another?"""
    word = word.lower()
    known = read_words("common_words.txt")
    if len(word) <= 2 or word in known:
        return True
    return any(word.endswith(end) and word[: -len(end)] in known for end in ENDINGS.get(word[-1], ()))


def is_domain(run: Run) -> bool:
    """Weigh a run that does not speak for itself, by the tier of its suffix and the tests named here."""
    if run.labels.lower() in read_words("not_domains.txt") or _abbreviated(run):
        return False
    if run.deliberate:
        return True
    if run.alone():
        return _whole(run)
    if run.addressed() and not (run.tier in ("word", "name") and _capital(run.tld)):
        return True
    if _capital(run.tld):
        return _capital_suffix(run)
    return TESTS[run.tier](run)


def by_itself(labels: str, label: str, tld: str, tier: str) -> str:
    """What a run is wherever it stands: `domain`, `prose` unless a disguise shows that it is meant, or nothing."""
    if tier == "strong" and tld.islower():
        return "domain"
    low = labels.lower()
    if is_known(low) or low.startswith("www."):
        return "domain"
    if low in read_words("not_domains.txt"):
        return "prose"
    if _capital(tld):
        return "prose" if tier in ("word", "name") else ""
    named = len(label) > 1 and ((tier == "plain" and _plain(label)) or (tier == "program" and _program(label)))
    return "domain" if named else ""


def _whole(run: Run) -> bool:
    """A run that is all the text says."""
    if run.stop > run.end + 1 and not _capital(run.tld):
        return True
    if run.tier in ("word", "file"):
        return run.tld.islower() and not is_common(run.label) and (run.tier == "word" or run.addressed())
    if run.tier == "program":
        return _program(run.label)
    return not _capital(run.tld) or run.tier in ("strong", "plain")


def _abbreviated(run: Run) -> bool:
    """`U.S.in`, `e.g.this`, `z.B.der`: single letters before a suffix."""
    if len(run.label) > 1:
        return False
    if run.tier == "strong" or run.addressed() or (run.alone() and run.tier not in ("word", "name", "doubtful")):
        return False
    labels = run.labels.split(".")[:-1]
    return all(len(label) == 1 for label in labels) and (len(labels) > 1 or labels[0].isupper())


def _capital(tld: str) -> bool:
    return tld != tld.lower()


def _capital_suffix(run: Run) -> bool:
    """`EXAMPLE.CZ` and `Defense.Gov`, but not `K2.PL`, `war.In` or `offensive.US`."""
    shouted = run.tld.isupper() and run.label.isupper()
    titled = run.tld.istitle() and run.label.istitle()
    if run.tld.isupper() and not shouted:
        return run.tier == "strong" and run.called()
    if run.tier == "strong":
        return shouted or titled or not is_common(run.label)
    if run.tier not in ("plain", "program") or DESIGNATION.fullmatch(run.label):
        return False
    return (shouted or titled) and len(run.label) > SHORT and (run.called() or not is_common(run.label))


def _plain(label: str) -> bool:
    """Not a model number (`FA-50.fr`) or a figure (`7.62.nl`)."""
    return not label.isdigit() and not DESIGNATION.fullmatch(label)


def _doubtful(run: Run) -> bool:
    """A country's code that may be an abbreviation: the label must be no word, or something must call."""
    return _plain(run.label) and (run.called() or not is_common(run.label))


def _word(run: Run) -> bool:
    """A suffix that is a small word: something must call, and the label must be written as a name."""
    return (
        _plain(run.label)
        and run.label.islower()
        and not is_common(run.label)
        and (run.called() or _marked(run.label) or run.stop > run.end + 1)
    )


def _name(run: Run) -> bool:
    """A suffix that is a word or a name in its own right."""
    if not _plain(run.label) or is_common(run.label):
        return False
    return run.called() or (run.label.islower() and len(run.label) > SHORT)


def _file(run: Run) -> bool:
    """`backup.zip` is a file wherever it stands; a path of its own makes a site of it."""
    return run.stop > run.end + 1 and not is_common(run.label) and run.label not in read_words("file_stems.txt")


def _program(label: str) -> bool:
    """`b92.rs` is a site, `main.rs` a file."""
    return label.islower() and "_" not in label and label not in read_words("file_stems.txt")


def _marked(label: str) -> bool:
    """Digits or a hyphen within, as names of sites have them."""
    return "-" in label or any(c.isdigit() for c in label)


TESTS: dict[str, Callable[[Run], bool]] = {
    "strong": lambda _run: True,
    "plain": lambda run: _plain(run.label),
    "program": lambda run: _program(run.label),
    "doubtful": _doubtful,
    "word": _word,
    "name": _name,
    "file": _file,
}
