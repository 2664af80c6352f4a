// SPDX-License-Identifier: GPL-2.0-or-later
#include "etcd/json.hpp"

#include "etcd/base64.hpp"

#include <charconv>
#include <cstdlib>

namespace statnat {
namespace {

struct Free {
    void operator()(char* text) const { std::free(text); }
};

template <class Number>
Number read_number(const json_t* value) {
    if (json_is_integer(value)) {
        return static_cast<Number>(json_integer_value(value));
    }
    Number number = 0;
    if (json_is_string(value)) {
        const char* const text = json_string_value(value);
        std::from_chars(text, text + json_string_length(value), number);
    }
    return number;
}

}  // namespace

Json parse_object(std::string_view text) {
    Json value(json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES, nullptr));
    return json_is_object(value.get()) ? std::move(value) : nullptr;
}

std::string as_text(const Json& value) {
    const std::unique_ptr<char, Free> text(json_dumps(value.get(), JSON_COMPACT));
    return text ? text.get() : std::string();
}

json_t* member(const json_t* object, const char* name) {
    return json_object_get(object, name);
}

std::int64_t number_of(const json_t* object, const char* name) {
    return read_number<std::int64_t>(member(object, name));
}

std::uint64_t identity_of(const json_t* object, const char* name) {
    return read_number<std::uint64_t>(member(object, name));
}

std::string text_of(const json_t* object, const char* name) {
    const json_t* const value = member(object, name);
    return json_is_string(value) ? std::string(json_string_value(value), json_string_length(value)) : std::string();
}

std::optional<std::string> bytes_of(const json_t* object, const char* name) {
    return from_base64(text_of(object, name));
}

void put_bytes(json_t* object, const char* name, std::string_view bytes) {
    json_object_set_new(object, name, json_string(as_base64(bytes).c_str()));
}

void put_number(json_t* object, const char* name, std::int64_t number) {
    json_object_set_new(object, name, json_string(std::to_string(number).c_str()));
}

}  // namespace statnat
