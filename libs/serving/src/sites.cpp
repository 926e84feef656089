#include "marquee/serving/sites.h"

namespace marquee::serving {

decision::Decider* Sites::find(std::string_view site_id) const {
  const auto deciders = deciders_.load();
  const auto found = deciders->find(site_id);
  return found == deciders->end() ? nullptr : found->second.get();
}

decision::Decider& Sites::at(std::string_view site_id) {
  const std::lock_guard lock(mutex_);
  if (auto* decider = find(site_id)) return *decider;
  auto more = std::make_shared<Deciders>(*deciders_.load());
  auto& decider =
      *more->emplace(site_id, std::make_shared<decision::Decider>(ranker_, reserve_for_, fellows_)).first->second;
  deciders_.store(std::move(more));
  return decider;
}

std::vector<std::pair<std::string, decision::Decider*>> Sites::all() const {
  std::vector<std::pair<std::string, decision::Decider*>> all;
  const auto deciders = deciders_.load();
  for (const auto& [id, decider] : *deciders) all.emplace_back(id, decider.get());
  return all;
}

}  // namespace marquee::serving
