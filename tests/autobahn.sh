#!/bin/sh
# Runs the Autobahn test suite against the echo controller, through the real binary: the 301 cases that need no
# permessage-deflate (12.* and 13.* are that extension, which the host does not offer).
# Needs Python 3.10 or later; `kosoku`, the suite's cases as a Python package, goes into a folder inside target/.
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
venv=$target/autobahn-venv
command -v python3 >/dev/null || { echo "autobahn: python3 (3.10 or later, with venv) is missing" >&2; exit 1; }

cargo build --quiet --release -p lakou-host --bin lakou
cargo build --quiet --release --target wasm32-wasip2 -p echo

if [ ! -x "$venv/bin/kosoku" ]; then
    # Debian keeps a part of venv in a package of its own.
    if ! python3 -m venv --clear "$venv"; then
        [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
            { echo "autobahn: python3 has no venv; install it (Debian: apt-get install python3-venv)" >&2; exit 1; }
        apt-get update -qq && apt-get install -y -qq python3-venv
        python3 -m venv --clear "$venv"
    fi
    "$venv/bin/pip" install --quiet --disable-pip-version-check kosoku==0.1.0
fi
exec "$venv/bin/python" tests/autobahn.py "$target/release/lakou" "$target/wasm32-wasip2/release/echo.wasm" "$target/autobahn"
