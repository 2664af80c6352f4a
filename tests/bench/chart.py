# SPDX-License-Identifier: GPL-2.0-or-later
"""Line charts in SVG: small panels side by side, logarithmic both ways.

Each line is named at its end, beside its last value and that value's ratio to the line of reference.
"""

import math
from collections import namedtuple
from html import escape

# `series`: name to points.
Panel = namedtuple("Panel", "title series")

WIDTH, HEIGHT = 460, 330
LEFT, RIGHT, TOP, BOTTOM = 50, 170, 40, 30
HEAD = 30
LINE_OF_TEXT = 13
COLOURS = ["#d62728", "#ff9896", "#e377c2", "#1f77b4", "#17becf", "#2ca02c", "#98df8a", "#ff7f0e", "#9467bd", "#c5b0d5",
           "#7f7f7f", "#8c564b", "#bcbd22", "#000000"]


class Scale:
    """Values to places, logarithmically."""

    def __init__(self, values, start, end):
        self.least, self.most = min(values), max(values)
        self.start, self.end = start, end

    def __call__(self, value):
        if self.least == self.most:
            return (self.start + self.end) / 2
        return self.start + (self.end - self.start) * math.log(value / self.least) / math.log(self.most / self.least)

    def ticks(self):
        """1, 2 and 5 of each power of ten in between."""
        powers = range(math.floor(math.log10(self.least)), math.ceil(math.log10(self.most)) + 1)
        ticks = (digit * 10.0 ** power for power in powers for digit in (1, 2, 5))
        return [tick for tick in ticks if self.least <= tick <= self.most]


def text(x, y, content, anchor="start", **style):
    style = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in style.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(content)}</text>'


def line(points, colour, width=1.0):
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def short(number):
    """1000000 is 1M."""
    for unit, suffix in ((1_000_000, "M"), (1000, "k")):
        if number >= unit:
            return f"{number / unit:g}{suffix}"
    return f"{number:g}"


def rounded(number):
    """Two digits of a small one, all before the point of a large one."""
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"


def spread(places):
    """Name to place, moved apart where labels would cover each other."""
    given = {}
    last = -math.inf
    for name, place in sorted(places.items(), key=lambda item: item[1]):
        given[name] = last = max(place, last + LINE_OF_TEXT)
    return given


def draw_panel(panel, x_scale, y_scale, colours, reference):
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    yield text(LEFT, TOP - 16, panel.title, font_weight="bold")
    for tick in y_scale.ticks():
        yield line([(LEFT, y_scale(tick)), (right, y_scale(tick))], "#ddd")
        yield text(LEFT - 6, y_scale(tick) + 4, rounded(tick), "end")
    for tick in sorted({x for points in panel.series.values() for x, _ in points}):
        yield line([(x_scale(tick), TOP), (x_scale(tick), bottom)], "#ddd")
        yield text(x_scale(tick), bottom + 16, short(tick), "middle")
    ends = spread({name: y_scale(points[-1][1]) for name, points in panel.series.items()})
    for name, points in panel.series.items():
        places = [(x_scale(x), y_scale(y)) for x, y in points]
        last_x, last_y = points[-1]
        label = f"{name} {rounded(last_y)}"
        compared = dict(panel.series.get(reference, ())).get(last_x)
        if compared:
            label += f" · {last_y / compared:.2f}"
        yield line(places, colours[name], 2)
        yield from (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colours[name]}"/>' for x, y in places)
        yield line([places[-1], (right + 8, ends[name])], colours[name], 0.5)
        yield text(right + 10, ends[name] + 4, label, fill=colours[name])


def drawable(panel):
    """Without what has no place on a logarithmic scale."""
    series = {name: sorted((x, y) for x, y in points if y > 0) for name, points in panel.series.items()}
    return Panel(panel.title, {name: points for name, points in series.items() if points})


def draw(title, panels, columns, reference):
    """Panels of one scale, in rows of so many, as the text of an SVG file."""
    panels = [panel for panel in map(drawable, panels) if panel.series]
    points = [point for panel in panels for series in panel.series.values() for point in series]
    x_scale = Scale([x for x, _ in points], LEFT, WIDTH - RIGHT)
    y_scale = Scale([y for _, y in points], HEIGHT - BOTTOM, TOP)
    names = dict.fromkeys(name for panel in panels for name in panel.series)
    colours = {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(names)}
    width, height = columns * WIDTH, HEAD + math.ceil(len(panels) / columns) * HEIGHT
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
             'font-family="sans-serif" font-size="11">',
             '<!-- SPDX-License-Identifier: GPL-2.0-or-later -->',
             f'<rect width="{width}" height="{height}" fill="white"/>', text(LEFT, 22, title, font_size=15)]
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        parts.append(f'<g transform="translate({column * WIDTH} {HEAD + row * HEIGHT})">')
        parts += draw_panel(panel, x_scale, y_scale, colours, reference)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>", ""])
