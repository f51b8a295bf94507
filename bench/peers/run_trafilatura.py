"""trafilatura's command line over a list of addresses (`-i`, `--parallel`), with metadata, one JSON file an article.

    PYTHON run_trafilatura.py ADDRESSES FOLDER

Its own settings but for the pause between two requests, which is off, and for addresses of this machine, which it may
ask.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import trafilatura

PARALLEL = 8
SETTINGS = {"SLEEP_TIME": "0.0", "SSRF_PROTECTION": "off"}
"""Lines of its `settings.cfg` that are set anew."""


def main(addresses: str, folder: Path) -> None:
    """Becomes the command."""
    usual = (Path(trafilatura.__file__).parent / "settings.cfg").read_text()
    for name, value in SETTINGS.items():
        usual = re.sub(rf"(?m)^{name}\s*=.*", f"{name} = {value}", usual)
    settings = folder / "settings.cfg"
    settings.write_text(usual)
    command = [str(Path(sys.executable).parent / "trafilatura"), "-i", addresses, "--json", "--with-metadata"]
    command += ["--parallel", str(PARALLEL), "--config-file", str(settings), "-o", str(folder / "articles")]
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
