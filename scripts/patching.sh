# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (c) The vtd-sm developers
#
# Keeps a tree equal to a pristine one plus a set of patches, touching only the files
# that have to change, so that their builds stay incremental. To be sourced after lib.sh.
#
# The tree may share its files with the pristine one (hard links): a file is never
# written in place, always replaced.

PATCHED=.vtd-sm-patched     # in the tree: the files that patches have touched

patched_files() { # PATCH... : the files they touch
    cat -- "$@" /dev/null | sed -n \
        -e 's/^+++ b\/\([^\t]*\).*/\1/p' -e 's/^--- a\/\([^\t]*\).*/\1/p' \
        -e 's/^rename \(from\|to\) \(.*\)/\2/p' | sort -u
}

replace_if_changed() { # NEW OLD
    if [ ! -e "$1" ]; then
        rm -f "$2"
    elif cmp -s "$1" "$2"; then
        rm -f "$1"
    else
        mkdir -p "$(dirname "$2")"
        mv -f "$1" "$2"
    fi
}

apply_patches() { # PRISTINE TREE PATCH...
    local pristine=$1 tree=$2 stage=$2/.vtd-sm-stage patch path
    shift 2
    rm -rf "$stage"
    mkdir -p "$stage"
    { patched_files "$@"; cat "$tree/$PATCHED" 2>/dev/null || true; } | sort -u >"$stage.files"
    while read -r path; do
        [ -e "$pristine/$path" ] || continue
        mkdir -p "$stage/$(dirname "$path")"
        cp "$pristine/$path" "$stage/$path"
    done <"$stage.files"
    for patch; do
        patch -d "$stage" -p1 -s --no-backup-if-mismatch <"$patch" ||
            die "$patch does not apply to $pristine"
    done
    cp "$stage.files" "$tree/$PATCHED"
    while read -r path; do
        replace_if_changed "$stage/$path" "$tree/$path"
    done <"$stage.files"
    patched_files "$@" >"$tree/$PATCHED"
    rm -rf "$stage" "$stage.files"
}

# A copy of a tree of the user's. Run again, it copies what has changed since.
files_listed() { # TREE : name, size and time of what makes up a source tree
    (cd "$1" && find . \( -name .git -o -path ./roms -o -path './build*' -o -path ./include/config \
        -o -path '*/include/generated' -o -name '*.o' -o -name '*.cmd' -o -path ./.config \) -prune \
        -o \( -type f -o -type l \) -printf '%P\t%s %T@\n') | sort
}

copy_tree() { # FROM TREE
    local from=$1 tree=$2 list=$2/.vtd-sm-listing
    mkdir -p "$tree"
    files_listed "$from" >"$list.new"
    [ -e "$list" ] || : >"$list"
    comm -23 <(cut -f1 "$list") <(cut -f1 "$list.new") | while read -r path; do
        rm -f "${tree:?}/$path"
    done
    comm -13 "$list" "$list.new" | cut -f1 | { grep -vxFf <(cat "$tree/$PATCHED" 2>/dev/null) || true; } |
        tar -C "$from" --no-recursion -T - -cf - | tar -C "$tree" -xf -
    mv "$list.new" "$list"
}

# A tree to patch and build: Debian's is linked or copied once, the user's followed.
working_tree() { # FROM TREE shared|copied|followed
    local from=$1 tree=$2 how=$3
    if [ "$(cat "$tree/.vtd-sm-from" 2>/dev/null)" != "$from" ]; then
        rm -rf "$tree" "$tree.new"
        case $how in
        shared) cp -al "$from" "$tree.new" ;;
        *) copy_tree "$from" "$tree.new" ;;
        esac
        echo "$from" >"$tree.new/.vtd-sm-from"
        mv "$tree.new" "$tree"
    elif [ "$how" = followed ]; then
        copy_tree "$from" "$tree"
    fi
}
