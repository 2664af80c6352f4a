# SPDX-License-Identifier: GPL-2.0-or-later
"""What a terminal shows, as tmux tells it with `capture-pane -e`, drawn as SVG: letters, colours and weight."""

import html
import re
from dataclasses import dataclass, replace

SIZE, WIDTH, HEIGHT, MARGIN = 13, 7.83, 17, 12  # of letters, and around all, in pixels
PAPER, INK = "#1c1f24", "#d5d8dc"
# The eight colours, and brighter.
PALETTE = ["#3b4048", "#e5686e", "#8cc570", "#e0b45c", "#66a9e8", "#c585d8", "#5bbfc0", "#d5d8dc",
           "#7c828c", "#ff8087", "#a7de8c", "#f5ca75", "#85c2ff", "#df9ff2", "#79dadb", "#ffffff"]
STEPS = [0, 95, 135, 175, 215, 255]  # of the cube behind them
SELECT = re.compile(r"\x1b\[([\d;]*)m")
OTHERS = re.compile(r"\x1b(?:\[[\d;?]*[^\d;?m]|[()].|[=>])|[\x0e\x0f]")


@dataclass(frozen=True)
class Style:
    ink: str | None = None
    paper: str | None = None
    bold: bool = False
    faint: bool = False
    reverse: bool = False


def colour_of(number):
    """One of 256."""
    if number < 16:
        return PALETTE[number]
    if number > 231:
        return "#" + f"{8 + 10 * (number - 232):02x}" * 3
    return "#" + "".join(f"{STEPS[(number - 16) // 6 ** place % 6]:02x}" for place in (2, 1, 0))


def selected(style, codes):
    """The style that a sequence selects."""
    codes = [int(code or 0) for code in codes.split(";")]
    while codes:
        code = codes.pop(0)
        if code == 0:
            style = Style()
        elif code in (1, 2, 7):
            style = replace(style, **{{1: "bold", 2: "faint", 7: "reverse"}[code]: True})
        elif code == 22:
            style = replace(style, bold=False, faint=False)
        elif code == 27:
            style = replace(style, reverse=False)
        elif code in (38, 48):
            kind = codes.pop(0)
            colour = colour_of(codes.pop(0)) if kind == 5 else "#" + "".join(f"{codes.pop(0):02x}" for _ in range(3))
            style = replace(style, **{"ink" if code == 38 else "paper": colour})
        elif code in (39, 49):
            style = replace(style, **{"ink" if code == 39 else "paper": None})
        elif code // 10 in (3, 4, 9, 10) and code % 10 < 8:
            side = "ink" if code // 10 in (3, 9) else "paper"
            style = replace(style, **{side: PALETTE[code % 10 + (8 if code >= 90 else 0)]})
    return style


def runs(text):
    """Each line as pieces of one style."""
    style, lines = Style(), []
    for line in OTHERS.sub("", text).split("\n"):
        pieces, at = [], 0
        for sequence in SELECT.finditer(line):
            pieces.append((style, line[at:sequence.start()]))
            style, at = selected(style, sequence[1]), sequence.end()
        pieces.append((style, line[at:]))
        lines.append([(one, piece) for one, piece in pieces if piece])
    while lines and not "".join(piece for _, piece in lines[-1]).strip():
        lines.pop()
    return lines


def piece_as_svg(style, text, x, y):
    """A piece of a line, as wide as its letters are many, whatever the font is."""
    ink, paper = style.ink or INK, style.paper
    if style.reverse:
        ink, paper = paper or PAPER, ink
    width = WIDTH * len(text)
    if paper:
        yield f'<rect x="{x:.1f}" y="{y - HEIGHT + 4:.1f}" width="{width:.1f}" height="{HEIGHT}" fill="{paper}"/>'
    if text.strip():
        weight = ' font-weight="bold"' * style.bold + ' opacity="0.6"' * style.faint
        yield (f'<text x="{x:.1f}" y="{y:.1f}" textLength="{width:.1f}" fill="{ink}"{weight} xml:space="preserve">'
               f"{html.escape(text, quote=False)}</text>")


def svg(text, title):
    lines = runs(text)
    columns = max(sum(len(piece) for _, piece in line) for line in lines)
    width, height = 2 * MARGIN + WIDTH * columns, 2 * MARGIN + HEIGHT * len(lines)
    drawn = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
             f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{SIZE}">',
             "<!-- SPDX-License-Identifier: GPL-2.0-or-later -->", f"<title>{html.escape(title)}</title>",
             f'<rect width="{width:.0f}" height="{height:.0f}" rx="6" fill="{PAPER}"/>']
    for number, line in enumerate(lines, 1):
        column = 0
        for style, piece in line:
            drawn += piece_as_svg(style, piece, MARGIN + WIDTH * column, MARGIN - 4 + HEIGHT * number)
            column += len(piece)
    return "\n".join([*drawn, "</svg>"]) + "\n"
