// SPDX-License-Identifier: GPL-2.0-or-later
// Reads and writes with the library that libnftables uses, so that both understand the same JSON.
#include "statement/statement_json.hpp"

#include "error.hpp"
#include "names.hpp"
#include "printable.hpp"
#include "statement/objections_to_statement.hpp"

#include <array>
#include <cstdlib>
#include <memory>
#include <new>

#include <fmt/format.h>
#include <jansson.h>

namespace statnat {

namespace {

struct Released {
    void operator()(json_t* value) const { json_decref(value); }
    void operator()(char* text) const { std::free(text); }
};
using Json = std::unique_ptr<json_t, Released>;
using Text = std::unique_ptr<char, Released>;

std::string_view text_of(const json_t* value) {
    return json_is_string(value) ? std::string_view(json_string_value(value), json_string_length(value))
                                 : std::string_view();
}

// A single value stands for a list of one, as in libnftables-json(5). Stops at what `take` has against an item.
template <typename Take>
std::string for_each(json_t* list, Take take) {
    if (!json_is_array(list)) {
        return take(list);
    }
    std::string objection;
    for (std::size_t index = 0; objection.empty() && index < json_array_size(list); ++index) {
        objection = take(json_array_get(list, index));
    }
    return objection;
}

std::string take_name(const json_t* value, MapReference& map) {
    const std::string_view text = text_of(value);
    if (!text.starts_with("@")) {
        return "a map is \"@NAME\" or {\"name\": \"@NAME\", \"prefix\": LEN, \"within\": \"PREFIX\"}";
    }
    map.name = text.substr(1);
    return map.name.find('\0') == std::string::npos ? "" : "the name of a map with a zero byte";
}

std::string take_map(json_t* value, std::vector<MapReference>& maps) {
    MapReference map;
    std::string objection;
    if (!json_is_object(value)) {
        objection = take_name(value, map);
    } else {
        const char* key = nullptr;
        json_t* member = nullptr;
        objection = take_name(json_object_get(value, "name"), map);
        json_object_foreach(value, key, member) {
            const std::string_view name = key;
            if (name == "prefix" && json_is_integer(member) && json_integer_value(member) > 0 &&
                json_integer_value(member) <= 128) {
                map.prefix = static_cast<std::uint8_t>(json_integer_value(member));
            } else if (name == "npt" && json_is_boolean(member)) {
                map.npt = json_is_true(member);
            } else if (name == "within" && Prefix::parse(text_of(member))) {
                map.within = Prefix::parse(text_of(member));
            } else if (name != "name") {
                return in_quotes(name) + " of a map is not known or has no such value";
            }
        }
    }
    if (objection.empty()) {
        objection = objection_to_map(map).value_or("");
    }
    maps.push_back(std::move(map));
    return objection;
}

std::string take_flag(const json_t* value, SnatStateless& statement) {
    for (const Flag& flag : statement_flags) {
        if (text_of(value) == flag.word) {
            statement.*flag.member = true;
            return objection_to_flags(statement).value_or("");
        }
    }
    return "flags are notrack or untrack, untracked or tracked; or follow, followed";
}

std::string take(const json_t* object, SnatStateless& statement);

// The same form, of which only one meaning is possible.
std::string take_else(const json_t* object, SnatStateless& statement) {
    SnatStateless other{};
    const std::string objection = take(object, other);
    statement.else_maps = other.maps;
    if (!objection.empty() || other != statement.otherwise()) {
        const char* flag = statement.follow ? "follow" : "untrack";
        return objection.empty() ? fmt::format("\"else\" has the field saddr and the flag {}", flag) : objection;
    }
    return {};
}

std::string take_destination(const json_t* value, bool only, SnatStateless& statement) {
    const auto prefix = Prefix::parse(text_of(value));
    if (!prefix) {
        return fmt::format(R"("{}" is a prefix of destinations, or a list of them, such as "10.0.0.0/8")",
                           only ? "only" : "unless");
    }
    if (!statement.destinations.empty() && statement.only != only) {
        return R"("unless" and "only" exclude each other)";
    }
    statement.only = only;
    statement.destinations.push_back(*prefix);
    return objection_to_prefixes(statement).value_or("");
}

std::string take_via(const json_t* value, SnatStateless& statement) {
    statement.via.emplace_back(text_of(value));
    return objection_to_interface(statement.via.back()) ? "\"via\" is the name of an interface, or a list of them" : "";
}

// To what may be behind something else.
std::string objection_to_parts(const SnatStateless& statement) {
    for (const auto objection : {objection_to_else, objection_to_destinations, objection_to_via, objection_to_forward,
                                 objection_to_errors}) {
        if (const auto sentence = objection(statement)) {
            return *sentence;
        }
    }
    return {};
}

std::string take(const json_t* object, SnatStateless& statement) {
    const std::string_view field = text_of(json_object_get(object, "field"));
    if (field != "saddr" && field != "daddr") {
        return "\"field\" must be \"saddr\" or \"daddr\"";
    }
    statement.field = field == "saddr" ? Field::source : Field::destination;
    const char* key = nullptr;
    json_t* value = nullptr;
    const json_t* otherwise = json_object_get(object, "else");
    std::string objection;
    json_object_foreach(const_cast<json_t*>(object), key, value) {
        const std::string_view name = key;
        if (name == "map") {
            objection = for_each(value, [&](json_t* item) { return take_map(item, statement.maps); });
        } else if (name == "flags") {
            objection = for_each(value, [&](json_t* item) { return take_flag(item, statement); });
        } else if (name == "unless" || name == "only") {
            objection = for_each(
                value, [&](const json_t* item) { return take_destination(item, name == "only", statement); });
        } else if (name == "via") {
            objection = for_each(value, [&](const json_t* item) { return take_via(item, statement); });
        } else if (name == "forward") {
            statement.forward = json_is_true(value);
            objection = json_is_boolean(value) ? "" : R"("forward" is true or false)";
        } else if (name == "errors_as") {
            statement.errors_as = Address::parse(text_of(value));
            objection = statement.errors_as ? "" : R"("errors_as" is an address, such as "198.51.100.1")";
        } else if (name != "field" && name != "else") {
            objection = in_quotes(name) + " is not known";
        }
        if (!objection.empty()) {
            return objection;
        }
    }
    if (statement.maps.empty()) {
        return "\"map\" is missing";
    }
    objection = otherwise ? take_else(otherwise, statement) : "";
    return objection.empty() ? objection_to_parts(statement) : objection;
}

Json made(json_t* value) {
    if (!value) {
        throw CannotGoOn{"a name that is not UTF-8 cannot be written as JSON"};
    }
    return Json(value);
}

Json string_of(std::string_view text) {
    return made(json_stringn(text.data(), text.size()));
}

Json map_of(const MapReference& map) {
    Json name = string_of("@" + map.name);
    if (!map.prefix && !map.within) {
        return name;
    }
    Json object = made(json_object());
    json_object_set(object.get(), "name", name.get());
    if (map.prefix) {
        json_object_set_new(object.get(), "prefix", json_integer(*map.prefix));
    }
    if (map.npt) {
        json_object_set_new(object.get(), "npt", json_true());
    }
    if (map.within) {
        json_object_set(object.get(), "within", string_of(map.within->short_text()).get());
    }
    return object;
}

// One item without its list, as in libnftables-json(5).
void set_list(json_t* object, const char* key, json_t* list) {
    if (json_array_size(list) == 1) {
        json_object_set(object, key, json_array_get(list, 0));
    } else if (json_array_size(list) > 1) {
        json_object_set(object, key, list);
    }
}

Json object_of(const SnatStateless& statement) {
    Json object = made(json_object());
    const Json maps = made(json_array());
    const Json set_flags = made(json_array());
    json_object_set(object.get(), "field", string_of(statement.field == Field::source ? "saddr" : "daddr").get());
    for (const MapReference& map : statement.maps) {
        json_array_append(maps.get(), map_of(map).get());
    }
    for (const Flag& flag : statement_flags) {
        if (statement.*flag.member) {
            json_array_append(set_flags.get(), string_of(flag.word).get());
        }
    }
    set_list(object.get(), "map", maps.get());
    set_list(object.get(), "flags", set_flags.get());
    if (!statement.else_maps.empty()) {
        json_object_set(object.get(), "else", object_of(statement.otherwise()).get());
    }
    const Json destinations = made(json_array());
    for (const Prefix& prefix : statement.destinations) {
        json_array_append(destinations.get(), string_of(prefix.short_text()).get());
    }
    set_list(object.get(), statement.only ? "only" : "unless", destinations.get());
    const Json via = made(json_array());
    for (const std::string& name : statement.via) {
        json_array_append(via.get(), string_of(name).get());
    }
    set_list(object.get(), "via", via.get());
    if (statement.forward) {
        json_object_set_new(object.get(), "forward", json_true());
    }
    if (statement.errors_as) {
        json_object_set(object.get(), "errors_as", string_of(statement.errors_as->text()).get());
    }
    return object;
}

}  // namespace

std::string statement_json(const SnatStateless& statement) {
    const Text text(json_dumps(object_of(statement).get(), JSON_PRESERVE_ORDER));
    if (!text) {
        throw std::bad_alloc();
    }
    return text.get();
}

std::variant<SnatStateless, std::string> read_statement_json(std::string_view text) {
    json_error_t error;
    const Json object(json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES, &error));
    if (!object) {
        return std::string(error.text);
    }
    SnatStateless statement{};
    std::string objection = take(object.get(), statement);
    if (!objection.empty()) {
        return objection;
    }
    return statement;
}

}  // namespace statnat
