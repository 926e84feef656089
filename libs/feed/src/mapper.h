// Makes the JSON of an event, as POST /v1/events takes it, out of a message.
#pragma once

#include <simdjson.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "marquee/base/result.h"
#include "marquee/feed/description.h"

namespace marquee::feed {

/// A message of the feed's topic; borrowed.
struct MessageView {
  std::uint32_t partition = 0;
  std::uint64_t offset = 0;
  std::optional<std::int64_t> timestamp_ms;  ///< Since the Unix epoch, as Kafka has it.
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::function<std::optional<std::string_view>(const std::string& name)> header;  ///< May be empty.
};

/// What a message becomes.
struct Mapped {
  bool is_ignored = false;
  std::string event;       ///< JSON.
  std::string user_agent;  ///< Empty: not given.
};

/// Not thread safe: it reuses its buffers.
class Mapper {
 public:
  explicit Mapper(const Description& feed) : feed_(feed) {}
  /// `value` is what the message's bytes say. Action::reject names the field and what is wrong with its value. The
  /// result lasts until the next call.
  [[nodiscard]] Result<const Mapped*> map(const MessageView& message, simdjson::dom::element value);

 private:
  /// What was found where a mapping looks: JSON, and the same as text where it is a scalar.
  struct Found {
    std::string json;
    std::string text;
    bool is_scalar = false;
    bool is_text = false;
  };
  [[nodiscard]] std::optional<Found> find(const Mapping& mapping, const MessageView& message,
                                          simdjson::dom::element value) const;
  /// JSON of the field, empty where it has none; nullopt where the message is to be ignored.
  [[nodiscard]] static Result<std::optional<std::string>> translate(const Mapping& mapping, std::optional<Found> found);

  const Description& feed_;
  Mapped mapped_;
  std::string props_;
};

/// What makes an event of a message unique where the producer's own identity is not mapped: "topic/partition/offset",
/// of at most the 128 bytes that an external_id may have.
[[nodiscard]] std::string message_identity(std::string_view topic, std::uint32_t partition, std::uint64_t offset);

}  // namespace marquee::feed
