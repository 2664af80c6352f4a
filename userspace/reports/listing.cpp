// SPDX-License-Identifier: GPL-2.0-or-later
// The three forms of a listing.
#include "reports/listing.hpp"

#include "config/configuration_text.hpp"
#include "printable.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace statnat {

namespace {

std::string json_member(std::string_view name, const std::optional<Traffic>& traffic) {
    return traffic ? fmt::format(R"(,"{}":{{"packets":{},"bytes":{}}})", name, traffic->packets, traffic->bytes) : "";
}

struct Numbers {
    std::string packets;
    std::string bytes;
};

// `absent` for what is not counted.
Numbers numbers(const std::optional<Traffic>& traffic, const char* absent) {
    if (!traffic) {
        return {absent, absent};
    }
    return {std::to_string(traffic->packets), std::to_string(traffic->bytes)};
}

std::string external(const Pair& pair) {
    return pair.external.short_text() + (pair.kind().empty() ? "" : " ") + std::string(pair.kind());
}

using Row = std::array<std::string, 7>;

Row make_row(const CountedPair& counted) {
    const Numbers out = numbers(counted.outbound, "-");
    const Numbers in = numbers(counted.inbound, "-");
    return {counted.pair.internal.short_text(), external(counted.pair), out.packets, out.bytes, in.packets, in.bytes,
            printable(counted.pair.comment.text())};
}

}  // namespace

// Goes through the pairs twice: a million rows of texts would take more memory than all else.
std::string as_table(const std::vector<CountedPair>& pairs) {
    static const Row titles{"internal", "external", "packets out", "bytes out", "packets in", "bytes in", "comment"};
    static constexpr std::array<bool, 7> right{false, false, true, true, true, true, false};
    std::array<std::size_t, 7> widths{};
    const auto widen = [&](const Row& row) {
        for (std::size_t column = 0; column < row.size(); ++column) {
            widths[column] = std::max(widths[column], row[column].size());
        }
    };
    widen(titles);
    for (const CountedPair& counted : pairs) {
        widen(make_row(counted));
    }
    std::string table;
    const auto append = [&](const Row& row) {
        for (std::size_t column = 0; column < row.size(); ++column) {
            const std::string padding(widths[column] - row[column].size(), ' ');
            table += column == 0 ? "" : "  ";
            table += right[column] ? padding + row[column] : row[column] + padding;
        }
        table.erase(table.find_last_not_of(' ') + 1);
        table += "\n";
    };
    append(titles);
    for (const CountedPair& counted : pairs) {
        append(make_row(counted));
    }
    return table;
}

std::string as_json(const std::vector<CountedPair>& pairs) {
    std::string json = "{\"pairs\":[";
    for (const auto& [pair, outbound, inbound] : pairs) {
        fmt::format_to(std::back_inserter(json), R"({}{{"internal":{},"external":{},"npt":{},"comment":{}{}{}{}}})",
                       json.ends_with('[') ? "\n" : ",\n", quoted_json(pair.internal.short_text()),
                       quoted_json(pair.external.short_text()), pair.npt, quoted_json(pair.comment.text()),
                       pair.inbound ? R"(,"only":"inbound")" : "", json_member("outbound", outbound),
                       json_member("inbound", inbound));
    }
    return json + "]}\n";
}

std::string as_csv(const std::vector<CountedPair>& pairs) {
    std::string csv = "internal,external,outbound_packets,outbound_bytes,inbound_packets,inbound_bytes,comment,npt\n";
    for (const auto& [pair, outbound, inbound] : pairs) {
        const Numbers out = numbers(outbound, "");
        const Numbers in = numbers(inbound, "");
        fmt::format_to(std::back_inserter(csv), "{},{},{},{},{},{},{},{}\n", pair.internal.short_text(),
                       pair.external.short_text(), out.packets, out.bytes, in.packets, in.bytes,
                       quoted_csv(printable(pair.comment.text(), "\n")), pair.kind());
    }
    return csv;
}

}  // namespace statnat
