#!/bin/sh
# Puts what was set aside back into a plugin's directory.
#
#   sh -c "$(cat keeping.sh restore.sh)" plugport CONFIG_DIR NAME DIGEST MAX_FILES MAX_BYTES
#
# DIGEST names a directory of plugins/.plugport/kept/NAME, or is `newest`. What its files replace is set aside first, as a
# reinstall does it; what stands in their way, such as a link in place of a folder, too. For what is printed see keeping.sh.
# Exit: 0 done, 4 a tool is missing, 5 a directory is missing or cannot be made, 7 nothing of this digest is kept.
config=$1 name=$2 wanted=$3 most_files=${4:-1000} most_bytes=${5:-67108864}

require_tools find sort xargs sha256sum
cd "$config" 2>/dev/null || fail 5 'the config dir is missing'
plugins=$(pwd -P)/plugins
[ -d "$plugins" ] || exit 7
handle_signals
exec 9<"$plugins"
choose_lock "$plugins/.plugport/lock"
lock
prepare
sweep
if [ "$wanted" = newest ]; then
    # shellcheck disable=SC2012
    wanted=$(cd "$kept/$name" 2>/dev/null && ls -t | head -n 1) || :
    case $wanted in '' | *[!0-9a-f]*) exit 7 ;; esac
fi
source=$kept/$name/$wanted
if [ -L "$kept" ] || [ -L "$kept/$name" ] || [ -L "$source" ] || [ ! -d "$source" ]; then exit 7; fi
if [ -L "$plugins/$name" ] || { exists "$plugins/$name" && [ ! -d "$plugins/$name" ]; }; then
    fail 5 'something that is no directory lies in place of the plugin'
fi
if [ ! -d "$plugins/$name" ]; then
    mkdir -- "$plugins/$name"
    own "$plugins/$name"
fi
make_stage "$staging/$name"
mkdir -- "$stage/swap"
cd "$source"
# shellcheck disable=SC2016
find . ! -type d -exec sh -c '
    set -eu
    place=$0 aside=$1
    shift
    for file; do
        file=${file#./} above="" rest=${file#./}
        while :; do
            case $rest in */*) ;; *) break ;; esac
            above=$above${rest%%/*} rest=${rest#*/}
            if [ -L "$place/$above" ] || { [ -e "$place/$above" ] && [ ! -d "$place/$above" ]; }; then
                mkdir -p -- "$aside/$above"
                rmdir -- "$aside/$above"
                mv -- "$place/$above" "$aside/$above"
            fi
            if [ ! -d "$place/$above" ]; then
                mkdir -- "$place/$above"
                if [ "$(id -u 2>/dev/null)" = 0 ]; then chown 1000:1000 -- "$place/$above"; fi
            fi
            above=$above/
        done
        if [ -e "$place/$file" ] || [ -L "$place/$file" ]; then
            mkdir -p -- "$aside/$above"
            mv -- "$place/$file" "$aside/$file"
        fi
        mv -- "$file" "$place/$file"
        printf "Bplugins/%s/%s\0" "${place##*/}" "$file"
    done
' "$plugins/$name" "$stage/swap" {} +
cd "$plugins"
find "$source" -depth -type d -exec rmdir {} + 2>/dev/null || :
rmdir -- "$kept/$name" 2>/dev/null || :
settle "$stage" || fail 1 'what was replaced could not be set aside'
bound "$most_files" "$most_bytes"
