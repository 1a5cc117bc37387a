#!/bin/sh
# Installs one plugin on a target with a shell, whole or not at all.
#
#   sh -c "$(cat keeping.sh install.sh)" plugport CONFIG_DIR NAME DIGEST SIZE MAX_FILES MAX_BYTES KNOWN…   < a tar
#
# DIGEST is the tree's digest in hex. If SIZE is `large`, openssl hashes the tree if the target has it: it is several
# times faster than most `sha256sum`s, but slow to start. If its digest differs, sha256sum decides. MAX_FILES and
# MAX_BYTES bound what is kept. A word after `plugport` names the caller, if it delivers one plugin at a time there. KNOWN are digests of trees that plugport delivered. Prints what was set aside, then the
# digest, after the files were read and put in place: see keeping.sh.
# Exit: 0 done, 3 the digest differs, 4 a tool is missing, 5 a directory is missing or locked, 8 this user cannot write
# there, or cannot give what it writes to its owner; else the exit code of the command that failed.
#
# The plugins directory is locked only while leftovers are swept and while versions are swapped, so that several plugins
# can arrive at once. Each staging folder is locked while it is filled.
config=$1 name=$2 wanted=$3 size=${4-} most_files=${5:-1000} most_bytes=${6:-67108864}
if [ $# -gt 6 ]; then
    shift 6
    known=" $* "
fi

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

# Prints the mark of the tree in the working directory, if it is the one that is wanted. "$@" hashes files.
print_mark() {
    printf 'plugport 1\ndigest %s\n' "$wanted"
    find . -type f -print0 | sort -z | xargs -0 -r "$@"
}

require_tools find sort xargs sha256sum tar
[ -d "$config" ] || fail 5 'the config dir is missing'
plugins=$config/plugins
handle_signals
make_own "$plugins"
exec 9<"$plugins"
choose_lock "$plugins/.plugport/lock"
lock
prepare
sweep
make_stage "$staging/$name"
unlock

mkdir -- "$stage/new"
own "$stage/new" || fail 8 'the new version cannot be given to its owner'
cd "$stage/new"
if [ -n "$root" ]; then tar -xpf -; else tar -xpof -; fi
odd=$(find . ! -type f ! -type d | head -n 1)
[ -z "$odd" ] || fail 3 'there is something that is neither a file nor a directory'
digest=''
if [ "$size" = large ] && command -v openssl >/dev/null 2>&1; then
    print_mark openssl dgst -sha256 -r 2>/dev/null | sed 's/ \*/  /' >"$stage/mark"
    digest=$(sed 1,2d "$stage/mark" | sha256sum)
fi
if [ "${digest%% *}" != "$wanted" ]; then
    print_mark sha256sum >"$stage/mark"
    digest=$(sed 1,2d "$stage/mark" | sha256sum)
fi
digest=${digest%% *}
[ "$digest" = "$wanted" ] || fail 3 "the digest is $digest"
chmod 755 .
own . "$stage/mark"
inode=$(ls -di .)
cd "$plugins"

lock
prepare
if exists "$name"; then
    cat "$stage/mark" >"$stage/marks"
    if [ -f "$managed/$name" ] && [ ! -L "$managed/$name" ]; then sed 1d "$managed/$name" >>"$stage/marks"; fi
    own "$stage/marks"
    put_mark "$stage/marks"
    mv -- "$stage/new" "$stage/swap"
    check_lock
    if ! exchange "$stage/swap" "$plugins/$name"; then
        mv -- "$name" "$stage/old"
        if ! mv -- "$stage/swap" "$name"; then
            mv -- "$stage/old" "$name"
            fail 1 'the new version could not be put in place'
        fi
    fi
    settle "$stage" || fail 1 'what was edited in the old version could not be set aside'
    put_mark "$stage/mark"
    bound "$most_files" "$most_bytes"
else
    put_mark "$stage/mark"
    mv -- "$stage/new" "$name"
fi
cd "$plugins/$name"
[ "$(ls -di .)" = "$inode" ] || fail 3 'another version lies in place'
printf 'I%s\0' "$wanted"
