# SPDX-License-Identifier: GPL-2.0-or-later
"""The configuration that worked last stands in where a boot finds a broken one.

A gateway with /etc/statnat and /var/lib/statnat of its own; no packets.
"""

import pytest

from net import A, A6, A6_OUT, A_OUT, PAIRS
from packets import row
from tool import ENGINE, TOOL

# `sync --last-good` did what it could, and pairs wait for the module (docs/statnat-nft.8).
LAST_GOOD, WAITING = 4, 5


class Machine:
    """Runs the tool where /etc/statnat and /var/lib/statnat are folders of the test."""

    def __init__(self, gateway, folder):
        self.gateway = gateway
        self.etc, self.state = folder / "etc", folder / "state"
        self.file = self.etc / "statnat.toml"
        for directory in (self.etc, self.state):
            directory.mkdir()

    def __call__(self, *arguments):
        script = (f'mkdir -p /etc/statnat /var/lib/statnat; mount --bind "{self.etc}" /etc/statnat; '
                  f'mount --bind "{self.state}" /var/lib/statnat; exec "$@"')
        return self.gateway.run("unshare", "--mount", "sh", "-ec", script, "-", str(TOOL), *arguments, check=False)

    def configure(self, text):
        self.file.write_text(text)


def toml(pairs, **settings):
    lines = [f'{key} = {value}' for key, value in {"engine": f'"{ENGINE}"', **settings}.items()]
    return "\n".join(["[gateway]", *lines, "[pairs]", *(f'"{one}" = "{other}"' for one, other in pairs.items())]) + "\n"


@pytest.fixture
def machine(wire, tool, tmp_path):
    """With pairs that worked, at a boot: the kernel has none."""
    machine = Machine(wire.gateway, tmp_path)
    machine.configure(toml({**PAIRS, A6: A6_OUT}, **{"exempt-destinations": '["10.0.0.0/8"]', "counters": '"rule"'}))
    tool("clear")
    assert machine("sync").returncode == 0
    tool("clear")
    yield machine
    tool("clear")


BROKEN = [
    #   why                         the file                                what is said of it
    row("not TOML",                 "[pairs\n",                             "statnat.toml:1:"),
    row("a pair that is none",      toml({A: A_OUT, "10.0.0.9": A_OUT}),    "198.51.100.2"),
    row("empty",                    "",                                     "as if /etc/statnat/statnat.toml were"),
    row("cut off",                  toml({}),                               "would remove all 4 pairs"),
]


@pytest.mark.parametrize("text, said", BROKEN)
def test_at_boot_what_worked_last_stands_in(machine, tool, text, said):
    machine.configure(text)
    done = machine("sync", "--last-good")
    assert done.returncode == LAST_GOOD and said in done.stderr
    assert "is not used: the configuration that worked last is, with 4 pairs" in done.stderr
    assert tool.held() == {**PAIRS, A6: A6_OUT}
    # All of it, not the pairs alone; and it is not taken for what worked.
    assert "counters: per rule" in tool("status").stdout
    tool("clear")
    assert machine("sync", "--last-good").returncode == LAST_GOOD and tool.held() == {**PAIRS, A6: A6_OUT}


@pytest.mark.parametrize("text, said", BROKEN)
def test_only_where_the_kernel_has_no_pairs(machine, tool, text, said):
    """Otherwise what it has is what worked, perhaps with pairs that `add` has added."""
    tool.sync({A: A_OUT})
    machine.configure(text)
    done = machine("sync", "--last-good")
    assert done.returncode in (1, 2) and tool.held() == {A: A_OUT}


def test_only_where_it_is_asked_for(machine, tool):
    machine.configure("[pairs\n")
    assert machine("sync").returncode == 2 and tool.held() == {}


def test_a_right_one_is_kept_in_its_place(machine, tool):
    machine.configure(toml({A: A_OUT}))
    assert machine("sync", "--force").returncode == 0
    assert len(list(machine.state.glob("*.csv"))) == 1
    tool("clear")
    machine.configure("")
    assert machine("sync", "--last-good").returncode == LAST_GOOD and tool.held() == {A: A_OUT}


def test_fewer_pairs_are_meant_if_force_says_so(machine, tool):
    machine.configure(toml({}))
    assert machine("sync", "--last-good", "--force").returncode == 0 and tool.held() == {}


def test_what_is_kept_is_readable_and_whole(machine, tool):
    """By anybody who looks for it, and by the tool."""
    [kept] = machine.state.glob("*.toml")
    assert tool("check", kept).stdout == f"{kept}: 4 pairs, no errors\n"
    machine.configure("[pairs\n")
    kept.write_text("[pairs\n")
    done = machine("sync", "--last-good")
    assert done.returncode == 2 and "what worked last is broken, too" in done.stderr and tool.held() == {}


def test_what_is_kept_is_the_merged_configuration(machine, tool):
    """It stands alone: what lies beside it is not read, and what stands in /etc/statnat/conf.d is part of it."""
    drop_in, stray = machine.etc / "conf.d" / "a.toml", machine.state / "conf.d" / "stray.toml"
    for file in (drop_in, stray):
        file.parent.mkdir()
    stray.write_text("[stray\n")
    drop_in.write_text('[pairs]\n"10.0.0.77" = "198.51.100.77"\n')
    assert machine("sync").returncode == 0
    whole = {**PAIRS, A6: A6_OUT, "10.0.0.77": "198.51.100.77"}
    assert tool.held() == whole
    for broken in ("[pairs\n", f'[pairs]\n"10.0.0.78" = "{A_OUT}"\n', '[gateway]\ncounters = "off"\n'):
        tool("clear")
        drop_in.write_text(broken)
        done = machine("sync", "--last-good")
        assert done.returncode == LAST_GOOD and "/etc/statnat/conf.d/a.toml:" in done.stderr
        assert "that worked last is, with 5 pairs" in done.stderr and tool.held() == whole


def test_another_file_is_nobodys_last_good(machine, tool, tmp_path):
    path = tmp_path / "other.toml"
    path.write_text(toml({A: A_OUT}))
    assert machine("sync", "--force", str(path)).returncode == 0
    tool("clear")
    path.write_text("[pairs\n")
    assert machine("sync", "--last-good", str(path)).returncode == 2
    assert {one.name for one in machine.state.iterdir() if one.suffix == ".toml"} == {"statnat.toml"}


def test_rendering(machine, tool):
    machine.configure("[pairs\n")
    done = machine("render", "--last-good")
    assert done.returncode == LAST_GOOD and A_OUT in done.stdout and tool.held() == {}


@pytest.mark.stock
def test_what_waits_for_the_module_is_kept_with_the_rest(machine, tool):
    """Such a configuration worked; that another one stands in is the greater news."""
    if "module: available" in tool("status").stdout:
        pytest.skip("the module is there")
    machine.configure(toml({A: A_OUT, "10.1.0.0/24": "198.18.1.0/24"}, engine='"auto"'))
    assert machine("sync", "--force").returncode == WAITING
    [kept] = machine.state.glob("*.csv")
    assert "10.1.0.0/24,198.18.1.0/24" in kept.read_text()
    tool("clear")
    machine.configure("[pairs\n")
    for command in ("render", "sync"):
        done = machine(command, "--last-good")
        assert done.returncode == LAST_GOOD and "the configuration that worked last is, with 2 pairs" in done.stderr
        assert "1 pair of prefixes waits for the module" in done.stderr
    assert tool.held() == {A: A_OUT}
