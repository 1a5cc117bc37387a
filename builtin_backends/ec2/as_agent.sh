#!/bin/sh
# Runs a command as uid 1000, which owns the agent's files. So root never works in a folder that the agent can change
# meanwhile.
#
#   sh -c "$(cat as_agent.sh)" plugport MODE CONFIG_DIR COMMAND…
#
# MODE `make` first makes CONFIG_DIR if it is missing, or `plugins` if CONFIG_DIR belongs to root and lacks it: as uid
# 1000 if that may write there, else as root, but only if uid 1000 can write in none of the folders above. MODE `look`
# makes nothing.
# Exit: 4 uid 1000 cannot be had, 5 the directory cannot be made or reached; else the COMMAND's exit code.
set -eu
mode=$1 config=$2
shift 2
PATH=${PATH:+$PATH:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH

case $(id -u) in
1000) become='' ;;
0) if command -v setpriv >/dev/null 2>&1; then
    become='setpriv --reuid=1000 --regid=1000 --clear-groups --'
else
    become='sudo -n -u #1000 --'
fi ;;
*) become='sudo -n -u #1000 --' ;;
esac

# shellcheck disable=SC2086
agent() { $become "$@"; }

fail() {
    code=$1
    shift
    printf 'plugport: %s\n' "$*" >&2
    exit "$code"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n -- "$@"; fi
}

if [ -n "$become" ] && ! agent true; then
    fail 4 'this user cannot become uid 1000: log in as that user, or allow sudo without a password'
fi
if [ "$mode" = make ] && ! agent test -d "$config/plugins"; then
    missing=$config
    if [ -d "$config" ]; then
        agent test -x "$config" || fail 5 "uid 1000 cannot reach $config"
        missing=$config/plugins
    fi
    above=$missing
    until [ -d "$above" ]; do above=$(dirname -- "$above"); done
    if agent test -w "$above"; then
        agent mkdir -p -- "$missing" || fail 5 "$missing cannot be made"
    else
        while [ "$above" != / ]; do
            above=$(dirname -- "$above")
            if agent test -w "$above"; then fail 5 "$missing lies below $above, where uid 1000 can write: make it first"; fi
        done
        as_root install -d -o 1000 -g 1000 -m 755 -- "$missing" || fail 5 "$missing cannot be made"
    fi
fi
# shellcheck disable=SC2086
exec $become "$@"
