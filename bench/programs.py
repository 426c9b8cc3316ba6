"""The programs that measure, and what they print.

A line is a measurement, with fields separated by tabs: row, what its parameter counts,
the parameter, the configuration, the unit, and a value for each repetition.

Copyright (c) The vtd-sm developers
SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import shutil
import subprocess
from collections import namedtuple

TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
BUILD = os.environ.get("VTD_SM_BUILD", os.path.join(TOP, "build"))

# A checkout and where it is built.
Tree = namedtuple("Tree", "top build")
HERE = Tree(TOP, BUILD)

Measurement = namedtuple("Measurement", "part row by parameter configuration unit values")

# Where callgrind writes what it counts (bench/counts.h).
COUNTS = "{build}/bench/counts"
CALLGRIND = ("valgrind -q --tool=callgrind --callgrind-out-file=" + COUNTS + "/%p --collect-atstart=no"
             " --dump-before={around} --dump-after={around} {collect} ")


def callgrind(around, *collect):
    """In front of a program: what is counted are the functions @collect, while @around runs."""
    return CALLGRIND.replace("{around}", around).replace("{collect}", " ".join("--toggle-collect=" + f for f in collect))


ENGINE = "{build}/unit-bench/bench/bench-engine"
QEMU = "{build}/qemu-system-x86_64"
COUNT_ENGINE = callgrind("bench_timed", "dmar_translate", "dmar_handle_translate", "dmar_reg_write")
COUNT_QEMU = callgrind("dma_bench_rounds", "dma_bench_reads", "dma_bench_orders", "dma_bench_cycles", "dma_bench_nothings")

# For each part: what it is about, what has to be built, the program, the QEMU that it
# starts, and whether it counts instructions.
Program = namedtuple("Program", "about builds command qemu counts", defaults=(QEMU, False))

PROGRAMS = {
    "engine": Program("the engine", ("scripts/build-unit bench",), ENGINE),
    "engine-count": Program("the engine, instructions", ("scripts/build-unit bench",), COUNT_ENGINE + ENGINE, counts=True),
    "qemu": Program("through QEMU", ("scripts/build-qemu bench",), "{build}/bench/bench-qemu"),
    "qemu-count": Program("through QEMU, instructions", ("scripts/build-qemu bench",), "{build}/bench/bench-qemu",
                          COUNT_QEMU + QEMU, counts=True),
    "guest": Program("whole guests", ("scripts/build-qemu", "guest/build.sh {build}"), "{top}/bench/guest.py"),
    "build": Program("builds", ("scripts/build-qemu", "scripts/build-unit"), "{top}/bench/build.py"),
}


class Failed(Exception):
    """A program did not end as it should."""


def command_of(text, tree):
    return [word.format(**tree._asdict()) for word in text.split()]


def build(part, tree=HERE):
    for script in PROGRAMS[part].builds:
        command = command_of(script, tree)
        subprocess.run([os.path.join(tree.top, command[0]), *command[1:]], check=True)


def possible(part):
    """Whether what the part needs is here."""
    return not PROGRAMS[part].counts or shutil.which("valgrind")


def measure(part, quick, rows, tree=HERE):
    """What the program of a part measures, as it goes."""
    program = PROGRAMS[part]
    counts = COUNTS.format(build=tree.build)
    environment = dict(os.environ, BENCH_COUNTS=counts, QTEST_QEMU_BINARY=program.qemu.format(build=tree.build))
    if program.counts:
        shutil.rmtree(counts, ignore_errors=True)
        os.makedirs(counts)
    options = ["--count"] if program.counts else ["--quick"] if quick else []
    command = command_of(program.command, tree)
    with subprocess.Popen(command + options + rows, env=environment, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE) as running:
        for line in running.stdout:
            fields = line.rstrip("\n").split("\t")
            if len(fields) > 5:
                yield Measurement(part, fields[0], fields[1], int(fields[2]), fields[3], fields[4],
                                  [float(f) for f in fields[5:]])
    if running.returncode:
        raise Failed(f"{command[-1]} ended with status {running.returncode}")
