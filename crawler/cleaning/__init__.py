"""A page's bytes to its article and comments."""

from crawler.cleaning.assemble import clean

__all__ = ["clean"]
