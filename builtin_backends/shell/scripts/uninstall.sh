#!/bin/sh
# Deletes and rewrites what an uninstall has decided.
#
#   sh -c "$(cat keeping.sh uninstall.sh)" plugport CONFIG_DIR NAME FATE MAX_FILES MAX_BYTES KNOWN…   < a tar
#
# The tar holds `delete`, the lines of sha256sum for the files to delete; `directories`, paths that end in NUL, deleted if
# empty; `texts`, a line for each changed text: number and sha256 of the text as it was read; for each of them a file
# `path-NUMBER`, and a file `new-NUMBER` if the text is rewritten and not deleted. Unless FATE is `keeps`, the plugin's
# own directory is deleted last, by one rename; what somebody edited in it is set aside, all of it if FATE is `sets-aside`.
# For MAX_FILES, MAX_BYTES, KNOWN and what is printed see install.sh.
# Exit: 0 done, 4 a tool is missing, 5 the config dir is missing or locked, 6 a file has changed since it was read.
config=$1 name=$2 fate=${3-} most_files=${4:-1000} most_bytes=${5:-67108864}
if [ $# -gt 5 ]; then
    shift 5
    known=" $* "
fi

# Fails if the text $1 is not the one with the sha256 $2. Sets `text` to its path.
read_text() {
    text=$(cat "$stage/orders/path-$1" && printf .)
    text=${text%.}
    now=$(sha256sum <"$text") && [ "${now%% *}" = "$2" ]
}

require_tools xargs sha256sum tar
cd "$config" 2>/dev/null || fail 5 'the config dir is missing'
config=$(pwd -P)
plugins=$config/plugins
handle_signals
if [ -d "$plugins" ]; then
    exec 9<"$plugins"
    choose_lock "$plugins/.plugport/lock"
    lock
    prepare
    sweep
    make_stage "$staging/$name"
else
    exec 9<"$config"
    choose_lock "$config/.plugport-lock"
    lock
    make_stage "$config/.stg-$name"
fi
mkdir -- "$stage/orders"
tar -xf - -C "$stage/orders"

now=$(print_paths <"$stage/orders/delete" | xargs -0 -r sha256sum -- 2>/dev/null | sha256sum) || :
[ "$now" = "$(sha256sum <"$stage/orders/delete")" ] || exit 6
while read -r number sha256; do
    read_text "$number" "$sha256" || exit 6
done <"$stage/orders/texts"
print_paths <"$stage/orders/delete" | xargs -0 -r rm -f --
xargs -0 -r -n 1 rmdir -- <"$stage/orders/directories" 2>/dev/null || :
while read -r number sha256; do
    read_text "$number" "$sha256" || exit 6
    if [ -f "$stage/orders/new-$number" ]; then
        rm -f -- "$text.plugport-new"
        cp -p -- "$text" "$text.plugport-new"
        cat "$stage/orders/new-$number" >"$text.plugport-new"
        mv -f -- "$text.plugport-new" "$text"
    else
        rm -f -- "$text"
    fi
done <"$stage/orders/texts"

if [ "$fate" = sets-aside ]; then whole=$name; fi
if [ "$fate" != keeps ] && [ -d "$plugins" ]; then
    if exists "$plugins/$name"; then
        mv -- "$plugins/$name" "$stage/swap"
        settle "$stage" || fail 1 'what was edited in the plugin could not be set aside'
    fi
    rm -f -- "$managed/$name"
    (bound "$most_files" "$most_bytes")
fi
clean_up
if [ -d "$plugins" ]; then
    cd "$plugins" # what is empty goes, so that nothing of plugport stays after the last plugin
    if rmdir .plugport/staging 2>/dev/null; then
        rmdir .plugport/managed 2>/dev/null || :
        if [ "$(ls -A .plugport)" = made ]; then
            rm -f .plugport/made
            rmdir .plugport
            cd "$config"
            rmdir plugins 2>/dev/null || :
        else
            rmdir .plugport 2>/dev/null || :
        fi
    fi
fi
