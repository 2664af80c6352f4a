// SPDX-License-Identifier: GPL-2.0-or-later
// JSON as etcd's gateway has it: numbers of 64 bits are strings, keys and values are in Base64, and what is zero or
// empty is left out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <jansson.h>

namespace statnat {

struct JsonRelease {
    void operator()(json_t* value) const { json_decref(value); }
};
using Json = std::unique_ptr<json_t, JsonRelease>;

// Null where the text is no JSON object.
Json parse_object(std::string_view text);
std::string as_text(const Json& value);

// Members; nothing, 0 or "" where there is none such, or an object is null itself. Whatever is gone from etcd's JSON is
// zero.
json_t* member(const json_t* object, const char* name);
std::int64_t number_of(const json_t* object, const char* name);
std::uint64_t identity_of(const json_t* object, const char* name);
std::string text_of(const json_t* object, const char* name);
// Of Base64; nothing where it is none.
std::optional<std::string> bytes_of(const json_t* object, const char* name);

// Puts Base64 of bytes, and a number as etcd has it.
void put_bytes(json_t* object, const char* name, std::string_view bytes);
void put_number(json_t* object, const char* name, std::int64_t number);

}  // namespace statnat
