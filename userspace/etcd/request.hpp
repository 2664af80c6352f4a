// SPDX-License-Identifier: GPL-2.0-or-later
// Requests of HTTP: bounded in time and memory, never led elsewhere, and over TLS only to whoever is who he says.
#pragma once

#include "etcd/access.hpp"
#include "etcd/libcurl.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace statnat {

// Why there was no answer, as in "https://10.0.0.1:2379: Connection refused".
struct HttpFailure {
    std::string sentence;
};

// One after the other, of one thread. What is sent are POSTs of JSON.
class HttpRequest {
public:
    // Returns whether it wants more; bytes are whatever has just come.
    using Take = std::function<bool(std::string_view bytes)>;

    explicit HttpRequest(const EtcdAccess& access);
    ~HttpRequest();
    HttpRequest(const HttpRequest&) = delete;
    HttpRequest& operator=(const HttpRequest&) = delete;

    // What is to be sent; all of it must outlive the request. `most` is how long all of it may take; zero: for ever,
    // once it is connected. An empty authorization is none.
    void prepare(const std::string& url, const std::string& body, const std::string& authorization,
                 std::chrono::milliseconds most, Take take);

    // What libcurl is about to do with the handle that was prepared, and how that ended.
    void begin();
    void end(CURLcode code) { ended_ = code; }
    bool has_ended() const { return ended_.has_value(); }
    // Once it has ended: the status of HTTP. Throws HttpFailure.
    long finish() const;

    CURL* handle() const { return handle_; }

private:
    static std::size_t write(const char* bytes, std::size_t size, std::size_t count, void* request);
    template <class Value>
    void set(CURLoption option, Value value);

    const Libcurl& curl_;
    CURL* handle_;
    curl_slist* headers_ = nullptr;
    std::string url_;
    Take take_{};
    std::array<char, CURL_ERROR_SIZE> error_{};
    std::optional<CURLcode> ended_{};
};

}  // namespace statnat
