# SPDX-License-Identifier: GPL-2.0-or-later
"""What packets cost, as text: a row for each contender, a column for each case, with the ratio to a reference."""

CASES = ["outbound", "inbound", "no pair"]
# Of what is added to empty chains, and of whole packets.
REFERENCE, PLAIN = "stock", "forwarding"
DIGITS = {"added": 2, "cost": 3}
FAMILIES = {"ip": "IPv4", "ip6": "IPv6"}


def text(results, family, pairs, cost="added", reference=REFERENCE):
    costs = {(one["contender"], one["case"]): one[cost]
             for one in results if (one["family"], one["pairs"]) == (family, pairs)}
    lines = [f"{f'{FAMILIES[family]}, pairs: {pairs:,}':22}" + "".join(f"{case:>20}" for case in CASES)]
    for name in dict.fromkeys(name for name, _ in costs):
        cells = []
        for case in CASES:
            other = costs.get((reference, case))
            ratio = f"{costs[name, case] / other:.{DIGITS[cost]}f}" if other else ""
            cells.append(f"{costs[name, case]:13.0f}{ratio:>7}")
        lines.append(f"{name:22}" + "".join(cells))
    return "\n".join(lines)
