"""`watchfloor clean`: what cleaning makes of a page, and why."""

from __future__ import annotations

import gzip
import io
import re
import sys
import zlib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, BinaryIO

import click

from app.cli.options import home_of, home_option, json_option
from app.cli.terminal import as_json, safe
from crawler import limits
from crawler.items import Rejected
from crawler.source import Rules, Source, catalogue, choose, nearest

REJECTED, NOT_FETCHED, INTERRUPTED = 1, 3, 130
"""Exit codes: read, and no article; could not be read; ended by Ctrl-C. 2 is click's for a wrong call."""
ADDRESS = re.compile(r"https?://", re.I)
GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A page as it came in."""

    html: bytes
    url: str
    refused: Rejected | None = None


class Unreadable(click.ClickException):
    """There is nothing to clean."""

    exit_code = NOT_FETCHED

    def __init__(self, what: str, why: str) -> None:
        super().__init__(safe(f"{what}: {why}"))


@click.command()
@click.argument("page", required=False, metavar="[URL|FILE|-]")
@click.option("--source", "id_", default="", metavar="ID", help="With the rules and the language of this source.")
@click.option("--sources", "files", type=click.Path(path_type=Path, exists=True), help="Look for it here instead.")
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="KEY=SELECTOR",
    help="Try a rule that is in no file yet: content, remove, headline, author, date, comments.",
)
@click.option(
    "--url",
    default="",
    help="The address that a FILE or standard input came from: relative links and some rules need it.",
)
@click.option("--explain", "why", is_flag=True, help="Which rule kept or dropped each block, where each field is from.")
@click.option("--find", "wanted", default="", metavar="WORDS", help="Explain only what became of the text with these.")
@click.option(
    "--allow-address", "allowed", multiple=True, metavar="HOST:PORT", help="Let this private address be reached."
)
@click.option("--jsonl", is_flag=True, help="Be a filter: read {id, url, html_b64} lines from standard input.")
@json_option
@home_option
def clean(
    page: str | None, id_: str, files: Path | None, rules: tuple[str, ...], home: Path | None, jsonl: bool, **how: Any
) -> int:
    """Clean a page: print its article and comments, or why it is none.

    A URL is fetched as a crawl would, robots.txt obeyed; a FILE may be gzipped; - is standard input. Nothing is stored.
    Comments that stand on further pages are not followed.

    With --jsonl each line {id, url, html_b64} gives {id, title, body, authors, published, comments}; a page that is no
    article gives {id, rejected}; a line that cannot be read gives {error}.

    \b
    Exit codes: 0 an article; 1 no article; 2 usage or configuration; 3 the page could not be fetched or read.

    \b
    Examples: watchfloor clean https://news.example/2024/fleet-leaves
              watchfloor clean page.html --url https://news.example/x --explain
              watchfloor clean page.html --find 'a sentence that is missing'
              watchfloor clean page.html --rule content=div.story --rule 'remove=aside, .promo'
              watchfloor clean --jsonl < pages.jsonl > articles.jsonl
    """
    if jsonl:
        return _filtered(page, bool(id_ or files or rules or any(how.values())))
    if page is None:
        raise click.UsageError("give a URL, a FILE or - for standard input; or --jsonl")
    return _one(page, _source(id_, files, home_of(home), rules), **how)


def _filtered(page: str | None, more: bool) -> int:
    from app.cli.filters import clean_lines

    if page is not None or more:
        raise click.UsageError("--jsonl goes with no page and no other option")
    clean_lines()
    return 0


def _one(
    page: str, source: Source | None, *, url: str, allowed: tuple[str, ...], why: bool, wanted: str, json_: bool
) -> int:
    """Reads, cleans and shows one page. Its exit code."""
    from app.cli.cleaned import as_data, say_cleaned, say_wanted, say_why
    from crawler.cleaning.explain import Explanation, explain

    if ADDRESS.match(page) and url:
        raise click.UsageError("--url is for a FILE or standard input; the page has its own address")
    given = _from_net(page, source, allowed) if ADDRESS.match(page) else _from_file(page, url)
    if given is None:
        return INTERRUPTED
    found = Explanation(result=given.refused) if given.refused else explain(given.html, given.url, source)
    if json_:
        as_json(as_data(found, why=why or bool(wanted), wanted=wanted))
    elif wanted:
        say_wanted(found, wanted, given.html)
    else:
        say_cleaned(found.result)
        if why:
            say_why(found)
    return REJECTED if isinstance(found.result, Rejected) else 0


def _source(id_: str, files: Path | None, home: Path, tried: tuple[str, ...]) -> Source | None:
    """The source that was named, with the rules to be tried in the place of its own. Raises `SourceError`."""
    if files and not id_:
        listed = catalogue(files, home)
        if len(listed) > 1:
            raise click.UsageError("--sources is a folder: say which with --source")
        id_ = next(iter(listed))
    source = choose(catalogue(files, home), [id_])[0] if id_ else None
    if not tried:
        return source
    source = source or Source(id="tried", name="", home="")
    return replace(source, rules=replace(source.rules, **dict(map(_rule, tried))))


def _rule(text: str) -> tuple[str, str]:
    """A rule's key and selector. Raises click's error for an unknown key and for what is no selector."""
    from cssselect import HTMLTranslator, SelectorError

    key, _, selector = (part.strip() for part in text.partition("="))
    keys = [f.name for f in fields(Rules)]
    if key not in keys:
        raise click.UsageError(f"--rule: no rule {safe(key)!r}{nearest(key, keys)}; known are {', '.join(keys)}")
    try:
        HTMLTranslator().css_to_xpath(selector)
    except SelectorError as e:
        raise click.UsageError(f"--rule: {safe(selector)!r} is no CSS selector: {safe(str(e))}") from None
    return key, selector


def _from_net(url: str, source: Source | None, allowed: tuple[str, ...]) -> Given | None:
    """The page at an address; None when it was interrupted. Ends the command when it cannot be had."""
    from app.cli.looking import looked_at  # Scrapy costs a second: only who fetches pays for it

    try:
        answer = looked_at([url], allowed, source=source).get(url)
    except ValueError as e:
        raise click.UsageError(f"--allow-address: {e}") from None
    if answer and answer.problem:
        raise Unreadable(url, answer.problem)
    return Given(html=answer.html, url=answer.url, refused=answer.refused) if answer else None


def _from_file(name: str, url: str) -> Given:
    """The page in a file, or on standard input."""
    try:
        if name == "-":
            return Given(html=_bounded(sys.stdin.buffer, name), url=url)
        with open(name, "rb") as file:
            return Given(html=_bounded(file, name), url=url)
    except (OSError, EOFError, zlib.error) as e:
        raise Unreadable(name, (getattr(e, "strerror", None) or str(e)).lower()) from None


def _bounded(file: BinaryIO, name: str) -> bytes:
    """All of a file, unpacked where it is gzipped, up to the limit of a page from the net."""
    html = file.read(limits.PAGE_BYTES + 1)
    if html.startswith(GZIP):
        with gzip.GzipFile(fileobj=io.BytesIO(html)) as packed:
            html = packed.read(limits.PAGE_BYTES + 1)
    if len(html) > limits.PAGE_BYTES:
        raise Unreadable(name, f"larger than {limits.PAGE_BYTES:,} bytes")
    return html
