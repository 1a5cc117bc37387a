#!/bin/sh
# Runs a command in a clean environment, and prints its answer in a frame that nothing else there can imitate.
#
#   sh -c "$(cat frame.sh)" plugport HALF HALF COMMAND…
#
# The two halves are the mark. It stands in no command line as a whole, so that who echoes this one prints no frame. Prints
# `MARK ready` before the command starts: nothing is sent to it before, since what a login shell runs first may read its
# input, or run it. Then follow
#   MARK KIND LENGTH    KIND is base64 or hex
#   the command's output, a newline and its exit code, in that encoding: LENGTH characters
#   MARK end
# Exit: 4 a tool is missing.
set +aefuvxC
unset -v BASH_ENV ENV CDPATH GLOBIGNORE POSIXLY_CORRECT POSIX_ME_HARDER _POSIX2_VERSION \
    TAR_OPTIONS TAR_READER_OPTIONS TAR_WRITER_OPTIONS TAPE GREP_OPTIONS QUOTING_STYLE TIME_STYLE LS_COLORS \
    BLOCK_SIZE BLOCKSIZE LS_BLOCK_SIZE COLUMNS LD_PRELOAD LD_AUDIT FPATH ZDOTDIR PERL5OPT
if [ -n "${BASH_VERSION-}" ]; then
    # shellcheck disable=SC3045
    export -n SHELLOPTS BASHOPTS 2>/dev/null
    # shellcheck disable=SC3044
    for function in $(declare -F 2>/dev/null); do unset -f "$function" 2>/dev/null; done
fi
mark=$1$2 path='' rest=${PATH-}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/busybox:
shift 2
while [ -n "$rest" ]; do # without relative folders: a plugin would bring the tools
    case ${rest%%:*} in /*) path=$path:${rest%%:*} ;; esac
    rest=${rest#*:}
done
PATH=${path#:}
export PATH

if command -v base64 >/dev/null 2>&1; then
    kind=base64
    encode() { base64; }
elif command -v od >/dev/null 2>&1; then
    kind=hex
    encode() { od -A n -v -t x1; }
else
    printf 'plugport: there is no base64 and no od\n' >&2
    exit 4
fi
trap : HUP INT TERM # the command ends itself
echo "$mark ready"
text=$({ code=0 && "$@" || code=$? && printf '\n%d' "$code"; } | encode)
echo "$mark $kind ${#text}
$text
$mark end"
