# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's etcd, one or several members, in a namespace of its own, and what etcdctl finds there."""

import json
import os
import signal
import subprocess
import time

from net import until

SECONDS = 60
PREFIX = "/statnat/default/"
# What members say that chose a leader anew, or whose disk was slow; what was asked may have been done.
LATE = ("timed out", "deadline exceeded", "leader changed", "no leader")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "ETCDCTL_API": "3"}


class Etcd:
    """Members at ports 2379, 2389 and so on of an address; peers talk on the loopback."""

    def __init__(self, namespace, address, folder, members=1, tls=None):
        self.namespace, self.address, self.folder, self.tls = namespace, address, folder, tls
        self.scheme = "https" if tls else "http"
        self.endpoints = [f"{self.scheme}://{address}:{2379 + 10 * number}" for number in range(members)]
        self.processes = [None] * members
        for number in range(members):
            self.start(number)
        until(self.answers, SECONDS)

    def start(self, number):
        url = self.endpoints[number]
        peers = [f"http://127.0.0.1:{2380 + 10 * peer}" for peer in range(len(self.endpoints))]
        words = ["etcd", f"--name=m{number}", f"--data-dir={self.folder}/m{number}", "--log-level=error",
                 f"--listen-client-urls={url}", f"--advertise-client-urls={url}",
                 f"--listen-peer-urls={peers[number]}", f"--initial-advertise-peer-urls={peers[number]}",
                 "--initial-cluster=" + ",".join(f"m{peer}={peers[peer]}" for peer in range(len(peers)))]
        if self.tls:
            words += [f"--cert-file={self.tls}/server.pem", f"--key-file={self.tls}/server.key",
                      f"--trusted-ca-file={self.tls}/ca.pem", "--client-cert-auth"]
        with self.namespace, open(f"{self.folder}/m{number}.log", "a") as log:
            self.processes[number] = subprocess.Popen(words, env={**ENVIRONMENT, "GOMAXPROCS": "1"},
                                                      stdout=log, stderr=log)

    def kill(self, number=0):
        self.processes[number].kill()
        self.processes[number].wait()

    def halt(self, number=0):
        """It is there, and says nothing."""
        os.kill(self.processes[number].pid, signal.SIGSTOP)

    def go_on(self, number=0):
        os.kill(self.processes[number].pid, signal.SIGCONT)

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()

    def control(self, *words, stdin="", check=True, user=""):
        options = [f"--endpoints={','.join(self.endpoints)}"]
        if self.tls:
            options += [f"--cacert={self.tls}/ca.pem", f"--cert={self.tls}/client.pem", f"--key={self.tls}/client.key"]
        if user:
            options.append(f"--user={user}")
        end = time.monotonic() + SECONDS
        while True:
            with self.namespace:
                done = subprocess.run(["etcdctl", *options, *words], input=stdin, env=ENVIRONMENT, capture_output=True,
                                      text=True)
            is_late = any(word in done.stderr for word in LATE) and time.monotonic() < end
            if not check or not is_late:
                assert not check or done.returncode == 0, done
                return done

    def answers(self):
        return self.control("get", "x", check=False).returncode == 0

    def put(self, internal, external):
        """As somebody does who reserves nothing."""
        self.control("put", PREFIX + internal, external)

    def tries_to_put(self, internal, external):
        """A member that is halted may be the one that is asked."""
        return self.control("put", PREFIX + internal, external, check=False).returncode == 0

    def delete(self, internal):
        self.control("del", PREFIX + internal)

    def get(self, prefix):
        """Values by what stands behind a prefix."""
        lines = self.control("get", "--prefix", prefix).stdout.splitlines()
        return {key.removeprefix(prefix): value for key, value in zip(lines[::2], lines[1::2])}

    def pairs(self):
        """And nothing that stands beside them."""
        return {key: value for key, value in self.get(PREFIX).items() if not key.startswith("@")}

    def revision(self):
        [status] = json.loads(self.control("endpoint", "status", "-w", "json").stdout)[:1]
        return status["Status"]["header"]["revision"]
