"""One spelling for one address, and none for what is no address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler import limits
from crawler.urls import absolute, host_of, normal, same_host
from strategies import addresses, texts

BASE = "https://example.com/a/b.html"
anything = texts | addresses | st.text() | st.text("htps:/[]@.?#&=;%é1", max_size=40).map("http://".__add__)


@pytest.mark.parametrize(
    ("link", "to"),
    [
        ("c.html", "https://example.com/a/c.html"),
        (" ../c ", "https://example.com/c"),
        ("//other.org/x", "https://other.org/x"),
        ("?page=2", "https://example.com/a/b.html?page=2"),
        ("#comments", BASE),
        ("HTTP://Other.org/x#y", "http://Other.org/x"),
        ("http://[::1]:8000/x", "http://[::1]:8000/x"),
        ("https://müller.de/ü", "https://müller.de/ü"),
    ],
)
def test_a_link_leads_to_its_absolute_address_without_fragment(link, to):
    assert absolute(link, BASE) == to


@pytest.mark.parametrize(
    "link",
    [
        "",
        "  ",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\tscript:alert(1)",
        "/a\tb",
        "/a\nb",
        "/a\x00b",
        "/a\x7fb",
        "/a\x85b",
        "/a\ud800b",
        "/" + 2000 * "a",
        "mailto:a@example.com",
        "data:text/html,x",
        "tel:1",
        "ftp://example.com/",
        "file:///etc/passwd",
        "http://[::1",
        "http://example.com:99999/",
        "http://example.com:0/",
        "http://example.com:x/",
        "http://",
        "http:///x",
    ],
)
def test_a_link_to_no_page_is_empty(link):
    assert absolute(link, BASE) == ""


@pytest.mark.parametrize("base", ["", "nonsense", "http://[::1", "mailto:a@example.com"])
def test_a_relative_link_on_a_page_without_address_is_empty(base):
    assert absolute("x", base) == ""


@pytest.mark.parametrize(
    ("url", "known_as"),
    [
        ("HTTPS://Example.COM", "https://example.com/"),
        ("https://example.com:443/a#b", "https://example.com/a"),
        ("http://example.com:80/", "http://example.com/"),
        ("http://example.com:443/", "http://example.com:443/"),
        ("https://example.com/?b=2&a=1", "https://example.com/?a=1&b=2"),
        ("https://example.com/?utm_source=x&UTM_Medium=y&fbclid=z", "https://example.com/"),
        ("https://example.com/?id=5&gclid=1&mtm_x=2", "https://example.com/?id=5"),
        ("https://example.com/?%75tm_source=x&id=5", "https://example.com/?id=5"),
        ("https://example.com/?utm=5", "https://example.com/?utm=5"),
        ("https://user:secret@example.com/", "https://example.com/"),
        ("https://müller.de/ü", "https://xn--mller-kva.de/%C3%BC"),
        ("http://[::1]:80/x", "http://[::1]/x"),
        ("https://example.com/%7Ea", "https://example.com/~a"),
        ("https://example.com/a%2Fb", "https://example.com/a%2Fb"),
    ],
)
def test_an_address_has_one_spelling(url, known_as):
    assert normal(url) == known_as


@pytest.mark.parametrize("query", ["q=%E4", "q=a+b", "q=%26", "id", "q=ä"])
def test_a_tracking_parameter_changes_nothing_about_the_others(query):
    assert normal(f"https://example.com/?{query}&utm_source=x") == normal(f"https://example.com/?{query}")


@pytest.mark.parametrize("url", ["", "/a", "javascript:x", "http://[::1", "http://example.com:99999/", "http://"])
def test_what_is_no_address_has_no_spelling(url):
    assert normal(url) == host_of(url) == ""


@pytest.mark.parametrize("letter", ["a", "ü"])
def test_no_spelling_is_over_the_limit(letter):
    start = "https://example.com/"
    room = (limits.URL_CHARACTERS - len(start)) // len(normal(start + letter)[len(start) :])
    assert normal(start + letter * room)
    assert normal(start + letter * (room + 1)) == ""


@given(anything)
def test_normal_of_normal_is_normal(url):
    assert normal(normal(url)) == normal(url)


@given(anything, anything)
def test_an_absolute_address_is_http_or_empty(link, base):
    found = absolute(link, base)
    assert found == "" or (found.startswith(("http://", "https://")) and "#" not in found)
    assert not any(c < " " or c == "\x7f" for c in found)


@given(anything)
def test_an_address_and_its_spelling_stand_on_the_same_host(url):
    known_as = normal(url)
    assert not known_as or host_of(known_as) == host_of(url)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://WWW.Example.com/a", "www.example.com"),
        ("http://example.com:8080/", "example.com:8080"),
        ("https://example.com:443/", "example.com"),
        ("https://user@example.com/", "example.com"),
        ("https://müller.de/", "xn--mller-kva.de"),
        ("http://example.com:99999/", ""),
        ("nonsense", ""),
    ],
)
def test_a_host_has_its_unusual_port_and_one_spelling(url, host):
    assert host_of(url) == host


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("https://example.com/a", "http://www.example.com/b", True),
        ("https://müller.de/", "https://xn--mller-kva.de/", True),
        ("https://example.com/", "https://news.example.com/", False),
        ("https://example.com/", "https://example.com:8443/", False),
        ("http://[::1", "http://[::1", False),
        ("", "", False),
    ],
)
def test_the_same_host_leaves_www_aside_but_no_port(a, b, same):
    assert same_host(a, b) is same
