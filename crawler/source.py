"""One site as a checked value. A source is one TOML file; its name is the source's id."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crawler import limits
from crawler.urls import host_of

SHIPPED = Path(__file__).parent / "sources"
COMMENT_ROUTES = ("feed", "api")
"""An article's own comment feed, as WordPress and Blogger have one; WordPress's interface for comments."""
KINDS = ("news", "blog", "agency", "official", "think-tank", "aggregator", "forum")
AFFILIATIONS = ("independent", "state-affiliated", "government")
"""Of its own · owned, paid or led by a state, or true to its line · the voice of a government or its forces."""
ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class SourceError(Exception):
    """A source file that cannot be used. The message names the file, the place and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """CSS selectors that override the general rules where they miss. Each may match several elements."""

    content: str = ""
    """The element that holds the article's text."""
    remove: str = ""
    """Elements that are no part of the article's text, whatever they hold."""
    headline: str = ""
    author: str = ""
    date: str = ""
    comments: str = ""
    """The element that holds the comments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One site that is watched."""

    id: str
    """The file's name without `.toml`: small letters, digits, `-` and `_`."""
    name: str
    home: str
    """URL of the front page; http or https."""
    country: str = ""
    """ISO 3166 code, two letters."""
    language: str = ""
    """The language of its articles where a page does not say."""
    kind: str = "news"
    affiliation: str = ""
    """Whose voice it is, of `AFFILIATIONS`; empty where that is not known."""
    enabled: bool = True
    """A disabled source is crawled only when it is named."""
    note: str = ""
    """What a person should know, such as why it is disabled."""
    breaks: tuple[str, ...] = ()
    """What is known to break, a sentence each."""
    feeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    """Pages that list articles. Without feeds, sitemaps and sections the front page is one."""
    hosts: tuple[str, ...] = ()
    """Further hosts its articles stand on; the home's own host, with and without `www.`, always counts."""
    include: tuple[str, ...] = ()
    """Regular expressions; when given, only URLs that one of them finds are articles."""
    exclude: tuple[str, ...] = ()
    """Regular expressions; a URL that one of them finds is never an article."""
    delay: float = limits.DELAY_SECONDS
    """Seconds between two requests."""
    max_pages: int = limits.PAGES_A_SOURCE
    """Article pages in one run."""
    max_links: int = limits.LINKS_A_LISTING
    """Links taken from one listing."""
    max_listings: int = 20
    """Listings in one run, with the child sitemaps and the next pages that listings lead to."""
    comment_pages: bool = True
    """Follow an article's comments to their further pages, up to `limits.COMMENT_PAGES`."""
    comment_routes: tuple[str, ...] = ()
    """Other ways to an article's comments, of `COMMENT_ROUTES`; robots.txt is obeyed there too."""
    rules: Rules = field(default_factory=Rules)

    @property
    def all_hosts(self) -> frozenset[str]:
        """Every host it may be fetched from, with its port where the URL names one."""
        own = host_of(self.home)
        bare = own.removeprefix("www.")
        return frozenset({own, bare, f"www.{bare}", *(host_of(f"//{h}") for h in self.hosts)} - {""})

    @property
    def listings(self) -> tuple[tuple[str, str], ...]:
        """(kind, URL) of each listing to start from."""
        named = (("feed", self.feeds), ("sitemap", self.sitemaps), ("section", self.sections))
        return tuple((kind, url) for kind, urls in named for url in urls) or (("section", self.home),)


def parse_source(text: str, *, id: str, file: str = "<text>") -> Source:
    """The source that a TOML text describes.

    Raises `SourceError` with file, line or key, and the nearest known key for an unknown one.
    """
    try:
        table = tomllib.loads(text)
    except ValueError as e:  # TOMLDecodeError, and what Python says of a number of 5,000 digits
        raise SourceError(f"{file}: not valid TOML: {e}") from None
    except RecursionError:
        raise SourceError(f"{file}: not valid TOML: nested too deep") from None
    stated = table.pop("id", id)
    if stated != id:
        raise SourceError(f"{file}: id is {stated!r} but the file is named {id!r}; they must agree")
    if not ID.fullmatch(id):
        raise SourceError(f"{file}: {id!r} is no id: use small letters, digits, - and _")
    rules = table.pop("rules", {})
    if not isinstance(rules, dict):
        raise SourceError(f"{file}: [rules] must be a table of CSS selectors")
    source = Source(
        id=id,
        rules=Rules(**_checked(rules, Rules, file, text, "rules.")),
        **_checked(table, Source, file, text),
    )
    _check_values(source, file)
    return source


def load_sources(path: Path) -> dict[str, Source]:
    """Every source of a folder, or the one of a file, by id. Raises `SourceError`."""
    if path.is_dir():
        files = sorted(path.glob("*.toml"))
        if not files:
            raise SourceError(f"{path}: no source files (*.toml) in this folder")
    else:
        files = [path]
    loaded = (_load(file) for file in files)
    return {source.id: source for source in loaded}


def catalogue(files: Path | None, home: Path) -> dict[str, Source]:
    """The sources of `files` alone where it is given; else the shipped ones and those in the home folder, by id.

    A user's file with a shipped id takes its place. Raises `SourceError`.
    """
    if files is not None:
        return load_sources(files)
    shipped, own = (load_sources(d) if any(d.glob("*.toml")) else {} for d in (SHIPPED, home / "sources"))
    return {**shipped, **own}


def choose(sources: Mapping[str, Source], ids: Iterable[str]) -> tuple[Source, ...]:
    """The sources named, in their order, or every enabled one. Raises `SourceError` for an unknown name."""
    wanted = tuple(dict.fromkeys(ids))
    for id in wanted:
        if id not in sources:
            raise SourceError(f"no source named {id!r}{nearest(id, sources)}; `watchfloor sources` lists them")
    return tuple(sources[id] for id in wanted) or tuple(s for s in sources.values() if s.enabled)


def _load(file: Path) -> Source:
    try:
        return parse_source(file.read_text("utf-8"), id=file.stem, file=str(file))
    except OSError as e:
        raise SourceError(f"{file}: cannot be read: {e.strerror}") from None
    except UnicodeDecodeError as e:
        raise SourceError(f"{file}: not UTF-8 at byte {e.start}") from None


def _checked(table: dict[str, Any], of: type, file: str, text: str, prefix: str = "") -> dict[str, Any]:
    """The table's values under their types; lists become tuples."""
    known = {f.name: f for f in fields(of) if f.name not in ("id", "rules")}
    checked: dict[str, Any] = {}
    for key, value in table.items():
        if key not in known:
            near = nearest(key, (f.name for f in fields(of)))
            raise SourceError(f"{file}{_line(text, key)}: unknown key {prefix}{key}{near}")
        try:
            checked[key] = _typed(value, str(known[key].type))
        except ValueError as e:
            raise SourceError(f"{file}{_line(text, key)}: {prefix}{key} {e}") from None
    for name, f in known.items():
        if name not in checked and f.default is MISSING and f.default_factory is MISSING:
            raise SourceError(f"{file}: the key {prefix}{name} is missing")
    return checked


def _typed(value: Any, wanted: str) -> Any:
    """The value as a field of that type has it. Raises `ValueError` with what it must be."""
    if wanted == "tuple[str, ...]":
        if isinstance(value, list) and all(isinstance(v, str) for v in value):
            return tuple(value)
        raise ValueError("must be a list of texts")
    types: dict[str, tuple[type, ...]] = {"str": (str,), "bool": (bool,), "int": (int,), "float": (int, float)}
    if not isinstance(value, types[wanted]) or (isinstance(value, bool) and wanted != "bool"):
        names = {"str": "a text", "bool": "true or false", "int": "a whole number", "float": "a number"}
        raise ValueError(f"must be {names[wanted]}")
    return value


def _check_values(source: Source, file: str) -> None:
    for key in ("feeds", "sitemaps", "sections"):
        for url in getattr(source, key):
            _check_url(url, f"{file}: {key}")
    _check_url(source.home, f"{file}: home")
    _check_selectors(source, file)
    for key, known in (("kind", KINDS), ("affiliation", ("", *AFFILIATIONS))):
        _check_known(getattr(source, key), known, f"{file}: {key}")
    for route in source.comment_routes:
        _check_known(route, COMMENT_ROUTES, f"{file}: comment_routes")
    for key in ("include", "exclude"):
        for pattern in getattr(source, key):
            try:
                re.compile(pattern)
            except (re.error, ValueError, OverflowError, RecursionError) as e:  # ValueError: 5,000 digits
                raise SourceError(f"{file}: {key}: {pattern[:99]!r} is no regular expression: {e}") from None
    if not 0 <= source.delay <= 3600:
        raise SourceError(f"{file}: delay must be between 0 and 3600 seconds")
    for key in ("max_pages", "max_links", "max_listings"):
        if getattr(source, key) < 1:
            raise SourceError(f"{file}: {key} must be at least 1")


def _check_known(value: str, known: tuple[str, ...], where: str) -> None:
    if value not in known:
        near = nearest(value, known) or f"; known are {', '.join(filter(None, known))}"
        raise SourceError(f"{where}: {value!r} is not known{near}")


def _check_url(url: str, where: str) -> None:
    try:
        parts = urlsplit(url)
        ok = parts.scheme in ("http", "https") and parts.port != 0 and _is_host(parts.hostname or "")
        ok = ok and parts.username is None and bool(host_of(url))
    except ValueError:
        ok = False
    if not ok:
        raise SourceError(f"{where}: {url!r} is no http or https address")


def _is_host(host: str) -> bool:
    """True for a name whose labels are 1 to 63 characters without blanks (RFC 1035), and for an IP."""
    return ":" in host or all(
        0 < len(label) < 64 and not re.search(r"\s", label) for label in host.rstrip(".").split(".")
    )


def _check_selectors(source: Source, file: str) -> None:
    stated = {f.name: getattr(source.rules, f.name) for f in fields(Rules)}
    for key, selector in stated.items():
        if selector:
            from cssselect import HTMLTranslator, SelectorError  # most sources have no rules

            try:
                HTMLTranslator().css_to_xpath(selector)
            except SelectorError as e:
                raise SourceError(f"{file}: rules.{key}: {selector!r} is no CSS selector: {e}") from None
            except RecursionError:
                raise SourceError(f"{file}: rules.{key}: a CSS selector of too many parts") from None


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean …?` with the known word that is nearest; empty when none is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""


def _line(text: str, key: str) -> str:
    """`:12` for the line that sets the key or opens the table, as well as a plain look can tell."""
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(rf"\s*\[?\s*[\"']?{re.escape(key)}[\"']?\s*[=.\]]", line):
            return f":{number}"
    return ""
