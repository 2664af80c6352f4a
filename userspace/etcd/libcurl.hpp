// SPDX-License-Identifier: GPL-2.0-or-later
// libcurl, loaded where pairs come from etcd and nowhere else: it brings some thirty libraries, which would be in each
// run of a tool that is root, and take longer to load than most of its commands take in all.
#pragma once

#include <curl/curl.h>

namespace statnat {

// Its functions, by the names that they have there.
struct Libcurl {
    decltype(&::curl_easy_init) easy_init;
    decltype(&::curl_easy_cleanup) easy_cleanup;
    CURLcode (*easy_setopt)(CURL*, CURLoption, ...);
    CURLcode (*easy_getinfo)(CURL*, CURLINFO, ...);
    decltype(&::curl_easy_strerror) easy_strerror;
    decltype(&::curl_slist_append) slist_append;
    decltype(&::curl_slist_free_all) slist_free_all;
    decltype(&::curl_multi_init) multi_init;
    decltype(&::curl_multi_cleanup) multi_cleanup;
    decltype(&::curl_multi_add_handle) multi_add_handle;
    decltype(&::curl_multi_remove_handle) multi_remove_handle;
    decltype(&::curl_multi_perform) multi_perform;
    decltype(&::curl_multi_poll) multi_poll;
    decltype(&::curl_multi_info_read) multi_info_read;
};

// The one of this process; must be called once before there are threads. Throws CannotGoOn where there is none.
const Libcurl& libcurl();

}  // namespace statnat
