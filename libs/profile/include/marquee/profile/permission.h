// Who may have a profile. Nothing reads or writes one without a Permission, and a Permission exists only where consent
// is full and the user is known to be of age.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "marquee/event/event.h"

namespace marquee::profile {

inline constexpr std::uint32_t kAdultYears = 18;

/// Of a user of a site: the hash by which the log keeps users together (event::partition_key), so that all events of a
/// profile are in one partition.
struct ProfileId {
  std::uint64_t value = 0;
  bool operator==(const ProfileId&) const = default;
};

/// nullopt for users without key.
[[nodiscard]] std::optional<ProfileId> profile_id(std::string_view site_id, std::uint64_t user_key);

/// The one rule for whom more than the context may be looked at: consent is full, and the age is known to be of age.
[[nodiscard]] inline bool may_be_known(event::Consent consent, std::optional<std::uint32_t> age_years) {
  return consent == event::Consent::full && age_years && *age_years >= kAdultYears;
}

/// The right to read and write one user's profile. Only grant() makes one, and copies of what it made.
class Permission {
 public:
  /// nullopt (contextual only) unless the user may_be_known() and there is a user key.
  [[nodiscard]] static std::optional<Permission> grant(std::string_view site_id, std::uint64_t user_key,
                                                       event::Consent consent, std::optional<std::uint32_t> age_years);
  [[nodiscard]] ProfileId id() const { return id_; }

 private:
  explicit Permission(ProfileId id) : id_(id) {}
  ProfileId id_;
};

/// What an event's props say beside its fields. Other values than those told here count as not given.
struct EventProps {
  std::optional<std::uint32_t> age_years;  ///< "age": the user's age, a whole number of years.
  std::string_view category;               ///< "category": of the course or ad; borrowed from the reader.
};

/// Reads props; keep one per thread. Not thread safe.
class PropsReader {
 public:
  PropsReader();
  ~PropsReader();
  /// What it gives lives until the next call.
  [[nodiscard]] EventProps read(std::string_view props);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace marquee::profile
