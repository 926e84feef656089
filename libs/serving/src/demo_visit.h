// Visitors of the demo, and the students that they play.
#pragma once

#include <string>
#include <string_view>

#include "marquee/decision/token.h"

namespace marquee::serving {

/// A visit is 128 random bits with a keyed hash of them: "demo-<32 hex digits>-<32 hex digits>". A visitor's students
/// are called by it, "<visit>.asha", so that
/// - only ids that we gave out pass: no id that a site has for a real user does, whatever it looks like;
/// - who knows one visitor's students knows nobody else's.
/// Nothing is kept of visits here.
class DemoVisits {
 public:
  explicit DemoVisits(const decision::TokenKey& key);
  [[nodiscard]] std::string begin() const;
  /// Whether it is a student of a visit that we gave out.
  [[nodiscard]] bool is_student(std::string_view user_id) const;
  /// A write key that follows from the same key, so that it is the same after each start and kept nowhere.
  [[nodiscard]] std::string write_key() const;

 private:
  [[nodiscard]] std::string hash_of(std::string_view purpose, std::string_view text) const;
  const decision::TokenKey key_;
};

}  // namespace marquee::serving
