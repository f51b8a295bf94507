"""A source file is a checked value, or an error that says where and what to do."""

from __future__ import annotations

import pytest

from crawler import limits
from crawler.source import KINDS, SHIPPED, Source, SourceError, choose, load_sources, parse_source

LEAST = 'name = "Example"\nhome = "https://www.example.com/"\n'


def source(more: str = "") -> Source:
    return parse_source(LEAST + more, id="example", file="example.toml")


def refusal(text: str, id: str = "example") -> str:
    with pytest.raises(SourceError) as caught:
        parse_source(text, id=id, file="example.toml")
    return str(caught.value)


def test_a_name_and_a_home_are_enough_and_the_front_page_is_the_listing():
    assert source() == Source(id="example", name="Example", home="https://www.example.com/")
    assert source().listings == (("section", "https://www.example.com/"),)
    assert source().delay == limits.DELAY_SECONDS


def test_every_key_is_read_with_its_type():
    full = source(
        'id = "example"\ncountry = "de"\nenabled = false\nfeeds = ["https://example.com/f"]\n'
        'sections = ["https://example.com/s"]\nsitemaps = ["https://example.com/m"]\ndelay = 2\nmax_pages = 7\n'
        'include = ["/news/"]\n[rules]\ncontent = "main"\n'
    )
    assert (full.enabled, full.delay, full.max_pages, full.include) == (False, 2, 7, ("/news/",))
    assert full.rules.content == "main"
    assert full.listings == (
        ("feed", "https://example.com/f"),
        ("sitemap", "https://example.com/m"),
        ("section", "https://example.com/s"),
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("feed = []", "example.toml:3: unknown key feed; did you mean feeds?"),
        ("\nmax_page = 3", "example.toml:4: unknown key max_page; did you mean max_pages?"),
        ("[rules]\ncontents = 'a'", "example.toml:4: unknown key rules.contents; did you mean content?"),
        ("zzzz = 1", "example.toml:3: unknown key zzzz"),
        ("[rule]\ncontent = 'a'", "example.toml:3: unknown key rule; did you mean rules?"),
    ],
)
def test_an_unknown_key_names_file_line_and_nearest_key(more, said):
    assert refusal(LEAST + more).startswith(said)


def test_a_key_like_no_other_suggests_none():
    assert "did you mean" not in refusal(LEAST + "zzzz = 1")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("feeds = 'https://example.com/f'", ":3: feeds must be a list of texts"),
        ("feeds = [1]", ":3: feeds must be a list of texts"),
        ("country = 49", ":3: country must be a text"),
        ("enabled = 1", ":3: enabled must be true or false"),
        ("max_pages = 1.5", ":3: max_pages must be a whole number"),
        ("max_pages = true", ":3: max_pages must be a whole number"),
        ("delay = '1'", ":3: delay must be a number"),
        ("rules = 'main'", "[rules] must be a table"),
        ("[rules]\ncontent = ['main']", ":4: rules.content must be a text"),
    ],
)
def test_a_wrong_type_names_line_and_wanted_type(more, said):
    assert said in refusal(LEAST + more)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("delay = -1", "delay must be"),
        ("delay = nan", "delay must be"),
        ("max_links = 0", "max_links must be at least 1"),
        ("include = ['(']", "'(' is no regular expression"),
        (f"include = ['x{{{'2' * 5000}}}']", "is no regular expression: Exceeds"),
        ("include = ['x{99999999999}']", "is no regular expression"),
        ("feeds = ['/feed']", "feeds: '/feed' is no http or https address"),
        ("feeds = ['ftp://example.com/']", "is no http"),
        ("feeds = ['https://example.com:99999/']", "is no http"),
        ("feeds = ['http://[::1']", "is no http"),
    ],
)
def test_a_value_that_cannot_work_is_refused(more, said):
    assert said in refusal(LEAST + more)


def test_a_missing_key_is_named():
    assert refusal('name = "Example"') == "example.toml: the key home is missing"


def test_the_id_must_be_the_name_of_the_file():
    assert "'other'" in refusal(LEAST + 'id = "other"')
    assert "id is 5" in refusal(LEAST + "id = 5")


@pytest.mark.parametrize("id", ["", "Example", "a b", "../a", "-a", "a" * 64, "é"])
def test_an_id_is_small_letters_digits_and_hyphens(id):
    assert "is no id" in refusal(LEAST, id=id)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LEAST + "feeds = ]", "line 3"),
        ("= 1", "line 1"),
        (LEAST + 'name = "again"\n', "line 3"),
        ("a = " + "[" * 5000, "nested too deep"),
        ("delay = " + "9" * 5000, "not valid TOML"),
    ],
)
def test_broken_toml_is_an_error_with_its_line(text, said):
    message = refusal(text)
    assert message.startswith("example.toml: not valid TOML")
    assert said in message


@pytest.mark.parametrize(
    ("home", "more", "hosts"),
    [
        ("https://www.example.com/", "", {"example.com", "www.example.com"}),
        ("https://example.com:443/", "", {"example.com", "www.example.com"}),
        ("http://127.0.0.1:8000/", "", {"127.0.0.1:8000", "www.127.0.0.1:8000"}),
        ("https://a.org/", 'hosts = ["Blog.A.org:8080", ""]', {"a.org", "www.a.org", "blog.a.org:8080"}),
        ("https://müller.de/", 'hosts = ["ü.de"]', {"xn--mller-kva.de", "www.xn--mller-kva.de", "xn--tda.de"}),
    ],
)
def test_all_hosts_have_their_ports_and_the_spelling_of_requests(home, more, hosts):
    assert parse_source(f'name = "A"\nhome = "{home}"\n{more}', id="a").all_hosts == hosts


def test_a_folder_gives_its_sources_by_id_and_a_file_its_one(tmp_path):
    (tmp_path / "b.toml").write_text(LEAST, "utf-8")
    (tmp_path / "a.toml").write_text(LEAST, "utf-8")
    (tmp_path / "readme.txt").write_text("no source")
    assert list(load_sources(tmp_path)) == ["a", "b"]
    assert list(load_sources(tmp_path / "b.toml")) == ["b"]


def test_what_cannot_be_loaded_says_why(tmp_path):
    with pytest.raises(SourceError, match="no source files"):
        load_sources(tmp_path)
    with pytest.raises(SourceError, match=r"none\.toml: cannot be read"):
        load_sources(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes('name = "Größe"'.encode("latin-1"))
    with pytest.raises(SourceError, match=r"latin\.toml: not UTF-8 at byte 10"):
        load_sources(tmp_path)


def test_choose_takes_the_named_once_in_their_order_or_every_enabled_one():
    off = parse_source(LEAST + "enabled = false", id="off")
    on, more = parse_source(LEAST, id="on"), parse_source(LEAST, id="more")
    sources = {"off": off, "on": on, "more": more}
    assert choose(sources, []) == (on, more)
    assert choose(sources, ["more", "off", "more"]) == (more, off)
    with pytest.raises(SourceError, match="no source named 'mor'; did you mean more"):
        choose(sources, ["mor"])


# ---- the catalogue that is shipped

SHIPPED_SOURCES = load_sources(SHIPPED)


def test_the_shipped_sources_with_a_confirmed_feed_are_enabled_and_the_others_say_why_not() -> None:
    enabled = {s.id for s in SHIPPED_SOURCES.values() if s.enabled}
    assert (len(SHIPPED_SOURCES), len(enabled)) == (79, 46)
    assert all("Not crawled unless named: " in s.note for s in SHIPPED_SOURCES.values() if not s.enabled)


@pytest.mark.parametrize("source", SHIPPED_SOURCES.values(), ids=lambda s: s.id)
def test_a_shipped_source_says_what_it_is_and_is_polite(source: Source) -> None:
    assert source.name and source.language and source.kind in KINDS
    assert source.delay >= 2
    assert source.feeds or source.sitemaps or source.sections or source.breaks or not source.enabled
    if source.kind == "official":
        assert source.affiliation == "government"


def test_a_kind_and_an_affiliation_that_nobody_knows_are_refused_with_the_nearest() -> None:
    with pytest.raises(SourceError, match="did you mean state-affiliated"):
        parse_source('name = "E"\nhome = "https://e.example/"\naffiliation = "state-afiliated"', id="e")
    with pytest.raises(SourceError, match="kind"):
        parse_source('name = "E"\nhome = "https://e.example/"\nkind = "zzz"', id="e")
