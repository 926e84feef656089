// Parses what clients send (JSON array, one object, {"events": [...]}, or NDJSON) into events, and names what is wrong.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/event/event.h"

namespace marquee::event {

/// Why one event was refused; its neighbours go through.
struct Rejection {
  std::uint32_t index = 0;  ///< Position in the request, from 0.
  std::string field;        ///< Name as sent; empty where the whole event is at fault.
  std::string reason;       ///< For people.
};

/// What holds for all events of one request.
struct Context {
  std::string_view site_id;  ///< Of the write key; an event naming another site is refused.
  std::int64_t received_time_ms = 0;
  std::string_view user_agent;                  ///< Source of device, os, browser, is_bot where the event gives none.
  std::array<std::uint8_t, 16> hash_key{};      ///< Secret for user_key and session_id (SipHash-2-4).
  std::int64_t max_age_ms = 30LL * 86'400'000;  ///< Older events are refused ("event_time"); 0: any age (importers).
  std::int64_t max_future_ms = 60'000;          ///< Later ones are moved to received_time.
  bool consent_required = false;  ///< Without consent "full" or "contextual", user and session identity is dropped.
  bool trusted = false;           ///< Importers: may set is_bot, received_time, any age.
};

/// Parses one request at a time; keep one per thread and reuse it (buffers stay). Not thread safe.
/// Clock: a request may carry "sent_at" (client's clock, ms or RFC 3339) beside "events", or each event its own; the
/// difference to received_time corrects every event_time, so that a client's wrong clock does not matter.
class Parser {
 public:
  Parser();
  ~Parser();
  Parser(Parser&&) noexcept;

  struct Outcome {
    std::uint32_t accepted = 0;
    std::vector<Rejection> rejections;
  };

  /// Gives each good event to `on_event` (borrowed until on_event returns). Fails as a whole (Action::reject, nothing
  /// given) only where the text as a whole is not JSON of a known shape; a broken NDJSON line is a Rejection.
  [[nodiscard]] Result<Outcome> parse(std::string_view body, const Context& context,
                                      const std::function<void(const Event&)>& on_event);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// True where the user agent names a crawler, a preview fetcher, a headless browser or a library.
[[nodiscard]] bool looks_like_bot(std::string_view user_agent);

}  // namespace marquee::event
