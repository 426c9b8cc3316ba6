"""Sphinx configuration: `make docs`, or sphinx-build -W docs build/docs.

Drawn from the sources when the documents are built: the conformance tables (the
directive `table-of`, made by a script's --rst), the table of fault reasons
(`include-faults`), and the pictures (Graphviz).

Copyright (c) The vtd-sm developers
SPDX-License-Identifier: GPL-2.0-or-later
"""
import os
import re
import subprocess
import sys

from docutils import statemachine
from docutils.parsers.rst import Directive

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

project = "vtd-sm"
author = "The vtd-sm developers"
copyright = author          # pylint: disable=redefined-builtin
needs_sphinx = "4.0"
extensions = ["sphinx.ext.graphviz"]
source_suffix = ".rst"
root_doc = "index"
nitpicky = True
highlight_language = "none"
smartquotes = False         # command lines are to be copied

html_theme = "alabaster"
html_theme_options = {
    "description": "Intel VT-d scalable mode, simulated",
    "fixed_sidebar": True,
    "page_width": "72em",
    "sidebar_width": "15em",
}
html_show_sourcelink = False
graphviz_output_format = "svg"
graphviz_dot_args = ["-Nfontname=sans-serif", "-Efontname=sans-serif", "-Gfontname=sans-serif",
                     "-Gsize=9.2,40", "-Nfontsize=11", "-Efontsize=10", "-Ncolor=#555555", "-Ecolor=#555555"]


class TableOf(Directive):
    """`.. table-of:: scripts/NAME`: what the script makes with --rst."""

    required_arguments = 1

    def run(self):
        script = os.path.join(TOP, self.arguments[0])
        made = subprocess.run([sys.executable, script, "--rst"], stdout=subprocess.PIPE, text=True, check=True)
        lines = statemachine.string2lines(made.stdout)
        self.state_machine.insert_input(lines, script)
        self.state.document.settings.env.note_reread()
        return []


class Faults(Directive):
    """`.. include-faults::`: the table of fault reasons, from dmar/spec/faults.h."""

    ROW = re.compile(r"X\(\w+,\s*0x(\w+),\s*\"([^\"]*)\",\s*(\w+),\s*\w+,[\s\\]*\"([^\"]*)\"\)")

    def run(self):
        path = os.path.join(TOP, "dmar/spec/faults.h")
        with open(path, encoding="utf-8") as header:
            rows = self.ROW.findall(header.read())
        assert rows, path + " has no rows"
        lines = [".. list-table::", "   :header-rows: 1", "   :widths: 8 12 6 74", ""]
        for code, symbol, qualified, name in [("Code", "Symbol", "Q", "Reason")] + rows:
            cells = (code if code == "Code" else code.upper() + "h", symbol,
                     {"QUALIFIED": "Q", "UNQUALIFIED": "\\ "}.get(qualified, qualified), name)
            lines += [f"   {'*' if n == 0 else ' '} - {cell}" for n, cell in enumerate(cells)]
        self.state_machine.insert_input(statemachine.StringList(lines + [""], path), path)
        self.state.document.settings.env.note_dependency(path)
        return []


def setup(app):
    app.add_directive("table-of", TableOf)
    app.add_directive("include-faults", Faults)
    return {"parallel_read_safe": True}
