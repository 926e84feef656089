// A feed: a topic of another producer, and how its messages become events. Described in a YAML file (docs/feeds.md).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"

namespace marquee::feed {

enum class Format : std::uint8_t { json, avro, protobuf };

/// Where a value is taken from.
enum class Origin : std::uint8_t { value, key, timestamp, topic, partition, offset, header, constant };

enum class TimeUnit : std::uint8_t { nanoseconds, microseconds, milliseconds, seconds };

/// One field of the event.
struct Mapping {
  std::string field;  ///< As POST /v1/events has it; "props.NAME" for the producer's own; "user_agent".
  Origin origin = Origin::value;
  std::vector<std::string> path;              ///< Within the message; empty: all of it. The header's name.
  std::string constant;                       ///< As JSON.
  std::map<std::string, std::string> values;  ///< What each value becomes, as JSON; empty: what it is.
  std::string otherwise;  ///< As JSON, where there is no value or `values` does not name it. Empty: none.
  TimeUnit unit = TimeUnit::milliseconds;  ///< Of a time that is a number.

  bool operator==(const Mapping&) const = default;
};

/// What `values` gives for messages that are to be left out, quietly.
inline constexpr std::string_view kIgnore = "$ignore";

struct Description {
  std::string name;   ///< Letters, digits, '-', '_', '.'.
  std::string topic;  ///< In the same cluster as Marquee's own topics.
  Format format = Format::json;
  std::string registry_url;  ///< "http://host:port/path"; of Avro and Protobuf.
  std::string registry_user;
  std::string registry_password;
  std::string site;         ///< Of the events; it must be in the catalog.
  bool is_trusted = false;  ///< As a trusted write key: any age, and it may give user_key, is_bot and received_time.
  bool from_end = false;    ///< Where to begin when it is first read.
  std::vector<Mapping> mappings;

  bool operator==(const Description&) const = default;
};

/// Reads the feeds file; `origin` names it in messages. Action::reject names the line and what is wrong there.
[[nodiscard]] Result<std::vector<Description>> parse_feeds(std::string_view yaml, std::string_view origin);

/// As YAML with every default in it; passwords are not shown.
[[nodiscard]] std::string print_feeds(const std::vector<Description>& feeds);

}  // namespace marquee::feed
