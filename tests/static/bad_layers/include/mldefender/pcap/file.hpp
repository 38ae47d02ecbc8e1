// SPDX-License-Identifier: MIT
// Part of a tree that the layer check must refuse.
#include <mldefender/core/bytes.hpp>
#include <mldefender/log/line.hpp>     // refused: an adapter includes another
#  include <pcap.h>
#include <pcap/pcap.h>
#include <sodium.h>                    // refused: the library of another adapter
#include <sys/socket.h>
#include <vector>
