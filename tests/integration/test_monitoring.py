# SPDX-License-Identifier: GPL-2.0-or-later
"""The dashboard and the alerts of docs/examples/prometheus, asked of a Prometheus that has scraped a live gateway.

    gateway: statnat-nft metrics --output ──> a file <── node_exporter's textfile collector <── Prometheus

The latter two are in a namespace without cables, where nothing that they ask of anybody gets between packets.
"""

import contextlib
import json
import pathlib
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import pytest
import yaml
from scapy.layers.inet import IP, UDP

from net import A, A6, A6_OUT, A_OUT, X, until
from tool import ENGINE

EXAMPLES = pathlib.Path(__file__).parents[2] / "docs/examples/prometheus"
DASHBOARD = json.loads((EXAMPLES / "dashboard.json").read_text())
QUERIES = {f"{panel['title']} {target['refId']}": target["expr"]
           for panel in DASHBOARD["panels"] for target in panel["targets"]}
RULES = EXAMPLES / "statnat.rules.yml"
ALERTS = {rule["alert"]: rule["expr"] for group in yaml.safe_load(RULES.read_text())["groups"]
          for rule in group["rules"]}
# Of what only the module counts, and where pairs come from etcd.
NOT_HERE = ({"Dropped A", "Left alone A", "StatnatDrops"} if ENGINE == "native" else set()) | {"StatnatSourceStale"}
# What Grafana puts in their places.
VARIABLES = {"$__rate_interval": "1m", "$instance": ".*"}
SECONDS = 120
EXPORTER, PROMETHEUS = "127.0.0.1:9100", "127.0.0.1:9090"


class Monitored:
    def __init__(self, namespace, wire, tool, folder):
        self.namespace, self.wire, self.tool, self.folder = namespace, wire, tool, folder
        self.started = []
        (folder / "textfile").mkdir()
        self.collect()
        (folder / "prometheus.yml").write_text(json.dumps({  # which is YAML
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [str(RULES)],
            "scrape_configs": [{"job_name": "gateway", "static_configs": [{"targets": [EXPORTER]}]}]}))
        self.start("prometheus-node-exporter", f"--web.listen-address={EXPORTER}", "--collector.disable-defaults",
                   "--collector.textfile", f"--collector.textfile.directory={folder}/textfile")
        self.start("prometheus", f"--web.listen-address={PROMETHEUS}", f"--config.file={folder}/prometheus.yml",
                   f"--storage.tsdb.path={folder}/data")
        until(self.is_ready, SECONDS)

    def start(self, *command):
        with self.namespace, open(self.folder / f"{command[0]}.log", "w") as log:
            self.started.append(subprocess.Popen(command, stdout=log, stderr=log))

    def close(self):
        for process in self.started:
            process.terminate()
            process.wait()

    def collect(self):
        self.tool("metrics", "--per-pair", "--output", self.folder / "textfile/statnat.prom", self.tool.file)

    def get(self, path):
        with self.namespace:  # which the socket stays in
            with urllib.request.urlopen(f"http://{PROMETHEUS}{path}", timeout=SECONDS) as answer:
                return answer.read()

    def is_ready(self):
        try:
            return self.get("/-/ready")
        except urllib.error.URLError:  # nobody listens yet, or says that it starts
            return None

    def ask(self, query):
        """What Prometheus finds now; a query that is none raises."""
        try:
            return json.loads(self.get("/api/v1/query?" + urllib.parse.urlencode({"query": query})))["data"]["result"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{query}: {error.read().decode()}") from error

    def finds(self, query):
        return until(lambda: self.ask(query), SECONDS)


@pytest.fixture(scope="module")
def monitored(namespace, wire, make_tool, tmp_path_factory):
    tool = make_tool(wire.gateway)
    tool.sync({A: A_OUT, A6: A6_OUT})
    with contextlib.closing(Monitored(namespace, wire, tool, tmp_path_factory.mktemp("monitored"))) as monitored:
        yield monitored
    tool("clear")


def substituted(query):
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    return query


def test_promtool(monitored):
    for command, text in ((["promtool", "check", "metrics"], (monitored.folder / "textfile/statnat.prom").read_text()),
                          (["promtool", "check", "rules", RULES], "")):
        done = subprocess.run(command, input=text, capture_output=True, text=True)
        assert done.returncode == 0 and not done.stderr, done


@pytest.mark.parametrize("name", sorted(QUERIES.keys() - NOT_HERE))
def test_dashboard(monitored, name):
    assert monitored.finds(substituted(QUERIES[name]))


@pytest.mark.parametrize("name", sorted(ALERTS.keys() - NOT_HERE))
def test_alerts(monitored, name):
    """What an alert asks for is there, and nothing is wrong."""
    for metric in re.findall(r"\b(?:statnat|node)_\w+(?:\{.*?\})?", ALERTS[name]):
        assert monitored.finds(metric)
    assert not monitored.ask(ALERTS[name])


def test_an_alert(monitored):
    """Which is raised while somebody else's flush is not made good."""
    assert not monitored.ask('ALERTS{alertname="StatnatUnhealthy"}')
    monitored.wire.gateway.nft("flush chain ip statnat prerouting")
    monitored.collect()
    assert monitored.finds('ALERTS{alertname="StatnatUnhealthy"}')
    monitored.tool("sync", monitored.tool.file)
    monitored.collect()
    until(lambda: not monitored.ask('ALERTS{alertname="StatnatUnhealthy"}'), SECONDS)


def test_what_arrives(monitored):
    """Packets that came out of the gateway's other side are those that Prometheus tells of."""
    wire = monitored.wire
    asked = f'statnat_pair_packets_total{{internal="{A}",direction="outbound"}}'
    before = int(monitored.finds(asked)[0]["value"][1])
    wire.inside.send(IP(src=A, dst=X) / UDP() / bytes(72))
    wire.expect(outside=[IP(src=A_OUT, dst=X, ttl=63) / UDP() / bytes(72)])
    monitored.collect()
    until(lambda: int(monitored.finds(asked)[0]["value"][1]) == before + 1, SECONDS)
