// SPDX-License-Identifier: MIT
// Random but valid forests and nasty rows, for tests and benchmarks that compare layouts. Thresholds repeat and
// include zeros of both signs, denormals and the largest floats; rows hit them exactly, and NaN and infinities.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mldefender/core/bundle.hpp>

namespace test_support {

/// splitmix64 (Steele, Lea, Flood 2014).
class random_numbers {
public:
    explicit random_numbers(std::uint64_t seed) : m_state(seed) {}
    std::uint64_t next() {
        std::uint64_t z = (m_state += 0x9e3779b97f4a7c15ULL);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        return z ^ (z >> 31);
    }
    std::size_t below(std::size_t count) { return static_cast<std::size_t>(next() % count); }
    /// -4 .. 4 in steps of 2^-13.
    float number() { return static_cast<float>(static_cast<int>(below(65536)) - 32768) / 8192.0F; }

private:
    std::uint64_t m_state;
};

inline constexpr float special_thresholds[] = {0.0F,
                                               -0.0F,
                                               1.0F,
                                               std::numeric_limits<float>::denorm_min(),
                                               -std::numeric_limits<float>::denorm_min(),
                                               std::numeric_limits<float>::min(),
                                               std::numeric_limits<float>::max(),
                                               std::numeric_limits<float>::lowest()};

/// A value for a row: ordinary, exactly on a threshold, or something thresholds cannot be.
inline float nasty_value(random_numbers& random) {
    switch (random.below(8)) {
        case 0: return special_thresholds[random.below(std::size(special_thresholds))];
        case 1: return std::numeric_limits<float>::quiet_NaN();
        case 2: return -std::numeric_limits<float>::quiet_NaN();
        case 3: return std::numeric_limits<float>::infinity();
        case 4: return -std::numeric_limits<float>::infinity();
        case 5: return static_cast<float>(random.below(5)) - 2;
        default: return random.number();
    }
}

/// Appends a tree of `leaves` leaves, breadth first.
inline void add_random_tree(mldefender::model_data& model, std::size_t leaves, random_numbers& random) {
    using mldefender::forest_node;
    const std::size_t root = model.nodes.size();
    model.roots.push_back(static_cast<std::uint32_t>(root));
    model.nodes.push_back({});
    std::size_t spare = leaves - 1;  // inner nodes still to place
    for (std::size_t at = root; at < model.nodes.size(); ++at) {
        const bool last_open = at + 1 == model.nodes.size();
        if (spare == 0 || (!last_open && random.below(3) == 0)) {
            const std::size_t units = random.below(3) == 0 ? 0 : 1 + random.below(65536);
            const std::size_t label = units == 0 ? 0 : 1 + random.below(mldefender::attack_class_count - 1);
            model.nodes[at] = {static_cast<float>(units) / 65536.0F, 0, 0, static_cast<std::uint16_t>(label)};
            continue;
        }
        --spare;
        const bool special = random.below(4) == 0;
        const float threshold =
            special ? special_thresholds[random.below(std::size(special_thresholds))]
                    : (random.below(4) == 0 ? static_cast<float>(random.below(5)) - 2 : random.number());
        model.nodes[at] = {threshold, static_cast<std::uint32_t>(model.nodes.size()),
                           static_cast<std::uint16_t>(random.below(model.inputs.size())),
                           static_cast<std::uint16_t>(random.below(32769))};
        model.nodes.resize(model.nodes.size() + 2);
    }
}

/// A valid forest over inputs "f0", "f1", ...
inline mldefender::model_data random_forest(std::size_t trees, std::size_t leaves, std::size_t inputs,
                                            std::uint64_t seed) {
    random_numbers random{seed};
    mldefender::model_data model;
    model.name = "random";
    model.version.assign(1, '1');
    model.command = "none";
    model.feature_list_hash = "0000000000000000";
    model.metadata = "{}";
    model.seed = seed;
    model.suspicious = 0.5F;
    model.malicious = 0.75F;
    for (std::size_t i = 0; i < inputs; ++i) {
        model.inputs.push_back(std::string{"f"}.append(std::to_string(i)));
        model.importance.push_back(1.0F / static_cast<float>(inputs));
    }
    model.calibration = {{0, 0.125F}, {0.5F, 0.5F}, {1, 0.875F}};
    for (std::size_t tree = 0; tree < trees; ++tree) add_random_tree(model, leaves, random);
    return model;
}

/// Makes it a model made elsewhere: leaf values of every size, and about half of the nodes send NaN left.
inline void add_leaf_values(mldefender::model_data& model, mldefender::score_link link,
                            mldefender::sum_precision precision, random_numbers& random) {
    using mldefender::score_link;
    const bool mean = link == score_link::mean;
    model.sum = {link, precision, mldefender::attack_class::scan, mean ? 0 : double{random.number()}, 1};
    if (!mean && precision == mldefender::sum_precision::binary64) model.sum.slope = 0.75;
    for (mldefender::forest_node& node : model.nodes) {
        if (!node.is_leaf() && random.below(2) == 0) node.input |= mldefender::missing_goes_left;
        const double share = static_cast<double>(random.next() >> 11) / 9007199254740992.0;
        const double value = mean ? share : (share - 0.5) / static_cast<double>(1U << random.below(20));
        model.leaf_values.push_back(!node.is_leaf() ? 0
                                    : precision == mldefender::sum_precision::binary32
                                        ? double{static_cast<float>(value)}
                                        : value);
    }
}

/// A list of `Count` features f0, f1, ..., standing in for feature.hpp.
template <std::size_t Count>
struct numbered_features {
    static constexpr std::size_t count = Count;
    static constexpr std::optional<std::size_t> index(std::string_view name) noexcept {
        if (name.size() < 2 || name.size() > 4 || name[0] != 'f') return std::nullopt;
        std::size_t number = 0;
        for (const char digit : name.substr(1)) {
            if (digit < '0' || digit > '9') return std::nullopt;
            number = number * 10 + static_cast<std::size_t>(digit - '0');
        }
        if (number >= Count) return std::nullopt;
        return number;
    }
};

}  // namespace test_support
