#include "decisions.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <vector>

#include "demo_key.h"
#include "live_profiles.h"
#include "marquee/base/logging.h"
#include "marquee/catalog/definition_book.h"
#include "marquee/decision/definition.h"
#include "marquee/serving/interest_targeting.h"
#include "parts.h"

namespace marquee::app {
namespace {

constexpr auto kDefinitionsLookEvery = std::chrono::milliseconds(100);

decision::Auction auction_of(const Settings& settings) {
  if (settings.decisions_auction == "none") return decision::Auction::none;
  return settings.decisions_auction == "first_price" ? decision::Auction::first_price : decision::Auction::second_price;
}

/// What one site may serve.
struct SiteDefinitions {
  std::vector<decision::Campaign> campaigns;
  std::vector<decision::Slot> slots;
};

/// What cannot be read (of a later program) is left out and named.
std::map<std::string, SiteDefinitions> read_definitions(const catalog::Definitions& definitions) {
  std::map<std::string, SiteDefinitions> sites;
  const auto complain = [](const catalog::Definition& one, const Error& error) {
    logging::error("serving.definition_not_read", {{"site", one.site_id}, {"id", one.id}, {"error", error.message}});
  };
  for (const auto& one : definitions.all) {
    auto& site = sites[one.site_id];
    if (one.kind == catalog::ItemKind::slot) {
      auto slot = decision::read_slot(one.text);
      if (slot)
        site.slots.push_back(std::move(*slot));
      else
        complain(one, slot.error());
    } else if (one.kind == catalog::ItemKind::campaign) {
      auto campaign = decision::read_campaign(one.text);
      if (!campaign) {
        complain(one, campaign.error());
        continue;
      }
      campaign->version = one.changed_ms;
      serving::read_interests(campaign->targeting);
      site.campaigns.push_back(std::move(*campaign));
    }
  }
  return sites;
}

}  // namespace

serving::TrainingOptions training_options(const Settings& settings, const Secrets& secrets) {
  serving::TrainingOptions options;
  options.token_key = secrets.token_key_bytes();
  options.click_window = Millis(static_cast<std::int64_t>(settings.decisions_click_window_ms));
  options.compare_for = Millis(static_cast<std::int64_t>(settings.decisions_compare_for_ms));
  return options;
}

Result<std::optional<DeciderPlace>> decider_place(const Settings& settings, bool keeps_profiles) {
  if (settings.log_kind != "kafka") return std::optional<DeciderPlace>();
  auto place = DeciderPlace::take(settings.data_dir + "/deciders/" + settings.kafka_topic, keeps_profiles);
  if (!place) return place.error();
  return std::optional<DeciderPlace>(std::move(*place));
}

Result<std::unique_ptr<Decisions>> Decisions::open(const Settings& settings, const Secrets& secrets,
                                                   std::optional<DeciderPlace> place, catalog::Catalog& catalog,
                                                   log::EventLog& events, const LiveProfiles* profiles,
                                                   std::shared_ptr<metrics::Registry> metrics,
                                                   serving::DemoServer* demo) {
  const bool learns = settings.decisions_policy == "learned";
  const bool has_fellows = place.has_value();
  std::unique_ptr<Decisions> made(
      new Decisions(catalog, learns, auction_of(settings), settings.decisions_uniform_share, has_fellows));
  std::string counts = settings.data_dir + "/decisions/counts";
  std::string model = model_path(settings);
  if (has_fellows) {
    counts = place->counts();
    model = place->model();
    made->place_.emplace(std::move(*place));
  }
  auto logs = DecisionLogs::open(settings, events, metrics);
  if (!logs) return logs.error();
  made->logs_ = std::move(*logs);
  if (has_fellows) {
    made->fellow_watch_ = std::make_unique<serving::FellowWatch>(*made->logs_->fellows(), made->fellows_, metrics);
    made->fellow_watch_->start();
  }
  made->follow_catalog();
  made->follow_live_segments();
  // Before what was counted is read: it may be of before.
  if (has_fellows)
    if (auto heard = made->hear_erasures(); !heard) return heard.error();
  serving::ServingOptions options{.hash_key = secrets.hash_key_bytes(),
                                  .token_key = secrets.token_key_bytes(),
                                  .address_requests_per_second = settings.decisions_address_requests_per_second,
                                  .profiles = profiles != nullptr ? &profiles->profiles() : nullptr,
                                  .segments = profiles != nullptr ? &profiles->segments() : nullptr,
                                  .clusters = profiles != nullptr ? &profiles->clusters() : nullptr,
                                  .explanations = demo != nullptr ? &demo->explanations() : nullptr,
                                  .live_segments = &made->live_segments_,
                                  .metrics = metrics};
  if (has_fellows) options.may_serve = [watch = made->fellow_watch_.get()] { return watch->is_known(); };
  made->server_ = std::make_unique<serving::DecisionServer>(std::move(options), made->sites_, made->logs_->serving(),
                                                            key_finder_with_demo(catalog, demo));
  made->server_->start(counts);
  if (learns) {
    auto versions = open_versions_log(settings, model);
    if (!versions) return versions.error();
    made->versions_ = std::move(*versions);
    made->learner_ = std::make_unique<serving::ClickLearner>(
        serving::ClickLearnerOptions{
            .training = training_options(settings, secrets),
            .path = model,
            .publish_every = Millis(static_cast<std::int64_t>(settings.decisions_publish_every_ms)),
            .metrics = metrics},
        made->learned_, made->sites_, made->logs_->learned_events(), made->logs_->learned_decisions(),
        *made->versions_);
    made->learner_->start();
  }
  made->watch_ = std::jthread([self = made.get()](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    while (!stopped.wait_for(lock, stop, kDefinitionsLookEvery, [&] { return stop.stop_requested(); })) {
      self->follow_catalog();
      self->follow_live_segments();
    }
  });
  return made;
}

void Decisions::follow_catalog() {
  const catalog::DefinitionBook book(catalog_);
  if (book.version() == version_) return;
  const auto definitions = book.all();
  if (!definitions) {
    logging::warn("serving.catalog_not_read", {{"error", definitions.error().message}});
    return;
  }
  auto sites = read_definitions(*definitions);
  for (const auto& [id, decider] : sites_.all()) sites.try_emplace(id);  // All of it may have been removed.
  for (auto& [id, site] : sites) {
    const auto inventory = decision::Inventory::compile(std::move(site.campaigns), std::move(site.slots),
                                                        {.version = definitions->version});
    for (const auto& problem : inventory->problems())
      logging::error("serving.campaign_left_out", {{"site", id}, {"problem", problem}});
    sites_.at(id).use(inventory);
  }
  version_ = definitions->version;
}

void Decisions::follow_live_segments() {
  const auto kept = catalog::DefinitionBook(catalog_).live_segments();
  if (!kept) return;  // Of a catalog that cannot be read follow_catalog() tells.
  std::vector<std::pair<std::string, std::int64_t>> versions;
  for (const auto& one : *kept) versions.emplace_back(one.id, one.changed_ms);
  if (versions == live_versions_) return;
  auto sites = std::make_shared<serving::LiveSegments>();
  for (const auto& one : *kept) {
    const auto complain = [&](std::string_view why) {
      logging::error("serving.segment_left_out", {{"site", one.site_id}, {"id", one.id}, {"error", why}});
    };
    const auto definition = nlohmann::ordered_json::parse(one.definition, nullptr, /*allow_exceptions=*/false);
    auto rule = definition.is_object()
                    ? serving::LiveRule::read(definition.value("rule", nlohmann::ordered_json()).dump())
                    : Result<serving::LiveRule>(Error::reject("no JSON object"));
    auto& of_site = (*sites)[one.site_id];
    if (!rule)
      complain(rule.error().message);
    else if (of_site.size() >= serving::kMostLiveSegments)
      complain(fmt::format("a site has {} live segments at most", serving::kMostLiveSegments));
    else
      of_site.push_back({one.id, std::move(*rule)});
  }
  live_segments_.set(std::move(sites));
  live_versions_ = std::move(versions);
}

Result<void> Decisions::hear_erasures() {
  erasures_ =
      std::make_unique<profile::ErasureReader>(*logs_->erasures(), [this](std::span<const profile::ToldErasure> told) {
        for (const auto& [erasure, offset] : told) forget(erasure.site_id, erasure.user_key, erasure.asked_ms);
      });
  if (auto read = erasures_->catch_up(); !read) return read;
  erasures_->start();
  return {};
}

void Decisions::forget(std::string_view site_id, std::uint64_t user_key, std::int64_t time_ms) {
  sites_.at(site_id).caps().erase(user_key, time_ms);
}

void Decisions::stop() {
  watch_ = {};
  if (learner_) learner_->stop();
  if (server_) server_->stop();
  if (fellow_watch_) fellow_watch_->stop();
  if (erasures_) erasures_->stop();
  if (logs_) logs_->close();
  if (versions_) versions_->close();
}

}  // namespace marquee::app
