// SPDX-License-Identifier: MIT
// The evidence kept beside an important event (`mld.artifact`, DIR/artifacts/YYYY-MM-DD/<event_id>.mlda): the event
// line, the whole feature vector with names, the models, the first payload bytes each way. A file appears complete or
// not at all. What it looks like on disk is the sealer's business; the plain one writes a header line and JSON.
// Written by the event log, read by `mldefender-log artifact`.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

#include <mldefender/core/bytes.hpp>
#include <mldefender/core/result.hpp>
#include <mldefender/log/detail/file.hpp>
#include <mldefender/log/identity.hpp>
#include <mldefender/log/text_cursor.hpp>

namespace mldefender {
inline namespace v0 {
namespace log {

/// What an artifact keeps beyond the event; views that must live until the event log has taken them.
struct artifact_content {
    std::span<const float> features;          ///< one value per name
    std::span<const std::string_view> names;  ///< of the features, same order, static text; the shorter list counts
    bytes payload_to_server;                  ///< first payload bytes, as many as the options allow are kept
    bytes payload_to_client;                  ///< the responder's
};

/// Leaves an artifact readable: "MLDA0" and a line feed, then the JSON text. The other versions after "MLDA" belong
/// to sealed files.
struct plain_sealer {
    static constexpr std::string_view header = "MLDA0\n";  ///< how a plain artifact starts
    /// The file's bytes.
    [[nodiscard]] result<std::string, error> operator()(std::string_view plain) const {
        return std::string{header}.append(plain);
    }
};

/// The JSON text of an artifact. `line` is the event line without its line feed.
[[nodiscard]] inline std::string artifact_text(std::string_view line, const identity& who,
                                               const artifact_content& content, std::size_t payload_limit) {
    std::string text = "{\"schema\":\"mld.artifact/1\",\"event\":";
    const auto append_escaped = [&text](std::string_view raw) {
        const std::size_t start = text.size();
        text.resize(start + escaped_bound(raw));
        text.resize(start + text_cursor{text.data() + start}.escaped(raw).size());
    };
    const auto append_hex = [&text, payload_limit](bytes payload) {
        payload = payload.first(std::min(payload.size(), payload_limit));
        const std::size_t start = text.size();
        text.resize(start + payload.size() * 2);
        text_cursor{text.data() + start}.hex(payload);
    };
    text.append(line).append(",\"models\":[");
    for (const model_identity& model : who.models) {
        text.append(&model == who.models.data() ? "{\"name\":\"" : ",{\"name\":\"");
        append_escaped(model.name_version);
        text.append("\",\"hash\":\"");
        append_escaped(model.hash);
        text.append("\"}");
    }
    text.append("],\"features\":{");
    for (std::size_t i = 0; i < std::min(content.features.size(), content.names.size()); ++i) {
        text.append(i == 0 ? "\"" : ",\"");
        append_escaped(content.names[i]);
        text.append("\":");
        if (std::isfinite(content.features[i])) {
            fmt::format_to(std::back_inserter(text), "{}", content.features[i]);
        } else {
            text.append("null");
        }
    }
    text.append("},\"payload\":{\"to_server\":\"");
    append_hex(content.payload_to_server);
    text.append("\",\"to_client\":\"");
    append_hex(content.payload_to_client);
    text.append("\"}}\n");
    return text;
}

/// The JSON text inside a plain artifact file.
[[nodiscard]] inline result<std::string, error> read_artifact(const std::string& path) {
    auto file = detail::read_file(path, std::size_t{16} << 20);
    if (!file) return file.failure();
    if (!file->starts_with("MLDA")) return error{errc::corrupt, "is not an artifact file: it lacks 'MLDA'", path, 0};
    if (!file->starts_with(plain_sealer::header)) {
        return error{errc::unavailable, "is sealed; open it with the key it was sealed for", path, 0};
    }
    return file->substr(plain_sealer::header.size());
}

namespace detail {

/// Writes `DIR/name` so that it is complete or absent: temporary file, fdatasync, rename.
[[nodiscard]] inline result<void, error> store_whole(const std::string& directory, const std::string& name,
                                                     std::string_view content) {
    if (auto made = make_directories(directory); !made) return made;
    const std::string path = directory + '/' + name;
    const std::string temporary = directory + "/." + name + ".tmp";
    auto file = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file) return file.failure();
    int failed = write_all(file->get(), content);
    if (failed == 0 && ::fdatasync(file->get()) != 0) failed = errno;
    if (failed == 0 && ::rename(temporary.c_str(), path.c_str()) != 0) failed = errno;
    if (failed == 0) return {};
    (void)::unlink(temporary.c_str());
    return system_error("write", path, failed);
}

}  // namespace detail
}  // namespace log
}  // namespace v0
}  // namespace mldefender
