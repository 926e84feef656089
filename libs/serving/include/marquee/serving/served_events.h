// Which events came through our own addresses.
#pragma once

#include <memory>
#include <string_view>

#include "marquee/decision/token.h"

namespace marquee::serving {

/// Thread safe.
class ServedEvents {
 public:
  explicit ServedEvents(const decision::TokenKey& token_key);
  ~ServedEvents();

  struct Placement {
    std::string_view site_id, decision_id, ad_id, slot_id;
  };
  /// Whether the event of this external id is the placement's impression, or click: only we can give such an id.
  [[nodiscard]] bool is_impression(const Placement& placement, std::string_view external_id) const;
  [[nodiscard]] bool is_click(const Placement& placement, std::string_view external_id) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace marquee::serving
