# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright (c) The vtd-sm developers
#
# The verbs of the project. Each does what it needs first; the work is in scripts/.

KERNEL ?= 6.12
BUILD := $(or $(shell sed -n 's/^BUILD=//p' config.mak 2>/dev/null),$(CURDIR)/build)
export VTD_SM_BUILD := $(BUILD)

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := all
.NOTPARALLEL:
.PHONY: all help qemu qtests kernel guest demo check check-unit check-qtest check-guest \
        coverage conformance asan tsan fuzz soak mutation bench bench-compare golden lint docs series clean distclean

help:
	@sed -n 's/^## \?//p' $(firstword $(MAKEFILE_LIST))

## vtd-sm: Intel VT-d scalable mode and a device that needs it, simulated in QEMU
##
##   make demo            two guest programs own parts of one device; ends with "demo: PASS"
##   make check           every test; ends with "N passed, N failed, N skipped"
##   ./boot               a shell on the simulated platform (./boot --help)
##
##   make                 build everything the demo needs
##   make qemu            build/qemu-system-x86_64
##   make kernel          the guest kernel with our series (KERNEL=6.12)
##   make guest           the initramfs of the guest: build/guest/initramfs.cpio.gz
##   make check-unit      unit tests of the engine
##   make check-qtest     bare-metal tests of the devices in QEMU
##   make check-guest     tests inside a booted kernel (KERNEL=6.12)
##   make coverage        what the unit tests run of the engine; ends with
##                        "coverage: dmar line NN.N %, branch NN.N %"
##   make conformance     rules of the specification and the tests that show them; ends with
##                        "conformance: N rules, N tested, N not implemented, N unaccounted"
##   make asan            unit tests under the address and undefined-behaviour sanitizers;
##                        ends with "asan: clean"
##   make tsan            threads under the thread sanitizer; ends with "tsan: clean"
##   make fuzz            random software against the engine (SECONDS=60); ends with
##                        "fuzz: N targets, N crashes"
##   make soak            the engine against its models on seeds that nobody has tried
##                        (MINUTES=10); ends with
##                        "soak: N requests, N histories, N disagreements"
##   make mutation        mistakes put into the engine, and whether the unit tests notice
##                        (COUNT=200 SEED=1 FILES=...); ends with
##                        "mutation: N mutants, N caught, N survived (NN.N %)"
##   make bench           what DMA and invalidations cost, beside no IOMMU and upstream's
##                        (QUICK=1 ROWS='hit threads' COMPARE=results.json of another
##                        run); ends with
##                        "bench: N rows, build/bench/table.txt"
##   make bench-compare   what has become slower or faster since another commit
##                        (BEFORE=COMMIT AFTER=COMMIT ROUNDS=5 PARTS='engine qemu'
##                        ROWS='hit threads'); ends with
##                        "bench-compare: N rows, N slower, N faster, N of one commit only"
##   make lint            style and layer rules; ends with "lint: clean"
##   make docs            the documentation, in HTML
##   make qtests          the bare-metal tests, built only
##   make golden          write the DMAR table anew that tests compare with
##   make series          regenerate kernel-patches/ from commits, see docs/series.rst
##   make clean           remove what was built here; the cache of sources and kernels
##                        in ~/.cache/vtd-sm stays (another place: VTD_SM_CACHE=DIR)
##   make distclean       clean, and what ./configure found out
##
##   ./configure --help   trees of your own, another build folder

config.mak: configure scripts/packages
	@./configure --quiet

all: qemu kernel guest

qemu: config.mak
	@scripts/build-qemu

qtests: qemu
	@scripts/build-qemu qtests

kernel: config.mak
	@scripts/build-kernel $(KERNEL)

guest: config.mak
	@guest/build.sh $(BUILD)

demo: qemu kernel guest
	@./demo

check: config.mak
	@scripts/check --kernel $(KERNEL) unit asan tsan qtest guest demo lint

check-unit: config.mak
	@scripts/check unit

check-qtest: config.mak
	@scripts/check qtest

check-guest: config.mak
	@scripts/check --kernel $(KERNEL) guest

coverage: config.mak
	@scripts/packages build check
	@scripts/coverage

conformance:
	@scripts/conformance

asan: config.mak
	@scripts/check asan

tsan: config.mak
	@scripts/check tsan

fuzz: config.mak
	@scripts/packages build check
	@scripts/fuzz $(or $(SECONDS),60)

soak: config.mak
	@scripts/packages build check
	@scripts/soak $(or $(MINUTES),10)

mutation: config.mak
	@scripts/packages build check
	@scripts/mutate --count $(or $(COUNT),200) --seed $(or $(SEED),1) $(addprefix --files ,$(FILES))

bench: config.mak
	@scripts/packages build check bench
	@scripts/bench $(if $(QUICK),--quick) $(if $(COMPARE),--compare $(COMPARE)) $(ROWS)

bench-compare: config.mak
	@scripts/packages build check bench
	@scripts/bench-compare $(addprefix --part ,$(PARTS)) --rounds $(or $(ROUNDS),5) \
		$(or $(BEFORE),$(error BEFORE=COMMIT is missing)) $(or $(AFTER),.) $(ROWS)

lint: config.mak
	@scripts/lint

docs: config.mak
	@scripts/build-docs

golden: config.mak
	@scripts/golden

series:
	@scripts/series

clean:
	rm -rf $(BUILD)

distclean: clean
	rm -f config.mak
