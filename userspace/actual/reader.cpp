// SPDX-License-Identifier: GPL-2.0-or-later
// Where a dump goes on that takes several messages, the kernel finds by counting: for elements those of their own map
// alone, so that a dump of them is right whatever becomes of other tables; for chains, those of all tables.
#include "actual/reader.hpp"

#include "error.hpp"
#include "wire/questions.hpp"
#include "wire/refusals.hpp"

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

namespace statnat {

namespace {

bool is_about_nothing(const Refusal& refusal) {
    return refusal.error == ENOENT || refusal.error == EAFNOSUPPORT;
}

}  // namespace

Reader::Reader(Netlink& netlink, Watch& watch, Patience& patience, Progress::Step& step, std::string table)
    : netlink_(netlink), watch_(watch), patience_(patience), step_(step), table_(std::move(table)) {}

std::optional<Table> Reader::read(Family family, Depth depth, StateFile::Contents* known) {
    TableDecoder decoder(family, table_);
    gone_ = false;
    const auto list_by = [&](Bytes (*ask)(Family, std::string_view, std::uint32_t), Decode decode) {
        list([&](std::uint32_t sequence) { return ask(family, table_, sequence); }, decoder, decode);
    };
    list_by(ask_table, &TableDecoder::table);
    if (gone_) {
        return {};
    }
    list_by(ask_sets, &TableDecoder::set);
    for (const std::string& map : decoder.maps_to_read()) {
        if (known && known->contains({family, map})) {
            decoder.put(map, std::move(known->at({family, map})));
        } else if (depth != Depth::known) {
            dump(family, map, decoder);
        }
    }
    for (const std::string& set : decoder.sets_to_read()) {
        list([&](std::uint32_t sequence) { return ask_elements(family, table_, set, sequence); }, decoder,
             &TableDecoder::elements);
    }
    list([&](std::uint32_t sequence) { return ask_chains(family, sequence); }, decoder, &TableDecoder::chain);
    list_by(ask_rules, &TableDecoder::rule);
    whole_ = whole_ && !gone_;  // it was there when we began
    return decoder.finish();
}

// What is short is asked again until nobody commits in between.
void Reader::list(const std::function<Bytes(std::uint32_t sequence)>& question, TableDecoder& decoder, Decode decode) {
    if (gone_) {
        return;
    }
    std::vector<Bytes> messages;
    Answer answer;
    do {
        messages.clear();
        answer = netlink_.ask(question(netlink_.next_sequence()),
                              [&](Message message) { messages.emplace_back(message.begin(), message.end()); });
    } while (answer.interrupted && patience_.lasts());
    whole_ = whole_ && !answer.interrupted;
    judge(answer);
    for (const Bytes& message : messages) {
        (decoder.*decode)(message);
    }
}

void Reader::dump(Family family, const std::string& map, TableDecoder& decoder) {
    if (gone_) {
        return;
    }
    const Bytes question = ask_elements(family, table_, map, netlink_.next_sequence());
    const Answer answer = netlink_.ask(question, [&](Message message) {
        decoder.elements(message);
        step_.count(decoder.elements_read());
        watch_.hear();
    });
    whole_ = whole_ && (watch_.is_on() || !answer.interrupted);
    judge(answer);
}

void Reader::judge(const Answer& answer) {
    whole_ = whole_ && !answer.incomplete;
    if (answer.refusal && is_about_nothing(*answer.refusal)) {
        gone_ = true;
    } else if (answer.refusal) {
        throw CannotGoOn{sentence_about_question(*answer.refusal)};
    }
}

std::optional<std::vector<Bytes>> read_all(Netlink& netlink, Patience patience,
                                           const std::function<Bytes(std::uint32_t sequence)>& question) {
    while (patience.lasts()) {
        std::vector<Bytes> messages;
        const Answer answer =
            netlink.ask(question(netlink.next_sequence()),
                        [&](Message message) { messages.emplace_back(message.begin(), message.end()); });
        if (answer.refusal && is_about_nothing(*answer.refusal)) {
            return std::nullopt;
        }
        if (answer.refusal) {
            throw CannotGoOn{sentence_about_question(*answer.refusal)};
        }
        if (!answer.interrupted && !answer.incomplete) {
            return messages;
        }
    }
    throw CannotGoOn{"somebody else changes the ruleset all the time: try again while it pauses"};
}

std::uint32_t read_generation(Netlink& netlink) {
    std::optional<std::uint32_t> generation;
    const Answer answer = netlink.ask(ask_generation(netlink.next_sequence()),
                                      [&](Message message) { generation = decode_generation(message); });
    if (answer.refusal) {
        throw CannotGoOn{sentence_about_question(*answer.refusal)};
    }
    if (!generation) {
        throw CannotGoOn{"the kernel does not tell the generation of its ruleset"};
    }
    return *generation;
}

}  // namespace statnat
