# SPDX-License-Identifier: GPL-2.0-or-later
"""Files of pairs through the tool: what it writes it reads, and what cannot be read is said once and briefly.

    list --csv ──── pairs-files ──── kernel of the gateway's namespace
"""

import subprocess

import pytest

from net import A, A6, A6_OUT, A_OUT
from packets import row
from tool import ENGINE, TOOL

COMMENTS = ["mail", "größe, #5", " with blanks ", "# no remark", "a,b,,", "npt", "10.0.0.9", "it's; = \\ %", ""]


@pytest.mark.parametrize("counters", ["pair", "off"])
@pytest.mark.parametrize("npt", [False, True])
def test_what_is_listed_can_be_read(tool, counters, npt):
    """Byte for byte, and the kernel has nothing to change."""
    tool("clear")
    path, listed = tool.folder / "round.toml", tool.folder / "round.csv"
    gateway = f'[gateway]\nengine = "{ENGINE}"\ncounters = "{counters}"\nnpt = {str(npt).lower()}\n'
    pairs = "".join(f'"10.0.0.{host}" = {{ external = "198.51.100.{host}", comment = \'\'\'{comment}\'\'\' }}\n'
                    for host, comment in enumerate(COMMENTS, 2))
    if ENGINE == "expression":
        pairs += ('"fd00:11::/48" = "2001:db8:11::/48"\n'
                  '"fd00:12::/48" = { external = "2001:db8:12::/48", npt = false }\n'
                  '"10.1.0.0/24" = { external = "203.0.113.0/24", comment = "a, b" }\n')
    path.write_text(f'{gateway}[pairs]\n"{A6}" = "{A6_OUT}"\n{pairs}')
    tool("sync", path)
    first = tool("list", "--csv").stdout
    listed.write_text(first)
    path.write_text(f'{gateway}pairs-files = ["round.csv"]\n')
    assert tool("diff", "--exit-code", path).stdout == ""
    assert tool("sync", path).stdout == "nothing to change\n"
    tool("clear")
    tool("sync", path)
    assert tool("list", "--csv").stdout == first


@pytest.mark.stock
def test_errors_without_end(tool):
    """A file of another kind: so much is said that a terminal can show it, and how much is not."""
    path, pairs = tool.folder / "endless.toml", tool.folder / "endless.csv"
    path.write_text('[gateway]\npairs-files = ["endless.csv"]\n')
    pairs.write_text("no pair at all\n" * 300_000)
    done = tool("check", path, check=False)
    lines = done.stderr.splitlines()
    assert done.returncode == 2 and len(lines) == 101
    assert lines[0].startswith(f"{pairs}:1:1: ") and lines[99].startswith(f"{pairs}:100:1: ")
    assert lines[100] == "statnat-nft: and 299,900 more errors"


FORBIDDEN = [
    #   why                             pairs-files
    row("a pattern",                    "closed/*.csv"),
    row("a name",                       "closed/a.csv"),
    row("a pattern in the middle",      "cl*/a.csv"),
]


@pytest.mark.stock
@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_a_directory_that_may_not_be_looked_into(tmp_path_factory, pattern):
    """By somebody who is not root."""
    folder = tmp_path_factory.mktemp("open")
    for parent in [folder, *folder.parents][:3]:
        parent.chmod(0o755)
    (folder / "closed").mkdir()
    (folder / "closed" / "a.csv").write_text(f"{A},{A_OUT}\n")
    (folder / "closed").chmod(0o700)
    path = folder / "statnat.toml"
    path.write_text(f'[gateway]\npairs-files = ["{pattern}"]\n')

    def check():
        return subprocess.run([TOOL, "check", path], capture_output=True, text=True,
                              user=65534, group=65534, extra_groups=[])

    done = check()
    assert done.returncode == 2 and "Permission denied" in done.stderr and "matches no file" not in done.stderr
    assert done.stderr.count("\n") == 1 and f"{path}:2:16: " in done.stderr
    (folder / "closed").chmod(0o755)
    assert check().stdout.endswith(": 1 pair, no errors\n")
