#!/bin/sh
# Deletes and rewrites what an uninstall has decided.
#
#   sh -c "$(cat uninstall.sh)" plugport CONFIG_DIR NAME   < a tar
#
# The tar holds `delete` (files) and `directories` (deleted if empty), both as paths that end in NUL; `texts`, a line for
# each changed text: number, sha256 of the text as it was read, path; and a file `new-NUMBER` for each text that is
# rewritten and not deleted. The plugin's own directory is deleted last, by one rename.
# Exit: 0 done, 4 a tool is missing, 5 the config dir is missing or locked, 6 a text has changed since it was read.
set -eu
export LC_ALL=C
umask 022
config=$1 name=$2
stage=''

clean_up() {
    trap '' HUP INT TERM PIPE
    cd / || :
    if [ -n "$stage" ]; then rm -rf -- "$stage"; fi
}

for tool in xargs sha256sum tar mktemp; do
    command -v "$tool" >/dev/null 2>&1 || { printf 'plugport: there is no %s\n' "$tool" >&2; exit 4; }
done
cd "$config" 2>/dev/null || { printf 'plugport: the config dir is missing\n' >&2; exit 5; }
config=$(pwd -P)
trap clean_up EXIT
trap 'exit 143' HUP INT TERM PIPE
holder=$config
if [ -d "$config/plugins" ]; then holder=$config/plugins; fi
if command -v flock >/dev/null 2>&1; then
    exec 9<"$holder"
    flock -w 60 9 || { printf 'plugport: another delivery holds the directory\n' >&2; exit 5; }
fi
stage=$(mktemp -u "$holder/.stg-XXXXXX") # named first, so that a signal between the two lines cleans up
mkdir -m 700 -- "$stage"
tar -xf - -C "$stage"

xargs -0 -r rm -f -- <"$stage/delete"
xargs -0 -r -n 1 rmdir -- <"$stage/directories" 2>/dev/null || :
while read -r number sha256 text; do
    now=$(sha256sum <"$text") || exit 6
    [ "${now%% *}" = "$sha256" ] || exit 6
    if [ -f "$stage/new-$number" ]; then
        cp -p -- "$text" "$text.plugport-new"
        cat "$stage/new-$number" >"$text.plugport-new"
        mv -f -- "$text.plugport-new" "$text"
    else
        rm -f -- "$text"
    fi
done <"$stage/texts"

if [ -L "plugins/$name" ]; then
    kept=$(readlink "plugins/$name")
    rm -f -- "plugins/$name"
    case $kept in .store/*/*) ;; .store/?*) rm -rf -- "plugins/$kept" ;; esac
elif [ -e "plugins/$name" ]; then
    mv -- "plugins/$name" "$stage/gone"
fi
if [ -e "plugins/.old-$name" ]; then rm -rf -- "plugins/.old-$name"; fi
