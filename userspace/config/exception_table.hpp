// SPDX-License-Identifier: GPL-2.0-or-later
// One table of the list `except`: an address, and the port or protocol of it that its pair is not for.
#pragma once

#include "config/draft.hpp"
#include "toml/toml_document.hpp"

namespace statnat {

class ExceptionTable {
public:
    // The draft has its file under this number, and what is read goes there.
    ExceptionTable(unsigned number, Draft& draft) : number_(number), draft_(draft) {}

    void read(const toml::table& table);

private:
    Position place(const toml::source_region& region) const {
        return {number_, region.begin.line, region.begin.column};
    }

    unsigned number_;
    Draft& draft_;
};

}  // namespace statnat
