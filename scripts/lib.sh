# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (c) The vtd-sm developers
#
# What every script of the build shares: where things live, how a long step is shown,
# and how two of them keep out of each other's way. To be sourced by bash.
#
# A script that sources this file runs with `set -euo pipefail`, the top of the checkout
# in $TOP, the build folder in $BUILD and the cache in $CACHE. Folders appear under their
# final name only when they are complete, so that a step which was interrupted simply
# starts again.

set -euo pipefail
umask 022
export LC_ALL=C.UTF-8
unset MAKEFLAGS MFLAGS MAKELEVEL

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
QEMU_SOURCE='' KERNEL_SOURCE=''
BUILD=$TOP/build
# shellcheck source=/dev/null
[ ! -f "$TOP/config.mak" ] || . "$TOP/config.mak"
CACHE=$(realpath -m "${VTD_SM_CACHE:-${HOME:-/root}/.cache/vtd-sm}")
LOGS=$BUILD/logs
PYTHON=/usr/bin/python3
JOBS=${JOBS:-$(nproc)}

# The same object from two checkouts is the same object to ccache.
export CCACHE_BASEDIR=$BUILD CCACHE_NOHASHDIR=1

say() { printf '%s\n' "$*"; }
warn() { printf 'vtd-sm: %s\n' "$*" >&2; }
die() { printf 'vtd-sm: error: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

duration() { # SECONDS
    if [ "$1" -ge 60 ]; then printf '%dm%02ds' $(($1 / 60)) $(($1 % 60)); else printf '%ds' "$1"; fi
}

# Waits for its turn: one writer of a folder at a time, across checkouts too.
take_lock() { # FILE WHAT
    local fd
    mkdir -p "$(dirname "$1")"
    exec {fd}>"$1"
    if ! flock -n "$fd"; then
        say "waiting for another $2 to finish ..."
        flock -w 3600 "$fd" || die "another $2 still holds $1 after an hour"
    fi
}

need_space() { # FOLDER MIB WHAT
    local free
    mkdir -p "$1" || die "cannot create $1"
    free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
    [ "$free" -ge "$2" ] ||
        die "$3 needs $2 MiB in $1, $free MiB are free; make room, or move the cache with VTD_SM_CACHE=DIR and the build with ./configure --build=DIR"
}

# How far a step is, from its log: ninja counts, a kernel build is measured in lines.
progress_of() { # KIND LOG
    case $1 in
    ninja) tail -c 4000 "$2" | tr '\r' '\n' | sed -n 's/^\(\[[0-9]*\/[0-9]*\]\).*/\1/p' | tail -n 1 ;;
    lines:*) awk -v total="${1#lines:}" '
        END { p = int(NR * 100 / total); printf "%d%%\n", (p > 99 ? 99 : p) }' "$2" ;;
    esac
}

STEP_HINT=''    # what a user may try when the step fails
STEP_PID=''
stop_step() {
    [ -z "$STEP_PID" ] || { kill -TERM -- "-$STEP_PID" 2>/dev/null && wait "$STEP_PID"; } || true
}
trap stop_step EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Runs a long command: its output goes to a log, the terminal gets one line that moves.
step() { # NAME KIND TITLE COMMAND...
    local name=$1 kind=$2 title=$3 log=$LOGS/$1.log start now told=0 far rc=0
    shift 3
    mkdir -p "$LOGS"
    printf '+ %s\n' "$*" >"$log"
    start=$(date +%s)
    [ -t 1 ] || say "$title ..."
    setsid "$@" >>"$log" 2>&1 </dev/null &
    STEP_PID=$!
    while kill -0 "$STEP_PID" 2>/dev/null; do
        now=$(($(date +%s) - start))
        if [ -t 1 ]; then
            far=$(progress_of "$kind" "$log")
            printf '\r\033[K%.*s %s %s' $((${COLUMNS:-80} - 25)) "$title" "$far" "$(duration "$now")"
        elif [ $((now - told)) -ge 30 ]; then
            told=$now
            far=$(progress_of "$kind" "$log")
            say "  ${far:+$far }after $(duration "$now")"
        fi
        sleep 0.3
    done
    wait "$STEP_PID" || rc=$?
    STEP_PID=''
    [ ! -t 1 ] || printf '\r\033[K'
    now=$(duration $(($(date +%s) - start)))
    if [ "$rc" -ne 0 ]; then
        tail -n 30 "$log" | sed 's/^/    /' >&2
        [ -z "$STEP_HINT" ] || warn "$STEP_HINT"
        die "$title: failed after $now; the whole log is $log"
    fi
    if [ -t 1 ]; then say "$title: $now"; else say "  done in $now"; fi
}
