// One request on its way through the Decider: what has been chosen for the page so far, and what may come next.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "auction.h"
#include "bitmap.h"
#include "marquee/decision/decider.h"

namespace marquee::decision {

/// Keep one per thread: its memory is used again.
class Page {
 public:
  void fill(Decider& decider, const Decider::View& view, const Request& request, Decision& decision);
  /// Memory of candidates for the next pages.
  void take_back(std::vector<Candidate> memory);

 private:
  using Bundle = std::vector<std::pair<std::size_t, const AdRow*>>;  ///< Placement and ad.
  /// Candidates that share a part of the chance.
  struct Group {
    const Campaign* campaign = nullptr;  ///< With a share of voice; null: all others of a tier.
    std::size_t begin = 0, end = 0;
    double chance = 0;
  };
  /// What is known of a campaign for this request; kUnknown: it was not asked yet.
  struct Known {
    std::int16_t gate = kUnknown, page = kUnknown;
  };
  static constexpr std::int16_t kUnknown = -1;

  void begin(Decider& decider, const Decider::View& view, const Request& request);
  [[nodiscard]] std::vector<Candidate> take_spare();
  void choose(std::size_t placement, Decision& decision);
  void gather(std::size_t placement);
  /// Of the rows from `begin` to `end`, which are of one tier: those with a share of voice go to candidates_ in groups,
  /// the others to others_. The sum of the shares.
  double gather_tier(std::size_t placement, std::size_t begin, std::size_t end);
  void share_out(std::size_t placement);
  [[nodiscard]] std::size_t draw(std::size_t placement, std::uint32_t attempt, const DecisionId& id) const;
  /// Of an ad that is eligible, by its row; as the following by the campaign's.
  [[nodiscard]] Because verdict(std::size_t placement, std::size_t ad);
  [[nodiscard]] Because gate_of(std::uint32_t campaign);
  [[nodiscard]] Because page_of(std::uint32_t campaign);
  void read_stamps();
  /// The ads that come with it, itself first; nullopt where they do not all fit.
  [[nodiscard]] std::optional<Bundle> bundle_of(std::size_t placement, const AdRow& ad);
  [[nodiscard]] bool may_bring(std::size_t placement, const AdRow& ad, std::uint32_t size) const;
  [[nodiscard]] bool reserve(const Bundle& bundle);
  /// Serves the bundle, whose first is `drawn`.
  void put(std::size_t placement, const Bundle& bundle, const Candidate& drawn, Decision& decision);
  [[nodiscard]] std::int64_t price_at(std::size_t placement, const CampaignRow& campaign,
                                      const Standing& standing) const;
  void explain(std::size_t placement, Choice& choice);

  Decider* decider_ = nullptr;
  const Decider::View* view_ = nullptr;
  const Ranker* ranker_ = nullptr;
  const Request* request_ = nullptr;
  Inventory::Eligible eligible_;
  std::vector<Known> known_;  ///< By campaign's row.
  std::vector<const AdRow*> chosen_, refused_;
  Bitmap on_page_;                ///< Rows of those that are chosen.
  bool page_excludes_ = false;    ///< One of those that are chosen may not stand beside some others.
  std::vector<bool> is_filled_;   ///< By placement.
  std::vector<Stamp> stamps_;     ///< Of the user.
  std::uint64_t stamp_bits_ = 0;  ///< Of their targets (cap_bit).
  std::vector<Candidate> candidates_, others_;
  std::vector<std::vector<Candidate>> spare_;  ///< Empty, with memory.
  std::vector<Group> groups_;
};

}  // namespace marquee::decision
