#include "marquee/profile/segment_memberships.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <unordered_map>

namespace marquee::profile {
namespace {

/// By the high bits of the id, as the low ones say its partition.
std::size_t home(std::uint64_t id, std::size_t slots) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::size_t>((static_cast<Wide>(id) * slots) >> 64);
}

}  // namespace

const SiteSegments::Place* SiteSegments::place(std::string_view segment_id) const {
  const auto found = std::ranges::find(places_, segment_id, &Place::segment_id);
  return found == places_.end() ? nullptr : &*found;
}

std::optional<unsigned> SiteSegments::bit(std::string_view segment_id) const {
  const Place* found = place(segment_id);
  return found == nullptr ? std::nullopt : std::optional(found->bit);
}

std::uint64_t SiteSegments::find(std::uint64_t id) const {
  if (slots_.empty()) return 0;
  for (std::size_t at = home(id, slots_.size()); slots_[at].bits != 0; at = (at + 1) % slots_.size())
    if (slots_[at].id == id) return slots_[at].bits;
  return 0;
}

SegmentMemberships::SegmentMemberships(SegmentUsers& users) : users_(users) {}

std::shared_ptr<const SegmentView> SegmentMemberships::view() const {
  const std::lock_guard lock(mutex_);
  return view_;
}

Result<void> SegmentMemberships::refresh(const std::vector<SegmentVersion>& segments) {
  std::map<std::string, std::vector<SegmentVersion>> sites;
  for (const SegmentVersion& segment : segments) sites[segment.site_id].push_back(segment);
  for (const auto& [site_id, of_site] : sites)
    if (of_site.size() > kSegmentsOfSite)
      return Error::reject(fmt::format("site {} has {} segments; at most {} can be told while deciding", site_id,
                                       of_site.size(), kSegmentsOfSite));
  const auto old = view();
  auto next = std::make_shared<SegmentView>();
  Result<void> result;
  for (const auto& [site_id, of_site] : sites) {
    const auto known = old->find(site_id);
    auto [site, read] = read_site(known == old->end() ? SiteSegments() : *known->second, of_site);
    next->emplace(site_id, std::move(site));
    if (!read && result) result = std::move(read);
  }
  const std::lock_guard lock(mutex_);
  view_ = std::move(next);
  return result;
}

std::pair<std::shared_ptr<const SiteSegments>, Result<void>> SegmentMemberships::read_site(
    const SiteSegments& old, const std::vector<SegmentVersion>& segments) {
  Result<void> result;
  auto site = std::make_shared<SiteSegments>();
  // A segment keeps its bit, so that users of those that stay need not be read again.
  std::uint64_t taken = 0, kept = 0;
  for (const SegmentVersion& segment : segments)
    if (const auto* place = old.place(segment.segment_id)) taken |= std::uint64_t{1} << place->bit;
  std::vector<std::pair<std::uint64_t, unsigned>> read;
  for (const SegmentVersion& segment : segments) {
    const auto* place = old.place(segment.segment_id);
    const unsigned bit = place != nullptr ? place->bit : static_cast<unsigned>(std::countr_one(taken));
    std::uint64_t version = segment.version;
    if (place == nullptr || place->version != version) {
      const std::size_t before = read.size();
      if (auto users = users_.read(segment,
                                   [&](std::uint64_t user_key) {
                                     if (const auto id = profile_id(segment.site_id, user_key))
                                       read.emplace_back(id->value, bit);
                                   });
          !users) {
        read.resize(before);
        if (result) result = std::move(users);
        if (place == nullptr) continue;
        version = place->version;
      }
    }
    taken |= std::uint64_t{1} << bit;
    if (place != nullptr && place->version == version) kept |= std::uint64_t{1} << bit;
    site->places_.push_back({segment.segment_id, version, bit});
  }
  std::unordered_map<std::uint64_t, std::uint64_t> users;
  for (const auto& slot : old.slots_)
    if ((slot.bits & kept) != 0) users.emplace(slot.id, slot.bits & kept);
  for (const auto& [id, bit] : read) users[id] |= std::uint64_t{1} << bit;
  site->users_ = users.size();
  site->slots_.resize(users.size() + users.size() / 4 + 1);
  for (const auto& [id, bits] : users) {
    std::size_t at = home(id, site->slots_.size());
    while (site->slots_[at].bits != 0) at = (at + 1) % site->slots_.size();
    site->slots_[at] = {id, bits};
  }
  return {std::move(site), std::move(result)};
}

}  // namespace marquee::profile
