// SPDX-License-Identifier: MIT
// The one place that states the library's version. CMake, packages and every event line read it from here;
// a test fails when any other file disagrees.
#pragma once

#include <string_view>

#define MLDEFENDER_VERSION_MAJOR 0
#define MLDEFENDER_VERSION_MINOR 1
#define MLDEFENDER_VERSION_PATCH 0

namespace mldefender {
inline namespace v0 {

/// Semantic version of these headers, as written into `mld.version` of each event.
inline constexpr std::string_view version = "0.1.0";

}  // namespace v0
}  // namespace mldefender
