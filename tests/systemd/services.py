# SPDX-License-Identifier: GPL-2.0-or-later
"""HTTP, DNS and SSH, as far as a firewall can tell: at their ports, each says from which address it was asked."""

import contextlib
import http.server
import socket
import socketserver
import threading

from scapy.layers.dns import DNS, DNSQR, DNSRR

SECONDS = 20


class Http(http.server.BaseHTTPRequestHandler):
    PORT, KIND = 80, socketserver.ThreadingTCPServer

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.client_address[0].encode())

    def log_message(self, *_):
        pass


class Ssh(socketserver.StreamRequestHandler):
    """Here it is the server who speaks first, and waits."""
    PORT, KIND = 22, socketserver.ThreadingTCPServer

    def handle(self):
        self.wfile.write(b"SSH-2.0-server\r\n")
        assert self.rfile.readline() == b"SSH-2.0-client\r\n"
        self.wfile.write(self.client_address[0].encode())


class Dns(socketserver.BaseRequestHandler):
    PORT, KIND = 53, socketserver.ThreadingUDPServer

    def handle(self):
        message, listener = self.request
        asked = DNS(message)
        answer = DNSRR(rrname=asked.qd.qname, rdata=self.client_address[0])
        listener.sendto(bytes(DNS(id=asked.id, qr=1, qd=asked.qd, an=answer)), self.client_address)


@contextlib.contextmanager
def serving(hosts):
    """All of them, on all of these."""
    servers = []
    for host in hosts:
        for service in (Http, Ssh, Dns):
            with host:
                servers.append(service.KIND(("", service.PORT), service))
            servers[-1].daemon_threads = True
            threading.Thread(target=servers[-1].serve_forever, args=(0.05,), daemon=True).start()
    yield
    for server in servers:
        server.shutdown()
        server.server_close()


def http_seen(client, address, seconds=SECONDS):
    return client.run("curl", "-s", "-m", str(seconds), f"http://{address}/", check=False).stdout


def ssh_seen(client, address):
    with client.socket(socket.AF_INET, socket.SOCK_STREAM) as caller:
        caller.settimeout(SECONDS)
        caller.connect((address, Ssh.PORT))
        with caller.makefile("rwb") as stream:
            assert stream.readline() == b"SSH-2.0-server\r\n"
            stream.write(b"SSH-2.0-client\r\n")
            stream.flush()
            return stream.read().decode()


def dns_seen(client, address):
    with client.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(SECONDS)
        asking.connect((address, Dns.PORT))
        asking.send(bytes(DNS(rd=1, qd=DNSQR(qname="me.example."))))
        return DNS(asking.recv(512)).an.rdata
