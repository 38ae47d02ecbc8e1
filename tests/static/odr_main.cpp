// SPDX-License-Identifier: MIT
// Links two translation units that each include every public header. Fails to link when something in a header is
// defined twice, and returns 1 when the two units see different copies of an inline variable.
const void* odr_one();
const void* odr_two();

int main() { return odr_one() == odr_two() ? 0 : 1; }
