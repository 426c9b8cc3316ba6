"""What measurements say: medians, ratios, spreads, and a table of them.

Copyright (c) The vtd-sm developers
SPDX-License-Identifier: GPL-2.0-or-later
"""
import statistics
from itertools import groupby

from programs import PROGRAMS

# What a row's ratio is to, by what its parameter counts.
NO_IOMMU = "no IOMMU"


def base_of(m, found):
    """The measurement that @m is compared with, and its name."""
    if m.by == "cached":
        return found_at(found, m, by="dropped"), "dropped"
    if m.by in ("PASIDs", "devices", "levels", "ADIs"):
        first = min(o.parameter for o in found if o._replace(parameter=0, values=0) == m._replace(parameter=0, values=0))
        return found_at(found, m, parameter=first), f"{first} {m.by}"
    if m.by == "threads" and m.parameter > 1:
        return found_at(found, m, parameter=1), "1 thread"
    return found_at(found, m, configuration=NO_IOMMU), NO_IOMMU


def found_at(found, m, **what):
    wanted = m._replace(**what)[:6]
    return next((o for o in found if o[:6] == wanted), None)


def ratio(m, found):
    """The median of ratios of values that were taken one after the other, and to what."""
    base, name = base_of(m, found)
    if base is None or base is m or not all(base.values) or not all(m.values):
        return None, ""
    ratios = [v / b for v, b in zip(m.values, base.values)]
    if name == "1 thread":      # throughput
        ratios = [1 / r for r in ratios]
    return statistics.median(ratios), name


def spread(values):
    """From the first quartile to the third, in parts of the median."""
    median = statistics.median(values)
    if len(values) < 2 or not median:
        return 0.0
    first, _, third = statistics.quantiles(values, n=4, method="inclusive")
    return (third - first) / median


def summary(m, found):
    times, to = ratio(m, found)
    return {**m._asdict(), "median": statistics.median(m.values), "least": min(m.values), "ratio": times, "ratio_to": to,
            "spread": spread(m.values)}


def number(value):
    return f"{value:,.1f}" if value < 1000 else f"{value:,.0f}"


def lines_of_row(results):
    """Of measurements that are of one row and parameter."""
    first = results[0]
    titles = [(first["row"], f"{first['parameter']:,} {first['by']}")] + [("", "")] * (len(results) - 1)
    for (row, parameter), r in zip(titles, results):
        times = f"{r['ratio']:.2f} x {r['ratio_to']}" if r["ratio"] is not None else ""
        yield (f"{row:<46} {parameter:>23}  {r['configuration']:<30} {number(r['median']):>9} {r['unit']:<12}"
               f" {number(r['least']):>9} {times:>20} {r['spread'] * 100:5.0f} %")


def table(results):
    """Of summaries, in parts, rows and parameters."""
    lines = [f"{'row':<46} {'':>23}  {'configuration':<30} {'median':>9} {'':<12} {'least':>9} {'ratio to':>20} {'spread':>7}"]
    for part, of_part in groupby(results, lambda r: r["part"]):
        lines += ["", f"---- {PROGRAMS[part].about} ----"]
        for _, of_row in groupby(of_part, lambda r: r["row"]):
            lines.append("")
            for _, same in groupby(of_row, lambda r: (r["parameter"], r["by"])):
                lines += lines_of_row(list(same))
    return "\n".join(lines) + "\n"


# ---- Two runs ---------------------------------------------------------------------------------

NOTABLE = 0.1       # a change of less is not worth a line


def cost(result):
    """What means most on another day: a ratio to no IOMMU, else nanoseconds."""
    return result["ratio"] if result["ratio_to"] == NO_IOMMU else result["median"]


def changes(before, after):
    """(factor, before, after) of what has changed by more than its spread, the worst first."""
    def key(result):
        return tuple(result[k] for k in ("part", "row", "parameter", "configuration", "unit"))
    old = {key(r): r for r in before}
    pairs = [(old[key(r)], r) for r in after if key(r) in old and cost(old[key(r)])]
    found = [(cost(new) / cost(was), was, new) for was, new in pairs]
    return sorted((c for c in found if abs(c[0] - 1) > max(NOTABLE, c[1]["spread"], c[2]["spread"])),
                  key=lambda c: -c[0])


def comparison(before, after):
    lines = [f"  was {before['host']['commit'][:12]}, is {after['host']['commit'][:12]}; times: cost now / cost then", ""]
    for factor, was, new in changes(before["results"], after["results"]):
        unit = "x no IOMMU" if new["ratio_to"] == NO_IOMMU else new["unit"]
        lines.append(f"  {factor:6.2f} times  {new['row']}, {new['parameter']:,} {new['by']}, {new['configuration']}: "
                     f"{cost(was):,.2f} -> {cost(new):,.2f} {unit}")
    return "\n".join(lines if len(lines) > 2 else lines + ["  nothing has changed by more than its spread"]) + "\n"
