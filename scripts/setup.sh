#!/bin/sh
# Make .venv with the pinned requirements: `setup.sh run` or `setup.sh dev`. Does nothing twice.
set -eu
cd "$(dirname "$0")/.."
want=${1:-run}
venv=${VENV:-.venv}

python=
for name in python3.13 python3.12 python3.11 python3.14 python3; do
    if command -v "$name" >/dev/null 2>&1 &&
        "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$name
        break
    fi
done
if [ -z "$python" ]; then
    echo "setup: no Python 3.11 or newer found; install one (Debian: apt-get install python3 python3-venv)" >&2
    exit 1
fi

if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    if ! "$python" -c 'import ensurepip' 2>/dev/null; then
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
            apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
        else
            echo "setup: $python has no ensurepip; install it (Debian: apt-get install python3-venv)" >&2
            exit 1
        fi
    fi
    "$python" -m venv "$venv"
fi

stamp=$venv/.installed-$want
sum=$(cat "requirements/$want.txt" pyproject.toml | cksum)
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$sum" ]; then
    echo "setup: installing requirements/$want.txt into $venv" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "requirements/$want.txt"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
    printf '%s' "$sum" >"$stamp"
    if [ "$want" = dev ]; then printf '%s' "$(cat requirements/run.txt pyproject.toml | cksum)" >"$venv/.installed-run"; fi
fi
