#include "marquee/privacy/person.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "marquee/clickhouse/native_block.h"
#include "marquee/event/event.h"

namespace marquee::privacy {
namespace {

constexpr std::size_t kLongestWord = 256;

bool has_key(std::string_view bytes, std::uint64_t key) {
  std::string little(sizeof key, '\0');
  std::memcpy(little.data(), &key, sizeof key);
  const std::string big(little.rbegin(), little.rend());
  std::string varint;  // As the records of events have it.
  clickhouse::append_varint(varint, key);
  const std::array forms = {
      little, big, varint, fmt::format("{:016x}", key), fmt::format("{:016X}", key), fmt::format("{}", key)};
  return std::ranges::any_of(forms,
                             [&](const std::string& form) { return bytes.find(form) != std::string_view::npos; });
}

/// Texts in quotes, and what stands between characters that ids do not have.
bool has_word(std::string_view bytes, std::uint64_t key, const HashUser& hash_user) {
  const auto is_key = [&](std::string_view word) {
    return !word.empty() && word.size() <= kLongestWord && hash_user(word) == key;
  };
  for (std::size_t begin = bytes.find('"'); begin != std::string_view::npos;) {
    const std::size_t end = bytes.find('"', begin + 1);
    if (end == std::string_view::npos) break;
    if (is_key(bytes.substr(begin + 1, end - begin - 1))) return true;
    begin = end;
  }
  const auto is_of_word = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' ||
           c == '.' || c == '@' || c == '+' || c == ':' || static_cast<unsigned char>(c) >= 0x80;
  };
  for (std::size_t begin = 0; begin < bytes.size();) {
    std::size_t end = begin;
    while (end < bytes.size() && is_of_word(bytes[end])) ++end;
    if (is_key(bytes.substr(begin, end - begin))) return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace

bool is_event_of(std::string_view record, const Person& person, std::int64_t until_ms) {
  const auto event = event::decode(record);
  return event && event->user_key == person.user_key && event->site_id == person.site_id &&
         event->received_time_ms <= until_ms;
}

bool is_letter_of(std::string_view bytes, const Person& person, const HashUser& hash_user) {
  if (const auto event = event::decode(bytes))
    return event->user_key == person.user_key && event->site_id == person.site_id;
  return has_key(bytes, person.user_key) || has_word(bytes, person.user_key, hash_user);
}

}  // namespace marquee::privacy
