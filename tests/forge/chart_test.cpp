// SPDX-License-Identifier: MIT
// Pictures are well-formed, keep inside their frame, escape what they are given and show every number.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <mldefender/forge/chart.hpp>

using namespace mldefender;

namespace {

std::size_t count(std::string_view text, std::string_view word) {
    std::size_t found = 0;
    for (std::size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) ++found;
    return found;
}

/// The number after each `name="`.
std::vector<double> numbers(const std::string& svg, const std::string& name) {
    std::vector<double> values;
    const std::string key = ' ' + name + "=\"";
    for (std::size_t at = svg.find(key); at != std::string::npos; at = svg.find(key, at + 1)) {
        values.push_back(std::strtod(svg.c_str() + at + key.size(), nullptr));
    }
    return values;
}

/// Elements close, and everything placed lies within the frame.
void check_picture(const std::string& svg) {
    CHECK(svg.starts_with("<svg "));
    CHECK(svg.ends_with("</svg>\n"));
    for (const char* element : {"text", "title", "style", "svg", "desc"}) {
        CHECK(count(svg, std::string{"<"} + element + ">") + count(svg, std::string{"<"} + element + " ") ==
              count(svg, std::string{"</"} + element + ">"));
    }
    const double width = numbers(svg, "width").front();
    const double height = numbers(svg, "height").front();
    for (const char* x : {"x", "cx"}) {
        for (const double value : numbers(svg, x)) {
            CHECK(value >= 0);
            CHECK(value <= width);
        }
    }
    for (const char* y : {"y", "cy"}) {
        for (const double value : numbers(svg, y)) {
            CHECK(value >= 0);
            CHECK(value <= height);
        }
    }
    CHECK(svg.find("nan") == std::string::npos);
    CHECK(svg.find("inf") == std::string::npos);
}

}  // namespace

TEST_CASE("chart: a reliability diagram has a dot for every point and a legend") {
    const std::vector<forge::reliability_series> series{{"one & two", {{0.1, 0.12, 0.7}, {0.9, 0.85, 0.3}}},
                                                        {"three", {{0, 0, 0.5}, {0.5, 0.5, 0.2}, {1, 1, 0.3}}}};
    const std::string svg = forge::reliability_diagram(series, "5 rows, seed 1");
    check_picture(svg);
    CHECK(count(svg, "<circle") == 5 + 2);
    CHECK(count(svg, "<polyline") == 2);
    CHECK(svg.find("one &amp; two</text>") != std::string::npos);
    CHECK(svg.find("5 rows, seed 1") != std::string::npos);
    CHECK(svg.find("prefers-color-scheme:dark") != std::string::npos);
    CHECK(svg == forge::reliability_diagram(series, "5 rows, seed 1"));
    check_picture(forge::reliability_diagram({}, ""));
}

TEST_CASE("chart: a confusion matrix shows every count, shaded by the share of its row") {
    const std::vector<std::string> names{"ordinary", "scan", "<b>"};
    const std::vector<std::vector<std::size_t>> counts{{990, 10, 0}, {1, 3, 0}, {0, 0, 0}};
    const std::string svg = forge::confusion_matrix(names, counts, "");
    check_picture(svg);
    for (const char* shown : {">990<", ">10<", ">3<"}) CHECK(svg.find(shown) != std::string::npos);
    CHECK(count(svg, "class=\"cell\"") == 9);
    CHECK(svg.find("scan called scan: 3 flows, 75.00 %") != std::string::npos);
    CHECK(svg.find("<b>") == std::string::npos);
    CHECK(svg.find("fill-opacity=\"0.050\"") != std::string::npos);  // a row without flows has no shade
}

TEST_CASE("chart: bars are as long as their values, and never negative") {
    const std::vector<forge::bar_panel> panels{
        {"first", {{"a", 0.4}, {"b", 0.2}, {"c", -0.1}}}, {"second", {}}, {"third", {{"d", 0}}}};
    const std::string svg = forge::bar_chart(panels, "Worth", "lost", "rows");
    check_picture(svg);
    const std::vector<double> widths = numbers(svg, "width");
    REQUIRE(widths.size() == 2 + 3 + 1);  // the picture, its ground, and the bars
    CHECK(widths[2] > 100);
    CHECK(widths[3] == doctest::Approx(widths[2] / 2).epsilon(0.01));
    CHECK(widths[4] == 0);
    CHECK(svg.find(">-0.1000<") != std::string::npos);
}

TEST_CASE("chart: numbers that are none draw as nothing") {
    const double none = std::numeric_limits<double>::quiet_NaN();
    check_picture(forge::bar_chart(std::vector<forge::bar_panel>{{"p", {{"a", none}}}}, "t", "u", "v"));
    CHECK(forge::detail::svg_number(std::numeric_limits<double>::infinity()) == "0.0");
    CHECK(forge::detail::svg_text("a<b>&\"c\n") == "a&lt;b&gt;&amp;&quot;c ");
}
