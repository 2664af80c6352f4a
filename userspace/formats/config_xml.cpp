// SPDX-License-Identifier: GPL-2.0-or-later
#include "formats/config_xml.hpp"

#include "printable.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <pugixml.hpp>

namespace statnat {
namespace {

class ConfigXml {
public:
    explicit ConfigXml(std::string_view text);

    Reading read(const pugi::xml_document& document);
    unsigned line_at(std::ptrdiff_t offset) const;

private:
    Place place(const pugi::xml_node& node) const { return {line_at(node.offset_debug())}; }
    void read_classic(const pugi::xml_node& entry);
    void read_model(const pugi::xml_node& entry);
    void leave_all(const pugi::xml_node& parent, const char* name, std::string_view what);

    Reading reading_;
    std::vector<std::ptrdiff_t> ends_;  // of lines
};

ConfigXml::ConfigXml(std::string_view text) {
    for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
        ends_.push_back(static_cast<std::ptrdiff_t>(at));
    }
}

unsigned ConfigXml::line_at(std::ptrdiff_t offset) const {
    return static_cast<unsigned>(std::lower_bound(ends_.begin(), ends_.end(), offset) - ends_.begin()) + 1;
}

std::string text_of(const pugi::xml_node& node, const char* name) {
    return node.child(name).text().as_string();
}

// "disabled" is there, or is not; newer ones write 0 or 1.
bool is_set(const pugi::xml_node& node, const char* name) {
    return node.child(name) && text_of(node, name) != "0";
}

// A side in <source> or <destination>: an address or prefix, or the name of an interface's network.
std::string side_in(const pugi::xml_node& side) {
    const std::string address = text_of(side, "address");
    return !address.empty() ? address : text_of(side, "network");
}

// The internal side of a 1:1 entry: in <source>, or, as before pfSense 2.0, in <internal> with the length in <subnet>.
std::string internal_side(const pugi::xml_node& entry) {
    const std::string internal = text_of(entry, "internal");
    return internal.empty() ? side_in(entry.child("source")) : internal + "/" + text_of(entry, "subnet");
}

// The external side may be the first address alone of what is as long as the internal side.
void lengthen(Binding& binding) {
    const std::size_t slash = binding.internal.find('/');
    if (slash != std::string::npos && Address::parse(binding.external)) {
        binding.external += binding.internal.substr(slash);
    }
}

// An <onetoone> or <npt> as pfSense has it, and OPNsense had it.
void ConfigXml::read_classic(const pugi::xml_node& entry) {
    const bool is_npt = std::string_view(entry.name()) == "npt";
    const pugi::xml_node source = entry.child("source");
    const pugi::xml_node destination = entry.child("destination");
    Binding binding{place(entry)};
    binding.internal = internal_side(entry);
    binding.external = is_npt ? side_in(destination) : text_of(entry, "external");
    binding.comment = text_of(entry, "descr");
    binding.interfaces.push_back(text_of(entry, "interface"));
    if (is_set(entry, "disabled")) {
        binding.object("is disabled");
    } else if (is_set(entry, "nobinat") || text_of(entry, "type") == "nat") {
        binding.object("translates one way, or not at all: a pair translates both ways");
    } else if (is_set(source, "not") || is_set(destination, "not")) {
        binding.object("is for all but an address, which no pair is");
    } else if (!is_npt && !side_in(destination).empty()) {
        binding.object(fmt::format("is for the other end {} alone, which no pair is", in_quotes(side_in(destination))));
    }
    lengthen(binding);
    reading_.take(binding);
}

// A <rule> of either, as newer versions of OPNsense have it.
void ConfigXml::read_model(const pugi::xml_node& entry) {
    const bool is_npt = std::string_view(entry.parent().name()) == "npt";
    const std::string other_end = text_of(entry, "destination_net");
    Binding binding{place(entry)};
    binding.internal = text_of(entry, "source_net");
    binding.external = is_npt ? other_end : text_of(entry, "external");
    binding.comment = text_of(entry, "description");
    binding.interfaces.push_back(text_of(entry, "interface"));
    if (text_of(entry, "enabled") == "0") {
        binding.object("is disabled");
    } else if (text_of(entry, "type") == "nat") {
        binding.object("translates one way: a pair translates both ways");
    } else if (is_set(entry, "source_not") || is_set(entry, "destination_not")) {
        binding.object("is for all but an address, which no pair is");
    } else if (!is_npt && !other_end.empty() && other_end != "any") {
        binding.object(fmt::format("is for the other end {} alone, which no pair is", in_quotes(other_end)));
    }
    lengthen(binding);
    reading_.take(binding);
}

void ConfigXml::leave_all(const pugi::xml_node& parent, const char* name, std::string_view what) {
    for (const pugi::xml_node& entry : parent.children(name)) {
        reading_.leave(place(entry), fmt::format("{}: it is no pair", what));
    }
}

Reading ConfigXml::read(const pugi::xml_document& document) {
    const pugi::xml_node pfsense = document.child("pfsense");
    const pugi::xml_node root = pfsense ? pfsense : document.child("opnsense");
    const pugi::xml_node nat = root.child("nat");
    const pugi::xml_node filter = root.child("OPNsense").child("Firewall").child("Filter");
    reading_.recognized = static_cast<bool>(root);
    for (const char* const name : {"onetoone", "npt"}) {
        for (const pugi::xml_node& entry : nat.children(name)) {
            if (entry.first_child()) {  // an empty one is none
                read_classic(entry);
            }
        }
        for (const pugi::xml_node& entry : filter.child(name).children("rule")) {
            read_model(entry);
        }
    }
    leave_all(nat, "rule", "forwards ports");
    for (const char* const name : {"outbound", "advancedoutbound"}) {
        leave_all(nat.child(name), "rule", "outbound nat is for what leaves alone");
    }
    leave_all(filter.child("snatrules"), "rule", "source nat is for what leaves alone");
    return std::move(reading_);
}

}  // namespace

Reading read_config_xml(std::string_view text) {
    pugi::xml_document document;
    ConfigXml config(text);
    const pugi::xml_parse_result result =
        document.load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
    if (!result) {
        throw NotOfThisFormat{config.line_at(result.offset), fmt::format("no XML: {}", result.description())};
    }
    return config.read(document);
}

}  // namespace statnat
