"""What `watchfloor clean` prints: a cleaned page, and why it was cleaned so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from app.cli.terminal import one_line, safe, say
from crawler.cleaning.headline import key
from crawler.items import Article, Block, Comment, Cut, Moment, Page, Rejected, Section

if TYPE_CHECKING:
    from crawler.cleaning.explain import Element, Explained, Explanation
    from crawler.cleaning.witnesses import Field

Row = dict[str, Any]
QUOTED, COMMENT_QUOTED, RAW_SHOWN = 96, 160, 200
"""Characters that are shown of a text, of a comment, and of what a field was read from."""
NAME_WIDTH = 15
STATED = ("headline", "authors", "published", "modified", "canonical_url", "language", "summary", "site_name")
"""Fields that a news page should state."""
MARKS = {"item": "• ", "quote": "> ", "row": "| ", "code": "    ", "caption": "["}


def as_data(found: Explanation, *, why: bool, wanted: str) -> Row:
    """The result for a script, with `explanation` when it is asked for."""
    data: Row = {"rejected": asdict(found.result)} if isinstance(found.result, Rejected) else asdict(found.result)
    if why:
        about = asdict(found)
        del about["result"]
        texts = matching(found.texts, wanted) if wanted else found.texts
        about["texts"] = [{"kept": text.kept, **asdict(text)} for text in texts]
        data["explanation"] = about
    return data


# ---- the page


def say_cleaned(result: Page | Rejected) -> None:
    """The article, its comments and what the limits left out; or why it is none."""
    if isinstance(result, Rejected):
        return say(_bold("not an article: ") + one_line(_rejected(result)))
    _say_article(result.article)
    _say_comments(result)
    for cut in result.cuts:
        say(_cut(cut))


def _rejected(result: Rejected) -> str:
    return f"{result.reason} ({result.detail})" if result.detail else result.reason


def _say_article(article: Article) -> None:
    say(_bold(one_line(article.headline) or "(no headline)"))
    facts = {
        "address": article.url,
        "by": ", ".join(article.authors),
        "published": _when(article.published),
        "modified": _when(article.modified),
        "site": " › ".join(filter(None, (article.site_name, article.section))),
        "language": article.language,
        "kind": article.kind + {True: ", paywalled", False: ", free", None: ""}[article.paywalled],
        "tags": ", ".join(article.tags),
        "summary": article.summary,
        "image": " — ".join(filter(None, (article.image_url, article.image_caption))),
    }
    for name, value in facts.items():
        say(f"  {name:<10} {one_line(value) or '-'}")
    for section in article.sections:
        _say_section(section)
    say()


def _when(moment: Moment | None) -> str:
    if moment is None:
        return ""
    zone = "" if moment.zoned or "T" not in moment.iso else " (zone unknown)"
    return f"{moment.iso or 'not understood'}{zone}, as written: {moment.raw}"


def _say_section(section: Section) -> None:
    say()
    if section.heading:
        say(_bold(f"{'#' * section.level} {one_line(section.heading)}\n"))
    for before, block in zip((None, *section.blocks), section.blocks, strict=False):
        if before and not (before.kind == block.kind and block.kind in ("item", "row")):
            say()
        say(_block(block))


def _block(block: Block) -> str:
    return MARKS.get(block.kind, "") + safe(block.text) + ("]" if block.kind == "caption" else "")


def _say_comments(page: Page) -> None:
    number = len(page.comments)
    replies = sum(comment.parent is not None for comment in page.comments)
    threads = f" in {number - replies} threads" if replies else ""
    say(_bold(f"{number} comment{'s' * (number != 1)}{threads} (state: {page.article.comments_state})"))
    for comment in page.comments:
        say("  " * (min(comment.depth, 10) + 1) + _comment(comment))


def _comment(comment: Comment) -> str:
    kind = "" if comment.kind == "comment" else f" [{comment.kind}]"
    posted = comment.posted.iso if comment.posted else ""
    who = ", ".join(filter(None, (comment.author or "(no name)", posted)))
    return one_line(f"{who}{kind}: {comment.text}", COMMENT_QUOTED)


def _cut(cut: Cut) -> str:
    return one_line(f"cut by {cut.limit}: {cut.left_out:,} {cut.unit} left out, {cut.kept:,} kept")


# ---- why


def say_why(found: Explanation) -> None:
    """How the page was read: the main block, where each field is from, each text and what became of it."""
    if not (found.texts or found.fields):
        return say("it was not gone into: what came is no page to begin with")
    _say_reading(found)
    _title("Where each field is from")
    for each in found.fields:
        _say_field(each)
    if silent := [name for name in STATED if name not in {each.name for each in found.fields}]:
        _fact("nowhere:", ", ".join(silent))
    _title("What became of each text")
    said = ""
    for text in found.texts:
        _say_text(text, "", said)
        said = text.because
    _say_sums(found.texts)


def say_wanted(found: Explanation, wanted: str, html: bytes) -> None:
    """What became of the texts that hold these words."""
    hits = matching(found.texts, wanted)
    for text in hits:
        _say_text(text, wanted, "")
        say(f"      {safe(text.element.path)}")
    if not hits:
        anywhere = key(wanted) in key(html.decode("utf-8", "replace"))
        say(
            "not in any text of the page, but in its source: in a script, an attribute, or across elements"
            if anywhere
            else "nowhere in the page as it was served: a script may add it, or another page has it"
        )
    if isinstance(found.result, Rejected):
        say(_bold("not an article: ") + one_line(_rejected(found.result)))


def matching(texts: Iterable[Explained], wanted: str) -> list[Explained]:
    """The texts with these words in them, letters and digits compared."""
    return [text for text in texts if key(wanted) in key(text.text)]


def _say_reading(found: Explanation) -> None:
    _title("How the page was read")
    for rule in found.rules:
        number = f"{rule.matches} elements" if rule.matches != 1 else "1 element"
        missed = click.style("  ← matches nothing", fg="yellow") if not rule.matches else ""
        say(f"  {f'rule {rule.name}':<{NAME_WIDTH}} {one_line(rule.selector)}: {number}{missed}")
    if main := found.main:
        _fact("main block", f"{main.element.selector}, with {main.share:.0%} of all running text on the page")
        _fact("", main.element.path)
        start = "" if main.levels == 0 else f"{main.levels} levels below {main.start.selector}: "
        _fact("because", f"{start}{main.why}")
        if main.levels:
            _fact("", "from there on, the search went down while one child held nearly all of the text")
    else:
        _fact("main block", "none")
    if found.standfirst:
        _fact("standfirst", found.standfirst.selector)
    if found.trusting:
        _fact(
            "second look", "next to nothing was found, so classes and hidden elements were no longer held against texts"
        )
    for spared in found.spared:
        _fact("spared", f"{spared.element.selector}: {spared.because}")


def _fact(name: str, text: str) -> None:
    say(f"  {name:<{NAME_WIDTH}} {one_line(text)}")


def _say_field(field: Field) -> None:
    """What was believed, who says the same, and who says it otherwise."""
    believed = {witness.raw for witness in field.witnesses if witness.chosen}
    name = f"{field.name}:"
    for witness in field.witnesses:
        if witness.chosen or witness.raw not in believed:
            mark = "✓" if witness.chosen else "≈" if witness.agrees else click.style("≠", fg="yellow")
            say(f"  {name:<{NAME_WIDTH}} {mark} {safe(witness.origin):<28} {one_line(witness.raw, RAW_SHOWN)}")
            name = ""
    same = [witness.origin for witness in field.witnesses if not witness.chosen and witness.raw in believed]
    if same:
        say(f"  {name:<{NAME_WIDTH}} = {safe(', '.join(same))}")


def _say_text(text: Explained, wanted: str, said: str) -> None:
    """A text, and why it was left out, unless that was `said` of the one before it."""
    quote = _quote(text.text, wanted)
    if text.kept:
        return say(click.style(f"  + {text.kind:<10}", fg="green") + f" {quote}  {_grey(text.element)}")
    say(click.style(f"  - {text.kind or 'left out':<10}", fg="red") + f" {quote}  {_grey(text.element)}")
    if text.because != said:
        say(f"               {one_line(text.because)}")


def _quote(text: str, wanted: str) -> str:
    """The beginning of a text, or the part round the words that are looked for, and its size where that is cut."""
    at = text.casefold().find(wanted.casefold()) if wanted else 0
    shown = text if at <= QUOTED // 2 else "…" + text[at - QUOTED // 2 :]
    size = f" ({len(text):,} characters)" if len(text) > QUOTED else ""
    return f"“{one_line(shown, QUOTED)}”{size}"


def _grey(element: Element) -> str:
    return click.style(safe(element.selector), dim=True)


def _say_sums(texts: Iterable[Explained]) -> None:
    characters, number = Counter[str](), Counter[str]()
    for text in texts:
        characters[text.rule] += len(text.text)
        number[text.rule] += 1
    _title("In sum")
    for rule, size in characters.most_common():
        say(f"  {safe(rule) or 'kept':<26} {number[rule]:>5} texts {size:>9,} characters")


def _title(text: str) -> None:
    say("\n" + _bold(text))


def _bold(text: str) -> str:
    return click.style(text, bold=True)
