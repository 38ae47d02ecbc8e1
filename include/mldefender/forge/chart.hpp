// SPDX-License-Identifier: MIT
// Pictures of a measurement as small SVG files that need nothing but a browser: a reliability diagram, a confusion
// matrix and bars of feature importance. Colours follow the reader's light or dark scheme and are told apart by people
// who see few of them (Okabe and Ito 2008). The same numbers give the same bytes. Refuses nothing: text is escaped,
// numbers that are not finite are drawn as 0. Called by the forge tool.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mldefender {
inline namespace v0 {
namespace forge {

namespace detail {

/// One decimal is a tenth of a pixel.
[[nodiscard]] inline std::string svg_number(double value, int decimals = 1) {
    std::array<char, 64> digits{};
    const double drawn = std::isfinite(value) && std::abs(value) < 1e9 ? value : 0;
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), drawn, std::chars_format::fixed, decimals);
    return {digits.data(), end.ptr};
}

[[nodiscard]] inline std::string svg_text(std::string_view raw) {
    std::string out;
    for (const char c : raw) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            default: out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
        }
    }
    return out;
}

inline constexpr std::string_view svg_style =
    "<style>.bg{fill:#ffffff}.ink{fill:#1f2328}.soft{fill:#59636e}.grid{stroke:#d1d9e0}.axis{stroke:#59636e}"
    ".s0{fill:#0072b2;stroke:#0072b2}.s1{fill:#d55e00;stroke:#d55e00}.s2{fill:#009e73;stroke:#009e73}"
    ".s3{fill:#cc79a7;stroke:#cc79a7}.line{fill:none;stroke-width:2}.cell{fill:#0072b2}.on{fill:#ffffff}"
    "@media(prefers-color-scheme:dark){.bg{fill:#0d1117}.ink{fill:#f0f6fc}.soft{fill:#9198a1}.grid{stroke:#3d444d}"
    ".axis{stroke:#9198a1}.s0{fill:#56b4e9;stroke:#56b4e9}.s1{fill:#e69f00;stroke:#e69f00}"
    ".s2{fill:#2bc29b;stroke:#2bc29b}.cell{fill:#2f81c7}}"
    "text{font:12px system-ui,sans-serif}.title{font-size:15px;font-weight:600}.line{fill:none}</style>\n";

/// Where a text's position lies in it.
enum class text_anchor : unsigned char { start, middle, end };

/// An SVG under construction; coordinates are pixels from the upper left corner.
class canvas {
public:
    canvas(double width, double height, std::string_view title, std::string_view about) {
        const std::string size = svg_number(width, 0) + ' ' + svg_number(height, 0);
        m_text = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + size + "\" width=\"" +
                 svg_number(width, 0) + "\" height=\"" + svg_number(height, 0) + "\" role=\"img\">\n<title>" +
                 svg_text(title) + "</title>\n<desc>" + svg_text(about) + "</desc>\n" + std::string{svg_style} +
                 "<rect class=\"bg\" width=\"100%\" height=\"100%\"/>\n";
        text(16, 24, title, "ink title");
        text(16, 42, about, "soft");
    }

    canvas& text(double x, double y, std::string_view words, std::string_view look,
                 text_anchor anchor = text_anchor::start, bool upwards = false) {
        constexpr std::array<std::string_view, 3> anchors{"start", "middle", "end"};
        m_text += "<text x=\"" + svg_number(x) + "\" y=\"" + svg_number(y) + "\" class=\"" + std::string{look} +
                  "\" text-anchor=\"" + std::string{anchors[static_cast<std::size_t>(anchor)]} + '"';
        if (upwards) m_text += " transform=\"rotate(-90 " + svg_number(x) + ' ' + svg_number(y) + ")\"";
        m_text += '>' + svg_text(words) + "</text>\n";
        return *this;
    }
    canvas& line(double x1, double y1, double x2, double y2, std::string_view look, std::string_view dashes = {}) {
        m_text += "<path class=\"" + std::string{look} + "\" d=\"M" + svg_number(x1) + ' ' + svg_number(y1) + 'L' +
                  svg_number(x2) + ' ' + svg_number(y2) + '"';
        if (!dashes.empty()) m_text += " stroke-dasharray=\"" + std::string{dashes} + '"';
        m_text += "/>\n";
        return *this;
    }
    canvas& polyline(std::span<const std::pair<double, double>> points, std::string_view look) {
        m_text += "<polyline class=\"" + std::string{look} + "\" points=\"";
        for (const auto& [x, y] : points) m_text += svg_number(x) + ',' + svg_number(y) + ' ';
        m_text += "\"/>\n";
        return *this;
    }
    canvas& dot(double x, double y, double radius, std::string_view look, std::string_view hint) {
        m_text += "<circle class=\"" + std::string{look} + "\" cx=\"" + svg_number(x) + "\" cy=\"" + svg_number(y) +
                  "\" r=\"" + svg_number(radius) + "\"><title>" + svg_text(hint) + "</title></circle>\n";
        return *this;
    }
    canvas& box(double x, double y, double width, double height, std::string_view look, double opacity,
                std::string_view hint) {
        m_text += "<rect class=\"" + std::string{look} + "\" x=\"" + svg_number(x) + "\" y=\"" + svg_number(y) +
                  "\" width=\"" + svg_number(width) + "\" height=\"" + svg_number(height) + "\" fill-opacity=\"" +
                  svg_number(opacity, 3) + "\" stroke=\"none\"><title>" + svg_text(hint) + "</title></rect>\n";
        return *this;
    }
    [[nodiscard]] std::string done() const { return m_text + "</svg>\n"; }

private:
    std::string m_text;
};

[[nodiscard]] inline std::string series_look(std::size_t index) { return 's' + std::to_string(index % 4); }

}  // namespace detail

/// A point of a reliability diagram.
struct reliability_point {
    double confidence = 0;  ///< 0..1
    double observed = 0;    ///< 0..1
    double weight = 0;      ///< share of all rows, 0..1: the size of the dot
};

/// One model's points, by ascending confidence.
struct reliability_series {
    std::string name;                       ///< for the legend
    std::vector<reliability_point> points;  ///< at most a few dozen
};

/// Observed share of attacks over confidence; a calibrated model lies on the diagonal. `about` is a line below the
/// title: what was measured.
[[nodiscard]] inline std::string reliability_diagram(std::span<const reliability_series> series,
                                                     std::string_view about) {
    constexpr double left = 70, top = 60, side = 400;
    detail::canvas c{640, 520, "Reliability: how often a confidence is right", about};
    const auto x = [](double v) { return left + side * v; };
    const auto y = [](double v) { return top + side * (1 - v); };
    for (int i = 0; i <= 10; i += 2) {
        const double v = i / 10.0;
        c.line(x(0), y(v), x(1), y(v), "grid").line(x(v), y(0), x(v), y(1), "grid");
        c.text(x(0) - 8, y(v) + 4, std::to_string(i * 10) + " %", "soft", detail::text_anchor::end);
        c.text(x(v), y(0) + 18, std::to_string(i * 10) + " %", "soft", detail::text_anchor::middle);
    }
    c.line(x(0), y(0), x(1), y(1), "axis", "5 4");
    c.text(x(0.5), y(0) + 40, "confidence that a decision is about an attack", "ink", detail::text_anchor::middle);
    c.text(22, y(0.5), "share that were attacks", "ink", detail::text_anchor::middle, true);
    for (std::size_t s = 0; s < series.size(); ++s) {
        const std::string look = detail::series_look(s);
        std::vector<std::pair<double, double>> path;
        for (const reliability_point& p : series[s].points) path.emplace_back(x(p.confidence), y(p.observed));
        c.polyline(path, look + " line");
        for (const reliability_point& p : series[s].points) {
            const std::string hint = series[s].name + ": confidence " + detail::svg_number(100 * p.confidence) +
                                     " %, attacks " + detail::svg_number(100 * p.observed) + " %, " +
                                     detail::svg_number(100 * p.weight, 2) + " % of all weight";
            c.dot(x(p.confidence), y(p.observed), 2.5 + 8 * std::sqrt(std::clamp(p.weight, 0.0, 1.0)), look, hint);
        }
        const double row = top + 16 + 22 * static_cast<double>(s);
        c.dot(x(1) + 30, row - 4, 5, look, series[s].name).text(x(1) + 42, row, series[s].name, "ink");
    }
    const double last = top + 16 + 22 * static_cast<double>(series.size());
    c.line(x(1) + 22, last - 4, x(1) + 38, last - 4, "axis", "5 4").text(x(1) + 42, last, "calibrated", "ink");
    c.text(x(1) + 22, last + 22, "a dot's area is its", "soft")
        .text(x(1) + 22, last + 37, "share of the weight", "soft");
    return c.done();
}

/// A square of counts, rows what flows are and columns what they were called; shades are shares of a row, and cells say
/// the count. `names` names both; counts[i].size() == names.size().
[[nodiscard]] inline std::string confusion_matrix(std::span<const std::string> names,
                                                  std::span<const std::vector<std::size_t>> counts,
                                                  std::string_view about) {
    constexpr double left = 130, top = 96, cell_width = 74, cell_height = 34;
    const auto size = static_cast<double>(names.size());
    const double width = std::max(560.0, left + cell_width * size + 30);
    detail::canvas c{width, top + cell_height * size + 64, "Confusion: what flows are and what they are called", about};
    const double middle = left + cell_width * size / 2;
    c.text(middle, top - 30, "called by the forests", "ink", detail::text_anchor::middle);
    c.text(20, top + cell_height * size / 2, "really is", "ink", detail::text_anchor::middle, true);
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto at = static_cast<double>(i);
        c.text(left + cell_width * (at + 0.5), top - 10, names[i], "soft", detail::text_anchor::middle);
        c.text(left - 10, top + cell_height * (at + 0.5) + 4, names[i], "soft", detail::text_anchor::end);
        std::size_t all = 0;
        for (const std::size_t n : counts[i]) all += n;
        for (std::size_t j = 0; j < counts[i].size(); ++j) {
            const double share = all == 0 ? 0 : static_cast<double>(counts[i][j]) / static_cast<double>(all);
            const double cx = left + cell_width * static_cast<double>(j);
            const double cy = top + cell_height * at;
            const std::string hint = names[i] + " called " + names[j] + ": " + std::to_string(counts[i][j]) +
                                     " flows, " + detail::svg_number(100 * share, 2) + " %";
            c.box(cx + 1, cy + 1, cell_width - 2, cell_height - 2, "cell", 0.05 + 0.95 * share, hint);
            c.text(cx + cell_width / 2, cy + cell_height / 2 + 4, std::to_string(counts[i][j]),
                   share > 0.55 ? "on" : "ink", detail::text_anchor::middle);
        }
    }
    c.text(left, top + cell_height * size + 28, "flows; the shade is the share of the row", "soft");
    return c.done();
}

/// A bar.
struct bar {
    std::string name;  ///< left of it
    double value = 0;  ///< its length; below 0 it has none
};

/// Bars of one panel, longest first.
struct bar_panel {
    std::string title;      ///< above them
    std::vector<bar> bars;  ///< at most a dozen or two
};

/// Panels of horizontal bars, two beside each other, each with a scale of its own that starts at 0. `unit` says what a
/// bar measures.
[[nodiscard]] inline std::string bar_chart(std::span<const bar_panel> panels, std::string_view title,
                                           std::string_view unit, std::string_view about) {
    constexpr double panel_width = 440, label_width = 170, row_height = 20, top = 64, head = 30, foot = 46;
    std::size_t most = 1;
    for (const bar_panel& p : panels) most = std::max(most, p.bars.size());
    const double panel_height = head + row_height * static_cast<double>(most) + foot;
    const auto lines = static_cast<double>((panels.size() + 1) / 2);
    detail::canvas c{2 * panel_width + 20, top + lines * panel_height, title, about};
    for (std::size_t i = 0; i < panels.size(); ++i) {
        const double x = 10 + panel_width * static_cast<double>(i % 2);
        const double y = top + panel_height * static_cast<double>(i / 2);
        double longest = 0;
        for (const bar& b : panels[i].bars) longest = std::max(longest, b.value);
        if (!(longest > 0)) longest = 1;
        const double room = panel_width - label_width - 70;
        const double bottom = y + head + row_height * static_cast<double>(most);
        c.text(x + label_width, y + 16, panels[i].title, "ink title");
        c.line(x + label_width, y + head - 4, x + label_width, bottom, "axis");
        for (std::size_t b = 0; b < panels[i].bars.size(); ++b) {
            const bar& one = panels[i].bars[b];
            const double row = y + head + row_height * static_cast<double>(b);
            const double length = room * std::clamp(one.value / longest, 0.0, 1.0);
            const std::string value = detail::svg_number(one.value, 4);
            c.text(x + label_width - 8, row + 14, one.name, "ink", detail::text_anchor::end);
            c.box(x + label_width, row + 3, length, row_height - 6, detail::series_look(i), 1, one.name + ": " + value);
            c.text(x + label_width + length + 6, row + 14, value, "soft");
        }
        c.text(x + label_width, bottom + 18, unit, "soft");
    }
    return c.done();
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
