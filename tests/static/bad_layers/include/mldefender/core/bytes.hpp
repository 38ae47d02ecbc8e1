// SPDX-License-Identifier: MIT
// Part of a tree that the layer check must refuse; each line marked so, and no other.
#include <cstdint>
#include <fmt/core.h>                     // refused: third-party in core
#include <format>                         // refused: a standard header core does without
#include <mldefender/core/flow.hpp>       // refused: level 0 includes level 1
#include <mldefender/core/nowhere.hpp>    // refused: no level
#include <mldefender/core/result.hpp>
#include <mldefender/log/line.hpp>        // refused: core includes an adapter
#include <unistd.h>                       // refused: the system in core
#include "result.hpp"                     // refused: quoted in a public header
#include CHOSEN_HEADER                    // refused: spelled by a macro
