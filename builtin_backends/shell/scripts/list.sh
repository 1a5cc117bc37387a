#!/bin/sh
# Lists all plugins of a target with one pass over their files.
#
#   sh -c "$(cat list.sh)" plugport CONFIG_DIR
#
# Prints the names of the plugins, a line `--files--`, the lines of `sha256sum` for all their files, a line
# `--manifests--`, and a tar of their `plugin.yaml`.
# Exit: 0 done (also if there is no plugins directory), 4 a tool is missing.
set -eu
export LC_ALL=C

for tool in find xargs sha256sum tar; do
    command -v "$tool" >/dev/null 2>&1 || { printf 'plugport: there is no %s\n' "$tool" >&2; exit 4; }
done
if [ ! -d "$1/plugins" ]; then exit 0; fi
cd "$1/plugins"
for left in .old-*; do # a version that a crash left set aside
    if [ -d "$left" ] && [ ! -e "${left#.old-}" ]; then mv -- "$left" "${left#.old-}" 2>/dev/null || :; fi
done
set -- ./*/
if [ ! -d "$1" ]; then exit 0; fi
printf '%s\n' "$@"
printf -- '--files--\n'
find "$@" -type f -print0 | xargs -0 -r sha256sum
printf -- '--manifests--\n'
find ./*/plugin.yaml -type f -size -513 -print0 2>/dev/null | xargs -0 -r tar -cf -
