// SPDX-License-Identifier: GPL-2.0-or-later
#include "formats/formats.hpp"

#include "error.hpp"
#include "formats/cisco.hpp"
#include "formats/config_xml.hpp"
#include "formats/iptables_save.hpp"
#include "formats/jool.hpp"
#include "formats/nft_json.hpp"
#include "formats/pf.hpp"
#include "formats/routers.hpp"
#include "formats/shorewall.hpp"
#include "formats/tables.hpp"
#include "printable.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace statnat {
namespace {

constexpr Format formats[] = {
    {"static_nat", "what was written into /proc/net/static_nat, or was read from there", read_static_nat},
    {"csv", "lines of INTERNAL,EXTERNAL[,COMMENT[,npt]], or a first line that names such columns", read_csv},
    {"iptables-save", "what iptables-save and ip6tables-save print", read_iptables_save},
    {"nft", "the JSON that \"nft -j list ruleset\" prints", read_nft_json},
    {"cisco", "a running configuration of IOS, with \"ip nat inside source static\"", read_cisco},
    {"pf-binat", "a pf.conf, or what \"pfctl -s nat\" prints, with binat", read_pf_binat},
    {"config-xml", "config.xml of pfSense or OPNsense, with 1:1 NAT or NPt", read_config_xml},
    {"shorewall-netmap", "the file netmap of Shorewall", read_shorewall_netmap},
    {"jool-eam", "explicit address mappings of Jool, as its table, CSV, commands or JSON", read_jool_eam},
    {"juniper", "what \"show configuration | display set\" of Junos prints, with static nat", read_juniper},
    {"vyos", "what \"show configuration commands\" of VyOS prints, with nat or nat66", read_vyos},
};

}  // namespace

std::span<const Format> all_formats() {
    return formats;
}

std::string names_of_formats() {
    std::string names;
    for (const Format& format : formats) {
        names += (names.empty() ? "" : ", ") + std::string(format.name);
    }
    return names;
}

const Format& find_format(std::string_view name) {
    const auto format = std::find_if(std::begin(formats), std::end(formats),
                                     [&](const Format& one) { return one.name == name; });
    if (format == std::end(formats)) {
        throw CannotGoOn{fmt::format("there is no format {}: legal are {}", in_quotes(name), names_of_formats()),
                         exit_usage};
    }
    return *format;
}

}  // namespace statnat
