#include "marquee/decision/decider.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "page.h"

namespace marquee::decision {
namespace {

Page& page_of_thread() {
  thread_local Page page;
  return page;
}

}  // namespace

Decider::Decider(const Ranker& ranker, Millis reserve_for, const SharedFellows* fellows)
    : ranker_(ranker), reserve_for_(reserve_for), fellows_(fellows), caps_(reserve_for) {}

void Decider::use(std::shared_ptr<const Inventory> inventory) {
  auto view = std::make_shared<View>();
  for (const auto& row : inventory->campaigns()) view->accounts.push_back(&account(row.campaign->id));
  view->inventory = std::move(inventory);
  view_.store(std::move(view));
}

std::shared_ptr<const Inventory> Decider::inventory() const {
  const auto view = view_.load();
  return view ? view->inventory : nullptr;
}

Decision Decider::decide(const Request& request) {
  Decision decision{.id = request.id,
                    .time_ms = request.context.time_ms,
                    .user_key = request.user_key,
                    .policy = ranker_.policy(),
                    .inventory = {},
                    .choices = {}};
  decision.choices.resize(request.placements.size());
  const auto view = view_.load();
  if (!view) return decision;
  decision.ranker = ranker_.current(*view->inventory);
  if (decision.ranker) decision.policy = decision.ranker->policy();
  decision.inventory = view->inventory;
  Page& page = page_of_thread();
  const Ranker& ranker = decision.ranker ? *decision.ranker : ranker_;
  const auto turns = turns_of(ranker, *view->inventory, request);
  if (std::ranges::is_sorted(turns)) {
    page.fill(*this, *view, request, decision);
  } else {
    Request in_turn = request;
    std::vector<Choice> choices(turns.size());
    for (std::size_t i = 0; i < turns.size(); ++i) in_turn.placements[i] = request.placements[turns[i]];
    page.fill(*this, *view, in_turn, decision);
    for (std::size_t i = 0; i < turns.size(); ++i) choices[turns[i]] = std::move(decision.choices[i]);
    decision.choices = std::move(choices);
  }
  for (std::size_t i = 0; i < turns.size(); ++i) decision.choices[turns[i]].turn = static_cast<std::uint8_t>(i + 1);
  return decision;
}

void Decider::forget_candidates(Decision& decision) {
  for (auto& choice : decision.choices) page_of_thread().take_back(std::exchange(choice.candidates, {}));
}

/// Placements in the order in which they are filled: what is looked at most comes first. As each takes what is worth
/// most to it of what is left, and worth is what is looked at times what an ad is worth then, that is the slate of
/// greatest worth where all may have the same ads (the greater with the greater).
std::vector<std::size_t> Decider::turns_of(const Ranker& ranker, const Inventory& inventory, const Request& request) {
  std::vector<std::size_t> turns(request.placements.size());
  std::iota(turns.begin(), turns.end(), std::size_t{0});
  if (turns.size() < 2) return turns;
  std::vector<double> examination;
  for (const auto& placement : request.placements) examination.push_back(ranker.examination(placement, inventory));
  std::ranges::sort(turns, {}, [&](std::size_t i) { return std::pair(-examination[i], i); });
  return turns;
}

void Decider::withdraw(const Decision& decision) {
  for (const auto& choice : decision.choices) {
    if (choice.ad == nullptr) continue;
    account(choice.ad->campaign->campaign->id).release(decision.time_ms);
    if (decision.user_key != 0) caps_.release(decision.user_key, *choice.ad, decision.time_ms);
  }
}

Account& Decider::account(std::string_view campaign_id) {
  const std::lock_guard lock(mutex_);
  const auto found = accounts_.find(campaign_id);
  if (found != accounts_.end()) return *found->second;
  return *accounts_.emplace(campaign_id, std::make_unique<Account>(reserve_for_, fellows_)).first->second;
}

std::vector<std::pair<std::string, Account*>> Decider::accounts() {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<std::string, Account*>> all;
  for (const auto& [id, account] : accounts_) all.emplace_back(id, account.get());
  return all;
}

}  // namespace marquee::decision
