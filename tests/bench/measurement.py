# SPDX-License-Identifier: GPL-2.0-or-later
"""What packets cost in a kernel of its own, which gets from the host, prepared, whatever would take it long."""

import json
import shutil
import statistics
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).resolve().parent
TREE = HERE.parent.parent
VM = HERE.parent / "vm"
sys.path.append(str(HERE.parent / "integration"))

import elements
import programs
from addresses import FAMILIES
from contenders import CONTENDERS

BASE = "empty chains"


class Failure(Exception):
    """There is no result; what did not work has said why."""


def kernel(name):
    """The directory of the kernel of this name, itself named after its release."""
    return Path(subprocess.run([VM / "kernels", name], stdout=subprocess.PIPE, check=True, text=True).stdout.strip())


def built(name):
    """Where the tool lies that was built for this kernel's Debian."""
    return TREE / "build" / ("trixie" if name.startswith("trixie") else "") / "statnat-nft"


def add_parts(parser):
    """Options that say which tool and module are measured."""
    parser.add_argument("--kernel", default="6.12", help="one that `kernels` knows (%(default)s)")
    parser.add_argument("--tool", type=Path, help="(what was built for the kernel's Debian)")
    parser.add_argument("--module", type=Path, help="(build/kmod/RELEASE/nft_snat_stateless.ko)")


@contextmanager
def workshop(arguments):
    """A folder with the tool and the module in it, where guests see it: their /tmp is their own."""
    module = arguments.module or TREE / "build/kmod" / kernel(arguments.kernel).name / "nft_snat_stateless.ko"
    with TemporaryDirectory(dir="/var/tmp", prefix="statnat-bench-") as name:
        folder = Path(name)
        shutil.copy(arguments.tool or built(arguments.kernel), folder / "statnat-nft")
        shutil.copy(module, folder / "nft_snat_stateless.ko")
        yield folder


@contextmanager
def prepared(folder, family, pairs):
    """The folder with the maps' elements and the tool's configuration in it, for so many pairs."""
    folder.mkdir()
    internal, external = family.pairs(pairs)
    for name, keys, values in zip(elements.MAPS, (internal, external), (external, internal)):
        with (folder / name).open("wb") as file:
            file.writelines(elements.batch("bench", name, keys, values))
    with (folder / "pairs.csv").open("w") as file:
        file.writelines(f"{one},{other}\n" for one, other in zip(internal, external))
    all_pairs = '[gateway]\npairs-files = ["pairs.csv"]\n'
    (folder / "statnat.toml").write_text(all_pairs)
    (folder / "spread.toml").write_text(f'{all_pairs}\n[pairs]\n"{family.apart[0]}" = "{family.apart[1]}"\n')
    (folder / "fast.toml").write_text(f"{all_pairs}fast-path = true\n")
    (folder / "closed.toml").write_text(f"{all_pairs}fail-closed = true\n")
    (folder / "filtered.toml").write_text(f'{all_pairs}fail-closed = true\nexternal-interfaces = ["ppp*", "out"]\n')
    (folder / "followed.toml").write_text(f'{all_pairs}conntrack = "follow"\n')
    for name in ("exempt", "only"):
        destinations = ", ".join(f'"{prefix}"' for prefix in getattr(family, name))
        (folder / f"{name}.toml").write_text(all_pairs + f"{name}-destinations = [{destinations}]\n")
    (folder / "border.toml").write_text(all_pairs + 'external-interfaces = ["ppp*", "out"]\n')
    internal_prefix, external_prefix = family.prefixes(pairs)
    npt = ", npt = true" if family.name == "ip6" else ""
    (folder / "prefix.toml").write_text(f'[pairs]\n"{internal_prefix}" = {{ external = "{external_prefix}"{npt} }}\n')
    yield folder
    shutil.rmtree(folder)


def run_in_guest(series, workshop, pairs, command, append=""):
    """Runs a command where instructions are counted; what it writes into the workshop is there afterwards."""
    memory = f"{1024 + 4 * pairs // 1000}M"
    guest = [VM / "run", "--kernel", series, "--icount", "--memory", memory, "--timeout", "10800",
             "--append", append, "--results", workshop, "--module", workshop / "nft_snat_stateless.ko", "--"]
    if subprocess.run([*guest, *command], stdout=sys.stderr).returncode:
        raise Failure


def count(series, workshop, family, pairs, contenders, rounds, *options, append=""):
    """Boots a guest, with more words for its kernel, and returns what each contender costs there, in each case."""
    return measure(lambda command: run_in_guest(series, workshop, pairs, command, append), statistics.median,
                   workshop, family, pairs, contenders, "--rounds", str(rounds), *options)


def measure(run, typical, workshop, family, pairs, contenders, *options):
    """The same in any kernel: `run` runs a command there, `typical` makes one number of those of all rounds."""
    with prepared(workshop / f"{family}-{pairs}", FAMILIES[family], pairs) as folder:
        if any(CONTENDERS[name].compiled for name in contenders):
            programs.build(folder)
        run(count_command(workshop, folder, family, pairs, contenders, *options))
        return conclude([json.loads(line) for line in (folder / "results").read_text().splitlines()], typical)


def count_command(workshop, folder, family, pairs, contenders, *options):
    command = [HERE / "count", folder, "--family", family, "--pairs", str(pairs), "--tool", workshop / "statnat-nft",
               "--output", folder / "results", *options]
    for name in contenders:
        command += ["--contender", name]
    return command


def conclude(results, typical):
    """Adds to the costs of all rounds the typical one, and what that is above the base's."""
    base = {one["case"]: typical(one["rounds"]) for one in results if one["contender"] == BASE}
    for one in results:
        one["cost"] = round(typical(one["rounds"]), 1)
        one["added"] = round(typical(one["rounds"]) - base[one["case"]], 1)
    return results
