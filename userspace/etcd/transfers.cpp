// SPDX-License-Identifier: GPL-2.0-or-later
#include "etcd/transfers.hpp"

#include <new>
#include <utility>

namespace statnat {
namespace {

// Each request has a limit of its own; this only keeps one that libcurl forgets from being forgotten.
constexpr std::chrono::milliseconds longest_turn(1000);

}  // namespace

Transfers::Transfers(std::function<void()> meanwhile, int wake)
    : curl_(libcurl()), multi_(curl_.multi_init()), meanwhile_(std::move(meanwhile)), wake_(wake) {
    if (!multi_) {
        throw std::bad_alloc();
    }
}

Transfers::~Transfers() {
    curl_.multi_cleanup(multi_);
}

void Transfers::begin(HttpRequest& request) {
    request.begin();
    curl_.multi_add_handle(multi_, request.handle());
}

void Transfers::end(HttpRequest& request) {
    curl_.multi_remove_handle(multi_, request.handle());
}

void Transfers::turn(std::chrono::milliseconds most) {
    int running = 0;
    curl_waitfd also{.fd = wake_, .events = CURL_WAIT_POLLIN, .revents = 0};
    curl_.multi_perform(multi_, &running);
    curl_.multi_poll(multi_, &also, wake_ < 0 ? 0 : 1, static_cast<int>(most.count()), nullptr);
    curl_.multi_perform(multi_, &running);
    int left = 0;
    while (const CURLMsg* const message = curl_.multi_info_read(multi_, &left)) {
        if (message->msg == CURLMSG_DONE) {
            HttpRequest* request = nullptr;
            curl_.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
            request->end(message->data.result);
        }
    }
}

long Transfers::perform(HttpRequest& request) {
    struct UnderWay {
        UnderWay(Transfers& all, HttpRequest& one) : transfers(all), request(one) { transfers.begin(request); }
        ~UnderWay() { transfers.end(request); }
        UnderWay(const UnderWay&) = delete;
        UnderWay& operator=(const UnderWay&) = delete;

        Transfers& transfers;
        HttpRequest& request;
    };
    const UnderWay under_way(*this, request);
    while (!request.has_ended()) {
        turn(longest_turn);
        if (meanwhile_) {
            meanwhile_();
        }
    }
    return request.finish();
}

}  // namespace statnat
