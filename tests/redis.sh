#!/bin/sh
# Sees to the programs that the tests of the Redis side start: redis-server and redis-cli (7.0 or later), and openssl for
# a certificate. Where all are there, nothing happens; as root on Debian the missing ones are installed, and no server is
# left running; elsewhere one line says what to install.
set -eu

fail() {
    echo "redis: $1" >&2
    exit 1
}

add_packages() {
    # Debian's packages ask this file whether they may start their services. There may be one already, as in containers.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        trap 'exit 1' INT TERM HUP
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@" >/dev/null || return 1
    # Nor is the new service to start with the machine.
    case " $* " in
        *" redis-server "*) [ ! -d /run/systemd/system ] || systemctl disable --quiet redis-server ;;
    esac
}

missing=
for program in redis-server redis-cli openssl; do
    command -v "$program" >/dev/null || missing="$missing $program"
done
if [ -n "$missing" ]; then
    packages=
    case $missing in *redis*) packages="redis-server" ;; esac
    case $missing in *openssl*) packages="${packages:+$packages }openssl" ;; esac
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
        fail "there is no$missing; install Redis 7.0 or later and OpenSSL (Debian: apt-get install $packages)"
    # Unquoted: one word a package.
    add_packages $packages || fail "apt-get could not install $packages"
fi

version=$(redis-server --version)
major=$(echo "$version" | sed -n 's/.* v=\([0-9]*\)\..*/\1/p')
[ "${major:-0}" -ge 7 ] || fail "redis-server 7.0 or later is needed; there is: $version"
