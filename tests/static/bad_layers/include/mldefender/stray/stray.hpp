// SPDX-License-Identifier: MIT
// Part of a tree that the layer check must refuse.
#include <vector>  // refused: a folder without a row
