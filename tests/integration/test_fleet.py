# SPDX-License-Identifier: GPL-2.0-or-later
"""Pairs that many gateways have from one etcd: read, followed, published; what became of them is seen on the wire and
by etcdctl.

    inside ─── gateway ─── outside
                  │
                 etcd ─── second gateway
"""

import concurrent.futures
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import threading
import time

import pytest
from scapy.layers.inet import IP, UDP

from etcd import PREFIX, Etcd
from net import A, A_OUT, B, B_OUT, X, Namespace, cable, until
from test_watch import Watcher
from tool import ENGINE, TOOL

pytestmark = pytest.mark.stock
SOON = 60
ADDRESS = "192.168.255.1"


class Fleet:
    """Two gateways, of which the first has a wire, and where etcd is to be."""

    def __init__(self, wire, make_tool):
        self.middle, self.other = Namespace("etcd"), Namespace("second")
        self.gateways = [wire.gateway, self.other]
        self.middle.ip("link add br0 type bridge\nlink set br0 up\naddress add 192.168.255.1/24 dev br0")
        for number, gateway in enumerate(self.gateways):
            cable(gateway, "etcd0", self.middle, f"gateway{number}")
            self.middle.ip(f"link set gateway{number} master br0")
            gateway.ip(f"address add 192.168.255.{number + 2}/24 dev etcd0")
        self.tools = [make_tool(gateway) for gateway in self.gateways]

    def close(self):
        self.middle.close()
        self.other.close()


@pytest.fixture(scope="module")
def fleet(wire, make_tool):
    with contextlib.closing(Fleet(wire, make_tool)) as fleet:
        yield fleet


@pytest.fixture
def etcd(fleet, tmp_path):
    with contextlib.closing(Etcd(fleet.middle, ADDRESS, tmp_path)) as etcd:
        yield etcd
    for tool in fleet.tools:
        tool("clear")


def configure(tool, etcd, more="", pairs=""):
    tool.file.write_text(f'[gateway]\nengine = "{ENGINE}"\n[source]\netcd = {json.dumps(etcd.endpoints)}\n{more}'
                         f'\n[pairs]\n{pairs}')
    return tool.file


@pytest.fixture
def tool(fleet, etcd):
    """The first gateway's."""
    configure(fleet.tools[0], etcd)
    return fleet.tools[0]


@pytest.fixture
def start(fleet, tool, tmp_path):
    """Starts watch on a gateway."""
    with contextlib.ExitStack() as all_of_them:
        def start_one(number=0):
            folder = tmp_path / str(number)
            folder.mkdir(exist_ok=True)
            watcher = Watcher(fleet.gateways[number], fleet.tools[number].file, folder)
            all_of_them.callback(watcher.close)
            watcher.hears(b"READY=1")
            return watcher
        yield start_one


def status(tool):
    return json.loads(tool("status", "-j").stdout)


def health(tool):
    return tool("status", "--health", tool.file, check=False).stdout


def sources(wire):
    """As which address a packet of A arrives outside."""
    wire.drain()
    wire.inside.send(IP(src=A, dst=X) / UDP(sport=7, dport=7, chksum=0))
    return {IP(seen).src for seen in wire.drain()[1]}


# ---- read once -------------------------------------------------------------------------------------------------------

def test_sync_takes_them(wire, tool, etcd):
    etcd.put(A, A_OUT)
    etcd.put(B, json.dumps({"external": [B_OUT, "198.51.100.9"], "comment": "mail"}))
    etcd.control("put", "/statnat/other/10.0.0.99", "198.51.100.99")
    assert tool("sync", tool.file).stdout.startswith("added 3 pairs")
    assert sources(wire) == {A_OUT}
    listed = json.loads(tool("list", "-j").stdout)["pairs"]
    assert [(pair["internal"], pair["external"]) for pair in listed] == [(A, A_OUT), (B, B_OUT), (B, "198.51.100.9")]
    assert listed[1]["comment"] == "mail"
    assert tool("sync", tool.file).stdout == "nothing to change\n"
    assert tool("diff", "--exit-code", tool.file).stdout == ""


@pytest.mark.parametrize("internal, external, said", [
    ("10.0.0.9", "nobody", f'etcd {PREFIX}10.0.0.9: "nobody" is neither an address nor a prefix'),
    ("10.0.0.9", '{"external": 1}', f"etcd {PREFIX}10.0.0.9: external is of the wrong type"),
    ("10.0.0.9", A_OUT, f"etcd {PREFIX}10.0.0.9: {A_OUT} is already the external address of {A} (etcd {PREFIX}{A})"),
    ("10.0.0.09", "198.51.100.9", f'etcd {PREFIX}10.0.0.09: "10.0.0.09" is neither an address nor a prefix'),
])
def test_what_is_no_pair_is_named(tool, etcd, internal, external, said):
    etcd.put(A, A_OUT)
    tool("sync", tool.file)
    etcd.put(internal, external)
    refused = tool("sync", tool.file, check=False)
    assert refused.returncode == 2 and said in refused.stderr and tool.held() == {A: A_OUT}


def test_beside_pairs_of_files(tool, etcd):
    etcd.put(A, A_OUT)
    tool("sync", configure(tool, etcd, pairs=f'"{B}" = "{B_OUT}"'))
    assert tool.held() == {A: A_OUT, B: B_OUT}
    etcd.put("10.0.0.9", B_OUT)
    refused = tool("sync", tool.file, check=False)
    assert f"{B_OUT} is already the external address of {B} ({tool.file}:" in refused.stderr


def test_a_shard(tool, etcd):
    etcd.put(A, A_OUT)
    etcd.put(B, "198.51.101.3")
    tool("sync", configure(tool, etcd, 'only = ["198.51.101.0/24"]'))
    assert tool.held() == {B: "198.51.101.3"}


def test_etcd_is_away(tool, etcd):
    """One sentence and a status of its own, and nothing is lost."""
    etcd.put(A, A_OUT)
    tool("sync", tool.file)
    etcd.kill()
    refused = tool("sync", tool.file, check=False)
    assert refused.returncode == 6 and len(refused.stderr.splitlines()) == 1
    assert f"the source of pairs does not answer: {etcd.endpoints[0]}" in refused.stderr
    assert tool.held() == {A: A_OUT}


def test_who_loses_nearly_all_must_say_so(tool, etcd):
    for number in range(10, 22):
        etcd.put(f"10.0.0.{number}", f"198.51.100.{number}")
    tool("sync", tool.file)
    etcd.control("del", "--prefix", PREFIX)
    assert tool("sync", tool.file, check=False).returncode == 1 and len(tool.held()) == 12
    tool("sync", "--force", tool.file)
    assert tool.held() == {}


def test_pages_of_one_revision(fleet, tool, etcd, tmp_path):
    """More than a page, published from a file and read by both gateways, which say that they have the same."""
    pairs = {f"10.{20 + number // 250 // 250}.{number // 250 % 250}.{number % 250 + 1}":
             f"100.{70 + number // 250 // 250}.{number // 250 % 250}.{number % 250 + 1}" for number in range(11000)}
    (tmp_path / "many.csv").write_text("".join(f"{one},{other}\n" for one, other in pairs.items()))
    assert tool("publish", tmp_path / "many.csv", "--config", tool.file).stdout == "added 11000 pairs\n"
    second = fleet.tools[1]
    configure(second, etcd)
    digests = set()
    for one in (tool, second):
        one("sync", one.file)
        assert one.held() == pairs
        digests.add(status(one)["digest"])
    lines = sorted(f"{internal},{external},\n" for internal, external in pairs.items())
    assert digests == {hashlib.sha256("".join(lines).encode()).hexdigest()}
    assert tool("publish", tmp_path / "many.csv", "--config", tool.file).stdout == "nothing to change\n"


# ---- followed --------------------------------------------------------------------------------------------------------

def test_watch_follows(wire, tool, etcd, start):
    etcd.put(A, A_OUT)
    etcd.put(B, B_OUT)
    start()
    assert sources(wire) == {A_OUT}
    etcd.put(A, "198.51.100.77")
    until(lambda: sources(wire) == {"198.51.100.77"}, SOON)
    etcd.delete(A)
    until(lambda: sources(wire) == {A}, SOON)


def test_a_transaction_is_one(tool, etcd, start):
    """Two hosts swap their addresses: one by one, they could not."""
    etcd.put(A, A_OUT)
    etcd.put(B, B_OUT)
    watcher = start()
    etcd.control("txn", stdin=f"\nput {PREFIX}{A} {B_OUT}\nput {PREFIX}{B} {A_OUT}\n\n\n")
    until(lambda: tool.held() == {A: B_OUT, B: A_OUT}, SOON)
    assert not [line for line in watcher.lines() if "error" in line]


def test_what_cannot_be_loaded_is_said_until_it_is_cured(tool, etcd, start):
    etcd.put(A, A_OUT)
    start()
    etcd.put(B, A_OUT)
    until(lambda: "what the source has now is not loaded" in health(tool), SOON)
    assert tool.held() == {A: A_OUT}
    etcd.put(B, B_OUT)
    until(lambda: tool.held() == {A: A_OUT, B: B_OUT} and health(tool) == "healthy\n", SOON)


def test_etcd_goes_and_comes_back(wire, tool, etcd, start):
    """The pairs stay meanwhile, whoever flushes them; how old they are is told, and when that is too old."""
    etcd.put(A, A_OUT)
    configure(tool, etcd, 'stale-after = "2s"')
    start()
    etcd.kill()
    wire.gateway.nft("flush ruleset")
    until(lambda: tool.held() == {A: A_OUT}, SOON)
    until(lambda: "pairs are stale" in health(tool), SOON)
    assert status(tool)["source"]["stale"] and status(tool)["source"]["age"] > 2
    etcd.start(0)
    until(etcd.answers, SOON)
    etcd.put(B, B_OUT)
    until(lambda: tool.held() == {A: A_OUT, B: B_OUT} and health(tool) == "healthy\n", SOON)
    assert status(tool)["source"]["revision"] == etcd.revision()


def test_a_gap_behind_a_compaction(tool, etcd, start):
    """A watcher that slept while pairs came and went, and etcd forgot how."""
    etcd.put(A, A_OUT)
    watcher = start()
    os.kill(watcher.process.pid, signal.SIGSTOP)
    etcd.kill()
    etcd.start(0)
    until(etcd.answers, SOON)
    etcd.delete(A)
    etcd.put(B, A_OUT)
    etcd.put("10.0.0.9", "198.51.100.9")
    etcd.control("compaction", str(etcd.revision()))
    os.kill(watcher.process.pid, signal.SIGCONT)
    until(lambda: tool.held() == {B: A_OUT, "10.0.0.9": "198.51.100.9"}, SOON)


def test_another_story(tool, etcd, start, tmp_path):
    """A cluster that begins anew has other pairs at revisions that were there before."""
    for number in range(3):
        etcd.put(f"10.0.0.{number + 10}", f"198.51.100.{number + 10}")
    start()
    etcd.kill()
    etcd.folder = tmp_path / "anew"
    etcd.folder.mkdir()
    etcd.start(0)
    until(etcd.answers, SOON)
    etcd.put("10.0.0.10", "198.51.100.10")
    etcd.put("10.0.0.11", "198.51.100.12")
    until(lambda: tool.held() == {"10.0.0.10": "198.51.100.10", "10.0.0.11": "198.51.100.12"}, SOON)


def test_a_leader_that_is_lost(fleet, start, tmp_path):
    """Of three members each is killed or halted once, the one that is followed among them."""
    tool = fleet.tools[0]
    folder = tmp_path / "three"
    folder.mkdir()
    with contextlib.closing(Etcd(fleet.middle, "192.168.255.1", folder, members=3)) as etcd:
        configure(tool, etcd)
        etcd.put(A, A_OUT)
        start()
        for number in range(3):
            kill, again = ((etcd.kill, etcd.start), (etcd.halt, etcd.go_on))[number % 2]
            kill(number)
            until(etcd.answers, SOON)
            until(lambda: etcd.tries_to_put(A, f"198.51.100.{number + 50}"), SOON)  # noqa: B023
            until(lambda: tool.held() == {A: f"198.51.100.{number + 50}"}, SOON)  # noqa: B023
            again(number)
            until(etcd.answers, SOON)


def test_boot_without_etcd(tool, etcd, start):
    """What watches begins beside what the kernel has, and takes what has changed when etcd is there."""
    etcd.put(A, A_OUT)
    tool("sync", tool.file)
    etcd.kill()
    watcher = start()
    assert tool.held() == {A: A_OUT}
    assert [line for line in watcher.lines() if "what the kernel has stays" in line]
    etcd.start(0)
    until(etcd.answers, SOON)
    etcd.put(B, B_OUT)
    until(lambda: tool.held() == {A: A_OUT, B: B_OUT}, SOON)


# ---- published -------------------------------------------------------------------------------------------------------

def published(tool, *words):
    return tool("publish", *words, "--config", tool.file, check=False)


def test_publish(tool, etcd):
    def refused(*words):
        done = published(tool, *words)
        assert done.returncode == 1 and "nothing has been done" in done.stderr and done.stdout == ""
        return done.stderr
    assert published(tool, "add", A, A_OUT).stdout == "added 1 pair\n"
    assert etcd.pairs() == {A: A_OUT} and etcd.get("/statnat/default@external/") == {A_OUT: A}
    assert published(tool, "add", A, A_OUT).stdout == "nothing to change\n"
    assert f"{A_OUT} is already the external address of {A}" in refused("add", B, A_OUT)
    assert f"{A} is already the internal address of {A_OUT}" in refused("add", A, B_OUT)
    assert "legal is an address on one side only" in refused("add", B, A)
    assert "legal is an address on one side only" in refused("add", A_OUT, B_OUT)
    assert "198.51.100.9" in refused("add", "--inbound", B, "198.51.100.9")
    assert published(tool, "add", "--inbound", A, "198.51.100.9").stdout == "changed 1 pair\n"
    assert f"already the external address of {A}" in refused("add", B, "198.51.100.9")
    tool("sync", tool.file)
    assert len(json.loads(tool("list", "-j").stdout)["pairs"]) == 2
    assert published(tool, "del", "198.51.100.9").stdout == "changed 1 pair\n"
    assert etcd.get("/statnat/default@external/") == {A_OUT: A}
    assert published(tool, "del", A_OUT).stdout == "removed 1 pair\n"
    assert etcd.get("/statnat/default") == {"@last": os.uname().nodename, "/@removed": "1"}
    assert published(tool, "del", A_OUT).returncode == 1


def test_publish_prefixes(tool, etcd):
    """A host inside of what is published as a prefix."""
    assert published(tool, "add", "10.7.0.0/24", "203.0.113.0/24").returncode == 0
    assert "is inside 203.0.113.0/24" in published(tool, "add", A, "203.0.113.5").stderr
    assert published(tool, "add", A, A_OUT).returncode == 0
    assert "covers" in published(tool, "add", "10.8.0.0/24", "198.51.100.0/24").stderr
    assert etcd.pairs() == {"10.7.0.0/24": "203.0.113.0/24", A: A_OUT}


def test_publish_a_file(tool, etcd, tmp_path):
    """Addresses that hosts exchange, in one transaction and in several."""
    for count in (3, 100):
        inside = [f"10.0.{number // 250}.{number % 250 + 1}" for number in range(count)]
        outside = [f"198.51.{100 + number // 250}.{number % 250 + 1}" for number in range(count)]
        for turn in range(2):
            wanted = dict(zip(inside, outside[turn:] + outside[:turn]))
            (tmp_path / "some.csv").write_text("".join(f"{one},{other}\n" for one, other in wanted.items()))
            assert published(tool, tmp_path / "some.csv", "--force").returncode == 0
            assert etcd.pairs() == wanted
            assert etcd.get("/statnat/default@external/") == {other: one for one, other in wanted.items()}
    (tmp_path / "some.csv").write_text(f"{inside[0]},{outside[1]}\n")
    refused = published(tool, tmp_path / "some.csv")
    assert refused.returncode == 1 and "this would remove 99 of 100 pairs" in refused.stderr
    assert etcd.pairs() == wanted


def test_two_writers_at_once(tool, etcd):
    """Each of two publishes all external addresses for hosts of its own: each is bound once, to whoever was told so."""
    externals = [f"198.51.100.{number}" for number in range(1, 41)]
    both = threading.Barrier(2)

    def write(writer):
        bound = {}
        for number, external in enumerate(externals):
            internal = f"10.{writer}.0.{number + 1}"
            both.wait(SOON)
            done = published(tool, "add", internal, external)
            assert done.returncode == 0 or "is already the external address of" in done.stderr, done.stderr
            if done.returncode == 0:
                bound[internal] = external
        return bound

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        one, other = pool.map(write, range(2))
    bound = one | other
    assert one and other and etcd.pairs() == bound and sorted(bound.values()) == sorted(externals)
    assert etcd.get("/statnat/default@external/") == {external: internal for internal, external in bound.items()}


# ---- who is believed -------------------------------------------------------------------------------------------------

def certificates(folder):
    """Of an authority, a server and a client; and another authority."""
    def run(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
    for ca in ("ca", "other"):
        run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{ca}.key",
            "-out", f"{ca}.pem", "-subj", f"/CN={ca}", "-days", "2")
    for name, address in (("server", ADDRESS), ("client", "127.0.0.1")):
        (folder / f"{name}.ext").write_text(f"subjectAltName=IP:{address},IP:127.0.0.1\n")
        run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out",
            f"{name}.csr", "-subj", f"/O={name}")
        run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out",
            f"{name}.pem", "-days", "2", "-extfile", f"{name}.ext")


def test_certificates_and_passwords(fleet, tmp_path):
    tool = fleet.tools[0]
    certificates(tmp_path)
    (tmp_path / "password").write_text("correct horse\n")
    (tmp_path / "wrong").write_text("battery staple\n")
    files = f'certificate = "{tmp_path}/client.pem"\nkey = "{tmp_path}/client.key"\n'
    with contextlib.closing(Etcd(fleet.middle, ADDRESS, tmp_path, tls=tmp_path)) as etcd:
        etcd.put(A, A_OUT)
        etcd.control("user", "add", "root:correct horse")
        etcd.control("user", "grant-role", "root", "root")
        etcd.control("auth", "enable")
        for ca, password, mine, why in (("ca", "password", files, ""), ("other", "password", files, "certificate"),
                                        ("ca", "wrong", files, "authentication failed"),
                                        ("ca", "password", "", "certificate")):
            configure(tool, etcd, f'ca = "{tmp_path}/{ca}.pem"\nuser = "root"\n'
                                  f'password-file = "{tmp_path}/{password}"\n{mine}')
            done = tool("-v", "sync", tool.file, check=False)
            assert done.returncode == (6 if why else 0), done.stderr
            assert why in done.stderr and "horse" not in done.stderr and "staple" not in done.stderr
        assert tool.held() == {A: A_OUT}
        tool("clear")


def test_nobody_leads_elsewhere(fleet, tmp_path):
    """Whoever answers with a redirect, or too much, or never, is none that pairs come from."""
    tool = fleet.tools[0]
    body = b" " * (65 << 20)
    for answer, why in ((b"HTTP/1.1 302 Found\r\nLocation: http://192.168.255.1:9/\r\nContent-Length: 0\r\n\r\n",
                         "leads elsewhere (HTTP 302)"),
                        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body, "more than it may"),
                        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "not the JSON of etcd, but \"hello\"")):
        with fleet.middle.socket() as listener:
            listener.setsockopt(1, 2, 1)
            listener.bind((ADDRESS, 2379))
            listener.listen()
            tool.file.write_text(f'[source]\netcd = ["http://{ADDRESS}:2379"]\n')
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                done = pool.submit(tool, "sync", tool.file, check=False)
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    connection.sendall(answer)
                    connection.recv(1)
                assert done.result().returncode == 6 and why in done.result().stderr


def test_a_member_that_never_answers(fleet, tmp_path):
    tool = fleet.tools[0]
    with fleet.middle.socket() as listener:
        listener.bind((ADDRESS, 2399))
        listener.listen()
        tool.file.write_text(f'[source]\netcd = ["http://{ADDRESS}:2399"]\n')
        begun = time.monotonic()
        done = tool("sync", tool.file, check=False)
        assert done.returncode == 6 and "imed out" in done.stderr and time.monotonic() - begun < 20


def test_libcurl_is_not_in_other_runs():
    """What it brings is in no run that asks no etcd."""
    listed = subprocess.run(["ldd", TOOL], check=True, capture_output=True, text=True).stdout
    assert "curl" not in listed and "libssl" not in listed
