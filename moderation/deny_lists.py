"""The deny list as other systems take it: WordPress, Reddit's AutoModerator, rspamd, or a domain a line. Pure.

A denied domain means its host and the hosts below it, nothing else. Each format says that as exactly as it can, and
what it cannot say is told. No domain reaches a list unless it is one: letters, digits, hyphens and dots.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from moderation.hosts import HOST_CHARACTERS, ascii_host, ip_address, messengers, shorteners
from moderation.tables import read_words

SHORT = 10
"""Characters below which a domain is likely to be the end, or the beginning, of something honest where a list matches
inside words: `t.co` in chat.com, `shop.com` in workshop.com."""
BELOW = r"(^|\.)"
"""Before a host's name: nothing, or another label."""
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_MARKS = "-_.。．｡"
"""What stands in a domain besides letters: IDNA has three more dots."""
_LETTERS = frozenset({"Ll", "Lm", "Lo", "Lt", "Lu", "Mc", "Mn", "Nd", "So"})
"""Unicode categories of what stands in domains that are registered; pictures too."""


@dataclass(frozen=True, slots=True)
class DenyList:
    """A list, and what a person should know of it."""

    text: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Domain:
    """A domain that is safe to write anywhere."""

    name: str
    """As the network has it."""
    spelled: str
    """As people read it, where that differs and is as safe; else as `name`."""

    @property
    def bare(self) -> bool:
        """A top-level domain, which is a common word in any text: `zip`, `shop`."""
        return "." not in self.name

    @property
    def spellings(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.name, self.spelled)))


def deny_list(kind: str, domains: Iterable[str], honest: Iterable[str] = ()) -> DenyList:
    """The list in one of the formats `FORMATS`. `honest` are hosts that it must not catch by accident."""
    said = sorted(set(domains))
    checked = {text: _checked(text) for text in said}
    refused = [text for text, domain in checked.items() if domain is None]
    made = FORMATS[kind]([domain for domain in checked.values() if domain], frozenset(honest))
    if not refused:
        return made
    return DenyList(made.text, (*made.warnings, f"no domains, left out: {_few(refused)}"))


def plain(domains: Sequence[_Domain], _: frozenset[str]) -> DenyList:
    """A domain a line."""
    return DenyList(_lines(domain.name for domain in domains))


def wordpress(domains: Sequence[_Domain], honest: frozenset[str]) -> DenyList:
    """For Settings, Discussion, Disallowed Comment Keys. Each line is looked for as it stands, without regard to case,
    inside the author's name, e-mail, address, IP and browser, and the comment (`wp_check_comment_disallowed_list`);
    there are no remarks. So a domain that is part of another's name is written so that it is found in an address alone.
    """
    lines, anchored, left = [], [], [domain.name for domain in domains if domain.bare]
    known = "\n".join(sorted({*honest, *_well_known()}))
    for domain in (domain for domain in domains if not domain.bare):
        if len(domain.name) < SHORT or ip_address(domain.name) or _part_of_another(domain.name, known):
            anchored.append(domain.name)
            lines += [line for name in domain.spellings for line in (f"//{name}/", f".{name}/")]
        else:
            lines += domain.spellings
    warnings = []
    if anchored:
        way = f"//{anchored[0]}/ and .{anchored[0]}/"
        told = f"WordPress matches inside words: written as {way}, which finds addresses with a path alone, are those"
        warnings.append(f"{told} that are short or part of another host's name: {_few(anchored)}")
    return DenyList(_lines(lines), (*warnings, *_left_out(left, "WordPress")))


def automoderator(domains: Sequence[_Domain], _: frozenset[str]) -> DenyList:
    """A rule for Reddit's AutoModerator: a document of YAML, the domains as regular expressions (Python's), each
    between places where a host cannot go on. Held for the moderators, as they are here; `action: spam` removes."""
    written = [domain for domain in domains if not domain.bare]
    warnings = _left_out([domain.name for domain in domains if domain.bare], "AutoModerator")
    if not written:
        return DenyList("", warnings)
    patterns = [f"    - '{_python(domain, name)}'" for domain in written for name in domain.spellings]
    head = [f"# Domains that watchfloor denies: {len(written)}. Held for the moderators; `action: spam` removes."]
    rule = ["type: any", "domain+url+title+body (regex, includes):", *patterns, "action: filter"]
    reason = 'action_reason: "denied domain: {{match}}"'
    return DenyList(_lines(["---", *head, *rule, reason, "---"]), warnings)


def rspamd(domains: Sequence[_Domain], _: frozenset[str]) -> DenyList:
    """A map for rspamd's multimap module: a regular expression a line, matched against the host of each address. Its
    configuration stands in the remarks."""
    config = """\
Denied by watchfloor, hosts below them too. Save this as $LOCAL_CONFDIR/local.d/maps.d/watchfloor_deny.map
and put this into $LOCAL_CONFDIR/local.d/multimap.conf:

  WATCHFLOOR_DENY {
    type = "url";
    map = "$LOCAL_CONFDIR/local.d/maps.d/watchfloor_deny.map";
    regexp = true;
    score = 5.0;
    description = "A link to a domain that watchfloor denies";
  }"""
    remarks = [f"# {line}".rstrip() for line in config.split("\n")]
    patterns = [f"/{'^' if ip_address(d.name) else BELOW}{_escaped(d.name)}$/i" for d in domains]
    return DenyList(_lines([*remarks, *patterns]))


FORMATS: dict[str, Callable[[Sequence[_Domain], frozenset[str]], DenyList]] = {
    "wordpress": wordpress,
    "automoderator": automoderator,
    "rspamd": rspamd,
    "plain": plain,
}
"""What a list can be made for."""


def _checked(text: str) -> _Domain | None:
    """The one door: what is no domain goes no further."""
    if len(text) > HOST_CHARACTERS or not all(c in _MARKS or unicodedata.category(c) in _LETTERS for c in text):
        return None
    name = ascii_host(text)
    labels = name.split(".")
    if len(name) > HOST_CHARACTERS or not all(map(_LABEL.fullmatch, labels)):
        return None
    spelled = ".".join(map(_readable, labels))
    return _Domain(name, spelled if ascii_host(spelled) == name else name)


def _readable(label: str) -> str:
    """A label in its own letters, when that is all there is in it."""
    if not label.startswith("xn--"):
        return label
    try:
        letters = label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return label
    return letters if all(c == "-" or c.isalnum() or unicodedata.category(c)[0] == "M" for c in letters) else label


def _part_of_another(name: str, hosts: str) -> bool:
    """Does one of these hosts, a line each, hold the name without being it or below it?"""
    at = hosts.find(name)
    while at >= 0:
        end = at + len(name)
        starts = at == 0 or hosts[at - 1] in "\n."
        if not (starts and (end == len(hosts) or hosts[end] == "\n")):
            return True
        at = hosts.find(name, end)
    return False


def _well_known() -> frozenset[str]:
    return frozenset({*shorteners(), *messengers(), *read_words("public_sites.txt"), *read_words("short_hosts.txt")})


def _python(domain: _Domain, name: str) -> str:
    """A pattern that finds the host and those below it: neither as the end of another label nor as the beginning of a
    longer host."""
    before = r"(?<![\w.-])" if ip_address(domain.name) else r"(?<![\w-])"
    return rf"{before}{_escaped(name)}(?![\w-]|\.\w)"


def _escaped(name: str) -> str:
    return name.replace(".", r"\.")


def _left_out(names: list[str], system: str) -> tuple[str, ...]:
    return (f"top-level domains, left out, since {system} would find them in any text: {_few(names)}",) if names else ()


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _few(names: Sequence[str], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
