"""Pieces that the formats are made of, a line each: with them a mutation reaches past the parser."""

from __future__ import annotations


def _pieces(table: str) -> tuple[bytes, ...]:
    """The lines of a table; `\\` notation stands for what cannot be written."""
    lines = (line for line in table.split("\n") if line)
    return tuple(line.encode().decode("unicode_escape").encode("latin-1") for line in lines)


ODD = _pieces(
    r"""
\x00
\xff
\xef\xbb\xbf
\xff\xfe
\xfe\xff
\xed\xa0\x80
\xc3
\xf0\x9f\x98\x80
\xe2\x80\xae
\xe2\x80\x8b
\xcc\x81
\xd9\xa3
\x1b$B0l\x1b(B
\x85
\xc2\x85
\x0c
\r\n
\n
\t
\x20
"
'
<
>
&
/
-
0
9999999999999999999999
-1
1e999
"""
)
"""Bytes that one rule or another treats in its own way."""

HTML = _pieces(
    r"""
<html lang=en>
<head>
<body class="single postid-7">
<title>Fleet leaves port - Harbour News</title>
<base href=/x/>
<meta charset=
utf-16
utf-7
shift_jis
windows-1251
iso-2022-jp
<meta property=article:published_time content="2024-12-23T10:00:00Z">
<meta name=author content="Ann Lee">
<meta property=og:title content="Fleet leaves port">
<meta http-equiv=refresh content="0;url=/a">
<link rel=canonical href=https://news.example/2024/fleet>
<link rel=alternate type=application/rss+xml href=/2024/fleet/feed/>
<link rel=https://api.w.org/ href=https://news.example/wp-json/>
<article>
</article>
<main>
<section class=content>
<div class="article-body">
</div>
<h1>Fleet leaves port</h1>
<h2>In the harbour</h2>
<p>The minister said on Thursday that the convoy had left the port of Bremen.</p>
<p>
</p>
<p hidden>
<p style="display:none">
<p class=byline>By Ann Lee and Bob Ray, Berlin</p>
<span class=author>
<a rel=author href=/ann>Ann Lee</a>
<time datetime=2024-12-23T10:00:00+01:00>23 December 2024</time>
<time pubdate>
12/23/2024 10:00 PM
hace 3 horas
<ul>
<ol>
<li>
</ul>
<table><tr><td>
<blockquote>
<pre>
<figure><img src=a.jpg alt=b><figcaption>Photo: Navy</figcaption></figure>
<br>
<script>
</script>
<script type=application/ld+json>
<style>
<!--
-->
<![CDATA[
]]>
<textarea>
<template>
<noscript>
<svg>
<iframe src=https://disqus.com/embed/comments/>
<select><option>
<form>
<nav>
<aside>
<footer>
<b>
<i>
<font>
<a href=https://news.example/2024/other>The fleet and its harbour</a>
<a href=javascript:alert(1)>
<a href="http://[::1">
<itemscope itemtype=http://schema.org/NewsArticle>
 itemprop=headline
 itemprop=author
 itemprop=articleBody
 class=
 id=
=""
&lt;
&amp;
&#x1F600;
&#0;
&#xD800;
&NotAnEntity;
&
"""
)
"""Of news pages."""

COMMENTS = _pieces(
    r"""
<ol id=comments class=commentlist>
<ul class=children>
<div id=disqus_thread>
<div class=comments-area>
<li class="comment depth-1" id=comment-7>
<li class=comment id=comment-8>
<li class="pingback" id=comment-9>
<article class="message message--post" data-author=Ann id=post-7>
<div class=bbWrapper>
<div class=post id=p7><span class=author>Ann</span><span class=date>2024-12-23 10:00</span>
<div class="comment-body">
<div class=comment-content><p>The convoy left, see http://pills.example/x for more.</p></div>
<cite class=fn>Ann Lee</cite>
<a class=url href=http://ann.example/>Ann</a>
<span class=says>says:</span>
<a href=#comment-7><time datetime=2024-12-23T10:00:00Z>23 December 2024 at 10:00</time></a>
<a class=comment-reply-link href=?replytocom=7#respond>Reply</a>
<a class=next href=/2024/fleet/comment-page-2/#comments>Older comments</a>
<a href=?cpage=3>Next</a>
<blockquote class=quote>Bob said: the port</blockquote>
<div class=signature>
<div class=reply>
3 Comments
Comments are closed
#1
#2
In reply to Bob
Edited
This comment was deleted
</li>
</ol>
</article>
"""
)
"""Of what readers write under them."""

JSON_LD = _pieces(
    r"""
{"@context":"https://schema.org","@type":"NewsArticle","headline":"Fleet leaves port",
"@graph":[
"@type":"LiveBlogPosting","liveBlogUpdate":[
"@type":["Comment","Review"],"text":"First",
"datePublished":"2024-12-23T10:00:00Z"
"author":{"name":"Ann"}
"author":[
"articleBody":"
"comment":[{
"isAccessibleForFree":false
{"a":
[
]
{
}
},{
,
:
"
\\u0000
\\ud800
\\
null
NaN
1e999
true
"""
)
"""Of what pages say of themselves, and of JSON anywhere."""

XML = _pieces(
    r"""
<?xml version="1.0" encoding="UTF-8"?>
<?xml version='1.0' encoding='utf-16'?>
<!DOCTYPE x [<!ENTITY a "b">]>
<!DOCTYPE x SYSTEM "http://x.example/a.dtd">
&#xD800;
&#55296;
&a;
<rss version="2.0">
</rss>
<channel>
</channel>
<title>News</title>
<title>Comments on: Fleet</title>
<item>
</item>
<link>https://news.example/2024/12/one-two-three</link>
<guid>https://news.example/?p=7#comment-7</guid>
<pubDate>Mon, 23 Dec 2024 10:00:00 GMT</pubDate>
<content:encoded><![CDATA[<p>The convoy left</p>
]]>
<description>
</description>
<feed xmlns="http://www.w3.org/2005/Atom">
<entry>
</entry>
<link href="/2024/12/one"/>
<updated>2024-12-24T10:00:00Z</updated>
<published>
<summary type="html">&lt;p&gt;a
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
</urlset>
<url><loc>https://news.example/2024/a-b-c</loc><lastmod>2024-12-23</lastmod></url>
<news:news><news:publication_date>2024-12-23</news:publication_date><news:title>A</news:title></news:news>
<sitemapindex>
<sitemap><loc>https://news.example/s2.xml</loc></sitemap>
<outline text="A" xmlUrl="https://news.example/feed" htmlUrl="https://news.example/"/>
<outline>
<opml version="2.0"><body>
</body></opml>
{"version":"https://jsonfeed.org/version/1.1","items":[{"url":"/a","title":"b"}]}
<![CDATA[
<!--
-->
<a:b xmlns:a="u">
 a="1"
\x1f\x8b\x08
"""
)
"""Of feeds, sitemaps and lists of feeds."""

EXPORTS = _pieces(
    r"""
<rss xmlns:wp="http://wordpress.org/export/1.2/">
<wp:comment>
</wp:comment>
<wp:comment_id>7</wp:comment_id>
<wp:comment_parent>8</wp:comment_parent>
<wp:comment_content><![CDATA[a <b>b</b> http://x.example]]></wp:comment_content>
<wp:comment_date_gmt>2024-03-02 10:00:00</wp:comment_date_gmt>
<wp:comment_approved>spam</wp:comment_approved>
<disqus xmlns="http://disqus.com" xmlns:dsq="http://disqus.com/disqus-internals">
<thread dsq:id="1"><link>https://news.example/a</link></thread>
<post dsq:id="2"><message>a</message><thread dsq:id="1"/></post>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0">
<category term="http://schemas.google.com/blogger/2008/kind#comment"/>
<thr:in-reply-to ref="a" href="https://news.example/a"/>
{"commenters":[{"commenterHex":"a","name":"Ann"}],"comments":[
{"commentHex":"a","domain":"x.example","url":"/a","markdown":"b","parentHex":"root"}
{"version":1,"users":[]}
{"id":"a","pid":"","text":"b","user":{"name":"c"},"locator":{"site":"s","url":"https://news.example/a"}}
{"type":"comment","id":7,"parent":6,"by":"Ann","time":1734948000,"text":"a"}
{"url":"https://news.example/a","text":"b","author":"c","id":1,"parent":2,"date":"2024-12-23"}
[{"article_url":"https://news.example/a","comment":"b"}]
url,text,author,date,id,parent
https://news.example/a,"b ""c""
",Ann,1734948000000,1,2
;
HTTP/1.1 200 OK
&#xD800;
&#55296;
"""
)
"""Of what comment systems write out."""

TEXT = _pieces(
    r"""
http://x.example/a?b=c#d
https://www.pills.example
HTTPS://
hxxp://
www.
pills.example
pills[.]example
pills (dot) example
p i l l s . c o m
pills\xe2\x80\x8b.com
\xd1\x80ills.com
\xef\xbd\x90\xef\xbd\x89\xef\xbd\x8c\xef\xbc\x8ecom
moc.sllip
\xe2\x80\xae
\xe2\x80\xad
\xe2\x81\xa6
\xd7\xa9\xd7\x9c
xn--80ak6aa92e.com
ann@x.example
mailto:
@channel
t.me/joinus
telegram: ann
+49 170 1234567
192.168.1.1
0x7f000001
2130706433
[::1]
bit.ly/2abc
<a href="http://x.example">here</a>
[url=http://x.example]here[/url]
[here](http://x.example)
javascript:alert(1)
://
//
.
..
,
\x20
(
)
((((
/
:
@
%
%2e
\xe3\x80\x82
\xe2\x80\xa4
e.g.
U.S.
file.txt
The fleet left port.
Buy cheap pills now
"""
)
"""Of comments with links in them."""

TYPED = _pieces(
    r"""
frigate
"naval yard"
"
-
*
source:one
-source:
lang:en-GB
since:7d
until:2024-12
since:999999d
by:"Ann"
headline:
NEAR(
AND
OR
NOT
(
)
^
{
:
\xe9\x98\xb2
\xcc\x81
\xc2\xbd
''
--
%
_
"""
)
"""Of what is typed into a search."""

LINES = _pieces(
    r"""
{"id":1,"text":"see http://x.example","author":"Ann","author_url":"http://a.example","article_url":"https://n.example/a"}
{"id":1,"url":"https://n.example/a","html_b64":"PGgxPkZsZWV0PC9oMT48cD5UaGUgY29udm95IGxlZnQu"}
{"id":
"text":
"html":"<a href=http://x.example>here</a>"
"html":"<a
"html_b64":
"article_url":"http://["
"author":
\\ud800
\\u0000
[[[[[[[[[[[[[[[[
{"a":{"a":{"a":
]]]]]]]]]]]]]]]]
}}}
}
\n
null
NaN
-Infinity
1e999
true
[]
{}
"""
)
"""Of the filters' lines."""

ROBOTS = _pieces(
    r"""
User-agent: *
User-agent: watchfloor
Disallow: /
Disallow: /*a*a*a*a*a*a*a*b
Disallow: /a$
Allow: /a
Crawl-delay: 5
Crawl-delay: nan
Request-rate: 1/5m
Request-rate: 9/0s 9999-9999
Visit-time: 0600-0845
Sitemap: https://news.example/s.xml
Disallow /a
dissallow: /%2F%ff%
#
:
*
$
%
/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
\n
"""
)
"""Of robots.txt files, and of paths."""

TOML = _pieces(
    r"""
name = "One"
home = "https://news.example/"
feeds = ["https://news.example/feed"]
sections = [
include = ["/\\d+/", "("]
exclude = ["(a+)+$"]
hosts = ["www.news.example", "["]
delay = 1.5
delay = nan
max_pages = 9223372036854775808
enabled = maybe
kind = "blog"
comment_routes = ["api", "feed"]
[rules]
content = "div.article:not(.x) > p"
remove = ":contains('a'), [a=b i], ::before"
comments = ":not(:not(:is(a:nth-child(2n+1)"
headline = "*|*"
date = 1979-05-27T07:32:00Z
id = "one"
a.b.c = 1
[[
]]
\"\"\"
{ a =
"
=
\n
"""
)
"""Of source files."""
