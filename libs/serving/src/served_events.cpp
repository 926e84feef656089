#include "marquee/serving/served_events.h"

#include "seal.h"

namespace marquee::serving {

struct ServedEvents::Impl {
  Seal seal;
  [[nodiscard]] bool is(event::Type type, const Placement& placement, std::string_view external_id) const {
    event::Event event;
    event.type = type;
    event.site_id = placement.site_id;
    event.decision_id = placement.decision_id;
    event.ad_id = placement.ad_id;
    event.slot_id = placement.slot_id;
    event.external_id = external_id;
    return seal.verify(event).has_value();
  }
};

ServedEvents::ServedEvents(const decision::TokenKey& token_key) : impl_(new Impl{.seal = Seal(token_key)}) {}
ServedEvents::~ServedEvents() = default;

bool ServedEvents::is_impression(const Placement& placement, std::string_view external_id) const {
  return impl_->is(event::Type::impression, placement, external_id);
}
bool ServedEvents::is_click(const Placement& placement, std::string_view external_id) const {
  return impl_->is(event::Type::click, placement, external_id);
}

}  // namespace marquee::serving
