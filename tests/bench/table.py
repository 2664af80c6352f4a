# SPDX-License-Identifier: GPL-2.0-or-later
"""What packets cost, as text: a row for each contender, a column for each case, with the ratio to the reference."""

CASES = ["outbound", "inbound", "no pair"]
REFERENCE = "stock"
FAMILIES = {"ip": "IPv4", "ip6": "IPv6"}


def text(results, family, pairs):
    costs = {(one["contender"], one["case"]): one["added"]
             for one in results if (one["family"], one["pairs"]) == (family, pairs)}
    lines = [f"{f'{FAMILIES[family]}, pairs: {pairs:,}':22}" + "".join(f"{case:>20}" for case in CASES)]
    for name in dict.fromkeys(name for name, _ in costs):
        cells = []
        for case in CASES:
            reference = costs.get((REFERENCE, case))
            ratio = f"{costs[name, case] / reference:.2f}" if reference else ""
            cells.append(f"{costs[name, case]:13.0f}{ratio:>7}")
        lines.append(f"{name:22}" + "".join(cells))
    return "\n".join(lines)
