"""Each text of a page is explained once, by the rule that kept it or left it out, and what is kept is the article."""

from __future__ import annotations

from collections import Counter
from html import escape

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.cleaning import clean
from crawler.cleaning.explain import UNSEEN, Explained, Explanation, explain
from crawler.cleaning.page import parse, select
from crawler.cleaning.witnesses import fields_of
from crawler.items import Evidence, Page
from crawler.source import Rules, Source

URL = "https://news.example/2024/fleet-leaves"
LONG = "The fleet left its harbour on Thursday morning with six ships, the ministry said in a statement. "
WORDS = st.sampled_from(
    (
        "fleet",
        "harbour",
        "minister",
        "convoy",
        "régiment",
        "водолаз",
        "海軍",
        "1998",
        "F-16",
        "–",
        "&",
        "<b>",
        "subscribe",
    )
)
SENTENCES = st.lists(WORDS, min_size=1, max_size=30).map(lambda words: escape(" ".join(words)) + ".")
SHAPES = st.sampled_from(
    (
        "{}",
        "<p>{}</p>",
        "<div>{}<p>{}</p>{}</div>",
        "<div class='share'>{}<script>x = 1</script></div>{}",
        "<div class='sidebar'><div class='story-body'><p>{}</p></div>{}</div>",
        "<nav>{}</nav>",
        "<aside>{}<p>{}</p></aside>",
        "<div hidden>{}</div>",
        "<h2>{}</h2>",
        "<h1>Fleet leaves port</h1>{}",
        "<ul><li><a href='/a'>{}</a></li><li>{}</li></ul>",
        "<table><tr><td>{}</td><td>{}</td></tr></table>",
        "<figure><img src=x><figcaption>{}</figcaption></figure>",
        "<p>{}<br>{}<ruby>漢<rt>kan</rt></ruby></p>",
        "<article><p>{}</p></article>",
        "<div id='comments'><div class='comment'><b>Ann</b><p>{}</p></div></div>",
        "<noscript>{}</noscript>",
    )
)
PARTS = st.builds(lambda shape, text: shape.replace("{}", text), SHAPES, SENTENCES)
PAGES = st.lists(PARTS, min_size=1, max_size=14).map(
    lambda parts: f"<html><head><title>Fleet leaves port</title></head><body>{''.join(parts)}</body></html>"
)


def shown_in(element) -> str:
    """The text that readers see of an element."""
    if element.tag in UNSEEN:
        return ""
    return (element.text or "") + "".join(shown_in(child) + (child.tail or "") for child in element)


def letters(text: str) -> Counter[str]:
    return Counter(c for c in text if c.isalnum())


def body_of(page: Page) -> list[str]:
    parts = ((section.heading, *(block.text for block in section.blocks)) for section in page.article.sections)
    return [part for each in parts for part in each if part]


def found(body: str, rules: Rules | None = None, head: str = "") -> Explanation:
    source = Source(id="x", name="", home="https://news.example/", rules=rules) if rules else None
    return explain(f"<html><head>{head}</head><body>{body}</body></html>".encode(), URL, source)


def about(words: str, body: str, rules: Rules | None = None) -> Explained:
    (text,) = [text for text in found(body, rules).texts if words in text.text]
    return text


def story(extra: str = "") -> str:
    return f"<article class=post><h1>Fleet leaves port</h1><p>{LONG * 3}</p>{extra}<p>{LONG * 2}Second.</p></article>"


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
@example(b"<html><body>" + b"<div>" * 3000 + b"text")
@example(b"<p " + b'a="1"' * 3000 + b">text</p>")
def test_any_bytes_are_explained_and_the_result_is_that_of_clean(html: bytes):
    assert explain(html, URL).result == clean(html, URL)


@settings(max_examples=150, deadline=None)
@given(PAGES)
def test_every_visible_text_is_explained_once(html: str):
    told = letters("".join(text.text for text in explain(html.encode(), URL).texts))
    assert told == letters(shown_in(parse(html.encode(), URL, Rules()).root))


@settings(max_examples=100, deadline=None)
@given(PAGES)
def test_what_is_kept_is_the_article_and_nothing_else(html: str):
    explained = explain(html.encode(), URL)
    if isinstance(explained.result, Page):
        assert [text.text for text in explained.texts if text.kept] == body_of(explained.result)


@settings(max_examples=60, deadline=None)
@given(PAGES)
def test_what_was_left_out_says_why_and_names_its_element_by_a_selector_that_finds_it(html: str):
    parsed = parse(html.encode(), URL, Rules())
    for text in explain(html.encode(), URL).texts:
        assert bool(text.because) != text.kept
        assert select(parsed, text.element.selector)


@pytest.mark.parametrize(
    ("extra", "rule", "because"),
    [
        ("<div class='box related-posts'>Words</div>", "class", "class “box”, “related”"),
        ("<div id=newsletter>Words</div>", "class", "id “newsletter” (newsletters?)"),
        ("<nav>Words</nav>", "tag", "<nav> never holds an article"),
        ("<aside>Words</aside>", "doubtful tag", "<aside> holds no article unless"),
        ("<div style='display: none'>Words</div>", "hidden", "hidden"),
        ("<div class=hidden>Words</div>", "class", "class “hidden”"),
        ("<div class=reactions>Words</div>", "comments", "“reactions”"),
        ("<p>Read more: Words</p>", "page line", "read (?:more|also|next)"),
        ("<p>Words: please subscribe</p>", "page line", "please subscribe"),
        ("<p><a href=/x>Words that lead elsewhere</a></p>", "links", "70%"),
        (f"<p>{LONG * 3}</p><p>Words {LONG}</p><p>Words {LONG}</p>", "said before", "said before"),
    ],
)
def test_a_text_left_out_names_the_rule(extra: str, rule: str, because: str):
    dropped = [t for t in found(story(extra)).texts if "Words" in t.text and not t.kept]
    assert [text.rule for text in dropped] == [rule]
    assert because in dropped[0].because


def test_what_stands_outside_the_main_block_says_so():
    assert about("Elsewhere", f"<div><p>Elsewhere it rained.</p></div>{story()}").rule == "outside"


def test_the_headline_in_the_text_is_told_from_a_repetition():
    assert about("Fleet leaves port", story()).rule == "the headline"


def test_a_heading_that_nothing_follows_says_so():
    assert (
        about("More of it", f"<article><p>{LONG * 4}</p><h2>More of it all</h2></article>").rule == "nothing under it"
    )


def test_the_rule_that_removes_an_element_is_named_before_any_other():
    text = about("Words", story("<div class=promo>Words</div>"), Rules(remove=".promo"))
    assert (text.rule, text.element.selector) == ("rules.remove", "div.promo")


def test_readers_comments_are_named_as_such():
    thread = "<ol class=commentlist><li class=comment id=comment-1><cite>Ann</cite><p>Words by Ann.</p></li></ol>"
    text = about("Words by Ann", story() + f"<div id=comments>{thread}</div>")
    assert text.rule in ("the readers' part", "comments")


def test_the_main_block_says_where_the_search_began_and_how_far_down_it_went():
    main = found(
        f"<article id=a><div class=inner><div class=deep><p>{LONG * 6}</p><p>{LONG}</p></div></div></article>"
    ).main
    assert main is not None
    assert (main.start.selector, main.element.selector, main.levels) == ("article#a", "div.deep", 2)
    assert main.element.path.endswith("article#a > div.inner > div.deep")
    assert main.share == 1.0


def test_a_content_rule_is_said_to_have_chosen_and_each_rule_tells_how_many_elements_it_names():
    explained = found(
        f"<div class=a><p>{LONG * 5}</p></div><div class=b><p>{LONG}</p></div>", Rules(content=".b", author=".nobody")
    )
    assert explained.main is not None
    assert explained.main.element.selector == "div.b"
    assert [(rule.name, rule.matches) for rule in explained.rules] == [("content", 1), ("author", 0)]


def test_an_element_kept_against_its_class_is_reported_as_spared():
    (spared,) = found(f"<div class=sidebar><p>{LONG * 6}</p><p>{LONG}</p></div>").spared
    assert (spared.element.selector, spared.rule) == ("div.sidebar", "class")
    assert "holds 100%" in spared.because


def test_text_taken_from_json_ld_is_told_from_text_on_the_page():
    ld = f'<script type="application/ld+json">{{"@type": "NewsArticle", "articleBody": "{LONG * 5}"}}</script>'
    texts = found("<h1>Fleet leaves port</h1><p>Loading the story for you now.</p>", head=ld).texts
    assert [text.element.path for text in texts if text.kept] == ["JSON-LD"]
    assert {text.rule for text in texts if not text.kept} == {"stated elsewhere"}


def test_an_author_in_a_line_of_his_own_and_an_item_among_other_stories_say_so():
    byline = found(story("<p>Ann Reed</p>"), head="<meta name=author content='Ann Reed'>")
    assert [text.rule for text in byline.texts if text.text == "Ann Reed"] == ["the author"]
    assert about("Words", story("<p>Related content</p><ul><li>Words of another day</li></ul>")).rule == (
        "under a heading of other stories"
    )


def test_the_time_of_an_entry_that_only_json_ld_has_is_told_from_what_stands_on_the_page():
    entry = '{"@type": "BlogPosting", "headline": "Six ships have sailed", "datePublished": "2024-05-06T10:05:00Z"}'
    ld = f'{{"@type": "LiveBlogPosting", "headline": "Fleet leaves port", "liveBlogUpdate": [{entry}]}}'
    explained = found(
        story(f"<h2>Six ships have sailed</h2><p>{LONG}</p>"), head=f"<script type=application/ld+json>{ld}</script>"
    )
    assert [text.text for text in explained.texts if text.kept] == body_of(explained.result)
    assert [text.text for text in explained.texts if text.element.path == "JSON-LD"] == ["2024-05-06T10:05:00Z"]


def test_an_article_in_a_noscript_is_explained_with_what_stands_round_it():
    post = "<div class=topic-body itemprop=comment><p>Words</p></div>"
    rules = Rules(content="noscript .post")
    explained = found(f"<noscript><p>Above it all</p><div class=post><p>{LONG * 4}</p></div></noscript>{post}", rules)
    assert {text.text for text in explained.texts if text.rule == "tag"} == {"Above it all"}


def test_a_field_names_its_witnesses_and_who_disagrees():
    def said(field: str, *raws: str) -> list[bool]:
        evidence = [Evidence(field=field, origin=str(n), raw=raw, chosen=n == 0) for n, raw in enumerate(raws)]
        (only,) = fields_of(evidence, URL)
        assert only.disputed == (not all(w.agrees for w in only.witnesses))
        return [w.agrees for w in only.witnesses]

    assert said("headline", "Fleet leaves", "Fleet leaves | Example", "Other") == [True, True, False]
    assert said("published", "2024-05-06T10:00:00Z", "2024-05-06T12:00:00+02:00", "2024-05-07T10:00:00Z") == [
        True,
        True,
        False,
    ]
    assert said("published", "2024-05-06T23:30:00Z", "2024-05-07", "May 9, 2024") == [True, True, False]
    assert said("canonical_url", URL, "/2024/fleet-leaves", "https://other.example/") == [True, True, False]


def test_a_page_of_many_elements_is_explained_in_linear_time():
    import time

    def seconds(parts: int) -> float:
        html = (story("<div class=share>Share <b>this</b></div><p>Read more: x</p>" * parts)).encode()
        began = time.process_time()
        explain(html, URL)
        return time.process_time() - began

    seconds(10)
    assert seconds(4000) < 12 * seconds(1000) + 0.5
