# SPDX-License-Identifier: GPL-2.0-or-later
"""statnat-nft top: what goes through pairs, on a terminal, and a terminal as before when it is over.

    inside ──── in0 gateway out0 ──── outside         A 10.0.0.2 = 198.51.100.2, B 10.0.0.3 = 198.51.100.3
                       │
                statnat-nft top, in tmux
"""

import re
import subprocess
import threading
import time

import pytest
from scapy.layers.inet import IP, UDP

from net import A, A_OUT, B, B_OUT, D, PAIRS, X, many, until
from network import alongside
from test_pairs_monitor import change, cost
from tool import TOOL

pytestmark = pytest.mark.stock


class Terminal:
    """Of tmux, in which a shell in a namespace runs."""

    def __init__(self, namespace, folder):
        self.tmux = ["tmux", "-u", "-f", "/dev/null", "-S", str(folder / "tmux")]
        self("new-session", "-d", "-x", "110", "-y", "12", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
             "TERM=screen", "PS1=> ", "nsenter", f"--net=/run/netns/{namespace.name}", "bash", "--norc")
        until(lambda: self.lines() == [">"])

    def __call__(self, *words):
        return subprocess.run([*self.tmux, *words], check=True, capture_output=True, text=True).stdout

    def type(self, *keys):
        self("send-keys", *keys)

    def lines(self):
        """But for empty ones at the end."""
        return [line.rstrip() for line in self("capture-pane", "-p").rstrip().splitlines()]

    def cost(self):
        """What the tool has taken of a processor, in seconds."""
        shell = self("list-panes", "-F", "#{pane_pid}").strip()
        children = subprocess.run(["pgrep", "-P", shell], check=True, capture_output=True, text=True).stdout.split()
        return cost(children[0])

    def close(self):
        self("kill-server")


@pytest.fixture
def terminal(wire, synced, tmp_path, every_processor):
    terminal = Terminal(wire.gateway, tmp_path)
    yield terminal
    terminal.close()


def begin(terminal, *options):
    terminal.type(" ".join((str(TOOL), "top", *options)), "Enter")
    until(lambda: any(line.startswith("internal ") for line in terminal.lines()))


def table(terminal):
    """Of what is on the screen: internal address to external one and four rates, in the order in which they stand."""
    rows = (line.replace(",", "").split() for line in terminal.lines()[2:])
    return {row[0]: (row[1], *map(int, row[2:6])) for row in rows if len(row) >= 6}


class Senders(threading.Thread):
    """Each sends its packet so often a second."""

    def __init__(self, *senders):
        super().__init__()
        self.senders, self.over = senders, threading.Event()

    def __enter__(self):
        self.start()

    def __exit__(self, *_):
        self.over.set()
        self.join()

    def run(self):
        begin, sent = time.monotonic(), [0] * len(self.senders)
        while not self.over.wait(0.005):
            for number, (port, packet, rate) in enumerate(self.senders):
                while sent[number] < (time.monotonic() - begin) * rate:
                    port.send(packet)
                    sent[number] += 1


def is_near(seen, sent):
    return 0.9 * sent <= seen <= 1.1 * sent


def test_rates(wire, terminal):
    """As they are sent, the most bytes first, and none again when nobody sends any more."""
    small = bytes(IP(src=X, dst=B_OUT) / UDP(dport=9, chksum=0) / bytes(72))  # 100 bytes
    large = bytes(IP(src=A, dst=X) / UDP(dport=9, chksum=0) / bytes(472))  # 500
    begin(terminal, "--interval", "1")
    until(lambda: len(table(terminal)) == 3)
    with Senders((wire.outside, small, 300), (wire.inside, large, 200)):
        def seen():
            (_, out, out_bytes, _, _), (_, _, _, into, into_bytes) = (table(terminal)[host] for host in (A, B))
            return (is_near(out, 200) and is_near(out_bytes, 100_000) and
                    is_near(into, 300) and is_near(into_bytes, 30_000))
        until(seen)
        assert list(table(terminal)) == [A, B, D]
        assert table(terminal)[A][0] == A_OUT and table(terminal)[A][3:] == (0, 0) and table(terminal)[B][1:3] == (0, 0)
    until(lambda: all(set(row[1:]) == {0} for row in table(terminal).values()))


@pytest.mark.parametrize("key", ["q", "C-c"])
def test_quits(terminal, key):
    """What was on the terminal before is there again."""
    terminal.type("echo before", "Enter")
    until(lambda: "before" in terminal.lines())
    begin(terminal)
    assert "before" not in terminal.lines()
    terminal.type(key)
    until(lambda: "before" in terminal.lines())
    terminal.type("echo status $?", "Enter")
    until(lambda: "status 0" in terminal.lines())
    assert terminal("display-message", "-p", "#{alternate_on} #{cursor_flag}").split() == ["0", "1"]
    terminal.type("echo seen")  # what is typed shows
    until(lambda: terminal.lines()[-1] == "> echo seen")


def test_fits(synced, terminal):
    """As many pairs as there is room for, also when that changes."""
    synced.sync(many(50))
    begin(terminal)
    until(lambda: len(table(terminal)) == 10)
    terminal("resize-window", "-x", "100", "-y", "30")
    until(lambda: len(table(terminal)) == 28)
    terminal("resize-window", "-x", "60", "-y", "5")
    until(lambda: len(terminal.lines()) == 5 and terminal.lines()[0].startswith("50 pairs, every "))
    terminal("resize-window", "-x", "100", "-y", "12")
    until(lambda: len(table(terminal)) == 10)


def test_pairs_come_and_go(synced, terminal):
    begin(terminal, "--interval", "0.2")
    synced("clear")
    until(lambda: terminal.lines()[0].startswith("0 pairs"))
    synced.sync(PAIRS)
    until(lambda: set(table(terminal)) == set(PAIRS))


def test_nothing_to_show(wire, synced):
    """A sentence, and no screen."""
    done = synced("top", check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"statnat-nft: error: this draws .*\n", done.stderr)
    synced.sync(PAIRS, counters="rule")
    done = synced("top", check=False)
    assert (done.returncode, done.stdout) == (1, "") and re.fullmatch(r"statnat-nft: error: pairs .*\n", done.stderr)
    done = synced("top", "--interval", "often", check=False)
    assert (done.returncode, done.stdout) == (2, "") and "--interval" in done.stderr


def test_a_list_again_and_again(wire, synced, terminal):
    """In the same place, with what has changed meanwhile."""
    terminal.type(f"{TOOL} list --watch --sort packets", "Enter")
    until(lambda: len(terminal.lines()) == 1 + len(PAIRS) and terminal.lines()[1].startswith(A))
    wire.inside.send(IP(src=B, dst=X) / UDP() / b"again")
    until(lambda: terminal.lines()[1].split()[:4] == [B, B_OUT, "1", "33"])
    terminal.type("q")
    until(lambda: terminal.lines()[-1] == ">")


def test_a_list_again_and_again_in_a_file(wire, synced, tmp_path):
    """One behind the other, until a signal ends it."""
    with (tmp_path / "out").open("w") as out, wire.gateway:
        process = subprocess.Popen([str(TOOL), "list", "--watch", "--json"], stdout=out)
    until(lambda: (tmp_path / "out").read_text().count('{"pairs":[') == 3)
    process.terminate()
    assert process.wait(60) == 0
    once = synced("list", "--json").stdout
    assert (tmp_path / "out").read_text() == 3 * once


def test_costs_next_to_nothing(wire, synced, terminal):
    """Beside 10,000 pairs, of which one is changed a hundred times a second, at most 1 % of a processor."""
    synced.sync(many(10_000))
    over = threading.Event()
    with alongside(change, wire.gateway, over.is_set):
        begin(terminal)
        until(lambda: len(table(terminal)) == 10)

        spent, at = before_it_reads(terminal)
        time.sleep(20)
        more, later = before_it_reads(terminal)
        over.set()
    share = (more - spent) / (later - at)
    print(f"of a processor: {share:.2%}")
    assert share <= 0.01


def before_it_reads(terminal):
    """What it has taken, and when; between two such moments are as many pauses as readings."""
    spent = now = terminal.cost()
    while now == spent:
        at = time.monotonic()
        time.sleep(0.02)
        now = terminal.cost()
    return spent, at
