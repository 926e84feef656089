#include "decisions.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <vector>

#include "live_profiles.h"
#include "marquee/base/logging.h"
#include "marquee/catalog/definition_book.h"
#include "marquee/decision/definition.h"
#include "marquee/log/local_log.h"
#include "marquee/serving/interest_targeting.h"
#include "parts.h"

namespace marquee::app {
namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(100);

log::LocalLogOptions decisions_log(const Settings& settings, std::shared_ptr<metrics::Registry> metrics) {
  log::LocalLogOptions options;
  options.directory = settings.data_dir + "/decisions/log";
  options.max_bytes = settings.log_max_bytes;
  options.min_free_disk_bytes = settings.log_min_free_disk_bytes;
  // What was decided and not seen yet is read from it after a restart.
  options.keep_confirmed_ms =
      std::max<std::uint64_t>(settings.log_keep_confirmed_ms, 2 * serving::kImpressionLife.count());
  options.metric_labels = {{"log", "decisions"}};
  options.metrics = std::move(metrics);
  return options;
}

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
std::map<std::string, SiteDefinitions> read_all(const catalog::Definitions& definitions) {
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

Result<std::unique_ptr<Decisions>> Decisions::open(const Settings& settings, const Secrets& secrets,
                                                   catalog::Catalog& catalog, log::EventLog& events,
                                                   clickhouse::Client& store, const LiveProfiles* profiles,
                                                   std::shared_ptr<metrics::Registry> metrics) {
  const bool learns = settings.decisions_policy == "learned";
  std::unique_ptr<Decisions> made(new Decisions(catalog, learns, auction_of(settings)));
  auto log = log::open_local_log(decisions_log(settings, metrics));
  if (!log) return log.error();
  made->log_ = std::move(*log);
  made->follow_catalog();
  made->server_ = std::make_unique<serving::DecisionServer>(
      serving::ServingOptions{.hash_key = secrets.hash_key_bytes(),
                              .token_key = secrets.token_key_bytes(),
                              .profiles = profiles != nullptr ? &profiles->profiles() : nullptr,
                              .segments = profiles != nullptr ? &profiles->segments() : nullptr,
                              .clusters = profiles != nullptr ? &profiles->clusters() : nullptr,
                              .metrics = metrics},
      made->sites_, events, *made->log_, key_finder(catalog));
  made->loader_ = std::make_unique<serving::DecisionLoader>(*made->log_, store, metrics);
  made->server_->start(settings.data_dir + "/decisions/counts");
  if (learns) {
    made->learner_ = std::make_unique<serving::ClickLearner>(
        serving::ClickLearnerOptions{
            .token_key = secrets.token_key_bytes(),
            .path = settings.data_dir + "/decisions/model",
            .click_window = Millis(static_cast<std::int64_t>(settings.decisions_click_window_ms)),
            .publish_every = Millis(static_cast<std::int64_t>(settings.decisions_publish_every_ms)),
            .metrics = metrics},
        made->learned_, made->sites_, events, *made->log_);
    made->learner_->start();
  }
  made->watch_ = std::jthread([self = made.get()](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    while (!stopped.wait_for(lock, stop, kLookEvery, [&] { return stop.stop_requested(); })) self->follow_catalog();
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
  auto sites = read_all(*definitions);
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

void Decisions::forget(std::string_view site_id, std::uint64_t user_key) {
  if (auto* decider = sites_.find(site_id)) decider->caps().erase(user_key);
}

void Decisions::stop() {
  watch_ = {};
  if (loader_) loader_->stop();
  if (learner_) learner_->stop();
  if (server_) server_->stop();
  if (log_) log_->close();
}

}  // namespace marquee::app
