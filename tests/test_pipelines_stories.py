"""The same story in many outlets is one story; what only looks like it is not."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.stories import KEYS, Told, alike, keys
from strategies import ODD

SYLLABLES = ["ka", "lo", "mir", "ten", "sa", "vo", "ru", "bel", "nor", "ti", "dra", "fen", "gol", "hu", "pas", "wex"]
HOSTILE = {
    "one giant word": "x" * 300_000,
    "one word again and again": "war " * 100_000,
    "two words by turns": "war peace " * 50_000,
    "one character of a dense script": "戦" * 200_000,
    "marks": "…–“”" * 50_000,
    "characters that grow": "\ufdfa" * 50_000,
    "lone surrogates": "\ud800 \udfff " * 30_000,
    "numbers": " ".join(map(str, range(50_000))),
}


def sentence(chance: random.Random, length: int = 14) -> str:
    said = ["".join(chance.choices(SYLLABLES, k=chance.randint(1, 4))) for _ in range(length)]
    return " ".join(said).capitalize() + "."


def blocks(seed: str, count: int = 8, sentences: int = 3) -> list[str]:
    chance = random.Random(seed)
    return [" ".join(sentence(chance) for _ in range(sentences)) for _ in range(count)]


def told(parts: list[str], **facts: str) -> Told:
    """An article whose headline is the beginning of its text, of a source of its own."""
    body = "\n\n".join(parts)
    return Told(**{"headline": body[:80], "body": body, "language": "en", "source": body[:20], **facts})


def edited(text: str, every: int, word: str = "otherwise") -> str:
    return " ".join(word if at % every == every - 1 else said for at, said in enumerate(text.split(" ")))


def both(one: Told, other: Told) -> str | None:
    """What kind of likeness it is, whichever comes first."""
    found, back = alike(one, other), alike(other, one)
    assert found == back
    return found.kind if found else None


STORY = blocks("frigate")
LOCAL = "The shipyard on the river employs about four hundred people from our county, the works council said."
STANDING = blocks("about us", 3)
ARTICLE = told(STORY)


def elsewhere(parts: list[str], headline: str = ARTICLE.headline) -> Told:
    return told(parts, headline=headline, source="elsewhere")


COPIES = {
    "the same text": (STORY, "copy"),
    "other white space and quotes": ([f"  {block}\u00a0" for block in STORY], "copy"),
    "the first third": (STORY[:3], "excerpt"),
    "a passage from the middle": (STORY[3:5], "excerpt"),
    "paragraphs in another order": (STORY[::-1], "edited"),
    "a paragraph of its own": ([*STORY[:4], LOCAL, *STORY[4:]], "edited"),
    "a new lede": ([STORY[5], *STORY[1:]], "edited"),
    "an agency's credit": ([f"KYIV (Agency) - {STORY[0]}", *STORY[1:]], "edited"),
    "every tenth word changed": ([edited(block, 10) for block in STORY], "edited"),
    "every fourth word changed": ([edited(block, 4) for block in STORY], "edited"),
    "cut, and every eighth word changed": ([edited(block, 8) for block in STORY[:4]], "excerpt"),
    "paragraphs run together": ([" ".join(STORY[:4]), " ".join(STORY[4:])], "copy"),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_one_story_and_its_kind_is_told(name):
    parts, kind = COPIES[name]
    assert both(ARTICLE, elsewhere(parts)) == kind


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_is_found_again_by_a_key(name):
    assert set(keys(ARTICLE.body)) & set(keys("\n\n".join(COPIES[name][0])))


def test_the_share_is_what_the_shorter_text_has_from_the_other():
    found = alike(ARTICLE, elsewhere(STORY[:3]))
    assert found is not None and found.share == 1.0
    changed = alike(ARTICLE, elsewhere([*STORY[:3], *blocks("more", 1)]))
    assert changed is not None and 0.6 < changed.share < 0.9


def test_american_and_british_spelling_make_a_copy():
    american = [f"{block} The defense of the harbor center was organized by a neighbor." for block in STORY]
    british = [f"{block} The defence of the harbour centre was organised by a neighbour." for block in STORY]
    assert both(told(american), elsewhere(british, told(american).headline)) == "copy"


def test_another_headline_about_the_same_is_no_hindrance():
    assert both(ARTICLE, elsewhere(STORY[:4], headline=STORY[2][:70])) == "excerpt"


def test_a_headline_that_says_nothing_of_the_text_is_no_hindrance_where_the_other_one_does():
    assert both(ARTICLE, elsewhere(STORY[:4], headline="What is known so far")) == "excerpt"
    assert both(ARTICLE, elsewhere(STORY, headline="What is known so far")) == "copy"


def test_other_articles_are_no_story():
    assert both(ARTICLE, told(blocks("submarine"))) is None
    assert not set(keys(ARTICLE.body)) & set(keys("\n\n".join(blocks("submarine"))))


def test_translations_are_left_apart_and_an_unknown_language_is_not():
    assert both(ARTICLE, replace(elsewhere(STORY), language="de")) is None
    assert both(ARTICLE, replace(elsewhere(STORY), language="")) == "copy"
    assert both(ARTICLE, replace(elsewhere(STORY), language="en-GB")) == "copy"


@pytest.mark.parametrize("own", [40, 80, 150])
@pytest.mark.parametrize("before", [False, True])
def test_standing_paragraphs_make_no_story(own, before):
    one, other = (" ".join("\n\n".join(blocks(name, 4)).split()[:own]) for name in ("first", "second"))
    pair = [
        told([*STANDING, text] if before else [text, *STANDING], headline=text[:60], source=text[:9])
        for text in (one, other)
    ]
    assert both(pair[0], pair[1]) is None


def test_a_notice_in_place_of_articles_makes_no_story():
    one, other = (told(STANDING, headline=sentence(random.Random(name)), source=name) for name in ("a", "b"))
    assert both(one, other) is None
    assert both(one, replace(other, source="a")) is None


def report(day: int, source: str = "institute") -> Told:
    """A report of a series: half of its text is that of every day."""
    same = blocks("background", 3)
    new = blocks(f"day {day}", 3)
    parts = [new[0], same[0], new[1], same[1], new[2], same[2]]
    return told(parts, headline=f"Campaign Assessment, November {day}", source=source)


def test_reports_of_a_series_are_stories_of_their_own():
    assert both(report(5), report(6)) is None
    assert both(report(5), report(6, "elsewhere")) is None
    assert both(report(5), report(5, "elsewhere")) == "copy"


def test_a_report_and_an_excerpt_of_the_next_one_are_two():
    background = blocks("background", 3)
    following = told(background[:2], headline="Campaign Assessment, November 6", source="elsewhere")
    assert both(report(5), following) is None
    assert both(report(5), replace(following, headline="Campaign Assessment, November 5")) == "excerpt"


FORM = (
    "The general staff said that {} soldiers were lost in the past day. Destroyed were {} tanks, {} guns and {} drones "
    "on the eastern line, and {} settlements were shelled from the other side of the river. The figures are being "
    "updated, for the intensity of the fighting makes counting hard."
)


def test_a_form_filled_in_twice_tells_two_stories():
    one, other = told([FORM.format(640, 12, 31, 44, 7)]), told([FORM.format(710, 9, 28, 51, 11)])
    assert both(one, replace(other, source="elsewhere", headline=one.headline)) is None
    assert both(one, replace(other, source=one.source, headline=one.headline)) is None


def test_a_wire_copy_with_one_number_brought_up_to_date_is_one_story():
    one, other = told([FORM.format(640, 12, 31, 44, 7)]), told([FORM.format(640, 12, 31, 45, 7)])
    assert both(one, replace(other, source="elsewhere")) == "edited"


def test_a_form_with_other_names_tells_two_stories():
    form = (
        "Mayor {0} opened the new hall of {1} on Friday together with {2} and with guests from {3}. The building has "
        "room for two hundred people, and it was paid for by the district and by a fund of citizens. {0} thanked all "
        "who had helped. The choir of {1} sang, and then there was coffee and cake for everybody who had come."
    )
    one = told([form.format("Petra Holm", "Lindau", "Karsten Wolf", "Bregenz")])
    other = told([form.format("Jonas Reuter", "Templin", "Silke Brandt", "Zehdenick")])
    assert both(one, replace(other, headline=one.headline)) is None


def test_a_source_publishes_its_piece_again_but_not_its_template():
    again = replace(ARTICLE, published_at="2024-03-01T00:00:00Z")
    assert both(ARTICLE, again) == "copy"
    assert both(ARTICLE, replace(again, body=ARTICLE.body.replace(STORY[4], STORY[4][::-1]))) is None


def test_what_is_alike_in_part_and_weeks_apart_is_two_stories():
    shorter = elsewhere(STORY[:4])
    first, weeks = replace(ARTICLE, published_at="2024-01-05T10:00:00Z"), replace(shorter, published_at="2024-03-01")
    assert both(first, weeks) is None
    assert both(first, replace(shorter, published_at="2024-01-06")) == "excerpt"
    assert both(first, replace(shorter, published_at="2024-99-99 nonsense")) == "excerpt"


def test_short_texts_are_one_only_when_they_are_equal():
    short = "The frigate left the port of Kiel on Monday morning and will take part in an exercise of the alliance."
    one = Told("Frigate leaves Kiel", short, "en", "one")
    other = Told("Frigate leaves Kiel", short.replace("Monday", "monday ").replace(".", " …"), "en", "other")
    assert both(one, other) == "copy" and keys(one.body) == keys(other.body) != ()
    assert both(one, replace(other, body=short.replace("alliance", "navy"))) is None


@pytest.mark.parametrize("body", ["", " \n\n ", "…", "Read more here.", "12"])
def test_empty_texts_and_teasers_are_never_one_story(body):
    assert keys(body) == ()
    assert both(Told("Frigate", body, "en", "one"), Told("Frigate", body, "en", "other")) is None


@pytest.mark.parametrize("first", ["\u4e00", "\u3042", "\u0e01"], ids=["Chinese", "Japanese", "Thai"])
def test_scripts_without_spaces_are_compared_by_characters(first):
    letters = [chr(ord(first) + at) for at in range(40)]
    one, other = ("".join(random.Random(f"{name}{first}").choices(letters, k=500)) for name in "ab")
    article = Told(one[:14], one, "", "one")
    assert both(article, Told(one[:14], one[:200], "", "other")) == "excerpt"
    assert both(article, Told(other[:14], other, "", "other")) is None
    assert set(keys(one)) & set(keys(one[:200])) and not set(keys(one)) & set(keys(other))


@given(st.text(ODD + "Frigates 中文ไทย", max_size=400), st.text(ODD + "Frigates 中文ไทย", max_size=400), st.text(ODD))
def test_any_text_is_taken_and_the_order_does_not_matter(body, other, headline):
    one, two = Told(headline, body, "", "one"), Told(headline[::-1], other, headline, "two", headline)
    both(one, two)
    assert all(0 <= key < 2**63 for key in keys(body)) and len(keys(body)) <= KEYS


@given(st.integers(), st.integers(40, 400))
def test_an_article_is_like_itself_and_its_keys_stay_the_same(seed, length):
    text = sentence(random.Random(seed), length)
    article = Told(text[:40], text, "en", "one")
    assert both(article, article) == "copy"
    assert both(article, replace(article, source="two", body=text.upper())) == "copy"
    assert keys(text) == keys(text.upper()) == keys(text.replace(" ", "\n\n  ")) != ()


@given(st.integers(), st.integers())
def test_two_texts_at_random_are_no_story(seed, other):
    one, two = ("\n\n".join(blocks(f"{name} {number}", 4)) for name, number in (("one", seed), ("two", other)))
    assert both(Told(one[:50], one), Told(two[:50], two)) is None


def test_keys_are_the_same_in_every_process():
    assert keys(FORM)[:2] == (221902148727501631, 409316263159280181)


def spent(work) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_costs_no_more_than_its_length(name):
    text = HOSTILE[name]
    one, other = Told(text, text, "en", "one"), Told("Frigate", text[: len(text) // 2] + " and more", "en", "other")
    assert spent(lambda: (keys(text), both(one, other), both(one, ARTICLE))) < 5
