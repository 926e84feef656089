#include "definition_reader.h"

#include <date/tz.h>

#include <algorithm>
#include <chrono>

#include "marquee/base/zone.h"
#include "marquee/event/timestamp.h"

namespace marquee::decision {
namespace {

// Times that a definition may have. Before, offsets of zones were not of whole minutes.
constexpr std::int64_t kFirstMs = 946'684'800'000;   // 2000-01-01
constexpr std::int64_t kLastMs = 7'258'118'400'000;  // 2200-01-01

bool has_zone(std::string_view time) {
  constexpr std::size_t kOffset = 6;  // "+05:30"
  if (time.ends_with('Z') || time.ends_with('z')) return true;
  return time.size() > kOffset && (time[time.size() - kOffset] == '+' || time[time.size() - kOffset] == '-');
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

/// Empty where the value is text as it should be; else why not.
std::string why_no_text(const Json& json, Bytes bytes) {
  if (!json.is_string()) return "expected text";
  const auto& text = json.get_ref<const std::string&>();
  if (text.size() < bytes.least || text.size() > bytes.most)
    return fmt::format("expected {} to {} bytes", bytes.least, bytes.most);
  if (std::ranges::any_of(text, is_control)) return "expected text without control characters";
  return {};
}

}  // namespace

ObjectReader::ObjectReader(const Json& json, std::string path, Fault& fault)
    : json_(json), path_(std::move(path)), fault_(fault) {
  if (!fault_ && !json_.is_object())
    fault_ = Error::reject(path_.empty() ? "expected a JSON object" : path_ + ": expected an object");
}

std::string ObjectReader::path_of(std::string_view name) const {
  return path_.empty() ? std::string(name) : fmt::format("{}.{}", path_, name);
}

const Json* ObjectReader::find(std::string_view name) {
  if (fault_) return nullptr;
  if (std::ranges::find(known_, name) == known_.end()) known_.emplace_back(name);
  const auto found = json_.find(std::string(name));
  return found == json_.end() ? nullptr : &*found;
}

void ObjectReader::wrong(std::string_view name, std::string_view why) {
  if (!fault_) fault_ = Error::reject(fmt::format("{}: {}", path_of(name), why));
}

ObjectReader& ObjectReader::require(std::string_view name) {
  if (find(name) == nullptr) wrong(name, "missing");
  return *this;
}

ObjectReader& ObjectReader::text(std::string_view name, std::string& value, Bytes bytes) {
  const Json* json = find(name);
  if (json == nullptr) return *this;
  if (const auto why = why_no_text(*json, bytes); !why.empty()) {
    wrong(name, why);
  } else {
    value = json->get<std::string>();
  }
  return *this;
}

ObjectReader& ObjectReader::texts(std::string_view name, std::vector<std::string>& values, std::size_t most,
                                  Bytes bytes) {
  return each(name, most, [&](const Json& json, const std::string& path) {
    if (const auto why = why_no_text(json, bytes); !why.empty()) {
      fault_ = Error::reject(fmt::format("{}: {}", path, why));
    } else {
      values.push_back(json.get<std::string>());
    }
  });
}

ObjectReader& ObjectReader::truth(std::string_view name, bool& value) {
  const Json* json = find(name);
  if (json == nullptr) return *this;
  if (!json->is_boolean()) {
    wrong(name, "expected true or false");
  } else {
    value = json->get<bool>();
  }
  return *this;
}

ObjectReader& ObjectReader::number(std::string_view name, double& value, double least, double most) {
  const Json* json = find(name);
  if (json == nullptr) return *this;
  if (!json->is_number() || json->get<double>() < least || json->get<double>() > most) {
    wrong(name, fmt::format("expected a number from {} to {}", least, most));
  } else {
    value = json->get<double>();
  }
  return *this;
}

std::optional<std::uint64_t> ObjectReader::whole(std::string_view name, std::uint64_t least, std::uint64_t most) {
  const Json* json = find(name);
  if (json == nullptr) return std::nullopt;
  if (json->is_number_unsigned() && json->get<std::uint64_t>() >= least && json->get<std::uint64_t>() <= most)
    return json->get<std::uint64_t>();
  wrong(name, fmt::format("expected a whole number from {} to {}", least, most));
  return std::nullopt;
}

ObjectReader& ObjectReader::zone(std::string_view name, std::string& value) {
  std::string zone;
  if (!has(name) || !text(name, zone, {}).is_fine()) return *this;
  if (find_zone(zone) == nullptr) {
    wrong(name, fmt::format("there is no time zone \"{}\"; expected a name like Asia/Kolkata", zone.substr(0, 64)));
  } else {
    value = std::move(zone);
  }
  return *this;
}

ObjectReader& ObjectReader::time(std::string_view name, std::optional<std::int64_t>& value) {
  std::string text;
  if (!has(name) || !this->text(name, text, {}).is_fine()) return *this;
  const auto time = has_zone(text) ? event::parse_timestamp(text) : std::nullopt;
  if (!time) {
    wrong(name, "expected a time with its zone, like 2026-12-01T00:00:00+05:30");
  } else if (*time < kFirstMs || *time >= kLastMs) {
    wrong(name, "expected a time from 2000 to 2199");
  } else {
    value = *time;
  }
  return *this;
}

const Json* ObjectReader::list_of(std::string_view name, std::size_t most) {
  const Json* json = find(name);
  if (json == nullptr) return nullptr;
  if (json->is_array() && json->size() <= most) return json;
  wrong(name, json->is_array() ? fmt::format("at most {} are taken", most) : std::string("expected a list"));
  return nullptr;
}

void ObjectReader::end() {
  if (fault_) return;
  for (const auto& [name, value] : json_.items()) {
    if (std::ranges::find(known_, name) != known_.end()) continue;
    return wrong(name.substr(0, 64), fmt::format("there is no such member; there are {}", fmt::join(known_, ", ")));
  }
}

std::string time_in(const std::string& zone, std::int64_t ms) {
  using date::floor;
  const date::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(ms)};
  const auto* known = find_zone(zone);
  const auto offset = known == nullptr ? std::chrono::seconds(0) : known->get_info(time).offset;
  const auto local = date::sys_time<std::chrono::milliseconds>(time + offset);
  const bool is_whole = local == floor<std::chrono::seconds>(local);
  const auto text = is_whole ? date::format("%FT%T", floor<std::chrono::seconds>(local)) : date::format("%FT%T", local);
  if (offset == std::chrono::seconds(0)) return text + "Z";
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(std::chrono::abs(offset)).count();
  return fmt::format("{}{}{:02}:{:02}", text, offset.count() < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

std::optional<std::uint16_t> read_clock(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const std::size_t i : {0U, 1U, 3U, 4U})
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
  const auto digit = [&](std::size_t i) { return text[i] - '0'; };
  const int hours = digit(0) * 10 + digit(1), minutes = digit(3) * 10 + digit(4);
  if (minutes > 59 || hours > 24 || (hours == 24 && minutes > 0)) return std::nullopt;
  return static_cast<std::uint16_t>(hours * 60 + minutes);
}

}  // namespace marquee::decision
