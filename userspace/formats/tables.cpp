// SPDX-License-Identifier: GPL-2.0-or-later
#include "formats/tables.hpp"

#include "csv/csv_line.hpp"
#include "importers/lines.hpp"
#include "printable.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace statnat {
namespace {

using Views = std::vector<std::string_view>;

class StaticNat {
public:
    Reading read(std::string_view text);

private:
    void read_line(unsigned number, std::string_view line);
    void read_written(Place at, char sign, const Views& words);
    void read_listed(Place at, std::string_view line);

    Reading reading_;
    Direction table_ = Direction::both;  // that is listed; both: none is
    std::map<std::pair<Prefix, Prefix>, Finding> written_;
};

// The module translated back what it translated, so that one line is a whole pair.
void StaticNat::read_written(Place at, char sign, const Views& words) {
    const bool is_dst = words.size() > 2 && words[2] == "dst";
    if (words.size() < 3 || (!is_dst && words[2] != "src")) {
        reading_.leave(std::move(at), "neither src nor dst: legal is +EXTERNAL INTERNAL dst or +INTERNAL EXTERNAL src");
        return;
    }
    reading_.recognized = true;
    if (words.size() > 3) {
        reading_.leave(std::move(at), fmt::format("{} is a protocol or ports: a pair translates all that an address "
                                                  "sends and gets; it is left out",
                                                  in_quotes(words[3])));
        return;
    }
    Reading taken;
    Finding finding;
    finding.at = at;
    taken.take(std::move(finding), words[is_dst ? 1 : 0], words[is_dst ? 0 : 1]);
    for (Leftover& leftover : taken.leftovers) {
        reading_.leave(std::move(leftover.at), std::move(leftover.sentence));
    }
    for (Finding& one : taken.findings) {
        const auto key = std::pair(one.internal, one.external);
        if (sign == '+') {
            written_.emplace(key, std::move(one));
        } else if (written_.erase(key) == 0) {
            reading_.leave(std::move(one.at), "takes away what is not there: it is left out");
        }
    }
}

// "From:10.0.0.2        To:198.51.100.2       [ALL STATIC] [all] [Bytes:0  Packet:0]"
void StaticNat::read_listed(Place at, std::string_view line) {
    const std::size_t to = line.find("To:");
    const std::size_t end = std::min(line.find('['), line.size());
    if (to == std::string_view::npos || to > end || table_ == Direction::both) {
        reading_.leave(std::move(at), fmt::format("{} is no entry of a table", in_quotes(line)));
        return;
    }
    if (!line.substr(end).starts_with("[ALL ") || line.find("Port map[") != std::string_view::npos) {
        reading_.leave(std::move(at), "bound to a protocol or ports: a pair translates all that an address sends and "
                                      "gets; it is left out");
        return;
    }
    const std::string_view from = trimmed(line.substr(5, to - 5));
    const std::string_view other = trimmed(line.substr(to + 3, end - to - 3));
    const bool outbound = table_ == Direction::outbound;
    const std::size_t second = line.find("] [", end);
    const std::string_view device = second == std::string_view::npos ? "all" : line.substr(second + 3);
    if (!device.starts_with("all")) {
        reading_.note_interface(device.substr(0, device.find(']')), at);
    }
    Finding finding;
    finding.at = std::move(at);
    finding.direction = table_;
    reading_.take(std::move(finding), outbound ? from : other, outbound ? other : from);
}

void StaticNat::read_line(unsigned number, std::string_view line) {
    line = trimmed(line);
    if (line.empty() || line.front() == '#') {
        return;
    }
    if (line == "Source trans table:" || line == "Destination trans table:") {
        table_ = line.front() == 'S' ? Direction::outbound : Direction::inbound;
        reading_.recognized = true;
        return;
    }
    if (line.starts_with("From:")) {
        read_listed({number}, line);
        return;
    }
    static constexpr std::array<std::string_view, 6> before{"sudo", "sh", "bash", "-c", "echo", "-n"};
    Views words = split_words(line.substr(0, line.find_first_of(">|#")));
    for (std::string_view& word : words) {
        word = word.substr(std::min(word.find_first_not_of("\"'"), word.size()));
        word = word.substr(0, word.find_first_of("\"'"));
    }
    words.erase(words.begin(), std::find_if(words.begin(), words.end(), [](std::string_view word) {
        return !has(before, word);
    }));
    if (words.empty() || words.front().empty() || (words.front().front() != '+' && words.front().front() != '-')) {
        reading_.leave({number}, fmt::format("{} is neither an entry nor a line of a table", in_quotes(line)));
        return;
    }
    const char sign = words.front().front();
    words.front().remove_prefix(1);
    read_written({number}, sign, words);
}

Reading StaticNat::read(std::string_view text) {
    for_each_line(text, [&](unsigned number, std::string_view line) { read_line(number, line); });
    for (auto& [key, finding] : written_) {
        reading_.findings.push_back(std::move(finding));
    }
    std::stable_sort(reading_.findings.begin(), reading_.findings.end(),
                     [](const Finding& a, const Finding& b) { return a.at.line < b.at.line; });
    return std::move(reading_);
}

// ---- CSV

constexpr std::size_t none = static_cast<std::size_t>(-1);

struct Columns {
    std::size_t internal = 0;
    std::size_t external = 1;
    std::size_t comment = 2;
    std::size_t npt = 3;
    bool named = false;
};

// Small letters alone, and without what says that it is an address: "Public IP Address" is "public".
std::string name_of_column(std::string_view text) {
    std::string name;
    for (const char c : text) {
        if (std::isalnum(static_cast<unsigned char>(c))) {
            name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        }
    }
    for (const std::string_view end : {"address", "addr", "prefix", "ipv4", "ipv6", "ip"}) {
        if (name.size() > end.size() && name.ends_with(end)) {
            name.resize(name.size() - end.size());
        }
    }
    return name;
}

// Of a first line that names both sides, in one of the ways that people do.
std::optional<Columns> header(const std::vector<CsvField>& fields) {
    Columns columns{none, none, none, none, true};
    std::size_t of_none = none;  // of which another column says what is inside
    static constexpr std::array<std::string_view, 8> internal{"internal", "inside", "private", "local", "insidelocal",
                                                              "real", "fixed", "natinside"};
    static constexpr std::array<std::string_view, 8> external{"external", "outside", "public", "global", "insideglobal",
                                                              "mapped", "floating", "elastic"};
    static constexpr std::array<std::string_view, 6> comment{"comment", "description", "descr", "name", "remark",
                                                             "note"};
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const std::string name = name_of_column(fields[i].text);
        std::size_t& column = has(internal, name)  ? columns.internal
                              : has(external, name) ? columns.external
                              : has(comment, name)  ? columns.comment
                              : name == "npt"       ? columns.npt
                                                    : of_none;
        if (column == none && (&column != &of_none || name == "address")) {
            column = i;
        }
    }
    columns.external = columns.external == none ? of_none : columns.external;
    return columns.internal != none && columns.external != none ? std::optional(columns) : std::nullopt;
}

// Of a first line: what is there most often of those that are in use.
char separator_of(std::string_view line) {
    char separator = ',';
    for (const char other : {';', '\t'}) {
        if (std::count(line.begin(), line.end(), other) > std::count(line.begin(), line.end(), separator)) {
            separator = other;
        }
    }
    return separator;
}

std::string_view field_of(const std::vector<CsvField>& fields, std::size_t column) {
    return column < fields.size() ? std::string_view(fields[column].text) : std::string_view();
}

void read_record(Reading& reading, unsigned number, const std::vector<CsvField>& fields, const Columns& columns) {
    std::string_view external = field_of(fields, columns.external);
    std::string_view npt = field_of(fields, columns.npt);
    if (const std::size_t blank = external.find(' '); blank != std::string_view::npos) {
        npt = trimmed(external.substr(blank));
        external = external.substr(0, blank);
    }
    if (!npt.empty() && npt != "npt" && npt != "plain") {
        reading.leave({number}, fmt::format("{} is neither npt nor plain, nor nothing", in_quotes(npt)));
        return;
    }
    if (!columns.named && fields.size() > 4) {
        reading.leave({number}, fmt::format("{} fields: legal are four, or a first line that names them",
                                            fields.size()));
        return;
    }
    Finding finding;
    finding.at = {number};
    finding.npt = npt == "npt";
    finding.comment = field_of(fields, columns.comment);
    reading.take(std::move(finding), field_of(fields, columns.internal), external);
}

}  // namespace

Reading read_static_nat(std::string_view text) {
    return StaticNat().read(text);
}

Reading read_csv(std::string_view text) {
    Reading reading;
    std::optional<CsvLine> csv;
    Columns columns;
    bool first = true;
    for_each_line(text, [&](unsigned number, std::string_view line) {
        if (trimmed(line).empty() || trimmed(line).front() == '#') {
            return;
        }
        if (!csv) {
            csv.emplace(separator_of(line));
        }
        const auto fields = csv->split(line);
        if (!fields) {
            reading.leave({number}, "a quotation mark that is not where one can be");
            return;
        }
        if (const auto named = first ? header(*fields) : std::nullopt) {
            columns = *named;
            reading.recognized = true;
        } else {
            const std::size_t known = reading.findings.size();
            read_record(reading, number, *fields, columns);
            reading.recognized = reading.recognized || reading.findings.size() > known;
        }
        first = false;
    });
    return reading;
}

}  // namespace statnat
