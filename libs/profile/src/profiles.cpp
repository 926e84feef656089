#include "marquee/profile/profiles.h"

namespace marquee::profile {

Outcome observe(Profiles& profiles, PropsReader& reader, Place place, const event::Event& event) {
  if (event.user_key == 0 || event.is_bot) return Outcome::contextual;
  const EventProps props = reader.read(event.props);
  if (props.age_years && *props.age_years < kAdultYears) {
    const auto id = profile_id(event.site_id, event.user_key);
    return id ? profiles.forget(*id, place) : Outcome::contextual;
  }
  const auto permission = Permission::grant(event.site_id, event.user_key, event.consent, props.age_years);
  return permission ? profiles.apply(*permission, place, event, props) : Outcome::contextual;
}

}  // namespace marquee::profile
