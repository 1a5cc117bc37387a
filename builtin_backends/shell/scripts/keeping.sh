#!/bin/sh
# What install.sh, uninstall.sh, restore.sh and activate.sh share; it is put before their text, after locking.sh.
#
# plugport's own things lie in plugins/.plugport:
#   managed/NAME        the mark: `plugport 1`, then for each version that may lie in plugins/NAME a line `digest HEX`
#                       and the lines of sha256sum for its files
#   kept/NAME/DIGEST/   what somebody edited or added in plugins/NAME, set aside when that was replaced or removed
#   staging/NAME.RUN/    one run of a script: `new` is being filled, `swap` is whole and takes the plugin's place or
#                       came from there, `old` was moved out of the plugin's place
#   made                the plugins directory was not there before plugport, and goes with the last plugin
#   lock/RUN            on a target without flock: who holds the lock
# A script that is killed leaves its staging folder. The next run of a script sets aside what is in it: see `settle`.
#
# What is printed are records that end in NUL: K a directory below kept, F a file in it as it was called, D a directory
# below kept that was deleted, I the digest of what was installed, R a place that an
# activation left as it is, B a file that a restore brought back.
caller=${0#plugport} stage='' known='' newest='' whole=''

# Deletes what is no person's of this run's staging folder. What was in the plugin's place stays for the next run.
clean_up() {
    trap '' HUP INT TERM PIPE
    cd / || :
    if [ -n "$stage" ]; then
        rm -rf -- "$stage/new" "$stage/orders" "$stage/mark" "$stage/marks" "$stage/lines" || :
        rm -f -- "$stage/by-$run"
        rmdir -- "$stage" 2>/dev/null || :
    fi
    if [ "$locks" = folder ]; then unlock; fi
}

handle_signals() {
    trap clean_up EXIT
    trap 'exit 143' HUP INT TERM PIPE # PIPE: the reader is gone, and the shell may print that a child was killed
}

# Makes plugport's own folders below $plugins.
prepare() {
    staging=$plugins/.plugport/staging managed=$plugins/.plugport/managed kept=$plugins/.plugport/kept
    for folder in "$plugins/.plugport" "$staging" "$managed"; do
        if [ -L "$folder" ]; then fail 5 "$folder is a link"; fi
    done
    if [ ! -d "$staging" ] || [ ! -d "$managed" ]; then
        for folder in "$plugins/.plugport" "$staging" "$managed"; do make_own "$folder"; done
    fi
}

# Makes the staging folder of this run, and locks it. It is named first, so that a signal between the two lines cleans up.
make_stage() {
    number=0
    while stage=$1.$$-$number && exists "$stage"; do number=$((number + 1)); done
    mkdir -m 700 -- "$stage" || fail 8 "$stage cannot be made"
    printf '%s' "$caller" >"$stage/by-$run"
    if [ "$locks" = flock ]; then
        exec 8<"$stage"
        flock -n 8
    fi
}

# Whether another run uses the staging folder $1.
in_use() {
    for by in "$1"/by-*; do
        if [ ! -f "$by" ]; then continue; fi
        # Who delivers this plugin again has given up the run that did it before, which may wait for input for ever.
        case ${1##*/} in "$name".*) if [ -n "$caller" ] && [ "$(cat "$by")" = "$caller" ]; then end_run "${by##*/by-}"; fi ;; esac
        if ! has_ended "${by##*/by-}" "$by" 1440; then return 0; fi
    done
    if [ "$locks" = flock ] && [ -d "$1" ]; then
        if (exec 8<"$1" && flock -n 8) 2>/dev/null; then return 1; fi
        return 0
    fi
    return 1
}

# Puts the file $1 in the mark's place.
put_mark() {
    if [ -d "$managed/$name" ] && [ ! -L "$managed/$name" ]; then fail 5 'a directory lies in place of the mark'; fi
    if [ -L "$managed/$name" ]; then rm -f -- "$managed/$name"; fi
    mv -f -- "$1" "$managed/$name"
}

# Prints the paths in lines of sha256sum, each ended by NUL. A shell reads a pipe byte by byte, so tr is faster.
print_paths() {
    if command -v tr >/dev/null 2>&1; then
        sed 's/^.\{66\}//' | tr '\n' '\0'
    else
        sed 's/^.\{66\}//' | while IFS= read -r line; do printf '%s\0' "$line"; done
    fi
}

# Sets aside what in $1, a directory that was plugins/$2, differs from what plugport delivered: see the mark, and $known.
# The rest is deleted; of the plugin $whole nothing is. $1 lies in a staging folder. Fails if something could not be set
# aside; it is in $1 then.
set_aside() {
    tree=$1 whose=$2 box=${1%/*}
    if [ -L "$tree" ]; then # without a shell a plugin is delivered as a link into a store
        target=$(readlink "$tree") || return 1
        case $target in
        .store/*/* | .plugport/store/*/*) ;;
        .store/?* | .plugport/store/?*)
            rm -f -- "$tree" || return 1
            if [ ! -d "$plugins/$target" ] || is_linked "$target"; then return 0; fi
            mv -- "$plugins/$target" "$tree" || return 1
            ;;
        esac
    fi
    if [ -L "$tree" ] || [ ! -d "$tree" ]; then
        mkdir -p -- "$box/old-place" && mv -- "$tree" "$box/old-place/$whose" && mv -- "$box/old-place" "$tree" || return 1
    fi
    (cd "$tree" && find . -type f ! -path "*$newline*" ! -path '*\\*' -print0 | sort -z | xargs -0 -r sha256sum) \
        >"$box/lines" 2>/dev/null || :
    digest=$(sha256sum <"$box/lines")
    if [ "$whole" = "$whose" ]; then : >"$box/lines"; fi
    {
        case $known in *" ${digest%% *} "*) if [ "$whose" = "$name" ]; then cat "$box/lines"; fi ;; esac
        if [ -f "$managed/$whose" ] && [ ! -L "$managed/$whose" ]; then sed -n '/^[0-9a-f]\{64\}  /p' "$managed/$whose"; fi
    } | sort -u | sort - "$box/lines" | uniq -d | print_paths |
        (cd "$tree" && xargs -0 -r rm -f --) || :
    find "$tree" -depth -type d -exec rmdir {} + 2>/dev/null || :
    rm -f -- "$box/lines" || :
    if [ ! -d "$tree" ]; then return 0; fi

    digest=$(cd "$tree" && {
        find . -type f -print0 | sort -z | xargs -0 -r sha256sum
        find . ! -type f ! -type d -exec ls -ln {} + | sort
    } | sha256sum)
    digest=${digest%% *}
    if [ -L "$kept" ] || [ -L "$kept/$whose" ]; then return 1; fi
    for folder in "$kept" "$kept/$whose"; do
        if [ ! -d "$folder" ]; then mkdir -- "$folder" && own "$folder" || return 1; fi
    done
    touch -c -- "$tree" || :
    newest=$kept/$whose/$digest
    if [ -d "$newest" ]; then
        touch -c -- "$newest" || :
        rm -rf -- "$tree" || return 1
    else
        mv -- "$tree" "$newest" || return 1
        chmod u+rwx -- "$newest" || :
    fi
    printf 'K%s\0' "plugins/.plugport/kept/$whose/$digest"
    if [ "$whole" = "$whose" ]; then return 0; fi
    # shellcheck disable=SC2016
    (cd "$newest" && find . ! -type d -exec sh -c 'for file; do printf "Fplugins/%s/%s\0" "$0" "${file#./}"; done' "$whose" {} +)
}

# Whether a plugin is a link to $1, a folder of the store.
is_linked() {
    for link in "$plugins"/*; do
        if [ -L "$link" ] && [ "$(readlink "$link")" = "$1" ]; then return 0; fi
    done
    return 1
}

# Ends what a run has left in its staging folder $1: a plugin whose place is empty comes back, and what was in a plugin's
# place is set aside. Fails if something could not be; it stays in the staging folder then.
settle() {
    owner=${1##*/}
    owner=${owner%.*}
    if exists "$1/old-place"; then # a crash while something that is no directory was put into one
        rmdir -- "$1/old-place" 2>/dev/null || exists "$1/swap" || mv -- "$1/old-place" "$1/swap" || return 1
    fi
    if exists "$1/old"; then
        if exists "$plugins/$owner"; then set_aside "$1/old" "$owner" || return 1; else mv -- "$1/old" "$plugins/$owner" || return 1; fi
    fi
    if exists "$1/swap"; then set_aside "$1/swap" "$owner" || return 1; fi
}

# Repairs what a crash left.
sweep() {
    for left in "$plugins"/.stg-*; do # of the first release
        if ! exists "$left"; then continue; fi
        if ! in_use "$left"; then rm -rf -- "$left" || :; fi
    done
    for left in "$plugins"/.old-*; do # of the first release
        if ! exists "$left"; then continue; fi
        if exists "$plugins/${left##*/.old-}"; then
            mkdir -p -- "$staging/${left##*/.old-}.old"
            mv -- "$left" "$staging/${left##*/.old-}.old/swap"
        else
            mv -- "$left" "$plugins/${left##*/.old-}"
        fi
    done
    for left in "$staging"/*; do
        if ! exists "$left"; then continue; fi
        if in_use "$left"; then continue; fi
        if [ -L "$left" ] || [ ! -d "$left" ] || settle "$left"; then rm -rf -- "$left" || :; fi
    done
}

# Deletes the oldest directories below kept until no more than $1 files with $2 bytes are left. The newest stays.
bound() {
    if [ -z "$newest" ]; then return 0; fi
    files=0 bytes=0 full='' most_files=$1 most_bytes=$2 newest=${newest#"$kept"/}
    cd "$kept"
    set --
    for tree in */*; do
        case $tree in *"$newline"* | */*[!0-9a-f]* | "$newest") continue ;; esac
        if [ -d "$tree" ] && [ ! -L "$tree" ] && [ ! -L "${tree%/*}" ]; then set -- "$@" "$tree"; fi
    done
    {
        printf '%s\n' "$newest"
        if [ $# -gt 0 ]; then ls -1dt -- "$@"; fi
    } | while IFS= read -r tree; do
        files=$((files + $(find "./$tree" ! -type d -exec sh -c 'for file; do printf .; done' plugport {} + | wc -c)))
        bytes=$((bytes + $(find "./$tree" -type f -exec cat {} + | wc -c)))
        if [ "$files" -gt "$most_files" ] || [ "$bytes" -gt "$most_bytes" ]; then full=yes; fi
        if [ -n "$full" ] && [ "$tree" != "$newest" ]; then
            rm -rf -- "$tree"
            rmdir -- "${tree%/*}" 2>/dev/null || :
            printf 'D%s\0' "plugins/.plugport/kept/$tree"
        fi
    done
}
