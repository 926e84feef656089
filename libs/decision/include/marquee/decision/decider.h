// Decider: which ad for each placement of a request, of one site.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/time.h"
#include "marquee/decision/account.h"
#include "marquee/decision/cap_book.h"
#include "marquee/decision/inventory.h"
#include "marquee/decision/ranker.h"
#include "marquee/decision/request.h"

namespace marquee::decision {

/// Per placement, in order: the ads that are eligible (Inventory), whose campaigns have budget and are not ahead of
/// their pace, whose caps the user has not reached, that are not on this page already nor compete with what is. Of a
/// tier's campaigns those with a share of voice get their shares of the placements; the tier's other ads share the rest
/// as the ranker says, or, where there is none, the next tier does. What nobody else takes goes to those with a share.
///
/// Some ads bring others: a campaign that is a roadblock takes all placements of the request or none, with a different
/// ad for each, and is chosen with the first; of companions the first that is chosen brings the others. Which ad then
/// goes where is settled by that choice (Choice::is_bound, propensity 1).
///
/// The choice is drawn with numbers that come from the decision's id alone. Propensities are those of the draw that was
/// made, given the placements before. What is chosen is reserved with its campaign and its user (Account, CapBook).
///
/// Thread safe. No lock is shared by all requests: a campaign with a budget has one, and so has a 256th of the users.
class Decider {
 public:
  /// `ranker` and `fellows` must outlive it. A served ad is reserved for `reserve_for`: no shorter than its impression
  /// counts. `fellows`: where others decide for the same site.
  Decider(const Ranker& ranker, Millis reserve_for, const SharedFellows* fellows = nullptr);

  /// Requests from now on see this one; those under way keep theirs.
  void use(std::shared_ptr<const Inventory> inventory);
  /// Null before the first.
  [[nodiscard]] std::shared_ptr<const Inventory> inventory() const;

  [[nodiscard]] Decision decide(const Request& request);
  /// Forgets a decision's candidates, of which all is said, and has the next decisions of the calling thread use their
  /// memory: 24 KB for a thousand, which to ask the system for takes as long as to fill it.
  static void forget_candidates(Decision& decision);
  /// Undoes what it reserved: it was not told to anybody.
  void withdraw(const Decision& decision);

  /// What a campaign has delivered, whether it is in the inventory or not; lives as long as this.
  [[nodiscard]] Account& account(std::string_view campaign_id);
  /// Every campaign that was ever asked for.
  [[nodiscard]] std::vector<std::pair<std::string, Account*>> accounts();
  [[nodiscard]] CapBook& caps() { return caps_; }

 private:
  friend class Page;
  struct View {
    std::shared_ptr<const Inventory> inventory;
    std::vector<Account*> accounts;  ///< By campaign's row.
  };

  [[nodiscard]] static std::vector<std::size_t> turns_of(const Ranker& ranker, const Inventory& inventory,
                                                         const Request& request);

  const Ranker& ranker_;
  const Millis reserve_for_;
  const SharedFellows* const fellows_;
  CapBook caps_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Account>, std::less<>> accounts_;  ///< Guarded by mutex_.
  std::atomic<std::shared_ptr<const View>> view_;
};

}  // namespace marquee::decision
