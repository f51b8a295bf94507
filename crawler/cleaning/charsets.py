"""Bytes to text as a browser would: byte order mark, then the declared charset, then what the bytes look like.

Labels are those of the WHATWG Encoding Standard, and no others: Python knows codecs (`hex_codec`, `utf-7`,
`unicode_escape`) that would let a page smuggle markup past every check.
"""

from __future__ import annotations

import codecs
import re

LABELS = {
    "utf-8": "utf-8 utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8 utf-16 utf-16le utf-16be",
    "cp866": "866 cp866 csibm866 ibm866",
    "iso8859-2": "iso-8859-2 iso8859-2 iso88592 iso_8859-2 latin2 l2 csisolatin2 iso-ir-101",
    "iso8859-3": "iso-8859-3 iso8859-3 iso88593 iso_8859-3 latin3 l3",
    "iso8859-4": "iso-8859-4 iso8859-4 iso88594 iso_8859-4 latin4 l4",
    "iso8859-5": "iso-8859-5 iso8859-5 iso88595 iso_8859-5 cyrillic csisolatincyrillic",
    "iso8859-6": "iso-8859-6 iso8859-6 iso88596 iso_8859-6 arabic asmo-708 ecma-114 iso-8859-6-e iso-8859-6-i",
    "iso8859-7": "iso-8859-7 iso8859-7 iso88597 iso_8859-7 greek greek8 ecma-118 elot_928 sun_eu_greek",
    "iso8859-8": "iso-8859-8 iso8859-8 iso88598 iso_8859-8 hebrew visual iso-8859-8-e iso-8859-8-i logical",
    "iso8859-10": "iso-8859-10 iso8859-10 iso885910 latin6 l6",
    "iso8859-13": "iso-8859-13 iso8859-13 iso885913",
    "iso8859-14": "iso-8859-14 iso8859-14 iso885914",
    "iso8859-15": "iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9 csisolatin9",
    "iso8859-16": "iso-8859-16",
    "koi8-r": "koi8-r koi8 koi koi8_r cskoi8r",
    "koi8-u": "koi8-u koi8-ru",
    "mac-roman": "macintosh mac csmacintosh x-mac-roman",
    "mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "cp874": "windows-874 dos-874 iso-8859-11 iso8859-11 iso885911 tis-620",
    "cp1250": "windows-1250 cp1250 x-cp1250",
    "cp1251": "windows-1251 cp1251 x-cp1251",
    "cp1252": "windows-1252 cp1252 x-cp1252 ansi_x3.4-1968 ascii us-ascii cp819 csisolatin1 ibm819 iso-8859-1 "
    "iso-ir-100 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1",
    "cp1253": "windows-1253 cp1253 x-cp1253",
    "cp1254": "windows-1254 cp1254 x-cp1254 iso-8859-9 iso8859-9 iso88599 iso_8859-9 latin5 l5 csisolatin5",
    "cp1255": "windows-1255 cp1255 x-cp1255",
    "cp1256": "windows-1256 cp1256 x-cp1256",
    "cp1257": "windows-1257 cp1257 x-cp1257",
    "cp1258": "windows-1258 cp1258 x-cp1258",
    "gb18030": "gb18030 gbk gb2312 gb_2312 gb_2312-80 chinese csgb2312 csiso58gb231280 iso-ir-58 x-gbk",
    "big5hkscs": "big5 big5-hkscs cn-big5 csbig5 x-x-big5",
    "euc_jp": "euc-jp x-euc-jp cseucpkdfmtjapanese",
    "iso2022_jp": "iso-2022-jp csiso2022jp",
    "cp932": "shift_jis shift-jis sjis x-sjis ms932 ms_kanji windows-31j csshiftjis",
    "cp949": "euc-kr cseuckr korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949 iso-ir-149",
}
"""Python's codec and the labels that mean it. A `meta` that says UTF-16 was read as ASCII, so it means UTF-8."""
CODECS = {label: codec for codec, labels in LABELS.items() for label in labels.split()}
MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
DECLARED = re.compile(
    rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w:.-]{2,40})|<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w:.-]{2,40})",
    re.I,
)
HEAD_BYTES = 16_384
"""Where a declaration is looked for: browsers look at 1,024 bytes, real pages put scripts before it."""
BROKEN_SHARE = 0.02
"""Invalid sequences among the characters beyond ASCII up to which a text still counts as UTF-8: a cut page has
one, a page with a quoted foreign snippet a few; Latin text read as UTF-8 is broken nearly everywhere."""
SNIFFED = ("cp932", "euc_jp", "gb18030", "cp949", "big5hkscs")
"""Multi-byte encodings tried where nothing is declared, strictest first."""
CYRILLIC_SHARE = 0.5
"""Bytes of the Cyrillic letters among all bytes beyond ASCII that make windows-1251 likelier than windows-1252."""
ASIAN_SHARE = 0.7
"""Bytes in Chinese, Japanese and Korean letters, among all beyond ASCII, that make a multi-byte encoding likely."""
UTF16_SAMPLE = 512


def as_stated(html: bytes, label: str) -> bytes:
    """The page in UTF-8 with a byte order mark, where its server names another charset in the HTTP header.

    The header outranks what the page says of itself (HTML Standard, encoding sniffing), but not what its bytes are: a
    page that is valid UTF-8 stays as it is, and so does one whose label is none of the standard's.
    """
    codec = CODECS.get(label.strip().strip("\"'").lower())
    if not codec or codec == "utf-8" or html.startswith(tuple(mark for mark, _ in MARKS)) or _is_utf8(html):
        return html
    return codecs.BOM_UTF8 + html.decode(codec, "replace").encode()


def _is_utf8(html: bytes) -> bool:
    try:
        html.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def decode(html: bytes) -> str:
    """The page as text. Never raises: what cannot be decoded becomes U+FFFD."""
    return decoded(html)[0]


def decoded(html: bytes) -> tuple[str, bool]:
    """The page as text without NUL, and whether its bytes are just that text in UTF-8.

    NUL goes before anybody looks at the markup: where one stands before a quotation mark, the mark opens a value for
    those who pass over it, and none for others.
    """
    text, is_utf8 = _decoded(html)
    return (text.replace("\0", ""), False) if b"\0" in html else (text, is_utf8)


def _decoded(html: bytes) -> tuple[str, bool]:
    for mark, codec in MARKS:
        if html.startswith(mark):
            return html[len(mark) :].decode(codec, "replace"), False
    if wide := _wide(html[:UTF16_SAMPLE]):
        return html.decode(wide, "replace"), False
    if b"\x1b" in html and declared_codec(html) == "iso2022_jp":
        return html.decode("iso2022_jp", "replace"), False
    try:
        return html.decode("utf-8"), True
    except UnicodeDecodeError:
        return _decode_doubtful(html, declared_codec(html)), False


def declared_codec(html: bytes) -> str:
    """Python's codec for the charset that the page declares; empty without one or for an unknown label."""
    match = DECLARED.search(html[:HEAD_BYTES])
    label = (match[1] or match[2]).decode("ascii").lower() if match else ""
    return CODECS.get(label, "")


def _wide(sample: bytes) -> str:
    """UTF-16 without a mark: nearly every second byte of markup is NUL."""
    half = len(sample) // 2
    if half < 8:
        return ""
    if sample[1::2].count(0) > 0.8 * half:
        return "utf-16-le"
    return "utf-16-be" if sample[::2].count(0) > 0.8 * half else ""


def _decode_doubtful(html: bytes, declared: str) -> str:
    text = html.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    wide = len(text) - len(text.encode("ascii", "ignore"))
    if broken <= max(1, BROKEN_SHARE * wide) or (declared == "utf-8" and broken < 0.3 * wide):
        return text
    if declared and declared != "utf-8":
        return html.decode(declared, "replace")
    return html.decode(_sniffed(html), "replace")


def _sniffed(html: bytes) -> str:
    """The encoding that an undeclared text most likely has."""
    beyond = len(html.translate(None, bytes(range(0x80))))
    runs = sum(len(run) for run in re.findall(rb"[\xc0-\xff]{3,}", html))
    if runs > CYRILLIC_SHARE * beyond:
        return "cp1251"
    for codec in SNIFFED:
        try:
            text = html.decode(codec)
        except UnicodeDecodeError:
            continue
        if sum("\u3040" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7a3" for c in text) * 2 > ASIAN_SHARE * beyond:
            return codec
    return "cp1252"
