"""What on a page is not the article: by an element's name, by its class and id, by its text."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

DROPPED_TAGS = frozenset(
    "script style noscript template nav button select input textarea svg canvas iframe object embed video audio picture source map "
    "menu head link meta label datalist option amp-ad amp-embed progress".split()
)
"""Elements that never hold the text of an article."""
DOUBTFUL_TAGS = frozenset("footer aside form dialog fieldset".split())
"""Elements that hold no article, except on pages that put all they have into one (ASP.NET puts pages into a form)."""
START, END = r"(?:^|[\s_-])", r"(?=[\s_-]|$)"
COMMENTS = re.compile(
    rf"{START}(?:comments?|comment-?(?:list|form|area|respond|section|box|container|wrapper|thread)|commentlist|respond|disqus|disqus-thread|"
    rf"fb-comments|reactions|kommentare?|comentarios?|commentaires){END}",
    re.I,
)
"""Words of class and id that mark readers' comments. Never spared, however much text they hold."""
STATES = re.compile(
    r"\b(?:no|has|with|without|show|hide)-comments?\b|\bcomments?-(?:enabled|disabled|open|closed|on|off|allowed|true|false)\b",
    re.I,
)
"""Classes that say something about comments and do not hold them."""
WORDS = re.compile(
    START + r"(?:"
    r"shares?|sharing|sharedaddy|share-?(?:bar|box|buttons?|links|tools|this)|socials?|social-?(?:share|bar|icons|links|media-links)|addtoany|follow-?us|follow|"
    r"related|relateds?|related-?\w*|recirc|recommend(?:ed|ation|ations)?|outbrain|taboola|trending|popular|most-?(?:read|popular|viewed)|"
    r"more-?(?:on|from|stories|news|articles|links|in|info|coverage|content)|read-?(?:more|also|next|on)|readmore|see-?also|also-?(?:read|like)|"
    r"next-?(?:article|post|up|story)|prev-?(?:article|post)|previous|up-?next|"
    r"newsletters?|newsletter-?\w*|subscri(?:be|ption|ptions)|sign-?up|regwall|promo|promos|promotion|promobox|donat(?:e|ion)|membership|cta|call-to-action|callout|"
    r"cookies?|consent|gdpr|banner|adverts?|advertisements?|advertising|ads?|ad-?(?:slot|unit|container|wrapper|label|box)|google-?ads?|dfp|adsense|sponsor(?:ed)?|"
    r"nav|navbar|navigation|breadcrumbs?|menu|pagination|pager|sidebar|side-?bar|rail|footer|toolbar|widget|"
    r"byline|by-?line|author|authors|author-?(?:box|bio|info|card|details|meta|name|profile|container|wrapper)|about-?(?:the-)?authors?|bio|contributors?|posted-?on|"
    r"(?:entry|post|article|story)-?meta|meta-?(?:info|data|bar|line)?|"
    r"tags|tag-?(?:list|links|cloud|container)|tagcloud|taglist|keywords|topics|topic-?list|categories|cat-links|"
    r"copyright|disclaimer|print-only|printfriendly|screen-?reader(?:-text)?|visually-?hidden|visuallyhidden|sr-only|skip-?link|"
    r"timestamp|(?:publish(?:ed)?|post|entry|article|updated|modified)-?(?:date|time)|date|datetime|pub-?date|reading-?time|read-?time|views?-?count|"
    r"(?:video|audio|media|live)-?player|jwplayer|player-?(?:container|wrapper|embed)|lightbox|modal|popup|popover|tooltip|overlay|bookmark|"
    r"teasers?|teaser-?\w*|latest|latest-?\w*|jp-relatedposts|yarpp|gallery|slideshow|carousel|swiper|slider|thumbs|"
    r"credit|credits|byline-?\w*|toc|table-of-contents|jump-?links|poll|quiz|survey|rating|ratings|feedback|login|loginbox|search|survey|app-?(?:download|promo|banner)|"
    r"text-?resizer|textsize|fontsize|font-?size|accessibility|identity|auth-?screen|blocker|gate|anonymous|box|info-?box|fact-?box|\w{2,12}box|expandable-box|listen|speech|podcast-?player"
    r")"
    + END
    + r"|(?:^|\s)(?:hidden|hide|is-hidden|invisible|d-none)(?=\s|$)(?!.*\b(?:sm|md|lg|xl|xxl)[:-](?:block|flex|grid|inline|table))",
    re.I,
)
"""Words of class and id that mark what is not the article. Whole words: `ad` must not hit `lead`. Each was weighed on
open pages by the text of articles and of other things that stood under it."""
CAPTIONS = re.compile(
    START
    + r"(?:caption|captions|fig-?caption|legend|legende|bildunterschrift|bu|img-?text|photo-?(?:text|description|info)|image-?(?:text|description|info|meta)|news-?caption|\w{0,12}-?caption(?:-text|-full)?)"
    + END,
    re.I,
)
"""Words of class that mark what stands under a picture."""
KEEPERS = re.compile(
    r"(?:article|story|post|entry|content|page|main|news|text|rich-?text|body)-?(?:body|content|text|copy|main|inner|wrap|wrapper|page|detail|details)(?:[\s_-]|$)|"
    r"article-?body|bodytext|hentry|type-post|widget-?(?:text|content|container|wrap)|"
    r"paragraph|blockquote|pull-?quote|tweet|instagram|social-(?:media-)?embed|embed-social|"
    r"(?:^|\s)(?:article|story|post|entry|main|content|body|text|lead|intro)(?:\s|$)|standfirst|subtitle|sub-?title|sub-?head\w*|deck|chapo|excerpt",
    re.I,
)
"""Classes of what holds an article or a part of it: these outweigh a boilerplate word in the same attribute."""
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
NAMES = 300
"""Characters of a class or id that are looked at; style frameworks write longer ones, which say nothing."""
LINES = re.compile(
    r"^\W*(?:"
    r"(?:click here|create an account|register (?:now|to|/)|sign in|log ?in (?:to|or)|already (?:a |have )|disclaimer:|don't have|tap here|sign up|subscribe|follow us|share this|join (?:us|our)|like us|support (?:us|our)|download (?:the|our)|get (?:the|our) (?:latest|daily|app|free)|"
    r"read (?:more|also|next)|also read|see also|related(?: stor| article| news| content| topic| :|:| read|\W*$)|more(?::| on this| from| stor| about)|recommended|don't miss|you (?:may|might) (?:also )?like|"
    r"lesen sie (?:auch|mehr|hier)|mehr (?:zum thema|dazu|lesen)|auch interessant|weiterlesen|lesetipp|jetzt (?:abonnieren|anmelden|lesen)|"
    r"lire aussi|à lire|voir aussi|lire la suite|abonnez|inscrivez|s'abonner|lee también|leer más|lea también|lea además|te puede interesar|suscr[ií]b|síguenos|"
    r"leggi anche|leggi tutto|iscriviti|leia (?:também|mais)|veja também|saiba mais|assine|siga|lees ook|läs (?:också|mer)|les også|czytaj (?:też|także|więcej)|baca juga|"
    r"zobacz także|ayrıca|читайте также|подпис|lue myös|\[?(?:advertisement|advert|anzeige|werbung|publicité|publicidad|pubblicità|publicidade|reklama|reklam|annons|iklan)\]?\W*$|"
    r"advertisement|story continues below|article continues|continue reading|loading|text size|"
    r"(?:all rights reserved|alle rechte vorbehalten|tous droits réservés|todos los derechos)|copyright\b|©|\(c\)\s?\d{4}|"
    r"(?:photo|image|foto|bild|picture|video|credit|source|quelle)s?\s?(?:credit|by|courtesy)?\s?:|"
    r"leave a (?:comment|reply)|no comments|be the first to comment|\d+ comments?\W*$|comments? (?:are|is) closed|post a comment|comment(?:s|er|aires|i)?\W*$|"
    r"share\W*$|tweet\W*$|email\W*$|print\W*$|teilen\W*$|partager\W*$|compartir\W*$|condividi\W*$|close\W*$|show more\W*$|watch(?: now|:| live)|topics?:|tags?:|filed under|"
    r"(?:first )?published(?: on| at|:| \d| \w{3,9} \d)|(?:last )?updated?(?: on| at|:| \d| \w{3,9} \d)|posted (?:on|by|at)|this (?:article|story) (?:was|first|originally|has been)[^.]{0,40}(?:published|appeared|updated)|"
    r"have a (?:tip|story)|contact (?:us|the (?:author|writer|reporter))|email the (?:author|writer)|follow @?\w+ on|"
    r"(?:by|von|par|por) [A-Z][\w.'-]+ [A-Z][\w.'-]+(?: [A-Z][\w.'-]+)?\W*$|\d+ min(?:ute)?s? (?:read|ago)|min(?:ute)? read"
    r"))",
    re.I,
)
"""How lines begin that call for something, or say something of the page and not of the story."""
LINE_CHARACTERS = 220
"""A line longer than this is a paragraph, whatever its first words."""


@lru_cache(maxsize=16384)
def marks(names: str) -> str:
    """`comments`, `caption`, `boilerplate` or nothing: what a class or id attribute marks."""
    spaced = CAMEL.sub("-", names[:NAMES])
    if COMMENTS.search(STATES.sub("", spaced)) and "hentry" not in spaced:
        return "comments"
    if CAPTIONS.search(spaced):
        return "caption"
    return "boilerplate" if WORDS.search(spaced) and not KEEPERS.search(spaced) else ""


def verdict(el: Any) -> str:
    """`never` for an element that holds no article, `unlikely` for one that holds none unless it holds nearly all the text."""
    tag = el.tag
    if tag in DROPPED_TAGS:
        return "never"
    if tag in ("html", "body", "main", "article"):
        return ""
    names = el.get("class"), el.get("id")
    found = {marks(n) for n in names if n}
    if "comments" in found:
        return "unlikely" if el.find(".//h1") is not None else "never"
    return "unlikely" if found & {"boilerplate"} or tag in DOUBTFUL_TAGS or is_hidden(el) else ""


def is_caption(el: Any) -> bool:
    """True for what stands under a picture, by its class."""
    names = el.get("class")
    return bool(names) and marks(names) == "caption"


def is_hidden(el: Any) -> bool:
    """True for what a reader does not see."""
    if el.get("hidden") is not None or (el.get("aria-hidden") == "true" and el.tag != "p"):
        return True
    style = el.get("style")
    return bool(style) and "display:none" in style.replace(" ", "").lower()


def is_line(text: str) -> bool:
    """True for a line that belongs to the page and not to the story."""
    return len(text) <= LINE_CHARACTERS and bool(LINES.match(text))
