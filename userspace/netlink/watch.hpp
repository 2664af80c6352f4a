// SPDX-License-Identifier: GPL-2.0-or-later
// What others commit while somebody reads and decides. nf_tables tells whoever listens about all that a transaction
// changed, and then which generation it led to: where none of it was in our tables, what was read of them holds at that
// generation as well.
//
// Listening has a price, which others pay: the kernel writes a message for each element that they change.
#pragma once

#include "names.hpp"
#include "netlink/socket.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace statnat {

// A transaction takes it one further, past 0 (net/netfilter/nf_tables_api.c).
constexpr std::uint32_t generation_after(std::uint32_t generation) {
    return generation + 1 == 0 ? 1 : generation + 1;
}

// This tool, as the kernel names it.
constexpr std::string_view our_process = "statnat-nft";

// A transaction, by the generation that it led to and by whose it was.
struct Committer {
    std::uint32_t generation = 0;
    std::string process{};
    std::uint32_t process_id = 0;

    std::string text() const;  // "crowdsec (process 4711)"
};

class Watch {
public:
    Watch(std::function<std::unique_ptr<Socket>()> open, Instance instance);

    // Listens from the generation on that `ask` tells, and returns that.
    std::uint32_t begin(const std::function<std::uint32_t()>& ask);
    void end();
    bool is_on() const { return socket_ != nullptr; }

    // Hears what there is, so that none of it is lost for want of room.
    void hear();
    // Hears on until that generation, which the kernel has told already; false: our tables may have changed.
    bool reaches(std::uint32_t generation);

    // Waits until there is something to hear, or to read from `also`, or for so long.
    void wait(std::chrono::milliseconds most, int also) { socket_->wait(most, also); }

    // Whoever committed last; nothing if nobody was heard.
    const std::optional<Committer>& last() const { return last_; }

    // Whoever changed our tables since it was asked last, rather somebody else than this tool; nothing if that is not
    // known. What was changed is the caller's to look at now: from here on our tables have not changed.
    std::optional<Committer> culprit();
    // Other instances have changed theirs since it began.
    bool has_others() const { return others_; }
    // Something was not heard, for want of room: it must begin anew.
    bool has_lost() const { return lost_; }

private:
    bool hear(bool wait);
    void take(Message message);

    std::function<std::unique_ptr<Socket>()> open_;
    Instance instance_;
    std::unique_ptr<Socket> socket_;  // null: nobody listens
    std::vector<std::uint8_t> buffer_;
    std::uint32_t generation_ = 0;  // as far as it has heard
    bool doubtful_ = false;         // our tables may have changed
    bool others_ = false;           // other instances have changed theirs
    bool lost_ = false;             // since something was not heard
    bool unnamed_ = false;          // our tables have changed, by whom is still to be told
    std::optional<Committer> last_{};
    std::optional<Committer> culprit_{};
};

}  // namespace statnat
