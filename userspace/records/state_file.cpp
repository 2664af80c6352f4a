// SPDX-License-Identifier: GPL-2.0-or-later
// A line that says of what, and for each map a line and its rows as they lie in memory: the file never leaves this
// machine, nor outlives its boot.
#include "records/state_file.hpp"

#include "files.hpp"

#include <filesystem>
#include <fstream>
#include <span>
#include <sstream>
#include <string_view>
#include <system_error>

#include <spdlog/spdlog.h>

namespace statnat {

namespace {

std::string_view keyword(bool comments) {
    return comments ? "commented" : "plain";
}

std::string_view as_text(std::span<const std::uint8_t> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A file that is not as we write it.
struct Odd {};

std::string take(std::istream& file, std::size_t size) {
    std::string bytes(size, '\0');
    if (!file.read(bytes.data(), static_cast<std::streamsize>(size))) {
        throw Odd{};
    }
    return bytes;
}

void write_map(Replacement& file, Family family, const Map& map) {
    const Elements& elements = map.elements;
    std::ostringstream line;
    line << static_cast<int>(family) << ' ' << map.name << ' ' << elements.size() << ' '
         << keyword(elements.has_comments()) << '\n';
    file.write(line.str());
    file.write(as_text(elements.rows()));
    for (std::size_t i = 0; i < elements.size() && elements.has_comments(); ++i) {
        const std::string& comment = elements.comment(i).text();
        file.write(std::string(1, static_cast<char>(comment.size())) + comment);
    }
}

void take_map(std::istream& file, const std::string& header, std::uintmax_t most, StateFile::Contents& contents) {
    std::istringstream line(header);
    int family = 0;
    std::string name;
    std::size_t size = 0;
    std::string kind;
    line >> family >> name >> size >> kind;
    const bool comments = kind == keyword(true);
    if (!line || (family != 0 && family != 1) || (!comments && kind != keyword(false))) {
        throw Odd{};
    }
    const auto of = static_cast<Family>(family);
    if (size > most / Elements::row_size(of)) {
        throw Odd{};
    }
    Elements elements = Elements::of_rows(of, size, [&](std::span<std::uint8_t> rows) {
        file.read(reinterpret_cast<char*>(rows.data()), static_cast<std::streamsize>(rows.size()));
    });
    for (std::size_t i = 0; i < size && comments; ++i) {
        const auto length = static_cast<unsigned char>(take(file, 1).front());
        elements.set_comment(i, take(file, length));
    }
    if (!file || !elements.is_ascending()) {
        throw Odd{};
    }
    contents.emplace(std::pair(of, name), std::move(elements));
}

}  // namespace

std::optional<StateFile::Contents> StateFile::recall(std::uint32_t generation) const {
    auto opened = file_.open();
    if (!opened || opened->generation != generation) {
        return std::nullopt;
    }
    try {
        Contents contents;
        std::error_code ignored;
        for (std::string line; std::getline(opened->rest, line);) {
            take_map(opened->rest, line, std::filesystem::file_size(file_.path(), ignored), contents);
        }
        return contents;
    } catch (const Odd&) {
        spdlog::debug("{} is not as we write it", file_.path().string());
        return std::nullopt;
    }
}

void StateFile::keep(std::uint32_t generation, const Ruleset& ruleset) const {
    if (ruleset.empty()) {
        forget();
        return;
    }
    file_.write(generation, [&](Replacement& file) {
        for (const Table& table : ruleset) {
            for (const Map& map : table.maps) {
                if (!map.foreign) {
                    write_map(file, table.family, map);
                }
            }
        }
    });
}

}  // namespace statnat
