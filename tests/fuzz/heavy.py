"""Inputs as large as the long run makes them, one thing over and over: what takes quadratic time shows here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

SIZE = 256 * 1024
"""Bytes of each; a run of 10 MB would tell no more and take as long as all the rest."""

Shape = tuple[str, str, str]
"""What stands before, what is repeated, with `%d` for a number of its own, and what stands behind."""

PAGE = "<html><body><article><h1>Fleet leaves port</h1>"
WXR = '<rss xmlns:wp="http://wordpress.org/export/1.2/">'
WXR_END = "&gt;</wp:comment_content></wp:comment></item></rss>"
LD = "<html><script type=application/ld+json>"
PAGES: tuple[Shape, ...] = (
    (PAGE, "<p>The convoy left the port on Thursday, the minister said.</p>", ""),
    (PAGE, "<tr><td>Convoy left the port on Thursday<td>b", ""),
    (PAGE, "<div>", "The convoy"),
    (PAGE + "<div>" * 300, "<lin", ""),
    (PAGE, "<b><p>", "The convoy"),
    (PAGE, "<a href=/%d>Convoy</a>", ""),
    (f"{PAGE}<p ", "a%d ", ">The convoy"),
    (PAGE, "<time datetime=2024-01-02>x</time>", ""),
    (f"{PAGE}<p class=byline>By ", "Ann Bee and ", ""),
    (f"{PAGE}<p class=date>", "1 January 2024 ", ""),
    (f"{PAGE}<p>The convoy left the port on Thursday.<p><a href=x>", "www.a", " b"),
    (f"{PAGE}<p>", "&lt;", ""),
    (f"{PAGE}<p>", "< ", ""),
    (f"{PAGE}<p>", " \n", "x"),
    ("<html><title>", "Fleet - ", ""),
    (f"{LD}", "[", ""),
    (f"{LD}", '{"a":', ""),
    (f"{LD}", ", ", ""),
    (f"{LD}", "//;", ""),
    (f'{LD}{{"@type":"NewsArticle","author":[', '{"name":"A%d"},', "{}]}</script>"),
    ("<html>", "<!--", ""),
    ("<html>", "<itemscope itemprop=author>", ""),
)
THREADS: tuple[Shape, ...] = (
    ("", "<li class=comment id=comment-%d><b class=fn>Ann</b><p>It left.</li>", ""),
    ("", "<ul><li class=comment id=comment-%d><p>It left.", ""),
    ("", "<li class=comment id=c%d>x", ""),
    ("", "<div class=post><span class=author>Ann%d</span><span class=date>2024-01-02</span><p>It</div>", ""),
    ("<li class=comment id=comment-1><p>", "<a href=/%d>x</a>", ""),
    ("<li class=comment id=comment-1><p>", "<blockquote>", "x"),
    ("<li class=comment id=comment-1><b class=fn>", "Ann ", "</b><p>x"),
    ("<li class=comment id=comment-1><b class=fn>Ann ", "says ", "</b><p>x"),
)
TEXTS: tuple[Shape, ...] = tuple(
    ("\n\n", unit, "")
    for unit in (
        *(
            "a.",
            "a.a ",
            "http://",
            "http://x.example ",
            "http://x.example/(",
            "www.",
            "a@",
            "a@a.co ",
            "@a ",
            "t.me/a ",
        ),
        *("a dot com ", "a(dot)", "a[.]", "p i l l s . c o m ", "hxxp://x.co ", "1.", "1.1.1.1 ", "[::1]", "xn--a."),
        *(
            "\u202emoc.a ",
            "\u202emoc.a\u202c",
            "\u202e",
            "a\u200b",
            "рills.com ",
            "ｐｉｌｌｓ．ｃｏｍ ",
            "a\u0301",
            "é.",
            "海軍。",
        ),
        *(
            "&#104;",
            "%%2e",
            "<a href=http://a%d.co>",
            "[url=http://a%d.co]",
            "[a](",
            ".\n",
            " .",
            "bit.ly/a%d ",
            "com ",
        ),
    )
)
XML: tuple[Shape, ...] = (
    ("<rss><channel>", "<item><title>One</title><link>/2024/12/one-two-%d</link></item>", "</channel></rss>"),
    ("<rss><channel>", "<item>", ""),
    ("<rss ", 'a%d="" ', "></rss>"),
    ("<rss><channel><item><title>", "&lt;b&gt;", ""),
    ("<rss><channel><item><description>", "&lt;p a%d", ""),
    ("<urlset>", "<url><loc>https://news.example/2024/a-b-%d</loc></url>", "</urlset>"),
    ("<html><body>", "<a href=/2024/12/one-two-%d>The fleet left the port</a>", ""),
    ("<html><body>", "<a href=x>", ""),
    ('{"items":[', '{"url":"/%d"},', "{}]}"),
)
HEAVY: Mapping[str, tuple[Shape, ...]] = {
    "cleaning": PAGES,
    "comments": THREADS,
    "discovery": XML,
    "links": TEXTS,
    "imports": (
        (f"{WXR}<item><link>http://a.co/</link><wp:comment><wp:comment_content>x&lt;p ", "a%d ", WXR_END),
        (WXR, "<item>", ""),
        ('{"url":"http://a.co/","text":"<p ', "a%d ", '>"}\n'),
        ("url,text,id,parent\n", "http://a.co/,b,%d,1\n", ""),
        ("url,text\n", '"', ""),
        ("[", '{"url":"http://a.co/","text":"b","id":%d,"parent":1},', "{}]"),
        ("HTTP/1.1 200 OK\n", "a\n", ""),
    ),
    "search": tuple(("", unit, "") for unit in ("a%d ", '"', "-", "a*", "source:a%d ", "( ", "until:7d", "\u0301")),
    "judge-jsonl": (
        ('{"text":"here","html":"<a ', "a%d ", '>"}'),
        ('{"text":"here","html":"', "<a href=x%d>", '"}'),
        ('{"text":"here","html":"', "<div>", '"}'),
        ('{"id":', "[", ""),
        ("", '{"text":"http://a%d.co"}\n', ""),
    ),
    "robots": (
        ("a\nUser-agent: *\n", "Disallow: /*a*b*%d\n", ""),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nUser-agent: *\nDisallow: /", "*a", "*b"),
        ("a\n", "User-agent: a%d\nDisallow: /\n", ""),
        ("a\nUser-agent: *\nDisallow", " ", "/"),
        ("a\nUser-agent: *\n", "Disallow: /%d\nAllow: /a%d\n", ""),
    ),
    "opml": (
        ("<opml><body>", '<outline xmlUrl="http://a%d.co/"/>', "</body></opml>"),
        ("<opml ", 'a%d="" ', "></opml>"),
    ),
    "sources": (
        ('name="a"\nhome="http://a.co/"\n[rules]\ncontent="', ":not(", '"'),
        ('name="a"\nhome="http://a.co/"\n[rules]\ncontent="', "a ", '"'),
        ('name="a"\nhome="http://a.co/"\ninclude=["', "(", '"]'),
        ('name="a"\nhome="http://a.co/"\ninclude=["a{', "2", '}"]'),
        ('name="a"\nhome="http://a.co/"\nhosts=[', '"a%d.co",', "]"),
        ("a=", "[", ""),
        ("", "a%d=1\n", ""),
        ("", "[a%d.b]\n", ""),
    ),
    "routes": (
        *XML[:5],
        ("<rss><item><description>", "&lt;p a%d=1&gt;", "</description></item></rss>"),
        ("[", '{"id":%d,"content":{"rendered":"<p>a"}},', "{}]"),
        (f"{PAGE}<ol id=comments><li class=comment id=comment-1><p>x</ol>", "<a href=?cpage=%d>Next</a>", ""),
    ),
    "sites": (
        ("<html>", "<link rel=alternate type=text/xml href=/%d>", ""),
        ("Sitemap: /a.xml", "\n", "Sitemap: /b.xml"),
        *PAGES[:5],
    ),
}  # fmt: skip


def heavy(name: str, size: int = SIZE) -> Iterator[bytes]:
    """The large inputs of a target, about so many bytes each."""
    for before, unit, behind in HEAVY.get(name, ()):
        many = size // len(unit.encode())
        told = (unit % ((n,) * unit.count("%d")) for n in range(many)) if "%" in unit else (unit for _ in range(many))
        yield f"{before}{''.join(told)}{behind}".encode("utf-8", "surrogatepass")[: 2 * size]
