#!/bin/sh
# Runs the agent's own command in the config dir, as the user that owns the config dir, and prints what it says.
#
#   sh -c "$(cat ask.sh)" plugport CONFIG_DIR MAX_OUTPUT VARIABLES NAME=VALUE… COMMAND ARGUMENT…
#
# VARIABLES is the number of assignments before the command.
# Prints the command's exit code and the size of its output, each ended by NUL; its output, and what it printed as errors.
# Exit: 0 the command has run, 4 a tool is missing, 5 the config dir is missing, 125 this user cannot become the owner, 127
# there is no such command.
set -eu
config=$1 max=$2 variables=$3
shift 3
missing=''
for tool in cat head ls mkdir wc; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
if [ -n "$missing" ]; then
    printf 'plugport: there is no%s\n' "$missing" >&2
    exit 4
fi
cd "$config" 2>/dev/null || exit 5
while [ "$variables" -gt 0 ]; do
    # shellcheck disable=SC2163
    export "$1"
    shift
    variables=$((variables - 1))
done
PATH=${PATH:-/usr/bin:/bin}:${HOME:-/}/.local/bin:${HOME:-/}/bin:/usr/local/bin:/usr/bin:/bin
export PATH
command -v "$1" >/dev/null 2>&1 || exit 127

# shellcheck disable=SC2012
owner=$(ls -dn . | { read -r _ _ uid _ && printf '%s' "$uid"; })
if [ "$(id -u 2>/dev/null)" = 0 ] && [ "$owner" != 0 ]; then
    if command -v setpriv >/dev/null 2>&1 && setpriv --reuid "$owner" --regid "$owner" --clear-groups true 2>/dev/null; then
        set -- setpriv --reuid "$owner" --regid "$owner" --clear-groups -- "$@"
    elif command -v chroot >/dev/null 2>&1 && chroot --userspec="$owner:$owner" / true 2>/dev/null; then
        # shellcheck disable=SC2016
        set -- chroot --userspec="$owner:$owner" / sh -c 'cd "$0" && exec "$@"' "$config" "$@"
    elif user=$(sed -n "s/^\\([^:]*\\):[^:]*:$owner:.*/\\1/p" /etc/passwd 2>/dev/null | head -n 1) && [ -n "$user" ] &&
        command -v su >/dev/null 2>&1; then
        quoted=''
        for word; do # as one word: this su takes options behind the user for its own
            quoted="$quoted '$(printf '%s' "$word" | sed "s/'/'\\\\''/g")'"
        done
        # shellcheck disable=SC2016
        set -- su -s /bin/sh -c 'set --'"$quoted"'; exec "$@"' "$user"
    elif command -v start-stop-daemon >/dev/null 2>&1 && start-stop-daemon -S -c "$owner:$owner" -p /nonexistent -x /bin/true 2>/dev/null; then
        # shellcheck disable=SC2016
        set -- start-stop-daemon -S -c "$owner:$owner" -p /nonexistent -x /bin/sh -- -c 'exec "$@"' plugport "$@"
    else
        printf 'plugport: this user cannot become the owner of the config dir\n' >&2
        exit 125
    fi
fi
folder=''
for above in "${TMPDIR:-/tmp}" /tmp /dev/shm /var/tmp /run .; do
    if [ -d "$above" ] && mkdir -m 700 -- "$above/.plugport-$$" 2>/dev/null; then
        folder=$above/.plugport-$$
        break
    fi
done
if [ -z "$folder" ]; then
    printf 'plugport: no folder for temporary files can be written\n' >&2
    exit 4
fi
trap 'rm -rf -- "$folder"' EXIT
trap 'exit 143' HUP INT TERM PIPE
{
    code=0
    "$@" </dev/null 2>"$folder/errors" || code=$?
    printf '%s' "$code" >"$folder/code"
} | head -c "$max" >"$folder/output"
size=$(wc -c <"$folder/output")
printf '%d\0%d\0' "$(cat "$folder/code")" "$((size))"
cat "$folder/output"
head -c 65536 "$folder/errors"
