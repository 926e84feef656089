// Dead letters as people deal with them: what there is, why, and the replay of what can be read by now or was mended.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/clickhouse/client.h"
#include "marquee/ingest/dead_letter.h"
#include "marquee/log/event_log.h"

namespace marquee::ingest {

/// Makes an event of a letter's bytes, as the log has it (event::encode). Action::reject says why they are none.
using LetterReader = std::function<Result<std::string>(const DeadLetter&)>;

struct DeadLetterOptions {
  std::string topic;                            ///< Of Marquee's own events: LoaderOptions::topic.
  std::map<std::string, LetterReader> readers;  ///< Of other producers' topics.
  std::array<std::uint8_t, 16> hash_key{};      ///< CollectorOptions::hash_key: for events that somebody wrote as JSON.
  /// Whether the site requires consent; nullopt where there is no such site.
  std::function<std::optional<bool>(std::string_view site_id)> consent_required;
};

struct LetterFilter {
  std::string reason;  ///< Part of it; empty: any.
  std::optional<std::string> topic;
  std::optional<std::int64_t> since_ms;  ///< Written then or later, milliseconds since the Unix epoch.
};

struct ListedLetter {
  DeadLetter letter;
  std::uint64_t bytes_hash = 0;
  std::int64_t time_ms = 0;  ///< When it was written (last).
  std::optional<std::int64_t> replayed_ms;
  std::string text;       ///< The event as JSON where it can be read, else a beginning of the bytes for people to see.
  bool is_event = false;  ///< text is the event.
};

struct ReasonCount {
  std::string reason;  ///< As far as the first ": ".
  std::uint64_t count = 0, unreplayed = 0;
  std::int64_t newest_ms = 0;
};

struct LetterPage {
  std::uint64_t count = 0, unreplayed = 0;  ///< Of all that match, whatever is listed.
  std::vector<ReasonCount> by_reason;       ///< Most frequent first.
  std::vector<ListedLetter> letters;        ///< Newest first.
  std::string next;                         ///< Where the next page begins; empty after the last.
};

/// A letter with the content that a person gave it: exactly one of event and bytes.
struct MendedLetter {
  std::string topic;
  log::Partition partition = 0;
  log::Offset offset = 0;
  std::string event;  ///< JSON as for POST /v1/events, with site_id.
  std::string bytes;  ///< A record as others of its topic.
};

struct ReplayOrder {
  LetterFilter filter;               ///< Of letters that were not replayed.
  std::string after;                 ///< ReplayReport::next of the call before.
  std::vector<MendedLetter> mended;  ///< Where not empty: these alone.
  bool is_dry_run = false;           ///< Reads, sends nothing.
};

struct ReplayReport {
  std::uint64_t tried = 0;
  std::uint64_t replayed = 0;          ///< Sent into the log; in a dry run: that would be.
  std::uint64_t already_counted = 0;   ///< The store had the event; marked as replayed, not sent.
  std::uint64_t replayed_before = 0;   ///< Of the mended ones.
  std::vector<DeadLetter> unreadable;  ///< With the reason of now and without bytes; at most 1000.
  std::uint64_t unreadable_not_named = 0;
  std::string next;  ///< Where to go on; empty where all were tried.
};

/// Thread safe; one replay at a time, others wait. What it is given must outlive it.
///
/// A replayed event counts once, however often and wherever a replay is cut off: it goes through the log like any
/// other, under its own identity (or, where it has none, that of its source), so that repeats which follow each other
/// are dropped; before it is sent, its identity is written down and looked for among the events that have landed.
class DeadLetterOffice {
 public:
  DeadLetterOffice(DeadLetterOptions options, clickhouse::Client& store, log::EventLog& log);
  ~DeadLetterOffice();

  /// `is_replayed` chooses what is listed, not what is counted. `limit` 0 counts alone. Action::reject: `after` is
  /// none.
  [[nodiscard]] Result<LetterPage> list(const LetterFilter& filter, std::optional<bool> is_replayed,
                                        const std::string& after, std::size_t limit);
  /// Tries at most 10,000 letters. Action::retry where the store or the log is away; what was sent is marked, and
  /// calling again is safe.
  [[nodiscard]] Result<ReplayReport> replay(const ReplayOrder& order);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace marquee::ingest
