// SPDX-License-Identifier: MIT
// The subcommands `import` and `export`: a model of another program becomes a bundle, a bundle becomes a header, a JSON
// text or a bundle again. Called by main.cpp.
#pragma once

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <mldefender/core/attack.hpp>
#include <mldefender/core/bundle.hpp>
#include <mldefender/core/result.hpp>
#include <mldefender/forge/expected_rows.hpp>
#include <mldefender/forge/export.hpp>
#include <mldefender/forge/import.hpp>

namespace forge_tool {

using mldefender::error;
using mldefender::model_data;
using mldefender::result;

/// Command line of `import`.
class import_command {
public:
    explicit import_command(CLI::App& app)
        : m_command(app.add_subcommand("import", "Read a model of scikit-learn, XGBoost or LightGBM as a bundle")) {
        std::vector<std::string> classes;
        for (std::size_t c = 1; c < mldefender::attack_class_count; ++c) {
            classes.emplace_back(mldefender::attack_descriptions[c].name);
        }
        m_command->add_option("model", m_file, "XGBoost .json, LightGBM .txt, dump of dump_sklearn.py, or our JSON")
            ->required();
        m_command->add_option("--out", m_out, "Bundle to write (.mldf)")->required();
        m_command->add_option("--name", m_settings.name,
                              "Detector it becomes: ddos, ransomware, traffic or internal for the sensor");
        m_command->add_option("--class", m_label, "Attack class a high score means")->check(CLI::IsMember(classes));
        m_command->add_option("--model-version", m_settings.version, "Version of the model")->capture_default_str();
        m_command->add_option("--suspicious", m_settings.suspicious, "Scores from here on deserve watching")
            ->capture_default_str();
        m_command->add_option("--malicious", m_settings.malicious, "Scores from here on deserve a response")
            ->capture_default_str();
        m_command->add_option("--verify", m_rows, "CSV of rows and the original's scores that must come out");
        m_command->add_option("--tolerance", m_tolerance, "Largest difference of a score that --verify accepts")
            ->capture_default_str()
            ->check(CLI::Range(0.0, 1.0));
    }

    [[nodiscard]] bool parsed() const { return m_command->parsed(); }

    /// Imports, verifies, writes; nothing is written when a score differs.
    [[nodiscard]] result<void, error> run() {
        const auto file = mldefender::forge::load_model_file(m_file);
        if (!file) return file.failure();
        const bool foreign = file->format != mldefender::forge::model_format::json;
        if (foreign && (m_settings.name.empty() || m_label.empty())) {
            return error{mldefender::errc::bad_argument,
                         "the model does not say what it detects: give --name and --class", m_file, 0};
        }
        m_settings.label = mldefender::parse_attack_class(m_label).value_or(mldefender::attack_class::none);
        m_settings.command = command_line();
        const auto model = mldefender::forge::import_model(file->text, file->format, m_settings, m_file);
        if (!model) return model.failure();
        if (!m_rows.empty()) {
            if (auto verified = verify(*model); !verified) return verified;
        }
        if (auto saved = mldefender::forge::save_bundle(*model, m_out); !saved) return saved;
        fmt::print("{}: {} of {}, {} trees, {} nodes, {} inputs, hash {}\n", m_out, model->name,
                   mldefender::forge::model_format_names[static_cast<std::size_t>(file->format)], model->roots.size(),
                   model->nodes.size(), model->inputs.size(), model->hash);
        return {};
    }

private:
    // Free of directories, which do not change the result.
    [[nodiscard]] std::string command_line() const {
        return fmt::format(
            "mldefender-forge import {} --name {} --class {} --model-version {} --suspicious {} --malicious {}",
            std::filesystem::path{m_file}.filename().string(), m_settings.name, m_label, m_settings.version,
            m_settings.suspicious, m_settings.malicious);
    }

    [[nodiscard]] result<void, error> verify(const model_data& model) const {
        const auto forest = mldefender::bundle_forest::make(model);
        if (!forest) return forest.failure();
        const auto csv = mldefender::detail::read_file(m_rows, "rows", mldefender::forge::max_import_bytes);
        if (!csv) return csv.failure();
        const auto compared = mldefender::forge::compare_rows(*forest, *csv, m_rows);
        if (!compared) return compared.failure();
        fmt::print("{}: {} rows, {} scores equal to the bit, largest difference {:.3g}\n", m_rows, compared->rows,
                   compared->equal, compared->largest_difference);
        if (compared->largest_difference <= m_tolerance) return {};
        return error{
            mldefender::errc::bad_value,
            fmt::format("line {}: the score differs by {:.3g}, more than {:.3g}: is this the same model, and do "
                        "the rows hold binary32 values?",
                        compared->largest_line, compared->largest_difference, m_tolerance),
            m_rows, 0};
    }

    CLI::App* m_command;
    mldefender::forge::import_settings m_settings;
    std::string m_file;
    std::string m_out;
    std::string m_label;
    std::string m_rows;
    double m_tolerance = 1e-6;
};

/// Command line of `export`.
class export_command {
public:
    explicit export_command(CLI::App& app)
        : m_command(app.add_subcommand("export", "Write a bundle as a header, JSON or a bundle")) {
        m_command->add_option("bundle", m_file, "The .mldf file")->required();
        m_command->add_option("--header", m_header, "C++ header to write");
        m_command->add_option("--json", m_json, "JSON to write, which import reads");
        m_command->add_option("--bundle", m_bundle, "Bundle to write");
        m_command->require_option(2, 0);
    }

    [[nodiscard]] bool parsed() const { return m_command->parsed(); }

    /// Writes every form that was asked for.
    [[nodiscard]] result<void, error> run() const {
        const auto model = mldefender::load_bundle(m_file);
        if (!model) return model.failure();
        if (!m_header.empty()) {
            if (auto saved = mldefender::forge::save_header(*model, m_header); !saved) return saved;
        }
        if (!m_json.empty()) {
            if (auto saved = mldefender::forge::save_json(*model, m_json); !saved) return saved;
        }
        if (!m_bundle.empty()) {
            if (auto saved = mldefender::forge::save_bundle(*model, m_bundle); !saved) return saved;
        }
        return {};
    }

private:
    CLI::App* m_command;
    std::string m_file;
    std::string m_header;
    std::string m_json;
    std::string m_bundle;
};

}  // namespace forge_tool
