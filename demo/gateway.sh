#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A stateless NAT gateway between three namespaces, each step announced, shown and checked. It needs root and the module; demo/run has both.
#
#      inside                      gateway                       outside
#   10.0.0.2, 10.0.0.3 ---- 10.0.0.1   203.0.113.1 ---- 203.0.113.2
#   198.51.100.2 and .3 outside                          a route to 198.51.100.0/24
set -euo pipefail
shopt -s inherit_errexit
exec 2>&1

here=$(dirname "$(realpath "$0")")
statnat_nft=${STATNAT_NFT:-$here/../build/statnat-nft}
inside=inside-$$ gateway=gateway-$$ outside=outside-$$
files=$(mktemp -d)
current="preparing"

cleanup() {
	local status=$?
	trap - EXIT
	jobs -p | xargs -r kill 2>/dev/null || :
	for namespace in "$inside" "$gateway" "$outside"; do
		ip netns delete "$namespace" 2>/dev/null || :
	done
	rm -rf "$files"
	if [ $status != 0 ]; then printf '\nFAILED at: %s\n' "$current" >&2; fi
	exit $status
}
trap cleanup EXIT

step() { # TITLE
	current=$1
	printf '\n== %s\n' "$1"
}

# Show the command as one would type it there, then run it there.
at() { # NAMESPACE COMMAND...
	local namespace=$1
	shift
	printf '%s# %s\n' "${namespace%-*}" "$(sed "s|$here/\.\./build/||g; s|$here/|demo/|g; s|$files/||g" <<<"$*")" >&2
	ip netns exec "$namespace" "$@"
}

same() { # WHAT EXPECTED ACTUAL
	if [ "$2" != "$3" ]; then
		echo "$1: expected $2, got $3" >&2
		return 1
	fi
	echo "$1: $2, as it should be"
}

until_it_works() { # COMMAND...
	local deadline=$((SECONDS + 30))
	until "$@" >/dev/null 2>&1; do
		((SECONDS < deadline)) || return 1
		sleep 0.1
	done
}

serve() { # NAMESPACE ADDRESS
	ip netns exec "$1" /usr/bin/python3 -u -m http.server --bind "$2" --directory "$files" 80 >>"$files/$1.log" 2>&1 &
	until_it_works ip netns exec "$1" curl -s "http://$2/"
	: >"$files/$1.log"
}

fetch() { # FROM URL [CURL OPTION...]
	local from=$1 url=$2
	shift 2
	at "$from" curl -sS --max-time 60 -o "$files/fetched" "$@" "$url"
	same "checksum" "$(sha256sum <"$files/served" | cut -c-16)" "$(sha256sum <"$files/fetched" | cut -c-16)"
}

client() { # NAMESPACE OF THE SERVER
	awk '/GET/ { print $1; exit }' "$files/$1.log"
}

hops() { # NAMESPACE DESTINATION
	at "$1" traceroute -n -q 1 -w 5 -m 5 "$2" | tee "$files/hops" >&2
	awk 'NR > 1 { print $2 }' "$files/hops" | xargs
}

step "Three namespaces: inside (10.0.0.2, 10.0.0.3), gateway, outside (203.0.113.2)"
for namespace in "$inside" "$gateway" "$outside"; do
	ip netns add "$namespace"
	ip -n "$namespace" link set lo up
done
ip link add inside netns "$gateway" type veth peer name eth0 netns "$inside"
ip link add outside netns "$gateway" type veth peer name eth0 netns "$outside"
ip -n "$inside" address add 10.0.0.2/24 dev eth0
ip -n "$inside" address add 10.0.0.3/24 dev eth0
ip -n "$gateway" address add 10.0.0.1/24 dev inside
ip -n "$gateway" address add 203.0.113.1/24 dev outside
ip -n "$outside" address add 203.0.113.2/24 dev eth0
ip -n "$inside" link set eth0 up
ip -n "$gateway" link set inside up
ip -n "$gateway" link set outside up
ip -n "$outside" link set eth0 up
ip -n "$inside" route add default via 10.0.0.1
ip -n "$outside" route add 198.51.100.0/24 via 203.0.113.1
ip netns exec "$gateway" sysctl -qw net.ipv4.ip_forward=1
echo "The outside knows a route to 198.51.100.0/24 and none to 10.0.0.0/24."

step "Before: nobody answers at 198.51.100.2"
if at "$outside" ping -n -c 1 -W 1 198.51.100.2; then
	echo "somebody does" >&2
	exit 1
fi

step "The pairs of demo/statnat.toml, in one transaction"
grep -v '^#' "$here/statnat.toml"
at "$gateway" "$statnat_nft" sync "$here/statnat.toml"
at "$gateway" "$statnat_nft" diff --exit-code "$here/statnat.toml"
at "$gateway" "$statnat_nft" status

step "Ping both ways"
at "$inside" ping -n -c 2 -i 0.2 -W 5 203.0.113.2
at "$outside" ping -n -c 2 -i 0.2 -W 5 198.51.100.2

step "A file over HTTP, fetched by the inside: the server sees the external address"
dd if=/dev/urandom of="$files/served" bs=1M count=4 status=none
serve "$outside" 203.0.113.2
fetch "$inside" http://203.0.113.2/served
same "the client's address" 198.51.100.2 "$(client "$outside")"

step "The same fetched by the outside: the server keeps its internal address"
serve "$inside" 10.0.0.3
fetch "$outside" http://198.51.100.3/served
same "the client's address" 203.0.113.2 "$(client "$inside")"

step "Traceroute both ways: ICMP errors are translated too, what they quote included"
same "hops from the inside" "10.0.0.1 203.0.113.2" "$(hops "$inside" 203.0.113.2)"
same "hops from the outside" "203.0.113.1 198.51.100.2" "$(hops "$outside" 198.51.100.2)"

step "Stateless: what conntrack knows of all this"
count=/proc/sys/net/netfilter/nf_conntrack_count
if [ -e $count ]; then
	same "conntrack entries" 0 "$(ip netns exec "$gateway" cat $count)"
else
	echo "nothing: it is not even loaded"
fi

step "The pairs and their traffic"
at "$gateway" "$statnat_nft" list

printf '\nAll steps did what they should.\n'
