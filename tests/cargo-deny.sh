#!/usr/bin/env bash
# Licences, sources and bans of the dependencies, as deny.toml has them. cargo-deny is taken in one version, so that a new release
# of it does not change what passes; one that is missing is built into `target`, hardly optimised, in some three minutes on two cores.
# `advisories` are left out: they change without a change here, and need a database from elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.20.2
tools=$PWD/target/tools
deny=$tools/bin/cargo-deny

if ! [ "$("$deny" --version 2>/dev/null)" = "cargo-deny $version" ]; then
    installed=$(command -v cargo-deny || true)
    if [ -n "$installed" ] && [ "$("$installed" --version)" = "cargo-deny $version" ]; then
        deny=$installed
    else
        echo "deny: building cargo-deny $version into target/tools"
        CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
            "${CARGO:-cargo}" install --quiet --locked --force --root "$tools" --target-dir "$tools/build" \
            "cargo-deny@$version"
        rm -rf "$tools/build"
    fi
fi

"$deny" --workspace check --hide-inclusion-graph bans licenses sources
