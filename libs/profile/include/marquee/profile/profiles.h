// Profiles: the interface through which they are read, and through which events come to them.
#pragma once

#include <optional>

#include "marquee/event/event.h"
#include "marquee/log/event_log.h"
#include "marquee/profile/permission.h"
#include "marquee/profile/profile.h"

namespace marquee::profile {

/// Where in the log an event is.
struct Place {
  log::Partition partition = 0;
  log::Offset offset = 0;
};

/// What is forgotten of a user's events: those before the offset, and those received until the time (0: none) wherever
/// they stand, as an event may wait on its way to the log.
struct ErasedUntil {
  log::Offset before = 0;
  std::int64_t received_ms = 0;
};

enum class Outcome : std::uint8_t {
  applied,
  contextual,  ///< No permission: nothing was read or written.
  repeat,      ///< An event of the same identity was applied shortly before.
  before,      ///< The profiles know the log up to beyond this place, or the user was erased after it.
  forgotten,   ///< It says that the user is under age: what was known is gone.
};
inline constexpr std::size_t kOutcomes = 5;

/// Thread safe.
class Profiles {
 public:
  virtual ~Profiles() = default;
  /// nullopt where nothing is known. Never waits for a writer.
  [[nodiscard]] virtual std::optional<Profile> read(const Permission& permission) const = 0;
  virtual Outcome apply(const Permission& permission, Place place, const event::Event& event,
                        const EventProps& props) = 0;
  /// Lets go of what is known of a user, which needs no permission.
  virtual Outcome forget(ProfileId id, Place place) = 0;
};

/// Takes an event of the log to the profiles, if it may be. Bots and users without key have none.
Outcome observe(Profiles& profiles, PropsReader& reader, Place place, const event::Event& event);

}  // namespace marquee::profile
