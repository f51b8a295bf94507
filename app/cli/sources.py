"""`watchfloor sources`: the catalogue listed, checked, added to, exchanged with feed readers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin

import click

from app.cli.options import allow_option, db_of, home_of, home_option, json_option, reading
from app.cli.terminal import as_json, complain, one_line, safe, say
from crawler.autodiscovery import Site, look, sitemaps_of, source_file
from crawler.discovery import read_listing
from crawler.items import Rejected
from crawler.opml import OpmlError, Outline, read_opml, write_opml
from crawler.source import ID, Source, SourceError, catalogue, choose, parse_source
from crawler.urls import host_of, normal
from db import read

Row = dict[str, Any]
NUMBERS = re.compile(r"[\d.]+")
"""An address of IPv4."""


@click.group(invoke_without_command=True)
@click.option("--sources", "files", type=click.Path(path_type=Path, exists=True), help="Read these instead.")
@json_option
@home_option
@click.option("--db", type=click.Path(path_type=Path, dir_okay=False), help="The database to count in.")
@click.pass_context
def sources(ctx: click.Context, files: Path | None, home: Path | None, db: Path | None, json_: bool) -> None:
    """The sites that can be watched, and what is stored of each. A `-` marks those that are crawled only by name.

    \b
    Examples: watchfloor sources --json
              watchfloor sources add https://defence-review.example/
    """
    if ctx.invoked_subcommand:
        return
    path = db_of(db, home)
    known: dict[str, Row] = {}
    if path.exists():
        with reading(path) as database:
            known = read.sources(database)
    listed = catalogue(files, home_of(home)).values()
    rows = [{**_row(s), **{k: v for k, v in known.get(s.id, {}).items() if k != "source_id"}} for s in listed]
    if json_:
        return as_json(rows)
    for row in rows:
        mark = " " if row["enabled"] else "-"
        stored = f"{row.get('articles', 0):>6} articles"
        say(f"{mark} {safe(row['id']):<20} {one_line(row['name'], 34):<34} {stored}  {safe(row['home'])}")
    if not rows:
        complain("no sources yet; give --sources FILE|DIR or write one (docs/adding-a-source.md)")


@sources.command()
@click.argument("source", nargs=-1)
@click.option("--sources", "files", type=click.Path(path_type=Path, exists=True), help="Read these instead.")
@click.option("--offline", is_flag=True, help="Only load the files; ask no site.")
@allow_option
@home_option
@json_option
def check(
    source: tuple[str, ...], files: Path | None, offline: bool, allowed: tuple[str, ...], home: Path | None, json_: bool
) -> int:
    """Load each SOURCE, or every enabled one, ask for its listings, and compare with what its front page offers.

    The page that `sources add` recorded is read again: does it still read as it did?

    Exit codes: 0 all well; 1 a listing cannot be read or gives no article, or a recorded page reads differently; 2 a
    file that cannot be used.

    \b
    Examples: watchfloor sources check navalnews
              watchfloor sources check --offline
    """
    from app.cli.recorded import differences

    chosen = choose(catalogue(files, home_of(home)), source)
    rows: list[Row] = [{"id": s.id, "loaded": True} for s in chosen] if offline else _checked(chosen, allowed)
    for row, each in zip(rows, chosen, strict=True):
        row["recorded"] = differences(home_of(home), each)
    if json_:
        as_json(rows)
    else:
        for row in rows:
            _say_check(row)
    return int(any(row["recorded"] or any(x["problem"] for x in row.get("listings", ())) for row in rows))


@sources.command()
@click.argument("url")
@click.option("--id", "name", help="The source's id. Default: from the host.")
@click.option("--print", "shown", is_flag=True, help="Print the file instead of writing it.")
@allow_option
@home_option
def add(url: str, name: str | None, shown: bool, allowed: tuple[str, ...], home: Path | None) -> int:
    """Look at a site's front page and robots.txt, find its feeds and sitemaps, and write a source file for it.

    Its first article is kept beside the file, with how it was read: `sources check` reads it again.

    Exit codes: 0 written; 1 the site cannot be read, or a source of this name or host is there; 2 usage.

    \b
    Example: watchfloor sources add https://defence-review.example/
    """
    front = normal(url if "://" in url else f"https://{url}")
    if not front:
        raise click.UsageError(f"{url}: no http or https address")
    id = name or id_of(front)
    if not ID.fullmatch(id):
        raise click.UsageError(f"{id}: no id: use small letters, digits, - and _")
    known = catalogue(None, home_of(home))
    twin = next((s.id for s in known.values() if s.id == id or host_of(front) in s.all_hosts), "")
    if twin and not shown:
        complain(f"{twin}: this source is there already; `watchfloor sources check {twin}` looks at it")
        return 1
    seen = _looked(front, id, allowed)
    site = _site(front, seen)
    if site is None:
        complain(f"{front}: {seen[front].problem if front in seen else 'no answer'}")
        return 1
    if wall := _wall(front, seen):
        complain(f"{front}: {wall}: a wall against crawlers, or no page of a site")
        return 1
    twin = next((s.id for s in known.values() if host_of(site.home) in s.all_hosts), "")
    if twin and not shown:
        complain(f"{twin}: {site.home}, where {front} leads, is watched already")
        return 1
    text = source_file(site)
    source = parse_source(text, id=id)
    if shown:
        click.echo(text, nl=False)
        return 0
    file = write_new(home_of(home) / "sources", id, text)
    system = ", ".join(filter(None, (site.system, f"comments by {site.engine}" if site.engine else "")))
    say(f"{file}: feeds: {len(site.feeds)}, sitemaps: {len(site.sitemaps)}{f'; {system}' if system else ''}")
    _say_recorded(home_of(home), source, seen)
    if not site.feeds and not site.sitemaps:
        complain("no feed and no sitemap found: the front page itself will be read; see docs/adding-a-source.md")
    say(f"try it: watchfloor crawl {id} --db {id}-trial.db")
    return 0


@sources.command("export")
@click.argument("file", type=click.File("wb"), default="-")
@home_option
def export_(file: IO[bytes], home: Path | None) -> None:
    """Write the feeds of the enabled sources as OPML, for any feed reader.

    \b
    Example: watchfloor sources export feeds.opml
    """
    file.write(write_opml(choose(catalogue(None, home_of(home)), ())))


@sources.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@home_option
@json_option
def import_(file: IO[bytes], dry_run: bool, home: Path | None, json_: bool) -> int:
    """Make a source file of each feed of an OPML file, but for hosts that are watched already.

    Exit codes: 0 done; 2 the file is no OPML.

    \b
    Example: watchfloor sources import subscriptions.opml --dry-run
    """
    try:
        outlines = read_opml(file.read())
    except OpmlError as e:
        raise click.UsageError(f"{file.name}: {e}") from None
    folder = home_of(home) / "sources"
    rows = list(_taken(outlines, catalogue(None, home_of(home))))
    for row in rows:
        if row["id"] and not dry_run:
            write_new(folder, row["id"], row.pop("text"))
        row.pop("text", None)
    if json_:
        as_json(rows)
        return 0
    for row in rows:
        say(
            f"{'+ ' + safe(row['id']):<22} {safe(row['feed'])}"
            if row["id"]
            else f"  {row['why']:<20} {safe(row['feed'])}"
        )
    made = sum(bool(row["id"]) for row in rows)
    say(f"{made} sources {'would be ' if dry_run else ''}written to {safe(str(folder))}, {len(rows) - made} left out")
    return 0


def id_of(url: str) -> str:
    """An id from a host: `www.defence-review.example` → `defence-review`."""
    host = host_of(url).partition(":")[0].removeprefix("www.")
    if NUMBERS.fullmatch(host):
        return host.replace(".", "-")
    labels = host.split(".")
    short = labels[0] if len(labels) < 3 or len(labels[0]) > 3 else labels[1]
    return re.sub(r"[^a-z0-9_-]+", "-", short).strip("-_")[:60] or "site"


def write_new(folder: Path, id: str, text: str) -> Path:
    """A new source file. Raises `SourceError` where one of this name is there or cannot be written."""
    file = folder / f"{id}.toml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as e:
        raise SourceError(f"{file}: {e.strerror or e}") from None
    return file


def _row(source: Source) -> Row:
    keys = ("id", "name", "home", "country", "language", "kind", "affiliation", "enabled", "note", "breaks")
    return {key: getattr(source, key) for key in keys}


def _looked(front: str, id: str, allowed: tuple[str, ...]) -> Mapping[str, Any]:
    """Answers of a site: its front page and robots.txt, then the first listing that these name, then its first page."""
    from app.cli.looking import looked_at

    def then(seen: Mapping[str, Any]) -> Iterator[str]:
        site = _site(front, seen)
        if site:
            source = parse_source(source_file(site), id=id)
            yield from (url for _, url in source.listings[:1])
            yield from (url for url, _ in _first_page(source, seen))

    return looked_at((front, urljoin(front, "/robots.txt")), allowed, then=then)


def _site(front: str, seen: Mapping[str, Any]) -> Site | None:
    """What a site says of itself; None when its front page cannot be had."""
    page = seen.get(front)
    if page is None or page.problem:
        return None
    site, said = look(page.body, page.url), seen.get(urljoin(front, "/robots.txt"))
    named = sitemaps_of(said.body.decode("utf-8", "replace"), page.url) if said and not said.problem else ()
    return Site(**{**asdict(site), "sitemaps": named})


def _wall(front: str, seen: Mapping[str, Any]) -> str:
    """Why a front page is none, though the site answered with it; empty for one that is."""
    from crawler.cleaning import clean

    page = clean(seen[front].html, seen[front].url)
    return page.reason if isinstance(page, Rejected) and page.reason in ("bot wall", "error page") else ""


def _first_page(source: Source, seen: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The first page that the first listing offers, with its answer where it is there."""
    for kind, url in source.listings[:1]:
        listing = seen.get(url)
        if listing and not listing.problem:
            for found in read_listing(kind, listing.body, listing.url, source).links[:1]:
                yield found.url, seen.get(found.url)


def _say_recorded(home: Path, source: Source, seen: Mapping[str, Any]) -> None:
    """Keeps the first page, and says how it reads: a person sees at once whether the general rules do."""
    from app.cli.recorded import record

    for url, answer in _first_page(source, seen):
        if answer and not answer.problem and not answer.refused:
            told = record(home, source, answer.url, answer.html)
            say(f"recorded {safe(answer.url)}")
            for name, value in told.items():
                say(f"  {name:<10} {one_line(str(value), 100)}")
        else:
            complain(f"{url}: no page recorded: {answer.problem if answer else 'no answer'}")


def _checked(chosen: tuple[Source, ...], allowed: tuple[str, ...]) -> list[Row]:
    """What the listings and the front page of each source answer now."""
    from app.cli.looking import looked_at

    urls = [url for source in chosen for url in (source.home, *(url for _, url in source.listings))]
    seen = looked_at(urls, allowed, sources=chosen)
    return [_check(source, seen) for source in chosen]


def _check(source: Source, seen: Mapping[str, Any]) -> Row:
    listings = []
    for kind, url in source.listings:
        answer = seen.get(url)
        found = None if answer is None or answer.problem else read_listing(kind, answer.body, answer.url, source)
        problem = (answer.problem if answer else "no answer") if found is None else found.problem
        links = len(found.links) if found else 0
        if found and not problem and not links and not found.more:
            problem = "it offers no article"
        moved = answer.url if answer and answer.moved else ""
        listings.append({"kind": kind, "url": url, "links": links, "problem": problem, "moved": moved})
    front = seen.get(source.home)
    site = look(front.body, front.url) if front and not front.problem else Site()
    known = {normal(url) for url in source.feeds}
    return {
        "id": source.id,
        "home": source.home,
        "home_problem": front.problem if front else "no answer",
        "listings": listings,
        "other_feeds": [feed for feed in site.feeds if normal(feed) not in known],
        "system": site.system,
        "comments": site.engine,
    }


def _say_check(row: Row) -> None:
    say(f"{safe(row['id'])}: {'loads' if row.get('loaded') else safe(row['home'])}")
    if row.get("home_problem"):
        say(f"  ! front page: {one_line(row['home_problem'])}")
    for listing in row.get("listings", ()):
        mark, told = ("!", listing["problem"]) if listing["problem"] else (" ", f"{listing['links']} articles")
        say(f"  {mark} {listing['kind']:<8} {safe(listing['url'])}: {one_line(told)}")
        if listing["moved"]:
            say(f"  ? it has moved for good: put {one_line(listing['moved'])} into the file")
    if row["recorded"] is not None:
        say(f"  {'!' if row['recorded'] else ' '} recorded page: {'differs' if row['recorded'] else 'reads as it did'}")
    for difference in row["recorded"] or ():
        say(f"      {one_line(difference, 200)}")
    for feed in row.get("other_feeds", ()):
        say(f"  ? the front page also offers {safe(feed)}")


def _taken(outlines: tuple[Outline, ...], known: Mapping[str, Source]) -> Iterator[Row]:
    """For each feed of a list the source file to be written, or why there is none."""
    hosts = {host for source in known.values() for host in source.all_hosts}
    feeds = {normal(feed) for source in known.values() for feed in source.feeds}
    ids = set(known)
    for outline in outlines:
        home = outline.home or urljoin(outline.feed, "/")
        if normal(outline.feed) in feeds or host_of(home) in hosts:
            yield {"id": "", "feed": outline.feed, "why": "watched already"}
            continue
        id = _free(id_of(home), ids)
        text = source_file(Site(name=outline.title or host_of(home), home=home, feeds=(outline.feed,)))
        try:
            parse_source(text, id=id)
        except SourceError:
            yield {"id": "", "feed": outline.feed, "why": "no usable address"}
            continue
        ids.add(id)
        yield {"id": id, "feed": outline.feed, "why": "", "text": text}


def _free(id: str, taken: set[str]) -> str:
    """The id, or the first with a number behind it that is free."""
    number = 2
    found = id
    while found in taken:
        found, number = f"{id[:58]}-{number}", number + 1
    return found
