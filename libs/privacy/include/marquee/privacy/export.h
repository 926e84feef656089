// All that this Marquee knows of a user, for the user to read.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "marquee/base/result.h"
#include "marquee/catalog/catalog.h"
#include "marquee/clickhouse/client.h"
#include "marquee/privacy/person.h"
#include "marquee/profile/profile.h"

namespace marquee::privacy {

/// Where it is known, beside the catalog. Both are called at most once an export.
struct KnownPlaces {
  /// What is known while deciding; nullopt: nothing.
  std::function<std::optional<profile::Profile>(const Person& person)> profile;
  HashUser hash_user;
};

/// JSON text, indented; docs/privacy.md explains its members. What the log has and the store has not yet is not in it.
/// Topics of the profile are told by the words of the user's own events. Thread safe; in memory as a whole.
[[nodiscard]] Result<std::string> export_user(clickhouse::Client& store, catalog::Catalog& catalog,
                                              const KnownPlaces& places, const Person& person);

}  // namespace marquee::privacy
