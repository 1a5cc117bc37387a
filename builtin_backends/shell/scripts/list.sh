#!/bin/sh
# Lists all plugins of a target with one pass over their files.
#
#   sh -c "$(cat locking.sh list.sh)" plugport CONFIG_DIR
#
# Prints the folders of the plugins, each ended by NUL, and NUL; the digests of their files; which of the folders could not
# be read as a whole; and a tar of their
# `plugin.yaml`. The digests are the lines of sha256sum and NUL; then, for each file with a newline or a backslash in its
# path, its line of sha256sum, its path and NUL; and NUL; the folders in which something cannot be read, and NUL. Prints nothing if there is no plugin. A link is no plugin,
# unless it leads into the store of deliveries without a shell.
# Exit: 0 done (also if there is no plugins directory), 4 a tool is missing.
require_tools find xargs sha256sum tar
if [ ! -d "$1/plugins" ]; then exit 0; fi
cd "$1/plugins"
plugins=.
choose_lock ./.plugport/lock
# A version that a crash left set aside comes back. An install that is just doing it holds the lock.
restore() {
    if [ ! -d "$1" ] || [ -L "$1" ] || [ -e "$2" ] || [ -L "$2" ]; then return 0; fi
    if [ "$locks" = folder ] && [ ! -d .plugport ]; then mv -- "$1" "$2" || :; return 0; fi
    # Twice, since a lock whose run has ended is removed at first.
    if (exec 9<. && { try_lock || try_lock; } && mv -- "$1" "$2"); then :; fi
    if [ "$locks" = folder ]; then unlock; fi
}
for left in .old-*; do restore "$left" "${left#.old-}"; done 2>/dev/null
for left in .plugport/staging/*/old; do
    name=${left%/old}
    name=${name##*/}
    restore "$left" "${name%.*}"
done 2>/dev/null
# Whether all that is in some folders can be read, by opening it: busybox takes every file for readable if this is root.
is_readable() {
    # shellcheck disable=SC2016
    find "$@" -type f -exec sh -c 'for file; do : <"$file" || exit 1; done' plugport {} + >/dev/null 2>&1
}
set --
for folder in ./*/; do
    folder=${folder%/}
    if [ -L "$folder" ]; then
        case $(readlink "$folder") in .store/?* | .plugport/store/?*) ;; *) continue ;; esac
    fi
    if [ -d "$folder" ]; then set -- "$@" "$folder/"; fi
done
if [ $# = 0 ]; then exit 0; fi
printf '%s\0' "$@"
printf '\0'
unreadable=''
if ! is_readable "$@"; then unreadable=yes; fi
find "$@" -type f ! -path "*$newline*" ! -path '*\\*' -print0 2>/dev/null | xargs -0 -r sha256sum || [ -n "$unreadable" ]
printf '\0'
# shellcheck disable=SC2016
find "$@" -type f \( -path "*$newline*" -o -path '*\\*' \) -exec sh -c 'for file; do sha256sum "$file" && printf "%s\0" "$file"; done' plugport {} + || [ -n "$unreadable" ]
printf '\0'
if [ -n "$unreadable" ]; then
    for folder; do is_readable "$folder" || printf '%s\0' "$folder"; done
fi
printf '\0'
for folder; do
    if [ -f "${folder}plugin.yaml" ] && [ ! -L "${folder}plugin.yaml" ]; then printf '%s\0' "${folder}plugin.yaml"; fi
done | xargs -0 -r sh -c 'find "$@" -type f -size -513 -print0' plugport | xargs -0 -r tar -cf - || [ -n "$unreadable" ]
