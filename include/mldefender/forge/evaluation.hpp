// SPDX-License-Identifier: MIT
// Measures models on labelled rows they were not trained on: what is found of each behaviour, what is flagged of each
// kind of ordinary traffic and how sure these numbers are, how well confidence means what it says, which class is taken
// for which, and what each feature is worth. The unit is the flow, which is flagged when any of its decisions is, as in
// the sensor. Refuses rows whose columns are not today's features. Called by the forge tool.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <mldefender/core/attack.hpp>
#include <mldefender/core/bundle.hpp>
#include <mldefender/core/feature.hpp>
#include <mldefender/core/forest.hpp>
#include <mldefender/core/math.hpp>
#include <mldefender/core/result.hpp>
#include <mldefender/core/score.hpp>
#include <mldefender/forge/calibration.hpp>
#include <mldefender/forge/dataset.hpp>
#include <mldefender/forge/detail/parallel.hpp>
#include <mldefender/forge/detail/training_rows.hpp>
#include <mldefender/forge/synth/random.hpp>
#include <mldefender/forge/training.hpp>

namespace mldefender {
inline namespace v0 {
namespace forge {

// --- rates -----------------------------------------------------------------------------------------------------------

/// Flows of one episode: how many, and how many of them were flagged.
struct episode_count {
    std::size_t flows = 0;    ///< judged
    std::size_t flagged = 0;  ///< of these
};

/// A share and where it lies with 95 % confidence.
struct measured_rate {
    double rate = 0;  ///< 0..1
    double low = 0;   ///< 0..rate
    double high = 1;  ///< rate..1
};

/// The share of flagged flows. Wilson's interval (1927) over as many flows as they are worth: flows of an episode
/// resemble each other, so the variance between episodes, when larger than chance would have it, lowers their number
/// (Kish's design effect, 1965). 0 with an interval of 0..1 without flows.
[[nodiscard]] inline measured_rate rate_of(std::span<const episode_count> episodes) {
    double flows = 0;
    double flagged = 0;
    double used = 0;
    for (const episode_count& e : episodes) {
        flows += static_cast<double>(e.flows);
        flagged += static_cast<double>(e.flagged);
        used += e.flows > 0 ? 1 : 0;
    }
    if (flows == 0) return {};
    const double p = flagged / flows;
    double between = 0;
    for (const episode_count& e : episodes) {
        const double beyond = static_cast<double>(e.flagged) - p * static_cast<double>(e.flows);
        between += beyond * beyond;
    }
    const double by_chance = p * (1 - p) * flows;
    const double excess = by_chance > 0 && used > 1 ? between * used / (used - 1) / by_chance : 1;
    const double n = flows / std::max(1.0, excess);
    constexpr double z = 1.959963984540054;
    const double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
    const double half = z / (1 + z * z / n) * square_root(p * (1 - p) / n + z * z / (4 * n * n));
    return {p, std::clamp(middle - half, 0.0, p), std::clamp(middle + half, p, 1.0)};
}

// --- flows -----------------------------------------------------------------------------------------------------------

/// What all models together say about a flow: its highest decision.
struct judged_flow {
    attack_class label = attack_class::none;  ///< what it really is
    attack_class named = attack_class::none;  ///< what the winning model calls it, `none` below suspicion
    float score = 0;                          ///< on the common scale, 0..1
    std::uint16_t author = 0;                 ///< the winning model's position
    std::uint16_t source = 0;                 ///< into the dataset's source names
    std::uint32_t group = 0;                  ///< its episode
};

namespace detail {

/// Rows of a dataset whose columns are today's features, one at a time.
class row_reader {
public:
    explicit row_reader(const dataset& data) : m_data(data) {}
    void read(std::size_t row, feature_vector& out) const noexcept {
        for (std::size_t c = 0; c < feature_count; ++c) out[c] = m_data.column(c)[row];
    }

private:
    const dataset& m_data;
};

inline float common_score(const bundle_forest& model, const feature_vector& row) noexcept {
    return on_common_scale(model.score(row), model.suspicious(), model.malicious(), model.ends());
}

}  // namespace detail

/// bad_argument, naming the first difference, when the columns are not today's features in their order.
[[nodiscard]] inline result<void, error> check_columns(const dataset& data) {
    const auto wrong = [](std::string what) {
        return error{errc::bad_argument, std::move(what) + "; collect the rows again", "rows", 0};
    };
    if (data.columns() != feature_count) {
        return wrong("they have " + std::to_string(data.columns()) + " features, this version computes " +
                     std::to_string(feature_count));
    }
    for (std::size_t c = 0; c < feature_count; ++c) {
        if (data.names()[c] != features[c].name) {
            return wrong("feature " + std::to_string(c) + " is '" + data.names()[c] + "', not '" +
                         std::string{features[c].name} + "'");
        }
    }
    return {};
}

/// Every flow of a dataset that passes check_columns, in the order they first appear. The largest score on the common
/// scale wins, ties go to the model listed first.
[[nodiscard]] inline std::vector<judged_flow> judge_flows(const dataset& data, std::span<const bundle_forest> models,
                                                          std::size_t threads) {
    struct row_verdict {
        float score = 0;
        std::uint16_t author = 0;
    };
    std::vector<row_verdict> rows(data.rows());
    const detail::row_reader reader{data};
    detail::for_each_block(data.rows(), detail::thread_count(threads, 64),
                           [&](std::size_t begin, std::size_t end, std::size_t) {
                               feature_vector v{};
                               for (std::size_t r = begin; r < end; ++r) {
                                   reader.read(r, v);
                                   for (std::size_t m = 0; m < models.size(); ++m) {
                                       const float score = detail::common_score(models[m], v);
                                       if (score > rows[r].score) rows[r] = {score, static_cast<std::uint16_t>(m)};
                                   }
                               }
                           });
    std::vector<judged_flow> flows;
    std::vector<std::size_t> highest;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> number;
    for (std::size_t r = 0; r < data.rows(); ++r) {
        const auto [at, fresh] = number.try_emplace({data.groups()[r], data.flows()[r]}, flows.size());
        if (fresh) {
            flows.push_back({data.labels()[r], attack_class::none, -1, 0, data.sources()[r], data.groups()[r]});
            highest.push_back(r);
        }
        judged_flow& flow = flows[at->second];
        if (rows[r].score > flow.score) {
            flow.score = rows[r].score;
            flow.author = rows[r].author;
            highest[at->second] = r;
        }
    }
    feature_vector v{};
    for (std::size_t f = 0; f < flows.size(); ++f) {
        if (flows[f].score < common_scale.suspicious) continue;
        reader.read(highest[f], v);
        flows[f].named = models[flows[f].author].answer(v).label;
    }
    return flows;
}

/// What became of the flows of one behaviour or family.
struct source_result {
    std::string name;                   ///< of the behaviour; "" together
    bool attack = false;                ///< whether its flows are attacks
    std::size_t flows = 0;              ///< judged
    std::size_t suspicious = 0;         ///< of these at least suspicious
    std::size_t malicious = 0;          ///< of these malicious
    std::size_t episodes = 0;           ///< scenarios or captures they come from
    std::size_t seen = 0;               ///< episodes with a suspicious flow among these
    measured_rate flagged;              ///< share of suspicious flows
    double area_under_roc = 0.5;        ///< attacks: against all ordinary flows
    std::vector<std::size_t> by_model;  ///< suspicious flows each model won
};

namespace detail {

inline source_result summarise(std::string name, bool attack, std::span<const judged_flow* const> flows,
                               std::span<const judged_row> ordinary, std::size_t models) {
    source_result r;
    r.name = std::move(name);
    r.attack = attack;
    r.flows = flows.size();
    r.by_model.resize(models);
    std::map<std::uint32_t, episode_count> episodes;
    std::vector<judged_row> both{ordinary.begin(), ordinary.end()};
    for (const judged_flow* f : flows) {
        episode_count& e = episodes[f->group];
        ++e.flows;
        if (attack) both.push_back({f->score, f->label, 1});
        if (f->score < common_scale.suspicious) continue;
        ++r.suspicious;
        ++e.flagged;
        ++r.by_model[f->author];
        if (f->score >= common_scale.malicious) ++r.malicious;
    }
    std::vector<episode_count> counts;
    for (const auto& [group, count] : episodes) {
        counts.push_back(count);
        if (count.flagged > 0) ++r.seen;
    }
    r.episodes = counts.size();
    r.flagged = rate_of(counts);
    if (attack) r.area_under_roc = area_under_roc(std::move(both));
    return r;
}

}  // namespace detail

/// One result for each behaviour: ordinary ones first, each kind by name, and one for all of each kind at its end.
[[nodiscard]] inline std::vector<source_result> results_by_source(const dataset& data,
                                                                  std::span<const judged_flow> flows,
                                                                  std::size_t models) {
    std::vector<source_result> results;
    std::vector<judged_row> ordinary;
    for (const judged_flow& f : flows) {
        if (f.label == attack_class::none) ordinary.push_back({f.score, f.label, 1});
    }
    for (const bool attack : {false, true}) {
        std::map<std::string, std::vector<const judged_flow*>> sources;
        std::vector<const judged_flow*> all;
        for (const judged_flow& f : flows) {
            if ((f.label != attack_class::none) != attack) continue;
            sources[data.source_names()[f.source]].push_back(&f);
            all.push_back(&f);
        }
        for (const auto& [name, of_source] : sources) {
            results.push_back(detail::summarise(name, attack, of_source, ordinary, models));
        }
        results.push_back(detail::summarise({}, attack, all, ordinary, models));
    }
    return results;
}

/// Flows by what they are and what they were called, [class][class]; `none` is ordinary.
using confusion_counts = std::array<std::array<std::size_t, attack_class_count>, attack_class_count>;

/// Counts them.
[[nodiscard]] inline confusion_counts confusion_of(std::span<const judged_flow> flows) {
    confusion_counts counts{};
    for (const judged_flow& f : flows) ++counts[static_cast<std::size_t>(f.label)][static_cast<std::size_t>(f.named)];
    return counts;
}

// --- one model -------------------------------------------------------------------------------------------------------

/// The classes a model can name.
[[nodiscard]] inline std::vector<attack_class> classes_of(const model_data& model) {
    std::array<bool, attack_class_count> named{};
    for (const forest_node& node : model.nodes) {
        if (node.is_leaf()) named[node.extra] = true;
    }
    std::vector<attack_class> classes;
    for (std::size_t c = 1; c < attack_class_count; ++c) {
        if (named[c]) classes.push_back(static_cast<attack_class>(c));
    }
    return classes;
}

/// The rows a model is to answer for, ordinary ones and its own classes, weighed as in training: attacks together
/// `attack_share`, classes alike, behaviours of a class alike.
struct model_rows {
    std::vector<std::size_t> rows;   ///< of the dataset
    std::vector<judged_row> judged;  ///< score, label and weight of each
};

/// Scores them; none when the dataset lacks either kind.
[[nodiscard]] inline model_rows rows_for(const dataset& data, const bundle_forest& model, double attack_share,
                                         std::size_t threads) {
    train_settings s;
    s.positives = classes_of(model.model());
    s.attack_share = attack_share;
    s.balance = class_balance::sources;
    const detail::selection chosen = detail::select(data, s);
    const auto benign = std::count(chosen.labels.begin(), chosen.labels.end(), attack_class::none);
    if (benign == 0 || static_cast<std::size_t>(benign) == chosen.rows.size()) return {};
    const std::vector<std::uint32_t> weights = detail::weigh(data, chosen, s, 16384);
    model_rows out;
    out.rows = chosen.rows;
    out.judged.resize(chosen.rows.size());
    const detail::row_reader reader{data};
    detail::for_each_block(chosen.rows.size(), detail::thread_count(threads, 64),
                           [&](std::size_t begin, std::size_t end, std::size_t) {
                               feature_vector v{};
                               for (std::size_t i = begin; i < end; ++i) {
                                   reader.read(chosen.rows[i], v);
                                   out.judged[i] = {model.score(v), chosen.labels[i], weights[i]};
                               }
                           });
    return out;
}

/// Rows of similar confidence.
struct reliability_bin {
    double confidence = 0;  ///< their mean, 0..1
    double observed = 0;    ///< share of attacks among them, by weight
    double weight = 0;      ///< share of all weight
    std::size_t rows = 0;   ///< how many
};

/// Rows by confidence in ten equal steps, empty ones left out: a calibrated model observes what it is confident of.
[[nodiscard]] inline std::vector<reliability_bin> reliability_of(std::span<const judged_row> rows,
                                                                 std::span<const calibration_point> calibration) {
    constexpr std::size_t steps = 10;
    std::array<reliability_bin, steps> bins{};
    double all = 0;
    for (const judged_row& row : rows) {
        const double confidence{confidence_of(calibration, row.score)};
        reliability_bin& bin = bins[std::min(static_cast<std::size_t>(confidence * steps), steps - 1)];
        const auto weight = static_cast<double>(row.weight);
        bin.confidence += confidence * weight;
        if (row.label != attack_class::none) bin.observed += weight;
        bin.weight += weight;
        ++bin.rows;
        all += weight;
    }
    std::vector<reliability_bin> used;
    for (reliability_bin& bin : bins) {
        if (bin.rows == 0) continue;
        bin.confidence /= bin.weight;
        bin.observed /= bin.weight;
        bin.weight /= all;
        used.push_back(bin);
    }
    return used;
}

/// Mean distance between confidence and what was observed, by weight: 0 is calibrated (ECE; Naeini et al. 2015).
[[nodiscard]] inline double calibration_error(std::span<const reliability_bin> bins) {
    double sum = 0;
    for (const reliability_bin& bin : bins) sum += bin.weight * std::abs(bin.confidence - bin.observed);
    return sum;
}

/// What a feature is worth to a model.
struct feature_worth {
    std::string name;  ///< of the feature
    double worth = 0;  ///< area under the ROC curve lost when its values are shuffled among rows; may be below 0
};

/// Permutation importance (Breiman 2001) of every input, on up to `most` rows spread evenly over behaviours; largest
/// first, equals by name. The same seed gives the same answer on any number of threads.
[[nodiscard]] inline std::vector<feature_worth> permutation_importance(const dataset& data, const bundle_forest& model,
                                                                       const model_rows& all, std::size_t most,
                                                                       std::uint64_t seed, std::size_t threads) {
    std::map<std::pair<attack_class, std::uint16_t>, std::vector<std::size_t>> sources;
    for (std::size_t i = 0; i < all.rows.size(); ++i) {
        sources[{all.judged[i].label, data.sources()[all.rows[i]]}].push_back(i);
    }
    std::vector<feature_vector> rows;
    std::vector<judged_row> plain;
    const detail::row_reader reader{data};
    for (const auto& [source, members] : sources) {
        const std::size_t wanted = std::max<std::size_t>(1, most / sources.size());
        const std::size_t step = std::max<std::size_t>(1, members.size() / wanted);
        for (std::size_t i = 0; i < members.size(); i += step) {
            reader.read(all.rows[members[i]], rows.emplace_back());
            plain.push_back(all.judged[members[i]]);
        }
    }
    const double best = area_under_roc(plain);
    const std::vector<std::string>& inputs = model.model().inputs;
    std::vector<feature_worth> worth(inputs.size());
    detail::for_each_piece(inputs.size(), detail::thread_count(threads, inputs.size()),
                           [&](std::size_t i, std::size_t) {
                               const std::size_t column = *feature_index(inputs[i]);
                               rng random{seed, i + 1};
                               std::vector<float> values;
                               for (const feature_vector& row : rows) values.push_back(row[column]);
                               for (std::size_t n = values.size(); n > 1; --n)
                                   std::swap(values[n - 1], values[random.below(n)]);
                               std::vector<judged_row> shuffled = plain;
                               for (std::size_t r = 0; r < rows.size(); ++r) {
                                   feature_vector row = rows[r];
                                   row[column] = values[r];
                                   shuffled[r].score = model.score(row);
                               }
                               worth[i] = {inputs[i], best - area_under_roc(std::move(shuffled))};
                           });
    std::sort(worth.begin(), worth.end(), [](const feature_worth& a, const feature_worth& b) {
        return a.worth != b.worth ? a.worth > b.worth : a.name < b.name;
    });
    return worth;
}

}  // namespace forge
}  // namespace v0
}  // namespace mldefender
