// SPDX-License-Identifier: GPL-2.0-or-later
#include "reports/statistics_text.hpp"

#include "printable.hpp"
#include "quantity.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace statnat {
namespace {

std::string_view trimmed(std::string_view title) {
    return title.substr(title.find_first_not_of(' '));
}

std::string as_text(const Told& told) {
    return told.packets ? grouped(*told.packets) : "unknown";
}

std::string table_of(const std::vector<FamilyStatistics>& all) {
    constexpr std::size_t titles = 30, numbers = 18;
    std::string text = fmt::format("{:{}}", "packets", titles);
    for (const FamilyStatistics& one : all) {
        text += fmt::format("{:>{}}", name(one.family), numbers);
    }
    text += "\n";
    for (std::size_t i = 0; i < statistic_count; ++i) {
        text += fmt::format("{:{}}", all_statistics[i].title, titles);
        for (const FamilyStatistics& one : all) {
            text += fmt::format("{:>{}}", as_text(one.told[i]), numbers);
        }
        text += "\n";
    }
    return text;
}

// Of each reason for something unknown in turn: what that is.
std::string unknowns(const std::vector<FamilyStatistics>& all) {
    std::vector<std::string_view> said;
    std::string text;
    for (const FamilyStatistics& one : all) {
        for (const Told& told : one.told) {
            if (!told.packets && std::find(said.begin(), said.end(), told.why_not) == said.end()) {
                said.push_back(told.why_not);
                text += fmt::format("unknown: {}\n", told.why_not);
            }
        }
    }
    return text;
}

std::string as_json(const FamilyStatistics& one) {
    std::string members;
    for (std::size_t i = 0; i < statistic_count; ++i) {
        members += fmt::format(R"({}"{}":{})", i == 0 ? "" : ",", all_statistics[i].name,
                               one.told[i].packets ? fmt::format("{}", *one.told[i].packets) : "null");
    }
    return fmt::format(R"({{"family":"{}","packets":{{{}}}}})", name(one.family), members);
}

// Why each null is one.
std::string unknowns_in_json(const std::vector<FamilyStatistics>& all) {
    std::string text;
    for (const FamilyStatistics& one : all) {
        for (std::size_t i = 0; i < statistic_count; ++i) {
            if (!one.told[i].packets) {
                text += fmt::format(R"({}{{"family":"{}","name":"{}","why":{}}})", text.empty() ? "" : ",",
                                    name(one.family), all_statistics[i].name, quoted_json(one.told[i].why_not));
            }
        }
    }
    return "[" + text + "]";
}

}  // namespace

std::string as_text(const std::vector<FamilyStatistics>& all, bool explained, std::string_view table) {
    if (all.empty()) {
        return fmt::format("nothing is installed: there is no table {}\n", table);
    }
    std::string text = table_of(all) + unknowns(all);
    if (explained) {
        for (const Statistic& statistic : all_statistics) {
            text += fmt::format("{}: {}\n", trimmed(statistic.title), statistic.sentence);
        }
    }
    return text;
}

std::string as_json(const std::vector<FamilyStatistics>& all, bool explained) {
    std::string sentences;
    for (const Statistic& statistic : all_statistics) {
        sentences += fmt::format(R"({}"{}":{})", sentences.empty() ? "" : ",", statistic.name,
                                 quoted_json(statistic.sentence));
    }
    return fmt::format(R"({{"families":{},"unknown":{}{}}})"
                       "\n",
                       list_in_json(all, [](const FamilyStatistics& one) { return as_json(one); }),
                       unknowns_in_json(all), explained ? fmt::format(R"(,"explained":{{{}}})", sentences) : "");
}

}  // namespace statnat
