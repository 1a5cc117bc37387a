#!/bin/sh
# What all scripts that take the lock share; it is put before their text.
#
# The lock is that of flock on the plugins directory, without its option -w, which busybox and toybox do not have. On a
# target without flock it is a folder, in which a file names the run that holds it: see `choose_lock`.
set -eu
export LC_ALL=C
umask 022
root='' locks='' run=none boot='' layer='' lock_folder='' nameless=0
newline='
'
if [ "$(id -u 2>/dev/null)" = 0 ]; then # a root that may not give files away, or not write everywhere, is a user like others
    powers=f
    { while read -r label value; do case $label in CapEff:) powers=${value#"${value%?}"} ;; esac; done </proc/self/status; } 2>/dev/null || :
    case $powers in b | f) root=yes ;; esac
fi

fail() {
    code=$1
    shift
    printf 'plugport: %s\n' "$*" >&2
    exit "$code"
}

require_tools() {
    missing=''
    for tool; do
        command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
    done
    [ -z "$missing" ] || fail 4 "there is no$missing"
}

exists() { [ -e "$1" ] || [ -L "$1" ]; }

own() {
    if [ -n "$root" ]; then chown -h 1000:1000 -- "$@"; fi
}

# Makes a folder for the owner, if it is missing. Exit 8: this user cannot, another one may.
make_own() {
    if [ -d "$1" ]; then return; fi
    mkdir -- "$1" || [ -d "$1" ] || fail 8 "$1 cannot be made"
    own "$1" || { rmdir -- "$1" && fail 8 "$1 cannot be given to its owner"; }
}

# Takes the lock of the open folder at descriptor 9, or of `lock_folder`. No flock of every target can wait for a time.
lock() {
    tries=0
    until try_lock; do
        if [ "$tries" -ge 600 ]; then fail 5 "another delivery holds the plugins directory${holder:+: $lock_folder/$holder}"; fi
        sleep 0.1 2>/dev/null || { sleep 1 && tries=$((tries + 9)); } # not every sleep takes a part of a second
        tries=$((tries + 1))
    done
}

try_lock() {
    holder=''
    if [ "$locks" = flock ]; then
        problem=$(flock -n 9 2>&1) && return 0
        if [ -n "$problem" ]; then locks=folder; else return 1; fi # this file system has no such locks
    fi
    if [ -L "$lock_folder" ]; then fail 5 "$lock_folder is a link"; fi
    if [ -L "${lock_folder%/lock}" ]; then fail 5 "${lock_folder%/lock} is a link"; fi
    if [ "$lock_folder" = "$plugins/.plugport/lock" ] && [ ! -d "$plugins/.plugport" ]; then make_own "$plugins/.plugport"; fi
    if mkdir -- "$lock_folder" 2>/dev/null; then
        # Whoever takes the folder for one that was left may have removed it already: then this run has no lock.
        (: >"$lock_folder/$run") 2>/dev/null && return 0
    elif [ ! -d "$lock_folder" ]; then # another run removed it meanwhile, or nothing can be made there
        mkdir -- "$lock_folder.$run" || fail 8 "$lock_folder cannot be made"
        rmdir -- "$lock_folder.$run"
        return 1
    fi
    for holder in "$lock_folder"/*; do
        holder=${holder##*/}
        case $holder in '*') holder='' nameless=$((nameless + 1)) ;; *[!0-9a-z.-]*) return 1 ;; *) nameless=0 ;; esac
    done
    # The name of a run that has ended is removed, and then the folder only if it is empty: another run's lock stays.
    if [ -n "$holder" ] && has_ended "$holder" "$lock_folder" 5; then rm -f -- "$lock_folder/$holder"; nameless=20; fi
    if [ "$nameless" -ge 20 ]; then rmdir -- "$lock_folder" 2>/dev/null || :; fi
    return 1
}

unlock() {
    if [ "$locks" = flock ]; then
        flock -u 9
    elif [ -n "$lock_folder" ] && [ -e "$lock_folder/$run" ]; then
        rm -f -- "$lock_folder/$run" && rmdir -- "$lock_folder" || :
    fi
}

# Fails if somebody took this run's lock folder for one that was left.
check_lock() { [ "$locks" = flock ] || [ -e "$lock_folder/$run" ] || fail 5 'the lock was lost'; }

# Whether the run $1 has ended, whose name is in $2. A run of this container from before it was started again has; of
# another machine's or container's it is only known how long ago it wrote $2: $3 minutes are too long.
has_ended() {
    space=${1#*.*.} start=${1#*.}
    if [ "$space" = "${run#*.*.}" ] && [ "$space" != - ]; then
        [ "$(start_of "${1%%.*}")" != "${start%%.*}" ]
        return
    fi
    if [ -n "$layer" ]; then
        case $space in "$boot"-*"$layer") return 0 ;; esac
    fi
    [ -n "$(find "$2" -prune -mmin "+$3" 2>/dev/null)" ]
}

# Ends the run $1 and its children, if it goes on in this container.
end_run() {
    start=${1#*.}
    if [ "${1#*.*.}" = - ] || [ "${1#*.*.}" != "${run#*.*.}" ] || [ "$(start_of "${1%%.*}")" != "${start%%.*}" ]; then return; fi
    group=$(process_field 3 "${1%%.*}")
    if [ "$group" -gt 1 ] && [ "$group" != "$(process_field 3 $$)" ]; then
        kill -9 "-$group" 2>/dev/null && sleep 1 || :
    fi
}

# Prints when the process $1 started, `-` if there is none, or it has ended and nothing has asked for its exit code.
start_of() {
    case $(process_field 1 "$1") in Z | X | -) printf '%s' - ;; *) process_field 20 "$1" ;; esac
}

# Prints field $1 after the name in what the kernel says of process $2, `-` if there is no such process.
process_field() {
    field=$1 stat=''
    { read -r stat <"/proc/$2/stat"; } 2>/dev/null || :
    if [ -z "$stat" ]; then
        printf '%s' -
    else
        # shellcheck disable=SC2086
        set -- ${stat##*) }
        shift $((field - 1))
        printf '%s' "$1"
    fi
}

# Prints a dot and the name of this container's own layer, which it keeps when it is started again and shares with no
# other; nothing on a machine, or if the kernel does not tell it.
own_layer() {
    { while read -r _ _ _ source target options; do
        if [ "$target" != / ]; then continue; fi
        case $options in *,upperdir=*) source=${options##*,upperdir=} source=${source%%,*} source=${source%/*} ;; esac
        source=${source##*/}
        case $source in '' | *[!0-9a-f]*) ;; *) printf '.%s' "$source" ;; esac
    done </proc/self/mountinfo; } 2>/dev/null || :
}

# Chooses how to lock, and names this run: by its process, when that started, the boot of the machine, the namespace
# of processes, and the container's layer.
choose_lock() {
    lock_folder=$1 locks=folder run=''
    if command -v flock >/dev/null 2>&1 && flock -s -n 9 9</ 2>/dev/null; then locks=flock; fi
    { read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null || :
    container=$(readlink /proc/self/ns/pid 2>/dev/null) || container=''
    case $boot$container in
    *'['*) container=${container#*[} layer=$(own_layer) run=$$.$(start_of $$).$boot-${container%]}$layer ;;
    *) run=$$.-.- ;;
    esac
}
