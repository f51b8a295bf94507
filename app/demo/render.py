"""The demo site's pages: values in, text out, through the files in `templates/`."""

from __future__ import annotations

import html
import json
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache
from importlib.resources import files
from string import Template

from app.demo.content import Article, Comment

SITE_NAME = "World Defense"
SECTIONS = {"europe": "Europe", "asia-pacific": "Asia-Pacific", "industry": "Industry", "technology": "Technology"}
RELATED = 3
"""Stories in the box under an article."""
ON_FRONT = 3
"""Stories of each section on the front page: one row of a wide window."""
ORIGIN = "{origin}"
"""What stands in article and comment HTML for the address the site is served from."""


def fill(name: str, /, **values: object) -> str:
    """A template with its values in place. The values are HTML already. Raises `KeyError` for one that is missing."""
    return _template(name).substitute({key: str(value) for key, value in values.items()})


def escape(text: str) -> str:
    """Text made safe for HTML and XML, attributes included."""
    return html.escape(text)


def stamp(moment: datetime) -> str:
    """ISO 8601 to the second, in the zone it was written in."""
    return moment.isoformat(timespec="seconds")


# ---- whole pages ---------------------------------------------------------------------------------


def page(title: str, main: str, *, head: str = "", language: str = "en") -> str:
    """Any page of the site: cookie notice, masthead and footer around `main`."""
    sections = "".join(fill("nav-item.html", slug=slug, name=name) for slug, name in SECTIONS.items())
    return fill("page.html", title=escape(title), head=head, language=language, sections=sections, main=main)


def article_page(article: Article, others: Sequence[Article], origin: str, comment_page: int = 1) -> str:
    """An article's own page. `others` are the articles that its box of related stories may name."""
    values = {
        "headline": escape(article.headline),
        "byline": _byline(article),
        "picture": _picture(article),
        "body": article.body,
        "tags": "".join(fill("tag.html", slug=tag, name=tag.replace("-", " ")) for tag in article.tags),
        "comments": _comments(article, comment_page),
        **{name: _extra(name, article, others) for name in ("share", "related", "newsletter")},
    }
    head = _head(article, origin)
    if article.layout == "archive":
        text = fill("archive.html", head=head, discussion=_archive_comments(article), **values)
    else:
        main = fill(f"{article.layout}.html", language=article.language, **values)
        text = page(f"{article.headline} - {SITE_NAME}", main, head=head, language=article.language)
    return text.replace(ORIGIN, origin)


def front_page(articles: Sequence[Article], archive: Sequence[Article]) -> str:
    """The newest articles by section, and older ones in a box."""
    lead, *rest = articles
    blocks = (
        fill("front-section.html", slug=slug, name=name, cards=cards([a for a in rest if a.section == slug][:ON_FRONT]))
        for slug, name in SECTIONS.items()
    )
    main = fill("front.html", lead=cards([lead]), blocks="".join(blocks), archive=cards(archive))
    return page(f"{SITE_NAME} - News from land, sea, air and orbit", main)


def list_page(name: str, articles: Sequence[Article], *, path: str, number: int, last: int) -> str:
    """One page of a section's or a tag's list; `path` is that of its first page."""
    steps = (("prev", number - 1, "Newer"), ("next", number + 1, "Older"))
    valid = [(rel, list_path(path, to), label) for rel, to, label in steps if 1 <= to <= last]
    links = "".join(fill("page-link.html", rel=rel, path=to, label=label) for rel, to, label in valid)
    head = "".join(fill("head-link.html", rel=rel, path=to) for rel, to, _ in valid)
    main = fill("list.html", name=escape(name), cards=cards(articles), number=number, last=last, links=links)
    return page(f"{name} - {SITE_NAME}", main, head=head)


def list_path(path: str, number: int) -> str:
    """The path of a list's nth page, from 1."""
    return path if number == 1 else f"{path}page/{number}/"


def fixed_page(name: str) -> str:
    """A page that is its template: about, contact, not found."""
    return page(f"{name.capitalize()} - {SITE_NAME}", fill(f"{name}.html"))


def feed(articles: Iterable[Article], origin: str) -> str:
    """The RSS 2.0 feed."""
    items = (
        fill(
            "feed-item.xml",
            url=origin + a.path,
            headline=escape(a.headline),
            summary=escape(a.summary),
            section=SECTIONS[a.section],
            authors="".join(fill("feed-author.xml", name=escape(name)) for name in a.authors),
            published=format_datetime(a.published),
        )
        for a in articles
    )
    return fill("feed.xml", origin=origin, items="".join(items))


def sitemap(articles: Iterable[Article], origin: str) -> str:
    """The news sitemap, after Google's `sitemap-news/0.9` schema."""
    items = (
        fill(
            "sitemap-item.xml",
            url=origin + a.path,
            headline=escape(a.headline),
            language=a.language,
            published=stamp(a.published),
            lastmod=stamp(a.modified or a.published),
        )
        for a in articles
    )
    return fill("news-sitemap.xml", items="".join(items))


def picture(name: str, seed: int) -> str | None:
    """An SVG drawing, or None when there is none of that name. `seed` turns the colour of the sky."""
    drawing = _table("pictures.toml")["drawings"].get(name)
    return drawing and fill("picture.xml", drawing=drawing, hue=195 + seed % 30, sun=110 + seed % 480)


# ---- parts of an article page --------------------------------------------------------------------


def cards(articles: Iterable[Article]) -> str:
    """Teasers, as list pages show them."""
    return "".join(
        fill(
            "card.html",
            path=a.path,
            headline=escape(a.headline),
            summary=escape(a.summary),
            section=SECTIONS[a.section],
            stamp=stamp(a.published),
            day=_day(a.published, "en"),
            picture=picture_path(a),
            language=a.language,
        )
        for a in articles
    )


def picture_path(article: Article) -> str:
    """Where an article's picture is served."""
    return f"/images/{article.picture or 'flag'}-{len(article.headline)}.svg"


def _head(article: Article, origin: str) -> str:
    values = {
        "url": origin + article.path,
        "headline": escape(article.headline),
        "summary": escape(article.summary),
        "image": origin + picture_path(article),
    }
    parts = [fill("head-article.html", **values)]
    if "opengraph" in article.metadata:
        authors = "".join(fill("head-author.html", name=escape(name)) for name in article.authors)
        dates = {"published": stamp(article.published), "modified": stamp(article.modified or article.published)}
        section = SECTIONS[article.section]
        parts.append(fill("head-opengraph.html", authors=authors, section=section, **dates, **values))
    if "json-ld" in article.metadata:
        parts.append(fill("head-json-ld.html", data=_json_ld(article, origin)))
    return "".join(parts)


def _json_ld(article: Article, origin: str) -> str:
    """schema.org's `NewsArticle`, with `<` escaped as HTML asks of text within `script`."""
    data = {
        "@context": "https://schema.org",
        "@type": "LiveBlogPosting" if "live" in article.tags else "NewsArticle",
        "mainEntityOfPage": origin + article.path,
        "headline": article.headline,
        "description": article.summary,
        "image": [origin + picture_path(article)],
        "datePublished": stamp(article.published),
        "dateModified": stamp(article.modified or article.published),
        "author": [{"@type": "Person", "name": name} for name in article.authors],
        "publisher": {"@type": "NewsMediaOrganization", "name": SITE_NAME},
        "inLanguage": article.language,
    }
    return json.dumps(data, ensure_ascii=False, indent=1).replace("<", "\\u003c")


def _byline(article: Article) -> str:
    words = _words(article.language)
    names = [fill("author.html", name=escape(name)) for name in article.authors]
    listed = f" {words['and']} ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
    day = _day(article.published, article.language)
    kind = "time" if "time" in article.metadata else "day"
    moment = fill(f"{kind}.html", stamp=stamp(article.published), day=day)
    section = {"slug": article.section, "section": SECTIONS[article.section]}
    return fill("byline.html", by=words["by"] if names else "", authors=listed, moment=moment, **section)


def _picture(article: Article) -> str:
    if not article.caption:
        return ""
    return fill("figure.html", path=picture_path(article), caption=escape(article.caption))


def _extra(name: str, article: Article, others: Sequence[Article]) -> str:
    if name not in article.extras:
        return ""
    links = (fill("related-item.html", path=a.path, headline=escape(a.headline)) for a in others[:RELATED])
    return fill(f"{name}.html", items="".join(links))


def _archive_comments(article: Article) -> str:
    if not article.comments:
        return fill("no-comments.html")
    return fill("comment-list.html", items=_threads(article))


def _comments(article: Article, number: int) -> str:
    words = _words(article.language)
    count = len(article.comments)
    heading = words["one"] if count == 1 else words["many"].format(count=count)
    shown = replace(article, comments=article.on_comment_page(number))
    items = fill("comment-list.html", items=_threads(shown)) + _comment_pages(article, number) if count else ""
    form = "comment-form.html" if article.comments_open else "comments-closed.html"
    return fill("comments.html", heading=heading if count else words["none"], items=items, form=fill(form, **words))


def _comment_pages(article: Article, number: int) -> str:
    """Links to the comment pages before and after this one."""
    steps = (("previous", number - 1, "Older Comments"), ("next", number + 1, "Newer Comments"))
    valid = [(rel, to, label) for rel, to, label in steps if 1 <= to <= article.comment_pages]
    links = "".join(
        fill("comment-page.html", rel=rel, path=article.path, to=to, label=label) for rel, to, label in valid
    )
    return fill("comment-pages.html", links=links) if valid else ""


def _threads(article: Article) -> str:
    """The comments as nested lists. Replies stand after their parents, so the last are printed first: no recursion."""
    depths: dict[int | None, int] = {None: 0}
    for comment in article.comments:
        depths[comment.id] = depths[comment.parent] + 1
    printed: defaultdict[int | None, list[str]] = defaultdict(list)
    for comment in reversed(article.comments):
        replies = "".join(reversed(printed.pop(comment.id, [])))
        children = fill("comment-children.html", items=replies) if replies else ""
        printed[comment.parent].append(_thread(comment, article, children, depths[comment.id]))
    return "".join(reversed(printed[None]))


def _thread(comment: Comment, article: Article, children: str, depth: int) -> str:
    words = _words(article.language)
    author = escape(comment.author)
    if comment.url:
        author = fill("comment-author.html", name=author, url=escape(comment.url))
    return fill(
        f"{comment.kind}.html",
        id=comment.id,
        path=article.path,
        author=author,
        name=escape(comment.author),
        says=words["says"],
        reply=words["reply"],
        stamp=stamp(comment.posted),
        moment=f"{_day(comment.posted, article.language)} {words['at']} {comment.posted:%H:%M}",
        html=comment.html,
        children=children,
        depth=depth,
        staff=" bypostauthor" if comment.staff else "",
    )


def _day(moment: datetime, language: str) -> str:
    return f"{moment:%d.%m.%Y}" if language == "de" else f"{moment:%B} {moment.day}, {moment.year}"


def http_date(moment: datetime) -> str:
    """The form that RFC 9110 asks of `Last-Modified`."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def _words(language: str) -> dict[str, str]:
    return _table("words.toml")[language]


@cache
def _template(name: str) -> Template:
    return Template((files("app.demo") / "templates" / name).read_text("utf-8").rstrip("\n"))


@cache
def _table(name: str) -> dict[str, dict[str, str]]:
    return tomllib.loads((files("app.demo") / name).read_text("utf-8"))
