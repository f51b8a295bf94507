#!/bin/sh
# Finds the Chromium that tests of the web application use, or installs Debian's when run as root; otherwise names the
# command. WATCHFLOOR_CHROMIUM names another one; WATCHFLOOR_NO_BROWSER=1 does without. With `pictures` the letters of
# East Asia too, which spam wears: without a font that has them pictures show boxes.
set -eu

[ "${WATCHFLOOR_NO_BROWSER:-}" != 1 ] || exit 0

missing=
if [ "${1:-}" = pictures ] && ! fc-list :lang=zh 2>/dev/null | grep -q .; then
    missing=fonts-wqy-microhei
fi
found=${WATCHFLOOR_CHROMIUM:-}
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    [ -n "$found" ] || found=$(command -v "$name" || true)
done
[ -n "$found" ] || missing="chromium fonts-dejavu-core $missing"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing $missing ..."
    # shellcheck disable=SC2086 # names of packages, divided by spaces
    said=$(apt-get update -qq 2>&1 &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing 2>&1) ||
        { echo "$said" >&2; exit 1; }
else
    echo "needed: $missing. As root: apt-get update && apt-get install -y --no-install-recommends $missing" >&2
    echo "without a browser: make test WATCHFLOOR_NO_BROWSER=1" >&2
    exit 1
fi
