// SPDX-License-Identifier: GPL-2.0-or-later
// Requests of one thread that are under way at the same time, over connections that they share.
#pragma once

#include "etcd/libcurl.hpp"
#include "etcd/request.hpp"

#include <chrono>
#include <functional>

namespace statnat {

class Transfers {
public:
    // `meanwhile` is called again and again while perform() waits, for all else that there is to do; what it throws,
    // ends the waiting. Whatever `wake` (-1: nothing) can be read for ends each wait.
    explicit Transfers(std::function<void()> meanwhile = {}, int wake = -1);
    ~Transfers();
    Transfers(const Transfers&) = delete;
    Transfers& operator=(const Transfers&) = delete;

    // From begin() on a request is under way, until it has ended or end() leaves it.
    void begin(HttpRequest& request);
    void end(HttpRequest& request);

    // Does what there is to do for them, and waits for that so long at most.
    void turn(std::chrono::milliseconds most);

    // One from its beginning to its end: returns the status of HTTP. Throws HttpFailure.
    long perform(HttpRequest& request);

private:
    const Libcurl& curl_;
    CURLM* multi_;
    std::function<void()> meanwhile_;
    int wake_;
};

}  // namespace statnat
