#!/bin/sh
# Tells what a target lacks of what the scripts need, and who may write in the config dir. Changes nothing.
#
#   sh -c "$(cat probe.sh)" plugport CONFIG_DIR
#
# Prints a line for each tool, or tool with its option, that is missing: `lacks`, and its name. Then `powers` and the
# capabilities of this process in hex (`-` if they are unknown), and `owner`, the user and the group of the plugins
# directory, or else of the config dir (two times `-` if there is none).
set -u
export LC_ALL=C

# Prints that $1 is missing, unless the command after it works.
try() {
    what=$1
    shift
    "$@" >/dev/null 2>&1 </dev/null || printf 'lacks %s\n' "$what"
}

for tool in cat chmod cp find head id ls mkdir mv readlink rm rmdir sed sha256sum sort tar touch uniq wc xargs; do
    command -v "$tool" >/dev/null 2>&1 || printf 'lacks %s\n' "$tool"
done
# shellcheck disable=SC2016
for line in 'find:-print0:find / -prune -print0' 'find:-exec +:find / -prune -exec ls -d {} +' \
    'find:-path:find / -prune ! -path "*x" -type d' 'find:-size:find / -prune -size -513' \
    'sort:-z:printf "b\0a\0" | sort -z' 'sort:-u:printf a | sort -u' 'uniq:-d:printf a | uniq -d' \
    'xargs:-0:printf "/\0" | xargs -0 ls -d' \
    'xargs:-r:printf "" | xargs -0 -r false' 'xargs:-n:printf "/\0" | xargs -0 -n 1 ls -d' \
    'head:-c:printf abc | head -c 2' 'wc:-c:printf a | wc -c' 'sed:-n:printf a | sed -n 1p' 'id:-u:id -u' \
    'ls:-dn:ls -dn /' 'ls:-di:ls -di /' 'ls:-1dt:ls -1dt /' 'ls:-A:ls -A /' 'touch:-c:touch -c /nonexistent/plugport'; do
    tool=${line%%:*} rest=${line#*:}
    if command -v "$tool" >/dev/null 2>&1; then try "$tool ${rest%%:*}" sh -c "${rest#*:}"; fi
done

powers=-
{ while read -r label value; do case $label in CapEff:) powers=$value ;; esac; done </proc/self/status; } 2>/dev/null
printf 'powers %s\n' "$powers"
for folder in "$1/plugins" "$1" ''; do
    if [ -z "$folder" ]; then printf 'owner - -\n'; fi
    if [ -d "$folder" ]; then
        # shellcheck disable=SC2012
        ls -dn -- "$folder" | { read -r _ _ user group _ && printf 'owner %s %s\n' "$user" "$group"; }
        break
    fi
done
