// SPDX-License-Identifier: GPL-2.0-or-later
#include "live/rates.hpp"

#include "printable.hpp"
#include "quantity.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

namespace statnat {
namespace {

// What counts less than before has begun anew.
double difference(std::uint64_t before, std::uint64_t now) {
    return static_cast<double>(now < before ? now : now - before);
}

Rate rate(const std::optional<Traffic>& before, const std::optional<Traffic>& now,
          std::chrono::duration<double> between) {
    const Traffic was = before.value_or(Traffic{});
    const Traffic is = now.value_or(Traffic{});
    return {difference(was.packets, is.packets) / between.count(), difference(was.bytes, is.bytes) / between.count()};
}

std::string whole(double number) {
    return grouped(static_cast<std::uint64_t>(std::llround(number)));
}

double bytes(const BusyPair& pair) {
    return pair.outbound.bytes + pair.inbound.bytes;
}

using Row = std::array<std::string, 7>;

Row make_row(const BusyPair& busy) {
    return {busy.pair.internal.short_text(), busy.pair.external.short_text(), whole(busy.outbound.packets),
            whole(busy.outbound.bytes),      whole(busy.inbound.packets),     whole(busy.inbound.bytes),
            printable(busy.pair.comment.text())};
}

}  // namespace

Rate& Rate::operator+=(const Rate& rate) {
    packets += rate.packets;
    bytes += rate.bytes;
    return *this;
}

std::vector<BusyPair> rates(const std::vector<CountedPair>& before, const std::vector<CountedPair>& now,
                            std::chrono::duration<double> between) {
    std::vector<BusyPair> rates;
    rates.reserve(now.size());
    auto was = before.begin();
    for (const CountedPair& is : now) {
        while (was != before.end() && was->pair < is.pair) {
            ++was;
        }
        if (was != before.end() && was->pair == is.pair) {
            rates.push_back({is.pair, rate(was->outbound, is.outbound, between),
                             rate(was->inbound, is.inbound, between)});
        }
    }
    return rates;
}

std::vector<std::string> busiest(std::vector<BusyPair> pairs, std::size_t most) {
    const auto end = pairs.begin() + static_cast<std::ptrdiff_t>(std::min(most, pairs.size()));
    std::partial_sort(pairs.begin(), end, pairs.end(), [](const BusyPair& a, const BusyPair& b) {
        return bytes(a) != bytes(b) ? bytes(a) > bytes(b) : a.pair < b.pair;
    });
    std::vector<Row> rows{{"internal", "external", "packets/s out", "bytes/s out", "packets/s in", "bytes/s in",
                           "comment"}};
    std::transform(pairs.begin(), end, std::back_inserter(rows), make_row);
    std::array<std::size_t, 7> widths{};
    for (const Row& row : rows) {
        for (std::size_t column = 0; column < row.size(); ++column) {
            widths[column] = std::max(widths[column], row[column].size());
        }
    }
    std::vector<std::string> lines;
    for (const Row& row : rows) {
        lines.push_back(fmt::format("{:<{}}  {:<{}}  {:>{}}  {:>{}}  {:>{}}  {:>{}}  {}", row[0], widths[0], row[1],
                                    widths[1], row[2], widths[2], row[3], widths[3], row[4], widths[4], row[5],
                                    widths[5], row[6]));
    }
    return lines;
}

std::string sum_text(const std::vector<BusyPair>& pairs) {
    Rate out;
    Rate in;
    for (const BusyPair& busy : pairs) {
        out += busy.outbound;
        in += busy.inbound;
    }
    return fmt::format("out {} packets/s {} bytes/s, in {} packets/s {} bytes/s", whole(out.packets), whole(out.bytes),
                       whole(in.packets), whole(in.bytes));
}

}  // namespace statnat
