#!/bin/sh
# Builds the project's environment: sh tools/venv.sh FOLDER. Installs the Debian packages it needs when run as root;
# otherwise names the command. Every Python package is installed from requirements/dev.txt, by hash.
set -eu

venv=$1
python=${PYTHON:-python3.11}

. "$(dirname "$0")/need.sh"

command -v "$python" >/dev/null || need python3.11 python3.11-venv
"$python" -c 'import ensurepip' 2>/dev/null || need python3.11-venv

echo "setting up $venv ..."
"$python" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
    -r requirements/dev.txt
said=$("$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
    --editable . 2>&1) || { echo "$said" >&2; exit 1; }
touch "$venv/.ready"
