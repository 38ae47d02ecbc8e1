// SPDX-License-Identifier: MIT
// Part of a tree that the layer check must refuse.
#include <CLI/CLI.hpp>
#include <mldefender/forge/trainer.hpp>  // refused: not a component of this tool
#include <mldefender/pcap/file.hpp>
#include <pcap.h>                        // refused: what an adapter wraps
#include "options.hpp"
