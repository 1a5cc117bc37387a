#!/bin/sh
# Prints what lies at some paths; inspect.sh runs it.
#
#   sh -c "$(cat inspect_paths.sh)" plugport CONFIG_DIR HOME MAX_CONTENT RECORD…
#
# Prints for each RECORD a letter (`a` absent, `f` file, `d` directory, `l` link or behind one, `o` other), the RECORD
# and NUL. Then follow
#   for a link: its text and NUL (empty behind a link);
#   for a file whose content is asked for: its size and NUL, its bytes, NUL, `end` and NUL; or `-` and NUL if it is too
#   long or cannot be read;
#   for a directory whose files are asked for: the digests as list.sh prints them;
#   for a directory whose names are asked for: each name and NUL, and NUL.
# After all records come NUL; the lines of `ls -dn` for the paths that are there and no links, sorted, and NUL; the lines
# of sha256sum for the files among them, and NUL.
set -u
base=$1 home=$2 max=$3
shift 3
newline='
'

# Sets `kind`, and `here` to the path as it is on the target.
look() {
    kind=a rest=$1 here=$base behind=''
    case $rest in [~]/*) here=$home rest=${rest#??} ;; esac
    if [ -z "$here" ]; then return; fi
    while :; do
        here=$here/${rest%%/*}
        if [ -L "$here" ]; then
            kind=l
            case $rest in */*) behind=yes ;; esac
            return
        fi
        case $rest in */*) ;; *) break ;; esac
        if [ ! -d "$here" ]; then return; fi
        rest=${rest#*/}
    done
    if [ -f "$here" ]; then kind=f; elif [ -d "$here" ]; then kind=d; elif [ -e "$here" ]; then kind=o; fi
}

# Prints the text of the link $1, unless what was asked for lies behind it.
print_link() {
    if [ -n "$behind" ]; then printf '\0'; else printf '%s\0' "$(readlink -- "$1")"; fi
}

print_tree() {
    find "$1" -type f ! -path "*$newline*" ! -path '*\\*' -print0 | xargs -0 -r sha256sum
    printf '\0'
    # shellcheck disable=SC2016
    find "$1" -type f \( -path "*$newline*" -o -path '*\\*' \) -exec sh -c 'for file; do sha256sum "$file" && printf "%s\0" "$file"; done' plugport {} +
    printf '\0'
}

print_content() {
    # not by `-r`: busybox takes every file for readable if this is root, also without the capability
    if size=$(wc -c 2>/dev/null <"$1"); then size=$((size)); else size=''; fi
    if [ -z "$size" ] || [ "$size" -gt "$max" ]; then
        printf -- '-\0'
    else
        printf '%d\0' "$size"
        head -c "$size" <"$1"
        printf '\0end\0'
    fi
}

print_names() {
    for entry in "$1"/* "$1"/.*; do
        case ${entry##*/} in . | ..) continue ;; esac
        if [ -e "$entry" ] || [ -L "$entry" ]; then printf '%s\0' "${entry##*/}"; fi
    done
    printf '\0'
}

for record; do
    shift
    look "${record#?}"
    printf '%s%s\0' "$kind" "$record"
    case $kind$record in
    l*) print_link "$here" ;;
    fc*) print_content "$here" ;;
    dt*) print_tree "$here" ;;
    dn*) print_names "$here" ;;
    esac
    case $kind in f | d | o) set -- "$@" "$here" ;; esac
done
printf '\0'
if [ $# -gt 0 ]; then ls -dn -- "$@"; fi
printf '\0'
for here; do
    shift
    if [ -f "$here" ] && [ ! -L "$here" ]; then set -- "$@" "$here"; fi
done
if [ $# -gt 0 ]; then sha256sum -- "$@"; fi
printf '\0'
