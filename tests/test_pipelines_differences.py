"""Two versions of a text as one, in which each can still be read."""

from __future__ import annotations

import random
import time

from hypothesis import given
from hypothesis import strategies as st

from pipelines.differences import Piece, pieces

TEXTS = st.lists(st.sampled_from(["tank", "the ", "\n\n", " ", "naïve", "1", ".", "ship\n"]), max_size=20).map("".join)


def test_a_changed_word_is_all_that_differs() -> None:
    found = pieces("One frigate sank.\n\nThe crew is safe.", "Two frigates sank.\n\nThe crew is safe.")
    assert found == (
        Piece("gone", "One"),
        Piece("new", "Two"),
        Piece("same", " "),
        Piece("gone", "frigate"),
        Piece("new", "frigates"),
        Piece("same", " sank.\n\nThe crew is safe."),
    )


def test_another_paragraph_is_not_pieced_together_from_chance_words() -> None:
    found = pieces("The yard is closed for good.", "Nobody in town believes it any more, says Lee.")
    assert [piece.kind for piece in found] == ["gone", "new"]


@given(TEXTS | st.text(max_size=60), TEXTS | st.text(max_size=60))
def test_both_versions_can_be_read_from_the_pieces(old: str, new: str) -> None:
    found = pieces(old, new)
    assert "".join(p.text for p in found if p.kind != "new") == old
    assert "".join(p.text for p in found if p.kind != "gone") == new
    assert all(p.text for p in found)
    assert old != new or all(p.kind == "same" for p in found)


def test_the_longest_texts_take_no_more_than_a_moment() -> None:
    old = "\n\n".join(f"{n} words of a paragraph " * 8 for n in range(1_500))
    begun = time.process_time()
    pieces(old, old.replace("words", "lines"))
    pieces("a b " * 250_000, "b a " * 250_000)
    chance = random.Random(1)
    for between in (" ", "\n\n"):
        one, other = (between.join(chance.choices("ab", k=1_900)) for _ in range(2))
        pieces(one, other)
    assert time.process_time() - begun < 5
