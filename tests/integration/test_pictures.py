# SPDX-License-Identifier: GPL-2.0-or-later
"""The pictures in README: there, whole, and what a terminal shows drawn as it shows it."""

import pathlib
import re
import sys
import xml.etree.ElementTree as xml

import pytest

PROJECT = pathlib.Path(__file__).parents[2]
sys.path.append(str(PROJECT / "docs/pictures"))

from terminal import INK, PALETTE, PAPER, svg  # noqa: E402

pytestmark = pytest.mark.stock

SVG = "{http://www.w3.org/2000/svg}"
PICTURES = [path for file in ("README.md", "docs/performance.md") for path in
            (f"{pathlib.Path(file).parent}/{name}" for name in
             re.findall(r"!\[[^\]]+\]\((\S+)\)", (PROJECT / file).read_text()))]


@pytest.mark.parametrize("name", PICTURES)
def test_there(name):
    drawn = xml.parse(PROJECT / name).getroot()
    assert drawn.tag == SVG + "svg" and "GPL-2.0-or-later" in (PROJECT / name).read_text()


def test_commands():
    """Each picture of a terminal has what was typed, where no program has the whole screen, and shows no error."""
    folder = PROJECT / "docs/pictures"
    taken = re.findall(r'\("(\w+)", \w*"?"?, \["(statnat-nft .*?)"', (folder / "take").read_text())
    assert {name for name, _ in taken} == {path.stem for path in folder.glob("*.svg")} != set()
    for name, command in taken:
        text = "".join(xml.parse(folder / f"{name}.svg").getroot().itertext())
        assert f"A terminal: {command}" in text and "statnat-nft: error" not in text
        assert (f"gateway# {command}" in text) == (name != "top")
        assert f"docs/pictures/{name}.svg" in (PROJECT / "README.md").read_text()


def drawn(text):
    """Of each piece: what it says, its colour, whether it is bold, and where it begins, in letters and lines."""
    root = xml.fromstring(svg(text, "a title"))
    lefts = [float(piece.get("x")) for piece in root.iter(SVG + "text")]
    return [(piece.text, piece.get("fill"), piece.get("font-weight") == "bold",
             round((left - min(lefts)) / 7.83), piece.get("y"))
            for left, piece in zip(lefts, root.iter(SVG + "text"))]


@pytest.mark.parametrize("text, wanted", [
    ("plain", [("plain", INK, False)]),
    ("a < b & c", [("a < b & c", INK, False)]),
    ("\x1b[31mred\x1b[39m ink", [("red", PALETTE[1], False), (" ink", INK, False)]),
    ("\x1b[1;92mbold\x1b[0m", [("bold", PALETTE[10], True)]),
    ("\x1b[38;5;196mone\x1b[38;2;1;2;3mof many\x1b[m", [("one", "#ff0000", False), ("of many", "#010203", False)]),
    ("\x1b[38;5;244mgrey", [("grey", "#808080", False)]),
    ("\x1b[7mturned", [("turned", PAPER, False)]),
    ("\x1b(B\x1b[?25hnone of it", [("none of it", INK, False)]),
])
def test_styles(text, wanted):
    assert [piece[:3] for piece in drawn(text)] == wanted


def test_columns_and_lines():
    pieces = drawn("ab\x1b[1mcd\x1b[0m\n  ef\n\n\n")
    assert [piece[3] for piece in pieces] == [0, 2, 0] and pieces[0][4] == pieces[1][4] != pieces[2][4]
    assert pieces[2][0] == "  ef"
