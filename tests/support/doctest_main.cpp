// SPDX-License-Identifier: MIT
// doctest's main, compiled once and linked into every test program. Test files themselves have none.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
