# To be read by other scripts: need PACKAGE... installs Debian packages when run as root; otherwise it names the command
# and ends the script.

need() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing $* ..."
        said=$(apt-get update -qq 2>&1 &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" 2>&1) ||
            { echo "$said" >&2; exit 1; }
    else
        echo "watchfloor needs $*. As root: apt-get update && apt-get install -y --no-install-recommends $*" >&2
        exit 1
    fi
}
