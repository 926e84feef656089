// Inventory: what of one site may be served, compiled for decisions. Immutable; a later one replaces it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/decision/campaign.h"
#include "marquee/decision/request.h"

namespace date {
class time_zone;
}

namespace marquee::decision {

class Bitmap;
struct CampaignRow;

/// A cap as counters know it: impressions of `target` to a user.
struct CapRule {
  std::uint64_t target = 0;  ///< Hash of scope and id.
  std::uint32_t count = 1;
  std::int64_t window_ms = 0;
  CapScope scope = CapScope::campaign;
};

/// What impressions of an ad are remembered as, and for how long; of all caps of all campaigns.
struct CapTarget {
  std::uint64_t target = 0;
  std::int64_t longest_window_ms = 0;
};

struct AdRow {
  const Ad* ad = nullptr;
  const CampaignRow* campaign = nullptr;
  std::uint32_t row = 0;                       ///< In Inventory::ads().
  std::vector<CapRule> caps = {};              ///< The campaign's that look at this ad.
  std::vector<CapTarget> counts_as = {};       ///< At most one per scope.
  std::vector<std::uint32_t> companions = {};  ///< Rows of the other ads that must be on the page with it.
  bool lacks_companions = false;               ///< Of which some are not active: it cannot be served.
};

/// What every ad is asked for in every request, close together: an AdRow fills two cache lines.
struct AdTraits {
  std::uint64_t cap_bits = 0;  ///< Of the targets of its caps (cap_bit): what shares none with a user's fits.
  std::uint32_t campaign = 0;  ///< Its row.
  Tier tier = Tier::standard;
  bool has_share = false;     ///< Its campaign has a share of voice.
  bool has_company = false;   ///< A roadblock's, or with companions, or it lacks some.
  bool has_limits = false;    ///< Its campaign has a budget.
  bool has_excludes = false;  ///< Its campaign may not stand beside some others.
};

struct CampaignRow {
  const Campaign* campaign = nullptr;
  std::uint32_t row = 0;
  std::uint32_t first_ad = 0, ads = 0;                      ///< Rows in Inventory::ads().
  std::vector<std::uint32_t> schedule = {};                 ///< Numbers in Inventory's day parts; none: always.
  std::vector<const date::time_zone*> schedule_zones = {};  ///< Of the campaign's schedule, part by part.
  const date::time_zone* zone = nullptr;
  std::int64_t ecpm_micros = 0;  ///< Of its bid; that of a price per click at InventoryOptions::prior_ctr.
};

[[nodiscard]] bool is_in_schedule(const CampaignRow& row, std::int64_t time_ms);

struct InventoryOptions {
  std::int64_t version = 0;
  double prior_ctr = 0.011;  ///< What a click is taken to be as likely as where nothing is learned.
};

/// Thread safe.
class Inventory {
 public:
  /// A campaign that cannot be served as it stands (a zone that does not exist) is left out and named in problems().
  [[nodiscard]] static std::shared_ptr<const Inventory> compile(std::vector<Campaign> campaigns,
                                                                std::vector<Slot> slots, InventoryOptions options = {});
  ~Inventory();

  /// Active campaigns and their ads, tier by tier.
  [[nodiscard]] const std::vector<CampaignRow>& campaigns() const;
  [[nodiscard]] const std::vector<AdRow>& ads() const;
  [[nodiscard]] const std::vector<AdTraits>& traits() const;  ///< Of ads().
  /// Rows of ads() that a page takes as they are: without budget, share of voice, company or competition. Of their caps
  /// see capped().
  [[nodiscard]] const Bitmap& plain() const;
  [[nodiscard]] const Bitmap& capped() const;         ///< Rows of ads that some cap looks at.
  [[nodiscard]] std::size_t end_of(Tier tier) const;  ///< One past its last row; ads() stand in order of tiers.
  [[nodiscard]] const std::vector<std::string>& problems() const;
  [[nodiscard]] std::int64_t version() const;
  /// Hash of the ids of ads(), in their order: two inventories that have it alike count the same ads by the same rows.
  [[nodiscard]] std::uint64_t fingerprint() const;

  /// Any ad of the site, active or not; null where there is none.
  [[nodiscard]] const Ad* find_ad(std::string_view id) const;
  /// An active one.
  [[nodiscard]] const AdRow* find_row(std::string_view id) const;
  [[nodiscard]] const Slot* find_slot(std::string_view id) const;

  /// What is eligible for each placement of one request, apart from caps, budgets, pacing and the page. Keep one per
  /// thread: its memory is used again.
  class Eligible {
   public:
    Eligible();
    ~Eligible();
    Eligible(Eligible&&) noexcept;
    /// The first row of ads() at `from` or later that is eligible for the placement; ads().size() where there is none.
    [[nodiscard]] std::size_t next(std::size_t placement, std::size_t from) const;
    [[nodiscard]] bool has(std::size_t placement, std::size_t ad) const;
    /// All of them, for who goes over them all.
    [[nodiscard]] const Bitmap& rows(std::size_t placement) const;
    [[nodiscard]] bool has_slot(std::size_t placement) const;

   private:
    friend class Inventory;
    struct Impl;
    std::unique_ptr<Impl> impl_;
  };
  void find_eligible(const Request& request, Eligible& eligible) const;

  /// Why an ad is not eligible for a placement; Because::chosen where it is. Slow: for who asks.
  [[nodiscard]] Because why_not(const Request& request, const Placement& placement, const AdRow& ad) const;

 private:
  struct Impl;
  explicit Inventory(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// What impressions of an ad, a campaign or an advertiser are counted under for a user's caps.
[[nodiscard]] std::uint64_t cap_target(CapScope scope, std::string_view id);
/// One of 64 that stands for it in a set: two targets may share it.
[[nodiscard]] constexpr std::uint64_t cap_bit(std::uint64_t target) { return std::uint64_t{1} << (target >> 58); }

}  // namespace marquee::decision
