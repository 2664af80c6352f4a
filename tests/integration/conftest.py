# SPDX-License-Identifier: GPL-2.0-or-later
"""What every test gets: a healthy kernel before and after, a gateway, and the tool in it."""

import os
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from abilities import able
from forgetful import FAILSLAB, set_failslab
from lan import FAMILIES
from net import TRACKING, Namespace
from nfnl import Netlink
from nft import Nft
from tool import ENGINE, Tool
from wire import Wire

# An out-of-tree module without a signature is what we test, and no fault.
EXPECTED_TAINT = 1 << 12 | 1 << 13
FAULTS = ("WARNING:", "BUG:", "BUG ", "Oops", "general protection", "refcount_t:", "Call Trace",
          "hw csum failure", "unregister_netdevice: waiting")


def pytest_addoption(parser):
    parser.addoption("--sample", type=int, default=1, metavar="N",
                     help="of each test's rows take the first and every Nth after it; tables repeat by powers of 2")
    parser.addoption("--packets", type=int, default=1500, metavar="N",
                     help="how many test_opinion.py generates for each family and direction")
    parser.addoption("--seconds", type=float, default=10, metavar="N", help="how long test_stress.py takes")
    parser.addoption("--rounds", type=int, default=3, metavar="N",
                     help="how often test_forward_changes.py makes each change and undoes it")
    parser.addoption("--seed", type=int, default=17, metavar="N", help="of what these two generate")
    parser.addoption("--closer", default="", metavar="NAME,...", help="of test_NAME.py take every third row")


def pytest_configure(config):
    config.addinivalue_line("markers", "expression: needs the kernel module, not stock rules")
    config.addinivalue_line("markers", "needs(ability): of the kernel; guests have them all, this machine may not")
    config.addinivalue_line("markers", "stock: about neither module nor kernel; guests, which are slow, leave it out")
    config.addinivalue_line("markers", "race: needs two processors and slub_debug, as `make race-6.12` has them")


def pytest_collection_modifyitems(config, items):
    others = {"expression" if ENGINE == "native" else "stock"}
    others |= {"race"} if os.cpu_count() == 1 else set()
    kept = [item for item in items if possible(item) and not any(map(item.get_closest_marker, others))]
    closer = [f"test_{name}" for name in config.getoption("closer").split(",")]
    kept = sample(kept, config.getoption("sample"), closer)
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def sample(items, step, closer):
    """The first and then every `step`-th row of each test, the same at each run; of some modules every third."""
    rows, kept = Counter(), []
    for item in items:
        test = item.nodeid.partition("[")[0]
        if rows[test] % (min(step, 3) if item.module.__name__ in closer else step) == 0:
            kept.append(item)
        rows[test] += 1
    return kept


def possible(item):
    """Whether the kernel has what a test needs; guests' kernels must have it."""
    return ENGINE == "expression" or all(able(mark.args[0]) for mark in item.iter_markers("needs"))


def taint():
    with open("/proc/sys/kernel/tainted") as file:
        return int(file.read()) & ~EXPECTED_TAINT


@pytest.fixture(scope="session")
def kernel_log():
    """Reads what the kernel said since the last call."""
    log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    os.lseek(log, 0, os.SEEK_END)

    def read():
        lines = []
        while True:
            try:
                lines.append(os.read(log, 8192).decode(errors="replace"))
            except BlockingIOError:
                return lines
            except BrokenPipeError:
                lines.append("(lines were lost)")

    yield read
    os.close(log)


@pytest.fixture(autouse=True)
def healthy(kernel_log):
    """No test may taint the kernel or make it complain."""
    before = taint()
    yield
    complaints = [line for line in kernel_log() if any(fault in line for fault in FAULTS)]
    assert not complaints and taint() == before


@pytest.fixture(scope="module")
def namespace(request):
    """A namespace of the module's own, without cables."""
    namespace = Namespace(request.module.__name__.removeprefix("test_"))
    yield namespace
    namespace.close()


@pytest.fixture
def ruleset(namespace):
    """Loads an nft ruleset into the module's namespace; it is gone after the test."""
    yield namespace.nft
    namespace.nft("flush ruleset")


@pytest.fixture
def nft(namespace, ruleset):
    """The tool as nft in the module's namespace; what it loads is gone after the test, too."""
    return Nft(namespace)


@pytest.fixture
def netlink(namespace, ruleset):
    """A socket in the module's namespace; what comes of its messages is gone after the test, too."""
    netlink = Netlink(namespace)
    yield netlink
    netlink.close()


@pytest.fixture(scope="module")
def wire(request):
    """For IPv4, or as the module's WIRE says."""
    wire = getattr(request.module, "WIRE", Wire)()
    yield wire
    wire.close()


@pytest.fixture(scope="module")
def make_tool(tmp_path_factory):
    """Makes a tool for a namespace, with a folder of its own."""
    return lambda namespace: Tool(namespace, tmp_path_factory.mktemp("statnat"))


@pytest.fixture(scope="module")
def tool(wire, make_tool):
    """The tool in the wire's gateway, which holds the pairs of the address plan."""
    tool = make_tool(wire.gateway)
    tool.sync(wire.pairs)
    return tool


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Compiles one of our C files."""
    def gcc(name, *options):
        source, target = Path(__file__).with_name(name), tmp_path_factory.mktemp("compiled") / Path(name).stem
        subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", *options, "-o", target, source], check=True)
        return target
    return gcc


@pytest.fixture
def synced(wire, tool):
    """The tool, with the pairs of the address plan whatever the last test left."""
    tool.sync(wire.pairs)
    return tool


@pytest.fixture(scope="module")
def transactions(wire):
    """A context, in which there are so many transactions in the wire's gateway."""
    netlink = Netlink(wire.gateway)
    yield netlink.transactions
    netlink.close()


@pytest.fixture
def every_processor(wire):
    """Lets this test and what it starts run on all processors, not on one as the wire wants it."""
    os.sched_setaffinity(0, wire.processors)
    yield
    os.sched_setaffinity(0, {min(wire.processors)})


@pytest.fixture(scope="module")
def failing():
    """Allocations fail in processes that ask for it, be they such as may sleep; nobody writes about each."""
    if FAILSLAB.exists():
        set_failslab(task_filter="Y", ignore_gfp_wait="N", verbose=0, times=-1, interval=1, probability=1)
    yield
    if FAILSLAB.exists():
        set_failslab(probability=0)


@pytest.fixture(params=FAMILIES)
def family(request):
    """Who has which address on a LAN, for each family."""
    return FAMILIES[request.param]


@pytest.fixture(scope="module", params=["conntrack in use", "no conntrack"])
def conntrack(request, wire, tool):
    """Something else on the gateway follows connections, and so reassembles fragments; or nothing does."""
    if request.param == "no conntrack":
        yield False
    else:
        wire.gateway.nft(TRACKING)
        yield True
        wire.gateway.nft("delete table inet other")
