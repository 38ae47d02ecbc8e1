// SPDX-License-Identifier: MIT
// Country codes from a MaxMind DB file made here and read by the real library; absent and damaged files.
#include <doctest/doctest.h>

#include <string>

#include <mldefender/log/country.hpp>

#include "support/log_events.hpp"
#include "support/mmdb_writer.hpp"

using namespace mldefender;

TEST_CASE("no file, no countries") {
    const auto db = log::country_db::open("");
    REQUIRE(db.ok());
    CHECK(db->empty());
    CHECK(db->find(address::v4(192, 0, 2, 1)).view().empty());
}

TEST_CASE("addresses of both families are found in their networks and nowhere else") {
    const test::scratch_directory scratch;
    test::mmdb_writer writer;
    writer.add(*parse_network("203.0.113.0/24"), "NL");
    writer.add(*parse_network("198.51.100.0/25"), "ES");
    writer.add(*parse_network("2001:db8:5::/48"), "DE");
    test::write_text(scratch / "c.mmdb", writer.file());
    const auto db = log::country_db::open(scratch / "c.mmdb");
    REQUIRE_MESSAGE(db.ok(), db.failure().text());
    const auto country = [&db](std::string_view host) { return std::string{db->find(*parse_address(host)).view()}; };
    CHECK(country("203.0.113.77") == "NL");
    CHECK(country("198.51.100.127") == "ES");
    CHECK(country("198.51.100.128") == "");
    CHECK(country("2001:db8:5::1") == "DE");
    CHECK(country("2001:db8:6::1") == "");
}

TEST_CASE("an unusable file is refused by name") {
    const test::scratch_directory scratch;
    const auto missing = log::country_db::open(scratch / "none.mmdb");
    REQUIRE_FALSE(missing.ok());
    CHECK(missing.failure().where == scratch / "none.mmdb");
    CHECK(missing.failure().code == errc::not_found);
    test::write_text(scratch / "bad.mmdb", "this is not a data base, not even nearly");
    const auto bad = log::country_db::open(scratch / "bad.mmdb");
    REQUIRE_FALSE(bad.ok());
    CHECK(bad.failure().code == errc::corrupt);
    CHECK(bad.failure().text().find("bad.mmdb") != std::string::npos);
}
