# SPDX-License-Identifier: GPL-2.0-or-later
"""conntrack = "follow", and helpers of conntrack's: what comes of a request by other ports passes as related.

    A (pair) ── la ┐           ┌ wan0 ── X        TFTP:  client  ── request ──>  server, port 69
    B (pair) ── lb ┤  gateway  ┤                         client  <── data ─────  server, a new port
                   ┘           └                  FTP:   client  ── commands ->  server, port 21
                                                         either  ── data ─────>  the other, a port that was told

The forward chain lets through such requests and what conntrack knows, and drops all else. Clients are curl's.
"""

import socket

import pytest

from network import alongside, sockets
from packets import expression, row
from test_follow import Followed
from test_scope import FAMILIES

pytestmark = expression

FTP, TFTP = 21, 69
# RFC 1350, section 5
READ, WRITE, DATA, ACK, ERROR = (number.to_bytes(2, "big") for number in range(1, 6))
BLOCK = 512
CONTENT = "".join(f"line {number}\n" for number in range(70))
assert BLOCK < len(CONTENT) < 2 * BLOCK

FIREWALL = f"""table inet firewall {{
    ct helper ftp {{ type "ftp" protocol tcp; l3proto inet; }}
    ct helper tftp {{ type "tftp" protocol udp; l3proto inet; }}
    chain helpers {{
        type filter hook prerouting priority filter
    }}
    chain forward {{
        type filter hook forward priority filter; policy drop
        ct state established,related accept
        tcp dport {FTP} ct state new accept
        udp dport {TFTP} ct state new accept
    }}
    chain nat {{
        type nat hook postrouting priority srcnat
        oifname {{ "wan0", "lb" }} masquerade
    }}
}}"""
HELPERS = f"""
    add rule inet firewall helpers tcp dport {FTP} ct helper set "ftp"
    add rule inet firewall helpers udp dport {TFTP} ct helper set "tftp"
"""

# Who asks whom by which address, and who is seen then.
WAYS = [
    row("out", "a", "x", "x", "a_out"),
    row("in", "x", "a", "a_out", "x"),
    row("hairpin", "a", "b", "b_out", "a_out"),
]


@pytest.fixture(scope="module")
def border(make_tool):
    border = Followed(make_tool, firewall=FIREWALL)
    yield border
    border.close()


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


@pytest.fixture(params=[row("helped", True)])
def helped(request, border):
    """Conntrack has its helpers, or has none, where a table of the test's says so."""
    border.gateway.run("conntrack", "-F")
    if request.param:
        border.gateway.nft(HELPERS)
    yield request.param
    border.gateway.nft("flush chain inet firewall helpers")


def curl(client, scheme, address, *options, check=True):
    where = f"[{address}]" if ":" in address else address
    return client.run("curl", "--globoff", "--silent", "--show-error", "--max-time", "60", *options,
                      f"{scheme}://{where}/file", check=check)


@pytest.mark.parametrize("helped", [row("with the helper", True), row("without", False)], indirect=True)
@pytest.mark.parametrize("client, server, address, seen", WAYS)
def test_data_from_a_new_port(border, family, client, server, address, seen, helped):
    """Gets there with the helper alone; what the port says that was asked gets there in any case."""
    client, server, address = border.hosts[client], border.hosts[server], getattr(family, address)
    with (sockets(client, socket.SOCK_DGRAM, family.a, 0) as (asking,),
          sockets(server, socket.SOCK_DGRAM, family.a, TFTP, 0) as (asked, other)):
        asking.sendto(READ + b"file\0octet\0", (address, TFTP))
        request, peer = asked.recvfrom(1000)
        assert (request[:2], peer[0]) == (READ, getattr(family, seen))
        other.sendto(DATA + b"\0\1hello", peer)
        asked.sendto(ERROR + b"\0\0bye\0", peer)  # takes the same way
        heard = [asking.recvfrom(1000) for _ in range(1 + helped)]
        assert [(what[:2], where[:2]) for what, where in heard] == \
            [(DATA, (address, other.getsockname()[1]))] * helped + [(ERROR, (address, TFTP))]
        if helped:
            asking.sendto(ACK + b"\0\1", heard[0][1])
            assert other.recvfrom(1000)[0] == ACK + b"\0\1"


def serve_tftp(listener, data, heard):
    """One request, as RFC 1350 says; options that a client asks for (RFC 2347) are not understood."""
    request, client = listener.recvfrom(1000)
    if request[:2] == READ:
        for number in (1, 2):
            block = number.to_bytes(2, "big")
            data.sendto(DATA + block + CONTENT[BLOCK * (number - 1):BLOCK * number].encode(), client)
            assert data.recvfrom(1000)[0] == ACK + block
    else:
        assert request[:2] == WRITE
        for number in (0, 1, 2):
            block = number.to_bytes(2, "big")
            data.sendto(ACK + block, client)
            if number < 2:
                heard.append(data.recvfrom(1000)[0][4:].decode())


@pytest.mark.parametrize("way", ["read", "write"])
@pytest.mark.parametrize("client, server, address, seen", WAYS)
def test_tftp(border, family, helped, tmp_path, client, server, address, seen, way):
    """A whole file, of two blocks."""
    client, server, address = border.hosts[client], border.hosts[server], getattr(family, address)
    (tmp_path / "file").write_text(CONTENT)
    heard = []
    with sockets(server, socket.SOCK_DGRAM, family.a, TFTP, 0) as (listener, data):
        with alongside(serve_tftp, listener, data, heard):
            done = curl(client, "tftp", address, *(["--upload-file", tmp_path / "file"] if way == "write" else []))
    assert (done.stdout if way == "read" else "".join(heard)) == CONTENT


def numbers(address, port):
    """As FTP has them."""
    return f"{address.replace('.', ',')},{port >> 8},{port & 255}"


def from_numbers(text):
    *address, high, low = text.split(",")
    return ".".join(address), int(high) << 8 | int(low)


ANSWERS = {"USER": "230 welcome", "PWD": '257 "/"', "TYPE": "200 fine", "QUIT": "221 bye"}


def serve_ftp(listener, passive, active, mine, asked):
    """One session (RFC 959, RFC 2428); it connects to nobody but who asks, as RFC 2577 wants it."""
    listener.listen()
    passive.listen()
    port, told = passive.getsockname()[1], None
    with listener.accept()[0] as session, session.makefile("rw", newline="\r\n") as lines:
        peer = session.getpeername()[0]
        session.settimeout(60)

        def say(text):
            print(text, file=lines, flush=True)

        say("220 ready")
        for line in map(str.strip, lines):
            asked.append(line)
            word, _, rest = line.partition(" ")
            if word == "EPSV":
                say(f"229 here (|||{port}|)")
            elif word == "PASV":
                say(f"227 here ({numbers(mine, port)})")
            elif word in ("EPRT", "PORT"):
                told = rest.split("|")[2:4] if word == "EPRT" else from_numbers(rest)
                if told[0] != peer:
                    return say("500 not to others")
                say("200 there")
            elif word == "RETR":
                say("150 it comes")
                if told:
                    active.connect((told[0], int(told[1])))
                with active if told else passive.accept()[0] as data:
                    data.sendall(CONTENT.encode())
                say("226 done")
            else:
                say(ANSWERS.get(word, "502 what"))


# By curl's options for it. What says an address in four numbers is not for IPv6.
COMMANDS = {"EPSV": [], "PASV": ["--disable-epsv"],
            "EPRT": ["--ftp-port", "-"], "PORT": ["--ftp-port", "-", "--disable-eprt"]}


@pytest.mark.parametrize("version, command", [
    row(f"{version}-{command}", version, command)
    for version, commands in (("IPv4", COMMANDS), ("IPv6", ["EPSV", "EPRT"])) for command in commands])
@pytest.mark.parametrize("client, server, address, seen", WAYS)
def test_ftp(border, helped, version, command, client, server, address, seen):
    """Who has a pair tells its internal address. A server can do nothing with that; curl, as most clients do, passes
    over it and asks where it has asked before."""
    family = FAMILIES[version]
    told, mine, address, seen = (getattr(family, one) for one in (client, server, address, seen))
    client, server, asked = border.hosts[client], border.hosts[server], []
    with sockets(server, socket.SOCK_STREAM, family.a, FTP, 0, 0) as ends:
        with alongside(serve_ftp, *ends, mine, asked):
            done = curl(client, "ftp", address, *COMMANDS[command], check=False)
    if command in ("EPRT", "PORT") and told != seen:
        said = told if command == "EPRT" else told.replace(".", ",")
        assert done.returncode and asked[-1].startswith(command) and said in asked[-1]
    else:
        assert (done.returncode, done.stdout) == (0, CONTENT) and any(line.startswith(command) for line in asked)


@pytest.mark.parametrize("helped, told", [row("its own", True, "a"), row("its external one", True, "a_out"),
                                          row("its own, without the helper", False, "a")], indirect=["helped"])
def test_which_address_a_server_tells(border, helped, told):
    """Servers behind a NAT are made to tell the external one, which conntrack does not take for the server's: its
    helper then waits for nothing."""
    family = FAMILIES["IPv4"]
    told = getattr(family, told)
    with (sockets(border.hosts["a"], socket.SOCK_STREAM, family.a, FTP, 0) as (listener, data),
          sockets(border.hosts["x"], socket.SOCK_STREAM, family.a, 0, 0) as (asking, one)):
        listener.listen()
        data.listen()
        asking.connect((family.a_out, FTP))
        with listener.accept()[0] as session:
            session.sendall(b"220 ready\r\n")  # from whose end on the helper reads
            asking.recv(100)
            port = data.getsockname()[1]
            session.sendall(f"227 here ({numbers(told, port)})\r\n".encode())
            asking.recv(100)
        expected = border.gateway.run("conntrack", "-L", "expect").stdout
        if helped and told == family.a:
            assert f"dst={family.a} " in expected and f"dport={port} " in expected
            one.connect((family.a_out, port))
            assert data.accept()[1][0] == family.x
        else:
            assert expected == ""
