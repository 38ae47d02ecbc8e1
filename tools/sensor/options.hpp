// SPDX-License-Identifier: MIT
// What the command line of mldefender-sensor said. Filled by main.cpp, read by run.hpp.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <mldefender/core/pipeline.hpp>
#include <mldefender/settings/sensor_settings.hpp>

namespace mldefender::sensor {

/// Exit codes, as in every tool of the project.
inline constexpr int exit_done = 0, exit_failed = 1, exit_misuse = 2;

struct options {
    std::vector<std::string> files;       ///< --pcap
    std::vector<std::string> interfaces;  ///< --interface
    std::string events;                   ///< --events
    std::string config;                   ///< --config
    flow_logging logging = flow_logging::alerts;
    std::size_t workers = 1;
    bool json_summary = false;
    settings::sensor_settings configured;
};

}  // namespace mldefender::sensor
