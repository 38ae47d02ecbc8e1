// SPDX-License-Identifier: MIT
// An address is not built from a bare number: whether 0x0a000001 is IPv4, and in which byte order, has to be said.
// refused: could not convert|no viable conversion|conversion from .* requested
#include <mldefender/core/address.hpp>

#ifdef MUST_NOT_COMPILE
mldefender::address host = 0x0a000001U;
#else
mldefender::address host = mldefender::address::v4(0x0a000001U);
#endif
