// SPDX-License-Identifier: GPL-2.0-or-later
#include "neighbours/performance.hpp"

#include "error.hpp"
#include "neighbours/settings.hpp"
#include "routing/request.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include <fmt/format.h>
#include <linux/neighbour.h>
#include <net/if.h>

namespace statnat {
namespace {

// The first is what is meant; not every kernel has it. The other, too, has a carrier and drops what nobody redirects to
// it.
constexpr std::array<std::string_view, 2> kinds{"dummy", "ifb"};

class Performance {
public:
    explicit Performance(Netlink& netlink) : netlink_(netlink) {}

    void prepare_device(const Steps& steps) {
        if (steps.make_device) {
            make_device();
            // Its name is enough for others to know it by: it needs no address of its own.
            const std::string addresses = fmt::format("net/ipv6/conf/{}/addr_gen_mode", neighbours_device);
            if (read_setting(addresses)) {
                write_setting(addresses, "1");
            }
        }
        if (steps.raise_device) {
            Request request(RTM_NEWLINK, 0, netlink_.next_sequence());
            auto& header = request.header<ifinfomsg>();
            header.ifi_flags = header.ifi_change = IFF_UP;
            request.put(IFLA_IFNAME, neighbours_device).put(IFLA_IFALIAS, neighbours_alias);
            refuse(say(request), "switch on its device");
        }
        device_ = ::if_nametoindex(std::string(neighbours_device).c_str());
    }

    void delete_device() {
        Request request(RTM_DELLINK, 0, netlink_.next_sequence());
        request.header<ifinfomsg>();
        refuse(say(request.put(IFLA_IFNAME, neighbours_device)), "delete its device");
    }

    // False: somebody else has one.
    bool add(const Prefix& prefix) {
        const int error = say_route(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, {prefix, static_cast<int>(device_)});
        if (error == EEXIST) {
            return false;
        }
        refuse(error, "add a route to " + prefix.text());
        return true;
    }

    void remove(const Route& gone) {
        const int error = say_route(RTM_DELROUTE, 0, gone);
        refuse(error == ESRCH ? 0 : error, "remove the route to " + gone.destination.text());
    }

    void add(const Proxy& proxy) {
        refuse(say_proxy(RTM_NEWNEIGH, NLM_F_CREATE, proxy), "answer for " + proxy.address.text());
    }

    void remove(const Proxy& proxy) {
        const int error = say_proxy(RTM_DELNEIGH, 0, proxy);
        refuse(error == ENOENT || error == ENODEV ? 0 : error, "cease to answer for " + proxy.address.text());
    }

private:
    int say_route(std::uint16_t type, unsigned flags, const Route& route) {
        Request request(type, flags, netlink_.next_sequence());
        put_route(request, route.destination, static_cast<std::uint32_t>(route.link), RT_TABLE_MAIN);
        return say(request);
    }

    int say_proxy(std::uint16_t type, unsigned flags, const Proxy& proxy) {
        Request request(type, flags, netlink_.next_sequence());
        auto& header = request.header<ndmsg>();
        header.ndm_family = proxy.address.family == Family::ipv4 ? AF_INET : AF_INET6;
        header.ndm_ifindex = proxy.link;
        header.ndm_flags = NTF_PROXY;
        request.put(NDA_DST, Message(proxy.address.bytes.data(), proxy.address.size()));
        request.put_byte(NDA_PROTOCOL, our_protocol);
        return say(request);
    }

    void make_device() {
        int error = 0;
        for (const std::string_view kind : kinds) {
            Request request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, netlink_.next_sequence());
            request.header<ifinfomsg>();
            request.put(IFLA_IFNAME, neighbours_device);
            nlattr* nest = request.begin_nest(IFLA_LINKINFO);
            request.put(IFLA_INFO_KIND, kind);
            request.end_nest(nest);
            error = say(request);
            if (error != EOPNOTSUPP) {
                break;
            }
        }
        refuse(error, error == EOPNOTSUPP ? "make its device, of kind dummy or ifb" : "make its device");
    }

    int say(Request& request) {
        const Answer answer = netlink_.ask(request.take(), [](Message) {});
        return answer.refusal ? answer.refusal->error : 0;
    }

    static void refuse(int error, const std::string& what) {
        if (error == EPERM) {
            throw CannotGoOn{fmt::format("cannot {}: it needs CAP_NET_ADMIN", what)};
        }
        if (error != 0) {
            throw CannotGoOn{fmt::format("cannot {}: {}", what, std::strerror(error))};
        }
    }

    Netlink& netlink_;
    unsigned device_ = 0;
};

}  // namespace

std::vector<std::string> perform(const Steps& steps, Netlink& netlink) {
    Performance performance(netlink);
    performance.prepare_device(steps);
    std::vector<std::string> left;
    for (const Prefix& prefix : steps.add_routes) {
        if (!performance.add(prefix)) {
            left.push_back(fmt::format("there is another route to {} already: it stays", prefix.text()));
        }
    }
    for (const Proxy& proxy : steps.add_proxies) {
        performance.add(proxy);
    }
    for (const auto& [name, value] : steps.set) {
        write_setting(name, value);
    }
    for (const Proxy& proxy : steps.remove_proxies) {
        performance.remove(proxy);
    }
    for (const Route& route : steps.remove_routes) {
        performance.remove(route);
    }
    if (steps.delete_device) {
        performance.delete_device();
    }
    return left;
}

}  // namespace statnat
