// SPDX-License-Identifier: GPL-2.0-or-later
// A libnftables context that knows one more statement.
#pragma once

#include "error.hpp"
#include "stand_ins/document.hpp"
#include "nft/interpose.hpp"
#include "stand_ins/report.hpp"
#include "stand_ins/restoring_stream.hpp"
#include "stand_ins/rewrite.hpp"
#include "stand_ins/stand_in.hpp"
#include "nft/stream.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct nft_ctx;
struct stat;

namespace statnat {

class Session final : public Interposed {
public:
    using Sink = std::function<void(std::string_view)>;

    // Output and errors go to the sinks, in the order in which they come and as soon as it is clear what they say.
    Session(Sink output, Sink errors, System& system = real_system());
    ~Session() override;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // For what libnftables offers as it is: options, variables, include paths.
    nft_ctx* context() const { return context_.get(); }

    // Both return what libnftables returns. Throw CannotGoOn where the output cannot be what was asked for.
    int run(const std::string& commands);
    int run_file(const std::string& name);

    std::FILE* opened(const char* path, std::FILE* file) override;
    ssize_t send(int socket, const msghdr& batch) override;
    ssize_t ask(const mnl_socket* socket, Message question) override;
    ssize_t receive(const mnl_socket* socket, std::span<std::uint8_t> buffer) override;

private:
    struct Freed {
        void operator()(nft_ctx* context) const;
    };

    void take_output(std::string_view text);
    void take_errors(std::string_view text);
    int finish(int status);
    void substitute_stdin();
    std::optional<Document> read_document(int descriptor, const struct stat& status);
    ssize_t send_rewritten(int socket, const msghdr& batch);
    bool has_statements() const;

    System& system_;
    Interposed* before_;  // who was asked before this
    bool batch_came_by_ = false;  // in this run
    int unheard_ = 0;             // errno of a question that did not get to the kernel, or of an answer to us
    std::optional<CannotGoOn> refusal_;  // of a batch, by us
    StandIns stand_ins_;
    Rewriter rewriter_{stand_ins_};
    Documents documents_;  // of a run
    RestoringStream output_;
    Reports errors_;
    Stream output_stream_;
    Stream error_stream_;
    std::unique_ptr<nft_ctx, Freed> context_;
};

}  // namespace statnat
