"""Bytes to text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.cleaning.charsets import CODECS, declared_codec, decode

TEXT = "<meta charset={}><p>Größe, naïve café, 12 €</p>"


@pytest.mark.parametrize(
    ("label", "codec"),
    [("utf-8", "utf-8"), ("iso-8859-1", "cp1252"), ("windows-1252", "cp1252"), ("iso-8859-15", "iso8859-15")],
)
def test_a_declared_charset_is_believed(label, codec):
    text = TEXT.format(label)
    assert decode(text.encode(codec)) == text


@pytest.mark.parametrize("label", ["shift_jis", "euc-jp", "gb2312", "big5", "iso-2022-jp"])
def test_asian_charsets_are_read_by_their_web_names(label):
    text = f"<meta charset={label}><p>日本経済新聞</p>"
    assert "日本" in decode(text.encode(CODECS[label], "replace"))


@pytest.mark.parametrize(
    "label", ["utf-7", "hex_codec", "rot13", "unicode_escape", "zlib", "idna", "punycode", "base64"]
)
def test_pythons_own_codecs_are_never_used(label):
    html = f"<meta charset={label}><p>+ADw-script+AD4- \\u003c 3c68</p>".encode()
    assert declared_codec(html) == ""
    assert decode(html) == html.decode()


def test_utf_8_that_claims_to_be_latin_is_utf_8():
    text = TEXT.format("iso-8859-1")
    assert decode(text.encode("utf-8")) == text


def test_a_page_cut_inside_a_letter_loses_that_letter_only():
    text = TEXT.format("utf-8")
    assert decode(text.encode()[: text.encode().index("€".encode()) + 2]).startswith(text[: text.index("€")])


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-16", "utf-8-sig"])
def test_wide_and_marked_texts_are_recognised(codec):
    text = TEXT.format("x") * 3
    assert decode(text.encode(codec)) == text


def test_undeclared_cyrillic_and_japanese_are_recognised():
    assert "Министерство обороны" in decode("<p>Министерство обороны сообщило о начале учений</p>".encode("cp1251"))
    assert "防衛省" in decode("<p>防衛省は十二日、新しい計画を発表した。</p>".encode("cp932"))


@given(st.binary(max_size=400))
def test_any_bytes_are_some_text(raw):
    assert isinstance(decode(raw), str)
