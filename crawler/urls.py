"""One spelling for one address, so that the same article is the same everywhere."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus, urljoin, urlsplit, urlunsplit

from w3lib.url import canonicalize_url

from crawler import limits

TRACKING = frozenset(
    {
        "fbclid",
        "gclid",
        "dclid",
        "gbraid",
        "wbraid",
        "msclkid",
        "yclid",
        "igshid",
        "mc_cid",
        "mc_eid",
        "mkt_tok",
        "oly_anon_id",
        "oly_enc_id",
        "vero_id",
        "_hsenc",
        "_hsmi",
        "__twitter_impression",
        "ref_src",
        "ref_url",
        "cmpid",
        "ncid",
        "smid",
        "guccounter",
        "s_cid",
        "xtor",
        "wt_mc",
    }
)
"""Query parameters that say where a reader came from. What they name is the same without them."""
TRACKING_PREFIXES = ("utm_", "at_custom", "pk_", "mtm_", "hsa_")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""No part of any address; what of it cannot be stored would be another address without it."""


def absolute(link: str, base: str) -> str:
    """The http(s) address that a link on a page leads to, fragment dropped; empty when it leads to none, or is over the
    limit.

    Tabs, line breaks and other control characters inside a link are refused rather than removed: removing them is how
    `java<tab>script:` becomes a script.
    """
    link = link.strip()
    if not link or _CONTROL.search(link) or _CONTROL.search(base):
        return ""
    try:
        parts = urlsplit(urljoin(base, link))
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return ""
    to = urlunsplit(parts._replace(fragment=""))
    return to if len(to) <= limits.URL_CHARACTERS else ""


def normal(url: str) -> str:
    """The spelling under which an address is known: host in small letters, no default port, parameters sorted,
    tracking parameters and fragment gone. Empty for one that cannot be used or is over the limit."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname or len(url) > limits.URL_CHARACTERS:
        return ""
    host = parts.hostname.lower()
    host = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[parts.scheme]
    netloc = host if port in (None, default) else f"{host}:{port}"
    try:
        spelled = canonicalize_url(urlunsplit((parts.scheme, netloc, parts.path or "/", _untracked(parts.query), "")))
    except (ValueError, UnicodeError):
        return ""
    return spelled if len(spelled) <= limits.URL_CHARACTERS else ""


def host_of(url: str) -> str:
    """Host and port in small letters, IDN as punycode, as `Source.all_hosts` has them; empty for a broken address."""
    try:
        parts = urlsplit(url)
        host, port = _punycode((parts.hostname or "").lower()), parts.port
    except ValueError:
        return ""
    if not host or port in (None, {"http": 80, "https": 443}.get(parts.scheme)):
        return host
    return f"{host}:{port}"


def same_host(a: str, b: str) -> bool:
    """True when both addresses stand on the same host, `www.` left aside, and the same port."""
    return bool(host_of(a)) and host_of(a).removeprefix("www.") == host_of(b).removeprefix("www.")


def _punycode(host: str) -> str:
    """As a request will have it. Raises ValueError for a host that cannot be written so."""
    return host if host.isascii() else host.encode("idna").decode("ascii")


def _untracked(query: str) -> str:
    """What is left is spelled as it was: bytes that are no UTF-8 would not survive a decoding."""
    return "&".join(part for part in query.split("&") if not _tracks(part))


def _tracks(parameter: str) -> bool:
    name = unquote_plus(parameter.partition("=")[0]).lower()
    return name in TRACKING or name.startswith(TRACKING_PREFIXES)
