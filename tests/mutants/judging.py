# SPDX-License-Identifier: GPL-2.0-or-later
"""A plugin of pytest, for trees that tests/mutants/sow has made: which mutants a test comes by, and which it notices.

With --reached=FILE each line that a test adds to FILE is a mutant's number, a tab and the test. With --judge=FILE no
test is run but for a mutant: FILE has one for each line, its number and after tabs the tests, which are run until one
fails; --verdicts=FILE gets a line before each mutant and one after it.
"""

import os
import signal
import time
from pathlib import Path

import pytest

PARAMETERS = Path("/sys/module/nft_snat_stateless/parameters")
# What takes longer hangs.
PATIENCE = float(os.environ.get("STATNAT_PATIENCE", "240"))


def pytest_addoption(parser):
    for option in ("--reached", "--judge", "--verdicts"):
        parser.addoption(option, type=Path, metavar="FILE", help="see tests/mutants/judging.py")


def pytest_configure(config):
    if config.getoption("reached"):
        # What the tool's own mutants write into.
        os.environ["STATNAT_REACHED"] = str(config.getoption("reached").resolve())


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    yield
    file = item.config.getoption("reached")
    if file and PARAMETERS.exists():
        numbers = (PARAMETERS / "reached").read_text().split()
        (PARAMETERS / "reached").write_text("\n")
        with file.open("a") as reached:
            reached.writelines(f"{number}\t{item.nodeid}\n" for number in numbers)


def choose(number):
    os.environ["STATNAT_MUTANT"] = number
    if PARAMETERS.exists():
        (PARAMETERS / "mutant").write_text(number)


def run(session, items):
    """In a process of its own: its end says whether something failed."""
    session.testsfailed = 0
    for item, following in zip(items, [*items[1:], None]):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return item.nodeid
    return None


def wait(child):
    """For PATIENCE; whether it came to its end."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        done, _ = os.waitpid(child, os.WNOHANG)
        if done:
            return True
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def judged(session, items):
    """The test that noticed the mutant, or none."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        os.close(reading)
        try:
            os.write(writing, (run(session, items) or "-").encode())
        finally:
            os._exit(0)
    os.close(writing)
    ended = wait(child)
    said = os.read(reading, 4096).decode() if ended else "(it took too long)"
    os.close(reading)
    return said or "(pytest ended)"


def pytest_runtestloop(session):
    file = session.config.getoption("judge")
    if not file:
        return None
    items = {item.nodeid: item for item in session.items}
    with session.config.getoption("verdicts").open("a", buffering=1) as verdicts:
        for line in file.read_text().splitlines():
            number, *tests = line.split("\t")
            verdicts.write(f"{number}\t?\n")
            os.fsync(verdicts.fileno())
            choose(number)
            noticed = judged(session, [items[test] for test in tests if test in items])
            choose("0")
            verdicts.write(f"{number}\t{noticed}\n")
    return True
