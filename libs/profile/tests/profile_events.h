// Events of users who have a profile, for tests.
#pragma once

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "marquee/event/event.h"
#include "marquee/profile/profile_store.h"

namespace marquee::profile::testing {

inline constexpr Seconds kNewYear = 1'767'225'600;  // 2026-01-01 00:00 UTC

/// Of an adult with full consent; `seq` makes it another event than all others of the user.
inline event::Event make_event(std::uint64_t user, std::uint32_t seq, event::Type type, Seconds time) {
  event::Event event;
  event.site_id = "campus";
  event.session_id = user + 1'000'000;
  event.seq = seq;
  event.user_key = user;
  event.type = type;
  event.event_time_ms = std::int64_t{time} * 1'000;
  event.received_time_ms = event.event_time_ms + 20;
  event.consent = event::Consent::full;
  event.props = R"({"age":21})";
  return event;
}

inline Permission permission(std::uint64_t user) {
  return *Permission::grant("campus", user, event::Consent::full, 21);
}

/// A random event of one of `users` users, some seconds to hours after the last one of all.
class Crowd {
 public:
  Crowd(std::uint64_t seed, std::uint64_t users) : random_(seed), users_(users) {}
  event::Event next() {
    static const std::vector<std::string> kWords = {"data science", "law", "Machine Learning", "art", "bio chemistry"};
    static const std::vector<std::string> kIds = {"a", "b", "c", "d", "e", "f", "g", "h"};
    static const std::vector<event::Type> kTypes = {
        event::Type::page_view,  event::Type::search,     event::Type::course_view, event::Type::course_click,
        event::Type::impression, event::Type::impression, event::Type::click,       event::Type::scroll};
    time_ += static_cast<Seconds>(random_() % 600);
    auto event = make_event(random_() % users_ + 1, ++seq_, kTypes[random_() % kTypes.size()], time_);
    if (random_() % 10 == 0) event.event_time_ms -= static_cast<std::int64_t>(random_() % 86'400'000);
    if (event.type == event::Type::search) event.search_query = kWords[random_() % kWords.size()];
    event.page_id = event.course_id = kIds[random_() % kIds.size()];
    event.campaign_id = kIds[random_() % kIds.size()];
    event.ad_id = kIds[random_() % kIds.size()];
    event.props = R"({"age":30,"category":"science"})";
    return event;
  }

 private:
  std::mt19937_64 random_;
  const std::uint64_t users_;
  Seconds time_ = kNewYear;
  std::uint32_t seq_ = 0;
};

/// A directory of the test's own.
class Directory {
 public:
  Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "marquee-profile-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string bytes_of_file(const std::string& path) {
  std::string bytes(std::filesystem::file_size(path), '\0');
  std::FILE* file = std::fopen(path.c_str(), "rb");
  const std::size_t read = std::fread(bytes.data(), 1, bytes.size(), file);
  std::fclose(file);
  bytes.resize(read);
  return bytes;
}

}  // namespace marquee::profile::testing
