#!/bin/sh
# Makes changes beside a plugin's directory: copies of it, files and links. All of them or none.
#
#   sh -c "$(cat keeping.sh activate.sh)" plugport CONFIG_DIR HOME NAME MAX_FILES MAX_BYTES   < a tar
#
# The tar holds `steps`, a line for each step: its number, what to do, and what must be there now: a sha256, a digest of a
# tree, or `-` for nothing. For each step there is a file `path-NUMBER` with the place: `C` and a path below the config
# dir, or `H` and a path below HOME. To do is
#   copy, uncopy       make the place a copy of the plugin's directory, or remove that; what somebody edited is set aside
#   write, program     write `new-NUMBER` into a file, which can be run if it is a program
#   delete             delete a file
#   link, unlink       make a link with the text `new-NUMBER`, or remove it; `old-NUMBER` has the text of the link that
#                      may be there now
#   folder             remove a folder if it is empty; `plugins` goes with the last plugin
# A link on the way to a place is not followed. Prints `R` and the place for each step that cannot be done, because
# something else is there, and what keeping.sh says.
# Exit: 0 done or refused, 4 a tool is missing, 5 the config dir is missing or locked.
config=$1 home=$2 name=$3 most_files=${4:-1000} most_bytes=${5:-67108864}

# Sets `text` to the content of the file $1, to the last line end.
read_text() {
    text=$(cat "$1" && printf .)
    text=${text%.}
}

# Sets `place` to what step $1 is about, and `here` to where that is. Fails if there is a link on the way.
find_place() {
    read_text "$stage/orders/path-$1"
    place=${text#?} base=$config
    case $text in H*) base=$home ;; esac
    [ -n "$base" ] || return 1
    here=$base rest=$place
    while :; do
        case $rest in */*) ;; *) break ;; esac
        here=$here/${rest%%/*}
        if [ -L "$here" ]; then return 1; fi
        if exists "$here" && [ ! -d "$here" ]; then return 1; fi
        rest=${rest#*/}
    done
    here=$here/$rest
}

# Prints the sha256 of a file.
hash_of() {
    sum=$(sha256sum <"$1") && printf '%s' "${sum%% *}"
}

# Prints the digest of a tree.
digest_of() {
    sum=$(cd "$1" && find . -type f -print0 | sort -z | xargs -0 -r sha256sum | sha256sum) && printf '%s' "${sum%% *}"
}

# Whether step $1, to do $2, finds at its place what it expects: $3, or what it makes.
is_as_expected() {
    case $2 in
    copy | uncopy) [ ! -L "$here" ] && { [ -d "$here" ] || ! exists "$here"; } ;;
    write | program)
        if [ -L "$here" ] || [ -d "$here" ]; then return 1; fi
        if [ ! -e "$here" ]; then [ "$3" = - ]; return; fi
        [ -f "$here" ] || return 1
        sum=$(hash_of "$here") || return 1
        [ "$sum" = "$3" ] || [ "$sum" = "$(hash_of "$stage/orders/new-$1")" ]
        ;;
    delete)
        if ! exists "$here"; then return 0; fi
        [ -f "$here" ] && [ ! -L "$here" ] && [ "$(hash_of "$here")" = "$3" ]
        ;;
    link | unlink)
        if ! exists "$here"; then return 0; fi
        [ -L "$here" ] || return 1
        now=$(readlink "$here" && printf .)
        now=${now%??}
        for text in new old; do
            if [ -f "$stage/orders/$text-$1" ] && [ "$now" = "$(cat "$stage/orders/$text-$1")" ]; then return 0; fi
        done
        return 1
        ;;
    esac
}

# Makes the folders above `here`.
make_parents() {
    parent=$base rest=$place
    while :; do
        case $rest in */*) ;; *) break ;; esac
        parent=$parent/${rest%%/*} rest=${rest#*/}
        if [ ! -d "$parent" ]; then
            mkdir -- "$parent" || [ -d "$parent" ] || fail 1 "$parent cannot be made"
            own "$parent"
        fi
    done
}

# Sets aside what somebody edited of the copy at `here`, which has the digest $1 if nobody did.
put_aside() {
    known=" $1 "
    mv -- "$here" "$stage/swap"
    set_aside "$stage/swap" "$name" || fail 1 'what was edited in a copy could not be set aside'
}

# Carries out step $1, to do $2; $3 is what is expected.
carry_out() {
    case $2 in
    copy)
        rm -rf -- "$stage/new"
        mkdir -- "$stage/new"
        cp -R -- "$plugins/$name/." "$stage/new/"
        if [ -n "$root" ]; then chown -Rh 1000:1000 -- "$stage/new"; fi
        chmod 755 -- "$stage/new"
        make_parents
        if [ -d "$here" ]; then put_aside "$3"; fi
        mv -- "$stage/new" "$here"
        ;;
    uncopy) if [ -d "$here" ]; then put_aside "$3"; fi ;;
    write | program)
        make_parents
        rm -f -- "$here.plugport-new"
        if [ -f "$here" ]; then
            cp -p -- "$here" "$here.plugport-new"
            cat "$stage/orders/new-$1" >"$here.plugport-new"
        else
            cat "$stage/orders/new-$1" >"$here.plugport-new"
            if [ "$2" = program ]; then chmod 755 -- "$here.plugport-new"; fi
            own "$here.plugport-new"
        fi
        mv -f -- "$here.plugport-new" "$here"
        ;;
    delete) rm -f -- "$here" ;;
    link)
        make_parents
        read_text "$stage/orders/new-$1"
        rm -f -- "$here.plugport-new"
        ln -s -- "$text" "$here.plugport-new"
        own "$here.plugport-new"
        rm -f -- "$here" # a link would be followed by mv
        mv -- "$here.plugport-new" "$here"
        ;;
    unlink) rm -f -- "$here" ;;
    folder)
        if [ "$here" = "$plugins" ]; then # it is not empty yet: uninstall.sh removes it
            if [ -d "$managed" ]; then : >"$plugins/.plugport/made" && own "$plugins/.plugport/made"; fi
        else
            rmdir -- "$here" 2>/dev/null || :
        fi
        ;;
    esac
}

require_tools find sort xargs sha256sum tar readlink
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
else # an uninstall that is repeated: nothing is copied then
    exec 9<"$config"
    choose_lock "$config/.plugport-lock"
    lock
    make_stage "$config/.stg-$name"
    kept=$plugins/.plugport/kept managed=$plugins/.plugport/managed
fi
mkdir -- "$stage/orders"
tar -xf - -C "$stage/orders"

refused=''
while read -r number action expected; do
    if find_place "$number" && is_as_expected "$number" "$action" "$expected"; then continue; fi
    if [ "$action" = folder ]; then continue; fi
    refused=yes
    printf 'R%s\0' "$place"
done <"$stage/orders/steps"
if [ -z "$refused" ]; then
    while read -r number action expected; do
        if find_place "$number"; then carry_out "$number" "$action" "$expected"; fi
    done <"$stage/orders/steps"
fi
(bound "$most_files" "$most_bytes")
