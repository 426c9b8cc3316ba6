"""Plots of measurements, as SVG.

Copyright (c) The vtd-sm developers
SPDX-License-Identifier: GPL-2.0-or-later
"""
import math
import os
from collections import namedtuple
from html import escape

WIDTH, HEIGHT, LEFT, TOP_EDGE, RIGHT, BOTTOM = 930, 520, 70, 40, 250, 50
COLOURS = ("#000000", "#888888", "#d62728", "#ff9896", "#1f77b4", "#6baed6", "#2ca02c", "#98df8a", "#9467bd",
           "#c5b0d5", "#8c564b", "#c49c94")


def logarithm(value):
    """Of an axis that has a place for zero."""
    return math.log10(1 + value)


class Axis:
    """Values from the least to the most, on a logarithmic scale, onto pixels."""

    def __init__(self, values, start, end):
        self.low, self.high = logarithm(min(values)), logarithm(max(values))
        if self.high == self.low:
            self.high += 1
        self.start, self.end = start, end

    def __call__(self, value):
        return self.start + (logarithm(value) - self.low) / (self.high - self.low) * (self.end - self.start)


STEPS = [step * 10 ** e for e in range(10) for step in (1, 2, 5)]


def marks(values):
    """Round numbers from below the least value to above the most."""
    low = max((s for s in STEPS if s <= min(values)), default=0)
    high = next(s for s in STEPS if s >= max(values) and s > low)
    return [low] + [s for s in STEPS if low < s <= high]


def text(x, y, what, anchor="middle"):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(what)}</text>'


def line(points, colour, width=2.0, dashes="none"):
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-dasharray="{dashes}"/>'


def plot(title, x_name, series):
    """SVG of a list of Series."""
    xs = sorted({x for s in series for x, _ in s.points})
    ys = [y for s in series for _, y in s.points]
    levels = marks(ys)
    across, up = Axis(xs, LEFT, WIDTH - RIGHT), Axis(levels, HEIGHT - BOTTOM, TOP_EDGE)
    out = [f'<svg xmlns="http:{"//"}www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" '
           'font-size="12"><rect width="100%" height="100%" fill="white"/>',
           text((LEFT + WIDTH - RIGHT) / 2, 22, title),
           text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, x_name)]
    for x in xs:
        out += [line([(across(x), TOP_EDGE), (across(x), HEIGHT - BOTTOM)], "#eeeeee", 1),
                text(across(x), HEIGHT - BOTTOM + 18, f"{x:,}")]
    for y in levels:
        out += [line([(LEFT, up(y)), (WIDTH - RIGHT, up(y))], "#eeeeee", 1), text(LEFT - 6, up(y) + 4, f"{y:,.0f}", "end")]
    for n, (name, colour, dashes, points) in enumerate(series):
        key = WIDTH - RIGHT + 15, TOP_EDGE + 18 * n
        out += [line([(across(x), up(y)) for x, y in points], colour, dashes=dashes),
                *(f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3" fill="{colour}"/>' for x, y in points),
                line([key, (key[0] + 20, key[1])], colour, dashes=dashes), text(key[0] + 26, key[1] + 4, name, "start")]
    return "\n".join(out) + "\n</svg>\n"


def file_name(part, row):
    return "-".join([part] + [w for w in "".join(c if c.isalnum() else " " for c in row.lower()).split()]) + ".svg"


UNITS = {"ns": "nanoseconds", "us": "microseconds", "ms": "milliseconds", "s": "seconds"}


# A line of a plot, and how it is drawn.
Series = namedtuple("Series", "name colour dashes points")


def series_of(results):
    """A configuration is a colour; where the parameter counts different things, the second is dashed."""
    counted = list(dict.fromkeys(r["by"] for r in results))
    configurations = list(dict.fromkeys(r["configuration"] for r in results))
    lines = {}
    for r in results:
        name = f"{r['configuration']}, {r['by']}" if len(counted) > 1 else r["configuration"]
        colour = COLOURS[configurations.index(r["configuration"]) % len(COLOURS)]
        dashes = "5 4" if counted.index(r["by"]) else "none"
        lines.setdefault(name, Series(name, colour, dashes, [])).points.append((r["parameter"], r["median"]))
    return list(lines.values())


def write_plots(folder, results):
    """One for each row that was measured with several parameters."""
    rows = dict.fromkeys((r["part"], r["row"], r["unit"]) for r in results)
    for part, row, unit in rows:
        of = [r for r in results if (r["part"], r["row"], r["unit"]) == (part, row, unit)]
        if len({r["parameter"] for r in of}) < 2:
            continue
        with open(os.path.join(folder, file_name(part, row)), "w", encoding="utf-8") as svg:
            svg.write(plot(f"{row}: {UNITS.get(unit, unit)}", " or ".join(dict.fromkeys(r["by"] for r in of)), series_of(of)))
