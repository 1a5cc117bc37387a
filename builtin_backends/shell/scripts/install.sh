#!/bin/sh
# Installs one plugin on a target with a shell, whole or not at all.
#
#   sh -c "$(cat install.sh)" plugport CONFIG_DIR NAME DIGEST [large]   < a tar
#
# DIGEST is the tree's digest in hex. With `large`, openssl hashes the tree if the target has it: it is several times
# faster than most `sha256sum`s, but slow to start. If its digest differs, sha256sum decides. Prints `installed DIGEST`
# after the files were read and put in place.
# Exit: 0 done, 3 the digest differs, 4 a tool is missing, 5 a directory is missing or cannot be made; else the exit code
# of the command that failed.
#
# If the target has flock, the plugins directory is locked only while leftovers are swept and while versions are swapped,
# so that several plugins can arrive at once. Each staging folder is locked while it is filled.
set -eu
export LC_ALL=C
umask 022
config=$1 name=$2 wanted=$3 size=${4-}
stage=''
locks=''
if command -v flock >/dev/null 2>&1; then locks=yes; fi

fail() {
    code=$1
    shift
    printf 'plugport: %s\n' "$*" >&2
    exit "$code"
}

clean_up() {
    trap '' HUP INT TERM PIPE
    cd / || :
    if [ -n "$stage" ]; then rm -rf -- "$stage" || :; fi
}

lock() {
    if [ -n "$locks" ]; then flock -w 60 9 || fail 5 'another delivery holds the plugins directory'; fi
}

unlock() {
    if [ -n "$locks" ]; then flock -u 9; fi
}

# Repairs what a crash left: deletes staging folders that are not being filled, and moves a version that was set aside
# back, unless another version took its place.
sweep() {
    for left in "$plugins"/.stg-*; do
        if [ ! -e "$left" ] && [ ! -L "$left" ]; then continue; fi
        if [ -z "$locks" ] || [ ! -d "$left" ] || flock -n "$left" true; then rm -rf -- "$left" || :; fi
    done
    for left in "$plugins"/.old-*; do
        if [ ! -e "$left" ] && [ ! -L "$left" ]; then continue; fi
        place="$plugins/${left##*/.old-}"
        if [ -e "$place" ] || [ -L "$place" ]; then rm -rf -- "$left"; else mv -- "$left" "$place"; fi
    done
}

# Swaps $1 and $2 atomically; both exist. Fails if the target has no program that can. perl comes before python3 because
# it starts ten times faster; the numbers are those of the system call renameat2.
exchange() {
    mv --exchange --no-target-directory -- "$1" "$2" 2>/dev/null && return 0
    case $(uname -m) in x86_64) call=316 ;; aarch64 | riscv64) call=276 ;; *) call='' ;; esac
    if [ -n "$call" ] && command -v perl >/dev/null 2>&1; then
        # shellcheck disable=SC2016
        perl -e 'exit(syscall($ARGV[0] + 0, -100, $ARGV[1], -100, $ARGV[2], 2) == 0 ? 0 : 1)' \
            "$call" "$1" "$2" 2>/dev/null && return 0
    fi
    command -v python3 >/dev/null 2>&1 || return 1
    python3 -I -S -c '
import ctypes, os, sys
first, second = (os.fsencode(name) for name in sys.argv[1:])
renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
sys.exit(0 if renameat2(-100, first, -100, second, 2) == 0 else 1)
' "$1" "$2" 2>/dev/null
}

for tool in find sort xargs sha256sum tar mktemp; do
    command -v "$tool" >/dev/null 2>&1 || fail 4 "there is no $tool"
done
[ -d "$config" ] || fail 5 'the config dir is missing'
plugins=$config/plugins
if [ ! -d "$plugins" ]; then
    mkdir -- "$plugins" || [ -d "$plugins" ] || fail 5 'the plugins directory cannot be made'
    if [ "$(id -u)" = 0 ]; then chown 1000:1000 "$plugins"; fi
fi
trap clean_up EXIT
trap 'exit 143' HUP INT TERM PIPE # PIPE: the reader is gone, and the shell may print that a child was killed
exec 9<"$plugins"
lock
sweep
stage=$(mktemp -u "$plugins/.stg-XXXXXX") # named first, so that a signal between the two lines cleans up
mkdir -m 700 -- "$stage"
exec 8<"$stage"
if [ -n "$locks" ]; then flock -n 8; fi
unlock

cd "$stage"
tar -xpf -
odd=$(find . ! -type f ! -type d | head -n 1)
[ -z "$odd" ] || fail 3 'there is something that is neither a file nor a directory'
digest=''
if [ "$size" = large ] && command -v openssl >/dev/null 2>&1; then
    digest=$(find . -type f -print0 | sort -z | xargs -0 -r openssl dgst -sha256 -r 2>/dev/null | sed 's/ \*/  /' | sha256sum)
fi
if [ "${digest%% *}" != "$wanted" ]; then
    digest=$(find . -type f -print0 | sort -z | xargs -0 -r sha256sum | sha256sum)
fi
digest=${digest%% *}
[ "$digest" = "$wanted" ] || fail 3 "the digest is $digest"
chmod 755 .
if [ "$(id -u)" = 0 ]; then chown 1000:1000 .; fi
mark=$(ls -di .)
cd "$plugins"

lock
if [ -e "$name" ] || [ -L "$name" ]; then
    if ! exchange "$stage" "$plugins/$name"; then
        mv -- "$name" ".old-$name"
        if ! mv -- "$stage" "$name"; then
            mv -- ".old-$name" "$name"
            fail 1 'the new version could not be put in place'
        fi
        rm -rf -- ".old-$name"
    fi
else
    mv -- "$stage" "$name"
fi
cd "$plugins/$name"
[ "$(ls -di .)" = "$mark" ] || fail 3 'another version lies in place'
printf 'installed %s\n' "$digest"
