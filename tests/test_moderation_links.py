"""Links in comments: what is found, what is not, where it stands, and that hostile text costs little."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.items import Comment, Href
from moderation.characters import ODD, ODD_BYTES, plain_characters
from moderation.disguises import gate, undo, undo_ungated
from moderation.finding import find_places
from moderation.folding import Folded, small_letters
from moderation.hosts import ascii_host, ip_address, registrable
from moderation.links import find_links

HERE = Path(__file__).parent
ESCAPE = re.compile(r"\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|(n)|(\\))")


def _cases(name: str) -> list[list[str]]:
    lines = (HERE / name).read_text("utf-8").splitlines()
    return [[_read(cell) for cell in line.split("\t")] for line in lines if line and not line.startswith("# ")]


def _read(cell: str) -> str:
    def plain(found: re.Match[str]) -> str:
        code = found[1] or found[2]
        return chr(int(code, 16)) if code else "\n" if found[3] else "\\"

    return ESCAPE.sub(plain, cell)


@pytest.mark.parametrize("case", _cases("links_found.txt"), ids=lambda case: ascii(case[0]))
def test_link_is_found_and_its_address_undone(case: list[str]) -> None:
    text, *wanted = case
    assert [f"{link.text} -> {link.url}" for link in find_links(text)] == wanted


@pytest.mark.parametrize("case", _cases("links_not_found.txt"), ids=lambda case: ascii(case[0]))
def test_prose_files_models_and_figures_are_no_links(case: list[str]) -> None:
    assert find_links(case[0]) == ()


@pytest.mark.parametrize("case", _cases("links_found.txt"), ids=lambda case: ascii(case[0]))
def test_link_is_found_in_the_middle_of_a_sentence_too(case: list[str]) -> None:
    text, *wanted = case
    links = find_links(f"Well then (I say): visit {text} and tell me more.")
    assert len(links) >= len(wanted)


MARKS = [
    ".",
    " . ",
    "[.]",
    "(dot)",
    " dot ",
    " точка ",
    "。",
    "点",
    "%2e",
    "&#46;",
    ",",
    "-",
    " ",
    "\n",
    ")",
    "[url]",
    "@",
]
WORDS = [
    "http://",
    "hxxp",
    "www.",
    "bank",
    "com",
    "ру",
    "/x",
    "\u200b",
    "\u202e",
    "\u202c",
    "ａ",
    "𝐜",
    "t.me/",
    "1.2.3.4",
]
PIECES = st.sampled_from([*MARKS, *WORDS, "😀"])


@given(st.lists(PIECES | st.text(max_size=4), max_size=30).map("".join))
@example("bank.com.-")
@settings(max_examples=300, deadline=None)
def test_every_span_slices_back_to_the_original_text(text: str) -> None:
    done = 0
    for link in find_links(text):
        assert 0 <= done <= link.start < link.end <= len(text)
        assert text[link.start : link.end] == link.text
        done = link.end


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_no_comment_raises(text: str, url: str, words: str) -> None:
    comment = Comment(text=text, author_url=url, links=(Href(url=url, text=words), Href(url=words, text=text)))
    for link in find_links(comment):
        assert 0 <= link.start <= link.end <= len(text)


@given(st.lists(PIECES | st.text(max_size=3), max_size=20).map("".join))
@settings(max_examples=200, deadline=None)
def test_folded_copy_knows_the_place_of_each_character(text: str) -> None:
    folded = undo(Folded(text, text, small_letters(text)))
    for i in range(len(folded.text)):
        start, end = folded.span(i, i + 1)
        assert 0 <= start < end <= len(text)


SIGNS = st.sampled_from(
    [
        *(
            *MARKS,
            *WORDS,
            "hxxp",
            "http",
            "h**p",
            ")",
            "(",
            "[",
            "<",
            "/",
            "//",
            "\\",
            ":",
            ";",
            "_",
            "|",
            "%",
            "&",
            "~",
        ),
        *("•", "d o t", "o", "b c", "DOT", "dot", "ТОЧКА", "slash", "www", "com", " com", "c0m", "İ", "ſ", "…", "»"),
    ]
)


def _folded(text: str) -> Folded:
    return Folded(text, text, text.lower()) if text.isascii() else plain_characters(text)


@given(st.lists(SIGNS | st.text(max_size=3), max_size=12).map("".join))
@example("hxxp)/x (")
@example("0。)0")
@example("a dot)com")
@settings(max_examples=600, deadline=None)
def test_gate_never_keeps_a_rule_from_its_work(text: str) -> None:
    folded = _folded(text)
    assert undo(folded) == undo_ungated(folded)


@given(st.lists(SIGNS | st.text(max_size=3), max_size=8).map("".join))
@example("hxxp)/x (")
@settings(max_examples=400, deadline=None)
def test_where_the_gate_suspects_nothing_the_whole_way_without_it_finds_no_more(text: str) -> None:
    folded = _folded(text)
    if not gate().suspects(folded.low):
        assert find_places(undo_ungated(folded)) == find_places(folded)


@pytest.mark.parametrize("text", ["", "Great jet, pity about the price.", "What a day!!! :) lol", "Су-57 летает."])
def test_ordinary_comments_are_suspected_of_nothing(text: str) -> None:
    assert not gate().suspects(small_letters(text))


def test_odd_characters_are_known_by_their_first_bytes() -> None:
    planes = (chr(code) for code in range(0xA0, 0x110000) if not 0xD800 <= code < 0xE000)
    assert {c.encode()[0] for c in planes if ODD.match(c)} == set(ODD_BYTES)


HOSTILE = {
    "dots": "a." * 50_000,
    "no dot": "a" * 100_000,
    "brackets": "(" * 100_000,
    "schemes": "http://" * 15_000,
    "tail": "http://a.com/" + "(" * 100_000,
    "www": "www." * 25_000,
    "links": "a.com " * 17_000,
    "in brackets": "(a.com/)" * 12_000,
    "bracket dots": "a[.]" * 25_000,
    "dot words": "a dot " * 17_000,
    "spaced": "a . " * 25_000,
    "mentions": "@abcde " * 14_000,
    "blanks": "http" + " " * 100_000 + "://a.com",
    "zero width": "a" + "\u200b" * 100_000 + ".com",
    "override": "\u202e" * 100_000,
    "chinese": "中.com" * 20_000,
    "codes": "&#46;" * 20_000,
    "percent": "%41" * 33_000,
    "dashes": "a-" * 50_000 + ".com",
    "no links": "war.it " * 14_000,
    "no blanks": "St.Peter," * 11_000 + "bank.com",
    "one run": "a" * 50_000 + ".com" * 12_000,
    "breaks": "http://a" + "\n" * 100_000,
}
SECONDS = 1.0
"""Five times what a quiet machine may take, so that only a change of order fails."""


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_of_100_kb_takes_linear_time(name: str) -> None:
    find_links("warm up http://example.com/")
    started = time.process_time()
    find_links(HOSTILE[name])
    assert time.process_time() - started < SECONDS


def test_same_href_and_text_are_one_link() -> None:
    comment = Comment(
        text="see example.org/a now", links=(Href(url="https://www.example.org/a/", text="example.org/a"),)
    )
    assert [(link.place, link.text) for link in find_links(comment)] == [("text", "example.org/a")]


def test_shortened_address_and_its_href_are_one_link_to_the_whole_address() -> None:
    whole = "https://www.example.org/2026/11/a-very-long-headline"
    comment = Comment(
        text="see https://www.example.org/2026/… now", links=(Href(url=whole, text="https://www.example.org/2026/…"),)
    )
    assert [(link.place, link.url) for link in find_links(comment)] == [("text", whole)]


def test_href_takes_the_span_of_its_words() -> None:
    comment = Comment(
        text="Good point. Reuters: jet lost", links=(Href(url="https://bit.ly/3x", text="Reuters: jet lost"),)
    )
    (link,) = find_links(comment)
    assert (link.place, comment.text[link.start : link.end]) == ("href", "Reuters: jet lost")
    assert (link.url, link.host) == ("https://bit.ly/3x", "bit.ly")


def test_same_words_twice_stand_for_two_places() -> None:
    hrefs = (Href(url="http://a.example.com/", text="here"), Href(url="http://b.example.com/", text="here"))
    first, second = find_links(Comment(text="here and here", links=hrefs))
    assert (first.start, second.start) == (0, 9)


def test_href_that_differs_from_its_text_is_a_link_of_its_own() -> None:
    comment = Comment(
        text="https://www.defense.gov/", links=(Href(url="http://phish.example.com/", text="https://www.defense.gov/"),)
    )
    assert [(link.place, link.host) for link in find_links(comment)] == [
        ("text", "www.defense.gov"),
        ("href", "phish.example.com"),
    ]


def test_href_without_words_has_no_span() -> None:
    (link,) = find_links(Comment(text="Agreed.", links=(Href(url="http://pills.example.com/", text=""),)))
    assert (link.start, link.end, link.place, link.text) == (0, 0, "href", "http://pills.example.com/")


def test_mailto_has_no_host() -> None:
    (link,) = find_links(Comment(text="mail me", links=(Href(url="mailto:a@example.com", text="me"),)))
    assert (link.host, link.domain, link.url) == ("", "", "mailto:a@example.com")


def test_author_url_is_a_link_of_place_author() -> None:
    (link,) = find_links(Comment(text="Nice.", author_url="http://my-blog.example.com"))
    assert (link.place, link.start, link.end, link.host) == ("author", 0, 0, "my-blog.example.com")


@pytest.mark.parametrize(
    ("text", "disguise"),
    [
        ("http://example.com", ""),
        ("bank dot com", "dot word"),
        ("bank\u200b.com", "invisible characters"),
        ("ｂａｎｋ.com", "fullwidth letters"),
        ("pаypal.com", "homoglyph"),
        ("hxxp://bank.com", "broken scheme"),
        ("armorplates . com", "spaced dot"),
        ("bank.c0m", "lookalike letters"),
        ("президент.рф", ""),
    ],
)
def test_disguise_is_named(text: str, disguise: str) -> None:
    assert find_links(text)[0].disguise == disguise


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("www.example.co.uk", "example.co.uk"),
        ("a.b.blogspot.com", "b.blogspot.com"),
        ("www.ck", "www.ck"),
        ("a.b.foo.ck", "b.foo.ck"),
        ("185.220.101.44", "185.220.101.44"),
        ("localhost", "localhost"),
        ("xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd.xn--p1ai"),
        ("www.xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd.xn--p1ai"),
    ],
)
def test_registrable_domain_counts_private_suffixes(host: str, domain: str) -> None:
    assert registrable(host) == domain


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("3118236972", "185.220.133.44"),
        ("0271.0334.0145.054", "185.220.101.44"),
        ("0xb9dc652c", "185.220.101.44"),
        ("127.1", "127.0.0.1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("1.2.3.400", ""),
        ("1.2.3.4.5", ""),
        ("999999999999", ""),
        ("example.com", ""),
    ],
)
def test_ip_addresses_are_read_in_every_notation(host: str, address: str) -> None:
    assert ip_address(host) == address


def test_idn_host_is_punycode() -> None:
    assert ascii_host("Schützen.de") == "xn--schtzen-p2a.de"
    assert find_links("http://президент.рф/x")[0].host == "xn--d1abbgf6aiiy.xn--p1ai"
