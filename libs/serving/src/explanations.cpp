#include "marquee/serving/explanations.h"

#include <utility>

namespace marquee::serving {

void Explanations::keep(std::string decision_id, std::string json) {
  const std::size_t size = 2 * decision_id.size() + json.size();
  if (size > kMostBytes) return;
  const std::lock_guard lock(mutex_);
  if (by_id_.contains(decision_id)) return;
  while (bytes_ + size > kMostBytes) {
    const auto oldest = by_id_.find(in_order_.front());
    bytes_ -= 2 * oldest->first.size() + oldest->second.size();
    by_id_.erase(oldest);
    in_order_.pop_front();
  }
  bytes_ += size;
  in_order_.push_back(decision_id);
  by_id_.emplace(std::move(decision_id), std::move(json));
}

std::optional<std::string> Explanations::find(std::string_view decision_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(std::string(decision_id));
  return found == by_id_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace marquee::serving
