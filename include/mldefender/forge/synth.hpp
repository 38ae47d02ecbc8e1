// SPDX-License-Identifier: MIT
// The traffic synthesiser: labelled synthetic frames for training and testing. Includes the whole of forge/synth/.
// docs/synthesiser.md explains what is generated and why. It never opens a file or a socket.
#pragma once

#include <mldefender/forge/synth/scenario.hpp>
