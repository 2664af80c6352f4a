// SPDX-License-Identifier: GPL-2.0-or-later
#include "etcd/libcurl.hpp"

#include "error.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

namespace statnat {
namespace {

constexpr const char* library = "libcurl.so.4";

template <class Function>
void find(void* of, const char* name, Function& function) {
    function = reinterpret_cast<Function>(::dlsym(of, name));
    if (!function) {
        throw CannotGoOn{fmt::format("pairs come from etcd by libcurl 7.66 or later, and {} has no {}", library, name)};
    }
}

Libcurl load() {
    void* const loaded = ::dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!loaded) {
        throw CannotGoOn{fmt::format("pairs come from etcd by libcurl, which is not here ({}): install libcurl4, or "
                                     "what this system calls it",
                                     ::dlerror())};
    }
    decltype(&::curl_global_init) begin = nullptr;
    find(loaded, "curl_global_init", begin);
    Libcurl curl{};
    find(loaded, "curl_easy_init", curl.easy_init);
    find(loaded, "curl_easy_cleanup", curl.easy_cleanup);
    find(loaded, "curl_easy_setopt", curl.easy_setopt);
    find(loaded, "curl_easy_getinfo", curl.easy_getinfo);
    find(loaded, "curl_easy_strerror", curl.easy_strerror);
    find(loaded, "curl_slist_append", curl.slist_append);
    find(loaded, "curl_slist_free_all", curl.slist_free_all);
    find(loaded, "curl_multi_init", curl.multi_init);
    find(loaded, "curl_multi_cleanup", curl.multi_cleanup);
    find(loaded, "curl_multi_add_handle", curl.multi_add_handle);
    find(loaded, "curl_multi_remove_handle", curl.multi_remove_handle);
    find(loaded, "curl_multi_perform", curl.multi_perform);
    find(loaded, "curl_multi_poll", curl.multi_poll);
    find(loaded, "curl_multi_info_read", curl.multi_info_read);
    if (begin(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        throw CannotGoOn{"libcurl cannot begin"};
    }
    return curl;
}

}  // namespace

const Libcurl& libcurl() {
    static const Libcurl loaded = load();
    return loaded;
}

}  // namespace statnat
