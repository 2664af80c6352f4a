# SPDX-License-Identifier: GPL-2.0-or-later
"""An etcd that answers wrongly, endlessly or late, and a publish that ends half-way.

    gateway ─── a proxy of the test's ─── etcd
"""

import base64
import concurrent.futures
import contextlib
import json
import statistics
import subprocess
import threading
import time

import pytest

from net import A, A_OUT, until
from test_fleet import ADDRESS, ENGINE, SOON, etcd, fleet, start, tool  # noqa: F401
from tool import TOOL

pytestmark = pytest.mark.stock
PORT = 2499


class Listener:
    """Serves each connection in a thread of its own, where etcd is."""

    def __init__(self, namespace, serve):
        self.namespace, self.serve = namespace, serve
        self.socket = namespace.socket()
        self.socket.setsockopt(1, 2, 1)
        self.socket.bind((ADDRESS, PORT))
        self.socket.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.handle, args=(self.socket.accept()[0],), daemon=True).start()

    def handle(self, connection):
        with connection, contextlib.suppress(OSError):
            self.serve(connection)

    def close(self):
        self.socket.shutdown(2)
        self.socket.close()


def answers(text):
    """The same to each request."""
    def serve(connection):
        while connection.recv(65536):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text.encode()))
    return serve


def key(name):
    return {"key": base64.b64encode(name.encode()).decode(), "mod_revision": "3",
            "value": base64.b64encode(b"198.51.100.2").decode()}


HEADER = {"cluster_id": "1", "revision": "3"}
NAMES = ["/statnat/default/10.0.0.2", "/statnat/default/10.0.0.3"]


@pytest.mark.parametrize("answer, said", [
    ({}, "answers what etcd does not"),
    ({"header": HEADER, "kvs": [key(name) for name in NAMES], "more": True}, "answers what etcd does not"),
    ({"header": HEADER, "kvs": [key(name) for name in reversed(NAMES)]}, "answers what etcd does not"),
    ({"header": HEADER, "kvs": [key("/statnat/other/10.0.0.2")]}, "answers what etcd does not"),
    ({"header": HEADER, "more": True}, "says that there are more keys, and has none"),
], ids=["nothing", "the same page for ever", "in no order", "another prefix", "more of nothing"])
def test_what_etcd_would_not_answer(fleet, answer, said):  # noqa: F811
    """Nothing is made of it: above all, no loss of pairs."""
    tool = fleet.tools[0]  # noqa: F811
    tool.file.write_text(f'[source]\netcd = ["http://{ADDRESS}:{PORT}"]\n')
    with contextlib.closing(Listener(fleet.middle, answers(json.dumps(answer)))):
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            done = pool.submit(tool, "sync", tool.file, check=False).result(SOON)
    assert done.returncode == 6 and said in done.stderr and len(done.stderr.splitlines()) == 1


def late(namespace, seconds):
    """Passes all on, but questions only so much later."""
    def pump(source, sink):
        with contextlib.suppress(OSError):
            while some := source.recv(65536):
                if some.startswith(b"POST /v3/kv/txn"):
                    time.sleep(seconds)
                sink.sendall(some)
        with contextlib.suppress(OSError):
            sink.shutdown(2)

    def serve(connection):
        with namespace.socket() as upstream:
            upstream.connect((ADDRESS, 2379))
            threading.Thread(target=pump, args=(upstream, connection), daemon=True).start()
            pump(connection, upstream)
    return serve


def test_a_member_that_is_slow_to_answer_keeps_no_change_waiting(fleet, tool, etcd, start):  # noqa: F811
    """A second after each answer it is asked whether it has a leader, and takes three for the next; what it tells comes
    at once. Each change comes while it is being asked, and a busy machine may keep some of them."""
    tool.file.write_text(f'[gateway]\nengine = "{ENGINE}"\n[source]\netcd = ["http://{ADDRESS}:{PORT}"]\n')
    etcd.put(A, A_OUT)
    took = []
    with contextlib.closing(Listener(fleet.middle, late(fleet.middle, 3))):
        start()
        for number in range(50, 57):
            begun = time.monotonic()
            etcd.put(A, f"198.51.100.{number}")
            until(lambda: tool.held() == {A: f"198.51.100.{number}"}, SOON)  # noqa: B023
            took.append(time.monotonic() - begun)
            time.sleep(1.2)
    assert statistics.median(took) < 1.4, took


@pytest.mark.parametrize("what", ["publish", "etcd"])
def test_a_publish_that_ends_half_way(fleet, tool, etcd, tmp_path, what):  # noqa: F811
    """Each transaction is whole, and the same command does the rest."""
    wanted = {f"10.{number // 250}.0.{number % 250 + 1}": f"100.64.{number // 250}.{number % 250 + 1}"
              for number in range(2000)}
    file = tmp_path / "many.csv"
    file.write_text("".join(f"{one},{other}\n" for one, other in wanted.items()))
    words = [str(TOOL), "publish", str(file), "--config", str(tool.file)]
    with fleet.gateways[0]:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: len(etcd.pairs()) > 100, SOON)
    if what == "publish":
        process.kill()
        process.communicate()
    else:
        etcd.kill()
        said = process.communicate(timeout=SOON)[1]
        assert process.returncode == 6 and "had been published by then: publish the rest by the same command" in said
        etcd.start(0)
        until(etcd.answers, SOON)
    some = etcd.pairs()
    assert 100 < len(some) < 2000 and some.items() <= wanted.items()
    assert etcd.get("/statnat/default@external/") == {external: internal for internal, external in some.items()}
    assert tool("publish", file, "--config", tool.file).stdout == f"added {2000 - len(some)} pairs\n"
    assert etcd.pairs() == wanted
