# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line options that `run` and `warm` share."""

import sys
from pathlib import Path


def add_guest(parser):
    """Options that shape a guest."""
    parser.add_argument("--root", metavar="KERNEL", help="run on the files of this kernel's Debian (its own)")
    parser.add_argument("--memory", default="1G", help="the guest's memory (%(default)s)")
    parser.add_argument("--cpus", type=int, default=1, help="the guest's processors (%(default)s)")
    parser.add_argument("--append", default="", metavar="ARGUMENTS", help="more kernel arguments")
    parser.add_argument("--icount", action="store_true", help="one virtual nanosecond is one guest instruction")
    add_results(parser)


def add_results(parser):
    parser.add_argument("--results", type=directory, metavar="DIR",
                        help="a directory of the host that is writable inside, at the same path")


def add_command(parser, limit):
    """Options of a command in a guest."""
    parser.add_argument("--timeout", type=float, default=limit, metavar="SECONDS", help="time limit (%(default)s)")
    parser.add_argument("--module", action="append", default=[], metavar="FILE",
                        help="a module to load first, anew if it is loaded; repeatable")
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="what to run, after --")


def directory(name):
    """Make the directory and return its absolute path."""
    path = Path(name).resolve()
    path.mkdir(parents=True, exist_ok=True)
    return path


def write(data):
    """Pass a guest's output on at once."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
