// SPDX-License-Identifier: GPL-2.0-or-later
#include "etcd/request.hpp"

#include <new>
#include <utility>

#include <fmt/format.h>

namespace statnat {
namespace {

// A member that is away answers nothing at all, and others wait to be asked.
constexpr long longest_connecting = 2000;  // milliseconds

}  // namespace

HttpRequest::HttpRequest(const EtcdAccess& access) : curl_(libcurl()), handle_(curl_.easy_init()) {
    if (!handle_) {
        throw std::bad_alloc();
    }
    set(CURLOPT_NOSIGNAL, 1L);  // there are threads
#if LIBCURL_VERSION_NUM >= 0x075500
    set(CURLOPT_PROTOCOLS_STR, "http,https");
#else
    set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_PROXY, "");  // whatever the environment says
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_CONNECTTIMEOUT_MS, longest_connecting);
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_TCP_KEEPIDLE, 5L);
    set(CURLOPT_TCP_KEEPINTVL, 2L);
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!access.ca.empty()) {
        set(CURLOPT_CAINFO, access.ca.c_str());
    }
    if (!access.certificate.empty()) {
        set(CURLOPT_SSLCERT, access.certificate.c_str());
        set(CURLOPT_SSLKEY, access.key.c_str());
    }
    set(CURLOPT_ERRORBUFFER, error_.data());
    set(CURLOPT_WRITEFUNCTION, &HttpRequest::write);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_PRIVATE, this);
}

HttpRequest::~HttpRequest() {
    curl_.easy_cleanup(handle_);
    curl_.slist_free_all(headers_);
}

template <class Value>
void HttpRequest::set(CURLoption option, Value value) {
    if (const CURLcode code = curl_.easy_setopt(handle_, option, value); code != CURLE_OK) {
        throw HttpFailure{fmt::format("libcurl refuses option {}: {}", static_cast<int>(option),
                                      curl_.easy_strerror(code))};
    }
}

void HttpRequest::prepare(const std::string& url, const std::string& body, const std::string& authorization,
                          std::chrono::milliseconds most, Take take) {
    url_ = url;
    take_ = std::move(take);
    curl_.slist_free_all(std::exchange(headers_, nullptr));
    headers_ = curl_.slist_append(headers_, "Content-Type: application/json");
    headers_ = curl_.slist_append(headers_, "Expect:");  // all of it at once
    headers_ = curl_.slist_append(headers_, "Grpc-Metadata-hasleader: true");  // and none who has lost his leader
    if (!authorization.empty()) {
        headers_ = curl_.slist_append(headers_, ("Authorization: " + authorization).c_str());
    }
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_HTTPHEADER, headers_);
    set(CURLOPT_POSTFIELDS, body.data());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(most.count()));
}

void HttpRequest::begin() {
    error_[0] = '\0';
    ended_.reset();
}

long HttpRequest::finish() const {
    const CURLcode code = *ended_;
    const auto failed = [&](std::string_view why) { return HttpFailure{fmt::format("{}: {}", url_, why)}; };
    if (code == CURLE_WRITE_ERROR) {
        throw failed("answers more than it may");
    }
    if (code != CURLE_OK) {
        throw failed(error_[0] != '\0' ? error_.data() : curl_.easy_strerror(code));
    }
    long status = 0;
    curl_.easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 300 && status < 400) {
        throw failed(fmt::format("leads elsewhere (HTTP {}), which is not followed", status));
    }
    return status;
}

std::size_t HttpRequest::write(const char* bytes, std::size_t size, std::size_t count, void* request) {
    const std::size_t length = size * count;
    return static_cast<HttpRequest*>(request)->take_({bytes, length}) ? length : 0;
}

}  // namespace statnat
