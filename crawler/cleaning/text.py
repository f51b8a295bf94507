"""What every value passes on its way in."""

from crawler.text import SPACES, line, tidy, words

__all__ = ["SPACES", "line", "tidy", "words"]
