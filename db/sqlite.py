"""sqlite-utils, without the libraries for tables of numbers that it loads wherever they are installed."""

from __future__ import annotations

import sys

UNUSED = ("numpy", "pandas")
"""It only asks them for their names of column types, and has every command wait half a second for that."""

_hidden = [name for name in UNUSED if name not in sys.modules]
sys.modules.update(dict.fromkeys(_hidden))  # type: ignore[arg-type]  # None: an import says that there is none
try:
    from sqlite_utils import Database as Database
    from sqlite_utils import Migrations as Migrations
finally:
    for _name in _hidden:
        del sys.modules[_name]
