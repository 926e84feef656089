// Which segments a user is in, for deciding: the store's lists of users turned round.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/profile/permission.h"

namespace marquee::profile {

inline constexpr std::size_t kSegmentsOfSite = 64;

/// A segment as it stands in the catalog: `version` says which list of users in the store is its own.
struct SegmentVersion {
  std::string site_id, segment_id;
  std::uint64_t version = 0;
  bool operator==(const SegmentVersion&) const = default;
};

/// Where the users of segments come from: `marquee.segment_users` in the store.
class SegmentUsers {
 public:
  virtual ~SegmentUsers() = default;
  [[nodiscard]] virtual Result<void> read(const SegmentVersion& segment,
                                          const std::function<void(std::uint64_t user_key)>& on_user) = 0;
};

/// The memberships in one site's segments. A user in any segment costs 20 bytes, others nothing.
class SiteSegments {
 public:
  /// Which bit of memberships() is this segment's; nullopt where it is not known.
  [[nodiscard]] std::optional<unsigned> bit(std::string_view segment_id) const;
  /// Of a user of this site.
  [[nodiscard]] std::uint64_t memberships(const Permission& permission) const { return find(permission.id().value); }
  /// Gives the ids of the segments that the user is in; they live as long as this.
  template <class Visit>
  void for_each_of(const Permission& permission, Visit visit) const {
    const std::uint64_t bits = memberships(permission);
    if (bits == 0) return;
    for (const Place& place : places_)
      if ((bits >> place.bit & 1U) != 0) visit(std::string_view(place.segment_id));
  }
  [[nodiscard]] std::size_t users() const { return users_; }
  [[nodiscard]] std::size_t bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  friend class SegmentMemberships;
  struct Slot {
    std::uint64_t id = 0, bits = 0;  ///< bits 0: free.
  };
  struct Place {
    std::string segment_id;
    std::uint64_t version = 0;
    unsigned bit = 0;
    bool operator==(const Place&) const = default;
  };
  [[nodiscard]] std::uint64_t find(std::uint64_t id) const;
  [[nodiscard]] const Place* place(std::string_view segment_id) const;

  std::vector<Place> places_;
  std::vector<Slot> slots_;
  std::size_t users_ = 0;
};

/// All sites at one moment, immutable.
using SegmentView = std::map<std::string, std::shared_ptr<const SiteSegments>, std::less<>>;

/// Thread safe. Readers take a view, which stays as it is for as long as they hold it.
class SegmentMemberships {
 public:
  explicit SegmentMemberships(SegmentUsers& users);

  [[nodiscard]] std::shared_ptr<const SegmentView> view() const;

  /// Makes the view that of these segments: reads those whose version is another than the view's. Where a read fails,
  /// that segment keeps the users it had (or is not known), the others change all the same, and the first error is
  /// given: call again. Action::reject, and nothing changes, for more than kSegmentsOfSite of a site. One call at a
  /// time.
  [[nodiscard]] Result<void> refresh(const std::vector<SegmentVersion>& segments);

 private:
  /// The site's segments, and the first error.
  [[nodiscard]] std::pair<std::shared_ptr<const SiteSegments>, Result<void>> read_site(
      const SiteSegments& old, const std::vector<SegmentVersion>& segments);

  SegmentUsers& users_;
  mutable std::mutex mutex_;
  std::shared_ptr<const SegmentView> view_ = std::make_shared<const SegmentView>();  ///< Guarded by mutex_.
};

}  // namespace marquee::profile
