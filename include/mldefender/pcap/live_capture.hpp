// SPDX-License-Identifier: MIT
// Captures from an interface through libpcap, with the kernel's ring buffer under it. Refuses unknown interfaces,
// missing rights and wrong filters with an error that says what to do. On the loopback interface, where the kernel
// shows every packet twice, libpcap leaves out the outgoing copy. Used by the sensor; one reader thread an interface.
#pragma once

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <pcap/pcap.h>

#include <mldefender/core/packet.hpp>
#include <mldefender/core/result.hpp>
#include <mldefender/pcap/detail/format.hpp>

namespace mldefender {
inline namespace v0 {
namespace pcap {

/// How to capture.
struct live_options {
    bool promiscuous = true;                ///< also frames for other machines; turned on at the interface
    std::uint32_t buffer_bytes = 16 << 20;  ///< kernel ring buffer; what comes while it is full is dropped
    std::uint32_t snap_len = 262144;        ///< most bytes kept of a packet, 64 to 262144
    std::string filter{};                   ///< a pcap-filter(7) expression run in the kernel; empty: everything
    int timeout_ms = 10;                    ///< longest wait of a packet in the kernel for its block to fill
    bool immediate = false;                 ///< hand over each packet at once: less delay, more work per packet
};

/// Packets since the start of the capture.
struct live_counters {
    std::uint64_t received = 0;              ///< passed the filter, delivered or dropped
    std::uint64_t dropped = 0;               ///< lost for want of buffer: the reader was too slow
    std::uint64_t dropped_by_interface = 0;  ///< lost before they reached the kernel's capture
};

/// Names of the interfaces that can be captured from here, as the system lists them.
[[nodiscard]] inline std::vector<std::string> list_interfaces() {
    std::vector<std::string> names;
    char text[PCAP_ERRBUF_SIZE] = "";
    pcap_if_t* all = nullptr;
    if (pcap_findalldevs(&all, text) != 0) return names;
    for (const pcap_if_t* at = all; at != nullptr; at = at->next) names.emplace_back(at->name);
    pcap_freealldevs(all);
    return names;
}

/// A running capture. Movable, not copyable; one thread at a time.
class live_capture {
public:
    /// A capture of nothing: every burst fails.
    live_capture() = default;

    /// Starts to capture. Fails with `not_found` (and the names there are), `permission` (and how to get it),
    /// `unavailable` (the interface is down), `bad_argument` (the filter, a bound) or `io`.
    [[nodiscard]] static result<live_capture, error> open(const std::string& interface,
                                                          const live_options& options = {}) {
        if (options.snap_len < 64 || options.snap_len > detail::max_captured) {
            return error{errc::bad_argument, "the snap length must be 64 to 262144", interface, 0};
        }
        if (options.buffer_bytes > static_cast<std::uint32_t>(INT_MAX)) {
            return error{errc::bad_argument, "the buffer must be below 2 GiB", interface, 0};
        }
        char text[PCAP_ERRBUF_SIZE] = "";
        live_capture capture;
        capture.m_interface = interface;
        capture.m_handle.reset(pcap_create(interface.c_str(), text));
        pcap_t* const handle = capture.m_handle.get();
        if (handle == nullptr) return error{errc::io, std::string("cannot be captured: ") + text, interface, errno};
        (void)pcap_set_snaplen(handle, static_cast<int>(options.snap_len));
        (void)pcap_set_promisc(handle, options.promiscuous ? 1 : 0);
        (void)pcap_set_timeout(handle, std::max(1, options.timeout_ms));
        (void)pcap_set_immediate_mode(handle, options.immediate ? 1 : 0);
        (void)pcap_set_buffer_size(handle, static_cast<int>(options.buffer_bytes));
        (void)pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO);  // what is used is asked below
        const int activated = pcap_activate(handle);
        if (activated < 0) return refusal(activated, pcap_geterr(handle), interface);
        if (pcap_setnonblock(handle, 1, text) != 0) return error{errc::io, text, interface, errno};
        if (auto filtered = set_filter(handle, options.filter, interface); !filtered) return filtered.failure();
        capture.m_link = detail::link_from_file(static_cast<std::uint32_t>(pcap_datalink(handle)));
        capture.m_ns_per_unit = pcap_get_tstamp_precision(handle) == PCAP_TSTAMP_PRECISION_NANO ? 1 : 1000;
        capture.m_snap_len = options.snap_len;
        capture.m_held.reset(new std::uint8_t[held_bytes]);
        return capture;
    }

    /// Fills `out` with packets, waiting at most `max_wait` for the first; 0 when none came, when a signal interrupted
    /// the wait, or on failure (`failed()`). The bytes are copies that stay valid until the next call. A failed capture
    /// may be read again: an interface that was down delivers once it is up; one that was removed must be opened anew.
    std::size_t read_burst(std::span<raw_packet> out, std::chrono::milliseconds max_wait) {
        m_failure = {};
        if (m_handle == nullptr) {
            m_failure = {errc::bad_argument, "the capture was not opened", m_interface, 0};
            return 0;
        }
        std::size_t count = take(out);
        if (count > 0 || failed() || max_wait.count() <= 0) return count;
        pollfd waiting{pcap_get_selectable_fd(m_handle.get()), POLLIN, 0};
        const auto wait_ms = std::min<std::chrono::milliseconds::rep>(max_wait.count(), INT_MAX);
        if (::poll(&waiting, 1, static_cast<int>(wait_ms)) > 0) count = take(out);
        return count;
    }

    /// True when the last burst ended in an error.
    [[nodiscard]] bool failed() const noexcept { return m_failure.code != errc::ok; }
    /// Why; `errc::ok` when nothing is wrong.
    [[nodiscard]] const error& failure() const noexcept { return m_failure; }

    /// Counters since `open`. They never run backwards although libpcap's are 32 bits wide.
    [[nodiscard]] live_counters counters() noexcept {
        pcap_stat now{};
        if (m_handle == nullptr || pcap_stats(m_handle.get(), &now) != 0) return m_counters;
        m_counters.received += now.ps_recv - m_last.ps_recv;
        m_counters.dropped += now.ps_drop - m_last.ps_drop;
        m_counters.dropped_by_interface += now.ps_ifdrop - m_last.ps_ifdrop;
        m_last = now;
        return m_counters;
    }

    /// The interface's name as given to `open`.
    [[nodiscard]] const std::string& interface() const noexcept { return m_interface; }
    /// Link type of every packet of this capture.
    [[nodiscard]] link_type link() const noexcept { return m_link; }

private:
    /// Room for the bytes of one burst: libpcap takes its own back when the next block of the ring is read.
    static constexpr std::size_t held_bytes = std::size_t{4} << 20;

    struct closer {
        void operator()(pcap_t* handle) const noexcept { pcap_close(handle); }
    };

    /// Where the packets of one call to libpcap go.
    struct sink {
        live_capture* capture;
        std::span<raw_packet> out;
        std::size_t count;
        std::size_t used;
    };

    static void keep(u_char* user, const pcap_pkthdr* header, const u_char* data) {
        sink& to = *reinterpret_cast<sink*>(user);
        const live_capture& from = *to.capture;
        std::uint8_t* const copy = from.m_held.get() + to.used;
        std::memcpy(copy, data, header->caplen);
        to.used += header->caplen;
        raw_packet& p = to.out[to.count++];
        p.timestamp_ns =
            std::int64_t{header->ts.tv_sec} * 1'000'000'000 + std::int64_t{header->ts.tv_usec} * from.m_ns_per_unit;
        p.data = bytes{copy, header->caplen};
        p.wire_len = std::max(header->len, header->caplen);
        p.link = from.m_link;
    }

    /// Everything that is there without waiting, as far as `out` and the held bytes reach.
    std::size_t take(std::span<raw_packet> out) {
        sink to{this, out, 0, 0};
        for (;;) {
            const std::size_t room = std::min((held_bytes - to.used) / m_snap_len, out.size() - to.count);
            if (room == 0) return to.count;
            const int wanted = static_cast<int>(std::min<std::size_t>(room, INT_MAX));
            const int got = pcap_dispatch(m_handle.get(), wanted, keep, reinterpret_cast<u_char*>(&to));
            if (got < 0) m_failure = {errc::io, broken(got), m_interface, errno};
            if (got <= 0) return to.count;
        }
    }

    [[nodiscard]] std::string broken(int code) const {
        const char* const text = pcap_geterr(m_handle.get());
        return std::string("the capture stopped: ") + (*text != '\0' ? text : pcap_statustostr(code)) +
               "; bring the interface up, or open it again if it was removed";
    }

    static error refusal(int code, const std::string& text, const std::string& interface) {
        const std::string why = text.empty() ? pcap_statustostr(code) : text;
        switch (code) {
            case PCAP_ERROR_PERM_DENIED:
            case PCAP_ERROR_PROMISC_PERM_DENIED:
                return {errc::permission,
                        "not allowed to capture; run as root, or: setcap cap_net_raw,cap_net_admin+ep PROGRAM",
                        interface, EPERM};
            case PCAP_ERROR_NO_SUCH_DEVICE: {
                std::string names;
                for (const std::string& name : list_interfaces()) names += (names.empty() ? "" : ", ") + name;
                return {errc::not_found, "no such interface; there are: " + (names.empty() ? "none" : names), interface,
                        ENODEV};
            }
            case PCAP_ERROR_IFACE_NOT_UP:
                return {errc::unavailable, "the interface is down; bring it up: ip link set " + interface + " up",
                        interface, ENETDOWN};
            default: return {errc::io, "cannot be captured: " + why, interface, 0};
        }
    }

    static result<void, error> set_filter(pcap_t* handle, const std::string& filter, const std::string& interface) {
        if (filter.empty()) return {};
        bpf_program program{};
        if (pcap_compile(handle, &program, filter.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
            return error{errc::bad_argument, "filter '" + filter + "': " + pcap_geterr(handle) + "; see pcap-filter(7)",
                         interface, 0};
        }
        const int set = pcap_setfilter(handle, &program);
        pcap_freecode(&program);
        if (set != 0)
            return error{errc::io, std::string("the filter was refused: ") + pcap_geterr(handle), interface, errno};
        return {};
    }

    std::unique_ptr<pcap_t, closer> m_handle;
    std::unique_ptr<std::uint8_t[]> m_held;
    std::string m_interface;
    error m_failure;
    live_counters m_counters;
    pcap_stat m_last{};
    std::int64_t m_ns_per_unit = 1000;
    std::uint32_t m_snap_len = 262144;
    link_type m_link = link_type::ethernet;
};

}  // namespace pcap
}  // namespace v0
}  // namespace mldefender
