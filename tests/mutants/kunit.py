# SPDX-License-Identifier: GPL-2.0-or-later
"""The module's mutants, tried with KUnit: a boot of a user-mode kernel for each test of each, until one fails, or until
KASAN, lockdep or kmemleak have something to report."""

import os
import re
import shlex
import subprocess
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULE = "nft_snat_stateless_kunit"
CASE = re.compile(r"KUNIT_CASE(?:_PARAM)?\((\w+)")
SUITE = re.compile(r'\.name = "(statnat_\w+)"')
# Seconds that a boot takes, about; and how often it may take them, and a test what it takes without a mutant.
BOOT = 20
SLOWER = 5

# In the kernel: the first line that says that something failed ends it, since a test goes on behind what it has seen. A
# module is loaded once in a boot: KASAN would take what an earlier one had for its variables for nobody's. The
# address is that of tests/kunit/inside.
INSIDE = """
module={module} results={results} mutant={mutant}
mkfifo /tmp/told
dmesg --follow-new >/tmp/told &
grep -m 1 -E ' not ok |BUG: ' </tmp/told >$results/failed && poweroff -f &
ip address add 192.0.2.200/32 dev lo
sleep 0.5
printf %s {test} >/sys/module/kunit/parameters/filter_glob
begun=$(date +%s%N)
insmod $module mutant=$mutant || exit 1
echo $((($(date +%s%N) - begun) / 1000000)) $(cat /sys/module/{name}/parameters/reached) >$results/ran
rmmod {name} || exit 1
sleep 0.5
! [ -s $results/failed ]
"""


def cases():
    """All that there are, by SUITE.TEST."""
    for path in sorted((ROOT / "tests/kunit").rglob("*_test.c")):
        text = path.read_text()
        yield from (f"{SUITE.search(text)[1]}.{case}" for case in CASE.findall(text))


def read(file):
    return file.read_text().strip() if file.exists() else ""


def end(process):
    """Its kernel first, whose end it then tells, and puts back what it has set."""
    subprocess.run(["pkill", "-KILL", "-P", str(process.pid)], check=False)
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class KUnit:
    """What a tree with mutants is asked."""

    def __init__(self, tree):
        self.module = tree / "build/kunit" / f"{MODULE}.ko"
        subprocess.run([ROOT / "tests/kunit/run", "--tree", tree, "--only-build", "1"], check=True,
                       stdout=subprocess.DEVNULL)
        done = subprocess.run([ROOT / "tests/vm/user-mode-kernel", "6.12", "debug"], stdout=subprocess.PIPE, check=True,
                              text=True)
        self.kernel = done.stdout.strip()
        self.took, self.reached, self.tried, self.noticed = {}, {}, Counter(), Counter()

    def begin(self):
        """All tests without a mutant: none may fail, and each tells which mutants it comes by."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for test, (failed, said) in zip(cases(), pool.map(lambda test: self.run(0, test), list(cases()))):
                if failed:
                    raise RuntimeError(f"KUnit without a mutant, {test}: {failed}")
                milliseconds, *numbers = map(int, said.split())
                self.took[test] = milliseconds / 1000
                for number in numbers:
                    self.reached.setdefault(number, []).append(test)

    def judge(self, numbers):
        """Each of them when it is known, and what failed, or None."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            running = {pool.submit(self.first_failure, number): number for number in numbers}
            for done in as_completed(running):
                yield running[done], done.result()

    def first_failure(self, number):
        # What no test comes by is perhaps the module's end.
        left = self.reached.get(number, [min(self.took, key=self.took.get)])
        while left:
            test = max(left, key=self.worth)
            left = [other for other in left if other != test]
            failed, _ = self.run(number, test)
            self.tried[test] += 1
            if failed:
                self.noticed[test] += 1
                return f"{test}: {failed}"
        return None

    def worth(self, test):
        """What is to be expected of it for its time."""
        return (self.noticed[test] + 1) / (self.tried[test] + 1) / (BOOT + self.took[test])

    def run(self, mutant, test):
        """What failed, or None; and what the test said of itself."""
        with tempfile.TemporaryDirectory(prefix="statnat-") as place:
            results = Path(place)
            places = {"module": shlex.quote(str(self.module)), "results": place, "name": MODULE}
            inside = INSIDE.format(mutant=mutant, test=test, **places)
            command = [ROOT / "tests/vm/user-mode", "--built", self.kernel, "--bare", "--results", place, "--",
                       "bash", "-c", inside]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                status = process.wait(timeout=SLOWER * (BOOT + self.took.get(test, 10 * BOOT)))
            except subprocess.TimeoutExpired:
                end(process)
                return "takes too long", ""
            failed = read(results / "failed").partition("] ")[2].strip()
            complaint = {122: "the kernel complained", 125: "the kernel died"}.get(status, f"status {status}")
            return failed or (complaint if status else None), read(results / "ran")
