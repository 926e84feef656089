// Decisions, impressions and clicks as a process leaves them in its logs, without the process.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "decision_record.h"
#include "marquee/decision/inventory.h"
#include "marquee/event/event.h"
#include "marquee/log/event_log.h"
#include "seal.h"

namespace marquee::serving {

class LoggedTraffic {
 public:
  /// Ads c0 to c<ads - 1> of site "campus".
  LoggedTraffic(std::size_t ads, const decision::TokenKey& key, log::EventLog& events, log::EventLog& decisions)
      : seal_(key), events_(events), decisions_(decisions) {
    decision::Campaign campaign{
        .id = "c", .status = decision::Status::active, .tier = decision::Tier::standard, .category = "study"};
    campaign.pacing = decision::Pacing::none;
    for (std::size_t i = 0; i < ads; ++i) campaign.ads.push_back({.id = "c" + std::to_string(i)});
    inventory = decision::Inventory::compile({campaign}, {{.id = "top"}}, {.version = 1});
  }

  /// Decided at `time_ms`, seen a second later and clicked, if so, another second later.
  void show(std::int64_t time_ms, std::string_view college, std::size_t ad, bool is_clicked) {
    constexpr std::int64_t kSecond = 1'000;
    decision::Request request;
    request.id = {.high = ++number_, .low = number_ * 0x9E3779B97F4A7C15};
    request.context.time_ms = time_ms;
    request.context.add(decision::Field::college, college);
    request.placements.push_back({.slot = "top", .position = 1});
    decision::Decision decision;
    decision.id = request.id;
    decision.time_ms = time_ms;
    decision.inventory = inventory;
    decision.choices.resize(1);
    decision.choices[0].ad = &inventory->ads()[ad];
    decision.choices[0].because = decision::Because::chosen;
    std::string record;
    append_record("campus", request, decision, record);
    append(decisions_, static_cast<log::Partition>(number_ % decisions_.partitions()), record);
    const auto id = decision::text_of(request.id);
    count(event::Type::impression, time_ms + kSecond, id, inventory->ads()[ad].ad->id);
    if (is_clicked) count(event::Type::click, time_ms + 2 * kSecond, id, inventory->ads()[ad].ad->id);
  }

  std::shared_ptr<const decision::Inventory> inventory;

 private:
  static void append(log::EventLog& log, log::Partition partition, std::string_view record) {
    std::vector<log::Batch> batches;
    batches.emplace_back(partition).add(record);
    log.append(std::move(batches), [](Result<void> done) { ASSERT_TRUE(done); });
  }

  void count(event::Type type, std::int64_t time_ms, std::string_view decision_id, std::string_view ad) {
    event::Event event;
    event.type = type;
    event.site_id = "campus";
    event.decision_id = decision_id;
    event.ad_id = ad;
    event.slot_id = "top";
    event.event_time_ms = event.received_time_ms = time_ms;
    const auto external_id = seal_.external_id(event);
    event.external_id = external_id;
    std::string record;
    event::encode(event, record);
    append(events_, static_cast<log::Partition>(number_ % events_.partitions()), record);
  }

  const Seal seal_;
  log::EventLog& events_;
  log::EventLog& decisions_;
  std::uint64_t number_ = 0;
};

}  // namespace marquee::serving
