#!/bin/sh
# Finds the Chromium that tests of the web application use, or installs Debian's when run as root; otherwise names the
# command. WATCHFLOOR_CHROMIUM names another one; WATCHFLOOR_NO_BROWSER=1 does without.
set -eu

[ "${WATCHFLOOR_NO_BROWSER:-}" != 1 ] || exit 0
[ -z "${WATCHFLOOR_CHROMIUM:-}" ] || exit 0
for name in chromium chromium-browser google-chrome google-chrome-stable; do
    ! command -v "$name" >/dev/null || exit 0
done

set -- chromium fonts-dejavu-core
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing $* ..."
    said=$(apt-get update -qq 2>&1 &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" 2>&1) ||
        { echo "$said" >&2; exit 1; }
else
    echo "the tests need $*. As root: apt-get update && apt-get install -y --no-install-recommends $*" >&2
    echo "without a browser: make test WATCHFLOOR_NO_BROWSER=1" >&2
    exit 1
fi
