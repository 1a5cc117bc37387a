#!/bin/sh
# Reads what lies at some paths of a target. Changes nothing.
#
#   sh -c "$(cat inspect.sh)" plugport "$(cat inspect_paths.sh)" CONFIG_DIR HOME MAX_CONTENT   < records, each ended by NUL
#
# HOME may be empty: it is uid 1000's then if this is root, else this user's. A record is a letter and a path. The path is
# relative to the config dir, or to the home if it starts with `~/`. The letter is `p`, `c` for its content too, if that
# has at most MAX_CONTENT bytes, `t` for the files below it too, or `n` for the
# names in it. Prints the absolute paths of the config dir and the
# home (empty if unknown), each ended by NUL; then what inspect_paths.sh prints.
# Exit: 0 done, 4 a tool is missing.
set -eu
export LC_ALL=C
newline='
'
paths=$1 config=$2 home=$3 max=$4
missing=''
for tool in find xargs sha256sum ls wc head readlink; do
    command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
if [ -n "$missing" ]; then
    printf 'plugport: there is no%s\n' "$missing" >&2
    exit 4
fi
if [ -z "$home" ] && [ "$(id -u 2>/dev/null)" = 0 ]; then
    if [ -r /etc/passwd ]; then home=$(sed -n 's/^[^:]*:[^:]*:1000:[^:]*:[^:]*:\([^:]*\).*$/\1/p' /etc/passwd | head -n 1); fi
elif [ -z "$home" ]; then
    home=${HOME-}
    if [ "$home" = / ]; then home=''; fi # what an engine sets for a user without a name
fi
case $home in
*"$newline"* | *\\*) home='' ;;
/*) home=$(cd "$home" 2>/dev/null && pwd -P) || home='' ;;
*) home='' ;;
esac
base=''
if cd "$config" 2>/dev/null; then base=. config=$(pwd -P); fi
printf '%s\0%s\0' "$config" "$home"
xargs -0 -r -n 500 sh -c "$paths" plugport "$base" "$home" "$max"
