# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/firewalls.md, as somebody follows it: its blocks go where the sentence before each says."""

import pathlib
import re

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs/firewalls.md"
# A paragraph that ends with a colon, and the indented block behind it.
BLOCK = re.compile(r"((?:^[^\s].*\n)*^[^\s].*:\n)\n((?:(?:^    .*)?\n)+)", re.MULTILINE)
LAST_LINE = ", before its last line, `COMMIT`:"


def blocks(title):
    """What a section says to write or run: the sentence before each block, and the block."""
    section, = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    found = [(intro.strip(), re.sub("^    ", "", block, flags=re.MULTILINE).strip() + "\n")
             for intro, block in BLOCK.findall(section)]
    assert found, f"no block below {title}"
    return found


def follow(machine, title, **replaced):
    """Does what a section says; names of interfaces there are not those here."""
    for intro, block in blocks(title):
        for old, new in replaced.items():
            block = block.replace(f'"{old}"', new)
        if re.search("[Aa]s root:$", intro):
            machine.run("sh", "-e", stdin=block)
            continue
        file = re.findall("`(/[^`]*)`", intro)[-1]
        if intro.endswith(LAST_LINE):
            before, end = (machine.root / file[1:]).read_text().rsplit("COMMIT\n", 1)
            block = f"{before}{block}COMMIT\n{end}"
        machine.write(file, block)
        if block.startswith("#!/bin/sh"):
            (machine.root / file[1:]).chmod(0o755)
