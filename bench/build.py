#!/usr/bin/python3
"""What a developer waits for: builds with nothing to do, builds after a change, the demo.

    bench/build.py [--quick] [ROW]...       rows whose name contains a word

A change is a file with a new time, compiled without ccache.  One line a
measurement, as the other programs print it.

Copyright (c) The vtd-sm developers
SPDX-License-Identifier: GPL-2.0-or-later
"""
import argparse
import os
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
REPETITIONS = 5
TIMEOUT = 600

# Row, the file that changes, and the command that is timed.
ROWS = (
    ("make qemu, nothing changed", None, "scripts/build-qemu"),
    ("make qemu, a file of the engine", "dmar/walk.c", "scripts/build-qemu"),
    ("make qemu, a header of the engine", "dmar/unit.h", "scripts/build-qemu"),
    ("make qemu, a file of the device", "hw/i386/intel_iommu_sm_space.c", "scripts/build-qemu"),
    ("unit tests built, a file of the engine", "dmar/walk.c", "scripts/build-unit"),
    ("make demo, built", None, "make demo"),
)


def run(command):
    environment = dict(os.environ, CCACHE_DISABLE="1")
    done = subprocess.run(command.split(), cwd=TOP, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT, check=False)
    if done.returncode:
        sys.exit(f"bench: {command}: {done.stdout}")


def seconds(changed, command):
    if changed:
        os.utime(os.path.join(TOP, changed))
    start = time.monotonic()
    run(command)
    return time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="one repetition")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="a word of a row's name")
    arguments = parser.parse_args()
    for row, changed, command in ROWS:
        if arguments.rows and not any(word in row for word in arguments.rows):
            continue
        print(f"{row} ...", file=sys.stderr)
        run(command)
        values = [seconds(changed, command) for _ in range(1 if arguments.quick else REPETITIONS)]
        print("\t".join([row, "files", "1" if changed else "0", "ours", "s"] + [f"{value:.2f}" for value in values]), flush=True)


if __name__ == "__main__":
    main()
