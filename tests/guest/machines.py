"""The machines that tests boot: what differs is said, everything else is as ./boot has it.

SPDX-License-Identifier: GPL-2.0-or-later
"""
import kernels
import vm


def machine(**differences):
    """A function that a Group takes: the options of the run -> the machine."""
    def make(options):
        return vm.Machine(kernel=kernels.kernel_find(options.kernel), **differences)
    return make
