// SPDX-License-Identifier: GPL-2.0-or-later
#include "version.hpp"

namespace statnat {

const std::string_view version = STATNAT_VERSION;

}  // namespace statnat
