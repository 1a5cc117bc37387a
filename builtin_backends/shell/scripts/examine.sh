#!/bin/sh
# Reads from a target what an uninstall needs to know.
#
#   sh -c "$(cat examine.sh)" plugport CONFIG_DIR TEXT…   < paths, each ended by NUL
#
# Input: the paths to hash. Prints the config dir's absolute path, the lines of `sha256sum` for the paths that are regular
# files, a line `--texts--`, and a tar of the TEXTs that are regular files.
# Exit: 0 done, 4 a tool is missing, 5 the config dir is missing.
set -eu
export LC_ALL=C

for tool in xargs sha256sum tar mktemp; do
    command -v "$tool" >/dev/null 2>&1 || { printf 'plugport: there is no %s\n' "$tool" >&2; exit 4; }
done
cd "$1" 2>/dev/null || { printf 'plugport: the config dir is missing\n' >&2; exit 5; }
shift
pwd -P
# shellcheck disable=SC2016
xargs -0 -r -n 100 sh -c 'for path; do if [ -f "$path" ] && [ ! -L "$path" ]; then sha256sum -- "$path"; fi; done' plugport
printf -- '--texts--\n'
for text in "$@"; do
    if [ -f "$text" ] && [ ! -L "$text" ]; then printf '%s\0' "$text"; fi
done | xargs -0 -r tar -cf -
