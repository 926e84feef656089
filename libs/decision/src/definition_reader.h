// Reads the members of JSON objects into plain values, and keeps what is wrong first, with where it stands.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/decision/names.h"

namespace marquee::decision {

using Json = nlohmann::ordered_json;

/// What is wrong first. Once there is something, readers read nothing more.
using Fault = std::optional<Error>;

inline constexpr std::size_t kMostOfId = 128, kMostOfName = 200;

struct Bytes {
  std::size_t least = 0, most = kMostOfName;
};

/// Of one object. A member that is not there leaves its value as it is, unless require() says that it must be. What is
/// asked for is known: end() names any other.
class ObjectReader {
 public:
  /// `json` must outlive it; `path` is "" for the document itself.
  ObjectReader(const Json& json, std::string path, Fault& fault);

  ObjectReader& require(std::string_view name);
  ObjectReader& text(std::string_view name, std::string& value, Bytes bytes);
  ObjectReader& texts(std::string_view name, std::vector<std::string>& values, std::size_t most, Bytes bytes);
  ObjectReader& truth(std::string_view name, bool& value);
  ObjectReader& number(std::string_view name, double& value, double least, double most);
  ObjectReader& zone(std::string_view name, std::string& value);
  /// ISO 8601 with its zone.
  ObjectReader& time(std::string_view name, std::optional<std::int64_t>& value);

  template <class Integer>
  ObjectReader& whole(std::string_view name, Integer& value, std::uint64_t least, std::uint64_t most) {
    if (const auto read = whole(name, least, most)) value = static_cast<Integer>(*read);
    return *this;
  }

  template <class Choice>
  ObjectReader& choice(std::string_view name, Choice& value) {
    std::string word;
    if (find(name) == nullptr || !text(name, word, {}).is_fine()) return *this;
    const auto choice = parse<Choice>(word);
    if (choice) {
      value = *choice;
    } else {
      wrong(name, fmt::format("expected one of {}", fmt::join(names<Choice>(), ", ")));
    }
    return *this;
  }

  /// `read(json, path)` of a member.
  template <class Read>
  ObjectReader& member(std::string_view name, Read read) {
    if (const Json* json = find(name)) read(*json, path_of(name));
    return *this;
  }

  /// `read(json, path)` of each of a list.
  template <class Read>
  ObjectReader& each(std::string_view name, std::size_t most, Read read) {
    if (const Json* list = list_of(name, most)) {
      for (std::size_t i = 0; i < list->size() && is_fine(); ++i)
        read((*list)[i], fmt::format("{}[{}]", path_of(name), i));
    }
    return *this;
  }

  [[nodiscard]] bool has(std::string_view name) { return find(name) != nullptr; }
  [[nodiscard]] bool is_fine() const { return !fault_; }
  /// Nothing where something is wrong already.
  void wrong(std::string_view name, std::string_view why);
  void end();

 private:
  /// The member; null where there is none or something is wrong already.
  const Json* find(std::string_view name);
  const Json* list_of(std::string_view name, std::size_t most);
  std::optional<std::uint64_t> whole(std::string_view name, std::uint64_t least, std::uint64_t most);
  [[nodiscard]] std::string path_of(std::string_view name) const;

  const Json& json_;
  const std::string path_;
  Fault& fault_;
  std::vector<std::string> known_;
};

/// "2026-12-01T00:00:00+05:30": a time that ObjectReader::time takes, in a zone that there is.
[[nodiscard]] std::string time_in(const std::string& zone, std::int64_t ms);

/// Minutes of the day that "08:05" tells, 1440 of "24:00"; nullopt for anything else.
[[nodiscard]] std::optional<std::uint16_t> read_clock(std::string_view text);

}  // namespace marquee::decision
