// SPDX-License-Identifier: MIT
// The smallest use: one row of features, judged by the rules and by one forest. Rules and forest are data the compiler
// sees, so the verdict can be a static_assert.
#include <cstdio>
#include <string_view>

#include <mldefender/core/models/ddos.hpp>
#include <mldefender/core/score.hpp>

using namespace mldefender;

// A flow of one SYN, to a host that has just received 20,000 of them and completed next to none.
constexpr feature_vector flooded() {
    feature_vector row{};
    const auto set = [&row](std::string_view name, float value) { row[*feature_index(name)] = value; };
    set("protocol", 6);
    set("destination_port", 443);
    set("total_fwd_packets", 1);
    set("total_fwd_bytes", 40);
    set("packet_length_mean", 40);
    set("syn_flag_count", 1);
    set("dst_flows", 20'000);
    set("dst_incomplete", 0.99F);
    return row;
}

constexpr decision made = decide_on(flooded(), rule_set{}, max_threat<forest<models::ddos>>{});
static_assert(made.attack == attack_class::ddos);

int main() {
    std::printf("%s: score %.2f (rules %.2f, forest %.2f)\n", name_of(made.attack).data(),
                static_cast<double>(made.score), static_cast<double>(made.fast.score),
                static_cast<double>(made.ml.score));
}
