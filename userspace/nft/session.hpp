// SPDX-License-Identifier: GPL-2.0-or-later
// A libnftables context that knows one more statement.
#pragma once

#include "document.hpp"
#include "interpose.hpp"
#include "rewrite.hpp"
#include "stand_in.hpp"
#include "stream.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

struct nft_ctx;

namespace statnat {

class Session final : public Interposed {
public:
    using Sink = std::function<void(std::string_view)>;

    // Output and errors go to the sinks, in the order in which they come, whole lines at a time.
    Session(Sink output, Sink errors);
    ~Session() override;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // For what libnftables offers as it is: options, variables, include paths.
    nft_ctx* context() const { return context_.get(); }

    // Both return what libnftables returns.
    int run(const std::string& commands);
    int run_file(const std::string& name);

    std::FILE* opened(const char* path, std::FILE* file) override;
    ssize_t send(int socket, const msghdr& message) override;
    std::size_t received(std::span<std::uint8_t> datagram) override;

private:
    struct Freed {
        void operator()(nft_ctx* context) const;
    };

    void take_output(std::string_view text);
    void take_errors(std::string_view text);
    void flush_output();
    void flush_errors();
    int finish(int status);
    void substitute_stdin();

    Sink output_;
    Sink errors_;
    std::string pending_output_;
    std::string pending_errors_;
    StandIns stand_ins_;
    Rewriter rewriter_{stand_ins_};
    std::deque<Document> documents_;
    Stream output_stream_;
    Stream error_stream_;
    std::unique_ptr<nft_ctx, Freed> context_;
};

}  // namespace statnat
