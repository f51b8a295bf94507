"""Names and addresses of hosts: known suffixes, registrable domains, IP addresses in every notation."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from functools import cache, lru_cache

from moderation.tables import read_rows, read_words

LABEL_CHARACTERS = 63
"""RFC 1035, section 2.3.4."""
HOST_CHARACTERS = 253
"""RFC 1035: 255 octets on the wire."""
IPV4_NUMBERS = 4
HOSTS = 8192
"""Hosts that are remembered: the same ones come again and again."""
HIDDEN_SERVICE = "onion"


@cache
def suffixes() -> frozenset[str]:
    """Every rule of the Public Suffix List, private domains too; `*.ck` and `!www.ck` as they stand there."""
    rules = read_words("suffixes.txt")
    return rules | {_ascii_rule(rule) for rule in rules if not rule.isascii()}


@cache
def top_level() -> frozenset[str]:
    """Every top-level domain, IDN ones in both spellings."""
    return frozenset(rule for rule in suffixes() if "." not in rule)


@cache
def shorteners() -> frozenset[str]:
    """Hosts whose links lead anywhere."""
    return read_words("shorteners.txt")


@cache
def messengers() -> frozenset[str]:
    """Hosts of messengers and of invitations to them."""
    return read_words("messengers.txt")


def is_known(host: str) -> bool:
    """Is it a host that is known though it is short enough to be taken for prose?"""
    return host.lower() in _known()


@cache
def _known() -> frozenset[str]:
    return shorteners() | messengers() | read_words("short_hosts.txt")


def prepare() -> None:
    """Read the tables that the first comment would pay for."""
    for table in (top_level, shorteners, messengers, _latin):
        table()
    is_known("")


@lru_cache(HOSTS)
def names(host: str) -> tuple[str, str]:
    """A host as the network knows it, an IP address in its plain notation, and its registrable domain."""
    known = ascii_host(host)
    known = ip_address(known) or known
    return known, registrable(known)


@lru_cache(HOSTS)
def registrable(host: str) -> str:
    """The domain that a person can register, private suffixes counted; the host itself for an IP or a bare name."""
    if not host or ip_address(host):
        return host
    labels = host.split(".")
    known = suffixes()
    for i in range(len(labels)):
        rule = ".".join(labels[i:])
        if f"!{rule}" in known:
            return rule
        if rule in known or (i + 1 < len(labels) and ".".join(["*", *labels[i + 1 :]]) in known):
            return ".".join(labels[max(0, i - 1) :])
    return ".".join(labels[-2:])


def ascii_host(host: str) -> str:
    """The host as the network knows it: lower case, IDNA dots as full stops, other labels as punycode."""
    if host.isascii():
        return host.lower().strip(".")
    labels = _fold_case(host).strip(".").split(".")
    return ".".join(label if label.isascii() else punycode(label) for label in labels)


def ip_address(host: str) -> str:
    """The address that a host in any notation stands for (WHATWG URL, section 3.5), or an empty text."""
    if host.startswith("[") or ":" in host:
        return _ipv6(host.strip("[]"))
    if not host[:1].isdigit():
        return ""
    numbers = [_number(part) for part in host.rstrip(".").split(".")]
    if len(numbers) > IPV4_NUMBERS or any(n < 0 for n in numbers):
        return ""
    *bytes_, last = numbers
    room = 256 ** (IPV4_NUMBERS - len(bytes_))
    if last >= room or any(n > 255 for n in bytes_):
        return ""
    value = last + sum(n << (8 * (3 - i)) for i, n in enumerate(bytes_))
    return str(ipaddress.IPv4Address(value))


@cache
def _latin() -> dict[int, str]:
    """Letters that look like a Latin one, to that one."""
    return {ord(double): letter for letter, doubles in read_rows("confusables.tsv") for double in doubles}


def lookalike(text: str) -> str:
    """The text with each letter that looks like a Latin one replaced by that."""
    return text.translate(_latin())


@lru_cache(HOSTS)
def is_homoglyph(host: str) -> bool:
    """Does a label mix Latin letters with their doubles, or pass as Latin from end to end under a Latin suffix?"""
    labels = host.lower().split(".")
    latin_suffix = labels[-1].isascii()
    return any(_imitates(label, latin_suffix) for label in labels if not label.isascii())


def _imitates(label: str, latin_suffix: bool) -> bool:
    doubles = _latin()
    foreign = [c for c in label if ord(c) in doubles]
    if not foreign or not lookalike(label).isascii():
        return False
    return latin_suffix or any("a" <= c <= "z" for c in label)


@lru_cache(HOSTS)
def punycode(label: str) -> str:
    """A label beyond ASCII as DNS has it; an impossible one stays as it is."""
    if len(label) > LABEL_CHARACTERS:
        return label
    try:
        return "xn--" + label.encode("punycode").decode("ascii")
    except UnicodeError:
        return label


def _ascii_rule(rule: str) -> str:
    return ".".join(part if part.isascii() else punycode(part) for part in rule.split("."))


def _fold_case(host: str) -> str:
    return unicodedata.normalize("NFKC", host.lower()).replace("。", ".").replace("｡", ".")


def _number(part: str) -> int:
    """A decimal, octal or hexadecimal number, or -1."""
    if not re.fullmatch(r"(?:0[xX][0-9a-fA-F]*|[0-9]{1,16})", part) or len(part) > 18:
        return -1
    if part[:2].lower() == "0x":
        return int(part[2:] or "0", 16)
    octal = len(part) > 1 and part[0] == "0"
    if octal and not re.fullmatch(r"[0-7]+", part):
        return -1
    return int(part, 8 if octal else 10)


def _ipv6(text: str) -> str:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        return ""
