#!/bin/sh
# Finds the Chromium that tests of the web application use, or installs Debian's when run as root; otherwise names the
# command. WATCHFLOOR_CHROMIUM names another one; WATCHFLOOR_NO_BROWSER=1 does without. With `pictures` the letters of
# East Asia too, which spam wears: without a font that has them pictures show boxes.
set -eu

. "$(dirname "$0")/need.sh"

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

[ "$(id -u)" = 0 ] || echo "without a browser: make test WATCHFLOOR_NO_BROWSER=1" >&2
# shellcheck disable=SC2086 # names of packages, divided by spaces
need $missing
