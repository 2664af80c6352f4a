// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/value.hpp"

#include "etcd/json.hpp"
#include "printable.hpp"

#include <cstddef>
#include <utility>

#include <fmt/format.h>

namespace statnat {
namespace {

constexpr std::string_view legal = R"(: legal is 198.51.100.2, or JSON such as {"external": "198.51.100.2", )"
                                   R"("comment": "mail"})";
constexpr std::size_t most_of_a_value = 16384;
constexpr std::size_t most_externals = 60;  // what one transaction of etcd can reserve

SourcePair objection(std::string sentence) {
    SourcePair pair;
    pair.objection = std::move(sentence);
    return pair;
}

// One external side, or several, of which the first is what the host answers by.
bool read_externals(const json_t* node, SourcePair& pair) {
    if (json_is_string(node)) {
        pair.external = json_string_value(node);
        return true;
    }
    std::size_t index = 0;
    json_t* one = nullptr;
    json_array_foreach(node, index, one) {
        if (!json_is_string(one)) {
            return false;
        }
        (index == 0 ? pair.external : pair.further.emplace_back()) = json_string_value(one);
    }
    return index != 0;
}

SourcePair read_json(std::string_view value) {
    const Json object = parse_object(value);
    if (!object) {
        return objection(fmt::format("{} is no pair{}", in_quotes(value), legal));
    }
    SourcePair pair;
    const char* name = nullptr;
    json_t* node = nullptr;
    json_object_foreach(object.get(), name, node) {
        const std::string_view key = name;
        if (key == "external" && read_externals(node, pair)) {
            continue;
        }
        if (key == "comment" && json_is_string(node)) {
            pair.comment = json_string_value(node);
        } else if (key == "npt" && json_is_boolean(node)) {
            pair.npt = json_is_true(node);
        } else if (key == "external" || key == "comment" || key == "npt") {
            return objection(fmt::format("{} is of the wrong type in {}{}", key, in_quotes(value), legal));
        } else {
            return objection(fmt::format("unknown key {}: legal are external, npt and comment", in_quotes(key)));
        }
    }
    if (pair.further.size() >= most_externals) {
        return objection(fmt::format("{} external addresses of one host: legal are up to {}", pair.further.size() + 1,
                                     most_externals));
    }
    if (pair.external.empty()) {
        return objection(fmt::format("external is missing in {}{}", in_quotes(value), legal));
    }
    return pair;
}

}  // namespace

SourcePair read_value(std::string_view value) {
    if (value.size() > most_of_a_value) {
        return objection(fmt::format("a value of {} bytes: legal are up to {}", value.size(), most_of_a_value));
    }
    if (value.starts_with('{')) {
        return read_json(value);
    }
    SourcePair pair;
    pair.external = value;
    return pair;
}

std::string value_of(const std::vector<Pair>& pairs) {
    const Pair& first = pairs.front();
    if (pairs.size() == 1 && !first.npt && first.comment.empty()) {
        return first.external.short_text();
    }
    const Json object(json_object());
    const auto text = [](const Pair& pair) { return json_string(pair.external.short_text().c_str()); };
    json_t* externals = text(first);
    if (pairs.size() > 1) {
        json_t* const list = json_array();
        json_array_append_new(list, externals);
        for (std::size_t i = 1; i < pairs.size(); ++i) {
            json_array_append_new(list, text(pairs[i]));
        }
        externals = list;
    }
    json_object_set_new(object.get(), "external", externals);
    if (first.npt) {
        json_object_set_new(object.get(), "npt", json_true());
    }
    if (!first.comment.empty()) {
        json_object_set_new(object.get(), "comment", json_string(first.comment.text().c_str()));
    }
    return as_text(object);
}

}  // namespace statnat
