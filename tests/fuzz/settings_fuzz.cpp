// SPDX-License-Identifier: MIT
// Arbitrary documents against the settings loader: refused or applied, never a crash, and targets change only when
// the document is accepted.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <mldefender/settings/binding.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    double number = 1;
    std::uint16_t small = 2;
    bool flag = false;
    std::string text = "a";
    std::vector<std::string> list;
    mldefender::settings::binding b;
    b.number("a.number", number, {0, 10}, "");
    b.number("a.small", small, {}, "");
    b.boolean("b", flag, "");
    b.text("text", text, "");
    b.list("a.b.list", list, "");
    const auto done = b.load_text({reinterpret_cast<const char*>(data), size}, "fuzz");
    const bool untouched = number == 1 && small == 2 && !flag && text == "a" && list.empty();
    if (!done && !untouched) std::abort();
    if (!done && done.failure().text().empty()) std::abort();
    if (!(number >= 0 && number <= 10)) std::abort();
    return 0;
}
