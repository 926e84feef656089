#include "marquee/serving/decision_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "answer.h"
#include "asked.h"
#include "decision_record.h"
#include "delivery_feed.h"
#include "marquee/base/json_text.h"
#include "marquee/event/parser.h"
#include "marquee/ingest/rate_limiter.h"
#include "profile_context.h"
#include "recent.h"
#include "seal.h"
#include "serving_metrics.h"

namespace marquee::serving {
namespace {

using decision::Because;
using decision::Token;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kMostAskBody = 64 * 1024;
constexpr double kNanos = 1e9;
constexpr Millis kMostAhead{2'000};  ///< The clock of whoever made a decision may be of ours.

double seconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

http::Response gone_nowhere() { return ingest::error_answer(404, "this address leads nowhere"); }

/// Only what a browser may be sent to: the web, or a page of this server ("//host" would be another's).
bool is_web_address(std::string_view url) {
  const bool is_path = url.starts_with('/') && !url.starts_with("//");
  return is_path || url.starts_with("https://") || url.starts_with("http://");
}

http::Response redirect(std::string_view landing) {
  http::Response response;
  response.status = 302;
  response.headers.add("Location", std::string(landing));
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("Referrer-Policy", "no-referrer");
  return response;
}

/// What an impression of it says, and a click.
event::Event served_event(const Asked& asked, const decision::Decision& decision, std::size_t placement,
                          std::string_view decision_id) {
  const auto& choice = decision.choices[placement];
  event::Event event = asked.event;
  event.slot_id = asked.request.placements[placement].slot;
  event.position = asked.request.placements[placement].position;
  event.ad_id = choice.ad->ad->id;
  event.campaign_id = choice.ad->campaign->campaign->id;
  event.decision_id = decision_id;
  event.propensity = choice.propensity;
  event.policy = decision::without_version(decision.policy);
  return event;
}

/// Where it was shown or clicked, as the page that loads the address says: x and y within the slot, page_x and page_y
/// within the page. The token knows nothing of it, so what is no position is as if it were not given.
void place(event::Event& event, const http::Request& request) {
  constexpr event::Permyriad kWhole = 10'000;
  const auto read = [&](std::string_view name, event::Permyriad& target) {
    const auto text = request.query_parameter(name);
    if (!text) return;
    event::Permyriad value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error == std::errc() && end == text->data() + text->size() && value <= kWhole) target = value;
  };
  read("x", event.slot_x);
  read("y", event.slot_y);
  read("page_x", event.page_x);
  read("page_y", event.page_y);
}

/// What events of the ad tell the user's profile beside their fields (libs/profile); empty where none may be kept.
std::string props_for_profile(const Asked& asked, const decision::Campaign& campaign) {
  std::string props;
  if (!asked.permission) return props;
  JsonObject object(props);
  object.number("age", asked.age.value_or(0)).text("category", campaign.category).end();
  return props;
}

}  // namespace

class DecisionServer::Impl : public std::enable_shared_from_this<DecisionServer::Impl> {
 public:
  Impl(ServingOptions options, Sites& sites, const ServingLogs& logs, ingest::FindKey find_key)
      : options_(std::move(options)),
        sites_(sites),
        events_(logs.events),
        decisions_(logs.decisions),
        find_key_(std::move(find_key)),
        seal_(options_.token_key),
        spent_(kClickLife),
        metrics_(options_.metrics),
        clock_(options_.clock ? options_.clock : std::make_shared<SystemClock>()),
        feed_(seal_, sites_, logs, spent_, clock_) {}

  void add_routes(http::Router& router) {
    const auto add = [&](const char* method, const char* path, auto handle) {
      router.add(method, path, [self = shared_from_this(), handle](http::Request request, http::Responder responder) {
        handle(*self, request, std::move(responder));
      });
    };
    add("POST", "/v1/decisions", [](Impl& self, http::Request& request, http::Responder responder) {
      self.decide(request, std::move(responder));
    });
    add("OPTIONS", "/v1/decisions", [](Impl&, http::Request& request, http::Responder responder) {
      responder.send(ingest::preflight_answer(request));
    });
    add("GET", "/v1/impression/{token}", [](Impl& self, http::Request& request, http::Responder responder) {
      self.count_impression(request, std::move(responder));
    });
    add("GET", "/v1/click/{token}", [](Impl& self, http::Request& request, http::Responder responder) {
      self.count_click(request, std::move(responder));
    });
  }

  void start(const std::string& path) { feed_.start(path); }
  [[nodiscard]] bool is_ready() const { return feed_.is_ready() && (!options_.may_serve || options_.may_serve()); }
  [[nodiscard]] Result<void> save() { return feed_.save(); }
  void stop() { feed_.stop(); }

 private:
  [[nodiscard]] std::int64_t now() const { return clock_->now().time_since_epoch().count(); }

  void decide(const http::Request& request, http::Responder responder) {
    const auto begin = SteadyClock::now();
    const auto key = ingest::bearer(request);
    const auto owner = key.empty() ? std::nullopt : find_key_(key);
    // Of an unknown key, too: a page must see that it is refused, or it takes it for a broken network and asks again.
    const std::string origin(request.headers.get("Origin"));
    const auto refuse = [&](http::Response response) {
      metrics_.refused(response.status);
      ingest::allow_origin(response, origin);
      responder.send(std::move(response));
    };
    if (auto refused = ingest::refuse_access(request, key, owner, "is asked for no ads by"))
      return refuse(std::move(*refused));
    if (const auto wait = owner->trusted ? 0 : wait_of_flood(request); wait > 0) {
      auto response = ingest::error_answer(429, "too many requests from this address");
      response.headers.add("Retry-After", std::to_string(wait));
      return refuse(std::move(response));
    }
    if (request.body.size() > kMostAskBody)
      return refuse(ingest::error_answer(413, fmt::format("the body is larger than {} bytes", kMostAskBody)));
    Asked asked;
    const AskContext context{
        .key = *owner, .hash_key = options_.hash_key, .user_agent = request.headers.get("User-Agent"), .now_ms = now()};
    if (auto read = read_request(request.body, context, asked); !read)
      return refuse(ingest::error_answer(400, read.error().message));
    know_user(*owner, asked);
    const bool is_explained = options_.explanations != nullptr && key == options_.explanations->write_key();
    if (is_explained) asked.request.wants_reasons = true;  // The answer does not have them all the same.
    asked.request.id = decision::make_decision_id();
    auto* decider = sites_.find(owner->site_id);
    const auto known = SteadyClock::now();
    auto decision = !is_ready()          ? nothing(asked.request, Because::not_ready)
                    : decider == nullptr ? nothing(asked.request, Because::unknown_slot)
                                         : decider->decide(asked.request);
    metrics_.took(Stage::read, std::chrono::duration<double>(known - begin).count());
    metrics_.chosen(seconds_since(known));
    if (is_explained) options_.explanations->keep(decision::text_of(decision.id), write_explanation(asked, decision));
    log_and_answer(*owner, asked, std::move(decision), decider, begin, origin, std::move(responder));
  }

  /// Adds to what was asked what is kept of the user, where that may be.
  void know_user(const ingest::WriteKey& owner, Asked& asked) const {
    if (!asked.permission) return;
    if (options_.profiles != nullptr)
      if (const auto profile = options_.profiles->read(*asked.permission)) describe(owner, *profile, asked);
    if (options_.segments != nullptr) add_segments(owner, asked);
  }

  void describe(const ingest::WriteKey& owner, const profile::Profile& profile, Asked& asked) const {
    auto& context = asked.request.context;
    describe_profile(profile, asked.profile_texts, context);
    // Of what is known by now: which segments hold does not hang on each other.
    if (options_.live_segments != nullptr) asked.live_segments = options_.live_segments->get();
    if (asked.live_segments)
      if (const auto site = asked.live_segments->find(owner.site_id); site != asked.live_segments->end())
        for (const auto& segment : site->second)
          if (segment.rule.holds(profile, context)) add_segment(context, segment.id);
    if (options_.clusters == nullptr) return;
    if (const auto clusters = options_.clusters->get())
      describe_cluster(profile, *clusters, asked.cluster_text, context);
  }

  /// Once: a request may name it as well.
  static void add_segment(decision::Context& context, std::string_view id) {
    const auto is_it = [&](const decision::Known& one) {
      return one.field == decision::Field::segment && one.value == id;
    };
    if (std::ranges::none_of(context.known, is_it)) context.add(decision::Field::segment, id);
  }

  void add_segments(const ingest::WriteKey& owner, Asked& asked) const {
    asked.segments = options_.segments->view();
    const auto site = asked.segments->find(owner.site_id);
    if (site == asked.segments->end()) return;
    site->second->for_each_of(*asked.permission, [&](std::string_view id) { add_segment(asked.request.context, id); });
  }

  static decision::Decision nothing(const decision::Request& request, Because because) {
    decision::Decision decision;
    decision.id = request.id;
    decision.time_ms = request.context.time_ms;
    decision.choices.resize(request.placements.size());
    for (auto& choice : decision.choices) choice.because = because;
    return decision;
  }

  void log_and_answer(const ingest::WriteKey& owner, const Asked& asked, decision::Decision decision,
                      decision::Decider* decider, SteadyClock::time_point begin, std::string origin,
                      http::Responder responder) {
    const auto chosen = SteadyClock::now();
    std::string record;
    const auto partition_key = decision.id.low;
    log::Batch batch(static_cast<log::Partition>(partition_key % decisions_.partitions()));
    const bool is_told = tell_of_inventory(owner.site_id, decision, record);
    if (is_told) batch.add(std::exchange(record, {}), partition_key);
    append_record(owner.site_id, asked.request, decision, record);
    batch.add(record, partition_key);
    // Written before, as what it borrows ends with this call.
    std::string answer = write_answer(asked, decision, addresses_of(asked, decision));
    const bool has_ads = std::ranges::any_of(decision.choices, [](const auto& one) { return one.ad != nullptr; });
    if (has_ads) feed_.announce(decision.id);
    std::string empty_answer = answer_without_ads(asked, decision);
    // All is said of them: they need not wait for the disk, nor be freed by the log's thread.
    decision::Decider::forget_candidates(decision);
    auto kept = std::make_shared<decision::Decision>(std::move(decision));
    std::vector<log::Batch> batches;
    batches.push_back(std::move(batch));
    const auto made = SteadyClock::now();
    metrics_.took(Stage::write, std::chrono::duration<double>(made - chosen).count());
    decisions_.append(std::move(batches), [self = shared_from_this(), made, answer = std::move(answer),
                                           empty_answer = std::move(empty_answer), kept, decider, begin, is_told,
                                           site = std::string(is_told ? owner.site_id : ""), origin = std::move(origin),
                                           responder = std::move(responder)](Result<void> done) mutable {
      const auto logged = SteadyClock::now();
      self->metrics_.took(Stage::log, std::chrono::duration<double>(logged - made).count());
      if (!done && decider != nullptr) self->withdraw(*decider, *kept);
      if (!done && is_told) self->forget_inventory(site);
      std::size_t served = 0;
      for (const auto& choice : kept->choices) served += done && choice.ad != nullptr ? 1 : 0;
      self->metrics_.decided(served, kept->choices.size() - served);
      auto response = http::Response::json(200, done ? std::move(answer) : std::move(empty_answer));
      response.headers.add("Cache-Control", "no-store");
      ingest::allow_origin(response, origin);
      responder.send(std::move(response), [self, begin, logged] {
        self->metrics_.took(Stage::send, seconds_since(logged));
        self->metrics_.answered(seconds_since(begin));
      });
    });
  }

  void withdraw(decision::Decider& decider, const decision::Decision& decision) {
    const bool is_unseen = feed_.take_back(decision.id);
    for (const auto& choice : decision.choices)
      if (is_unseen && choice.ad != nullptr) decider.account(choice.ad->campaign->campaign->id).see_own();
    decider.withdraw(decision);
  }

  /// True where the log must have the inventory first, as `record`: decisions count its ads by their rows.
  bool tell_of_inventory(const std::string& site_id, const decision::Decision& decision, std::string& record) {
    if (!decision.inventory || decision.inventory->ads().size() <= kMostNamed) return false;
    const std::lock_guard lock(told_mutex_);
    const auto fingerprint = decision.inventory->fingerprint();
    const auto [told, is_new] = told_.try_emplace(site_id, fingerprint);
    if (!is_new && told->second == fingerprint) return false;
    told->second = fingerprint;
    append_inventory(site_id, *decision.inventory, record);
    return true;
  }

  void forget_inventory(const std::string& site_id) {
    const std::lock_guard lock(told_mutex_);
    told_.erase(site_id);
  }

  std::string answer_without_ads(const Asked& asked, const decision::Decision& decision) const {
    decision::Decision nothing{.id = decision.id,
                               .time_ms = decision.time_ms,
                               .user_key = decision.user_key,
                               .policy = decision.policy,
                               .inventory = decision.inventory,
                               .choices = {}};
    nothing.choices.resize(decision.choices.size());
    for (auto& choice : nothing.choices) choice.because = Because::not_logged;
    return write_answer(asked, nothing, {});
  }

  std::vector<Addresses> addresses_of(const Asked& asked, const decision::Decision& decision) const {
    const auto id = decision::text_of(decision.id);
    std::vector<Addresses> addresses(decision.choices.size());
    for (std::size_t i = 0; i < decision.choices.size(); ++i) {
      if (decision.choices[i].ad == nullptr) continue;
      const auto& campaign = *decision.choices[i].ad->campaign->campaign;
      auto event = served_event(asked, decision, i, id);
      const auto props = props_for_profile(asked, campaign);
      event.props = props;
      const auto number = static_cast<std::uint8_t>(i);
      const auto price = decision.choices[i].price_micros;
      event.value = static_cast<double>(decision::cost_of_impression(campaign, price)) / kNanos;
      addresses[i].impression = "/v1/impression/" + seal_.address(event, Token::Kind::impression, number,
                                                                  decision.time_ms, kImpressionLife.count());
      event.value = static_cast<double>(decision::cost_of_click(campaign, price)) / kNanos;
      addresses[i].click =
          "/v1/click/" + seal_.address(event, Token::Kind::click, number, decision.time_ms, kClickLife.count());
    }
    return addresses;
  }

  /// Charges the address for the request. Seconds until it may ask again; 0: it may.
  std::uint64_t wait_of_flood(const http::Request& request) {
    const auto begin = SteadyClock::now();
    const double rate = options_.address_requests_per_second;
    const auto wait = address_limits_.wait_seconds(request.remote_address, rate, begin);
    if (wait == 0) address_limits_.charge(request.remote_address, rate, 1, begin);
    return wait;
  }

  /// When it was shown or clicked: now, or where a server's key of the site comes with it, at `time`. nullopt where
  /// nobody may say so.
  [[nodiscard]] std::optional<std::int64_t> moment_of(const http::Request& request,
                                                      const std::optional<Seal::Opened>& opened) const {
    const auto said = request.query_parameter("time");
    if (!said) return now();
    const auto key = ingest::bearer(request);
    const auto owner = key.empty() ? std::nullopt : find_key_(key);
    if (!owner || !owner->trusted || !opened || owner->site_id != opened->event.site_id) return std::nullopt;
    const auto time = read_time(*said);
    return time && *time >= opened->token.issued_ms ? time : std::nullopt;
  }

  static http::Response no_such_time() {
    return ingest::error_answer(403,
                                "time: only a trusted key of the site may give one, in milliseconds since 1970 or RFC "
                                "3339, not before the decision");
  }

  void count_impression(const http::Request& request, http::Responder responder) {
    const bool is_flood = wait_of_flood(request) > 0;
    auto opened = is_flood ? std::nullopt : seal_.open(request.path_parameter("token"), Token::Kind::impression);
    const auto moment = is_flood ? now() : moment_of(request, opened);
    if (!moment) return responder.send(no_such_time());
    const auto outcome = is_flood ? Outcome::flood : opened ? judge(request, *opened, *moment) : Outcome::forged;
    if (outcome == Outcome::counted) {
      place(opened->event, request);
      return append(*opened, *moment, ingest::pixel_answer(), std::move(responder));
    }
    metrics_.event(event::Type::impression, outcome);
    responder.send(ingest::pixel_answer());
  }

  void count_click(const http::Request& request, http::Responder responder) {
    const bool is_flood = wait_of_flood(request) > 0;
    auto opened = seal_.open(request.path_parameter("token"), Token::Kind::click);
    const auto moment = moment_of(request, opened);
    if (!moment) return responder.send(no_such_time());
    if (!opened) {
      metrics_.event(event::Type::click, is_flood ? Outcome::flood : Outcome::forged);
      responder.send(gone_nowhere());
      return;
    }
    auto* decider = sites_.find(opened->event.site_id);
    const auto inventory = decider != nullptr ? decider->inventory() : nullptr;
    const auto* ad = inventory ? inventory->find_ad(opened->event.ad_id) : nullptr;
    auto answer =
        ad != nullptr && is_web_address(ad->creative.landing_url) ? redirect(ad->creative.landing_url) : gone_nowhere();
    const auto outcome = is_flood ? Outcome::flood : judge(request, *opened, *moment);
    if (outcome == Outcome::counted) {
      charge(opened->event, *moment, decider, inventory.get());
      place(opened->event, request);
      return append(*opened, *moment, std::move(answer), std::move(responder));
    }
    metrics_.event(event::Type::click, outcome);
    responder.send(std::move(answer));
  }

  /// Outcome::counted: it is to be, and its token is spent. For how long that is remembered the wall clock tells,
  /// whatever time a server gives.
  Outcome judge(const http::Request& request, const Seal::Opened& opened, std::int64_t at_ms) {
    if (opened.token.is_expired(at_ms)) return Outcome::expired;
    // It would count longer than what it stands for is reserved.
    if (opened.token.issued_ms > at_ms + kMostAhead.count()) return Outcome::clock;
    if (event::looks_like_bot(request.headers.get("User-Agent"))) return Outcome::bot;
    if (opened.token.kind == Token::Kind::click && feed_.is_ready() && !spent_.has(seal_.impression_of(opened.event)))
      return Outcome::no_impression;
    return spent_.add(opened.identity, now()) ? Outcome::counted : Outcome::replayed;
  }

  /// A click costs no more than its campaign's budget has left.
  static void charge(event::Event& event, std::int64_t at_ms, decision::Decider* decider,
                     const decision::Inventory* inventory) {
    const auto* row = inventory != nullptr ? inventory->find_row(event.ad_id) : nullptr;
    if (row == nullptr) return;
    const auto cost = static_cast<decision::Nanos>(event.value * kNanos + 0.5);
    const auto left = decider->account(event.campaign_id).left_for(*row->campaign, at_ms, cost);
    event.value = static_cast<double>(left) / kNanos;
  }

  void append(const Seal::Opened& opened, std::int64_t at_ms, http::Response answer, http::Responder responder) {
    event::Event event = opened.event;
    event.event_time_ms = at_ms;
    event.received_time_ms = now();
    const auto props = write_after_ms(event.event_time_ms - opened.token.issued_ms, event.props);
    event.props = props;
    std::string record;
    event::encode(event, record);
    const auto partition_key = event::partition_key(event);
    std::vector<log::Batch> batches;
    batches.emplace_back(static_cast<log::Partition>(partition_key % events_.partitions())).add(record, partition_key);
    events_.append(std::move(batches),
                   [self = shared_from_this(), type = event.type, identity = opened.identity,
                    answer = std::move(answer), responder = std::move(responder)](Result<void> done) mutable {
                     if (!done) self->spent_.remove(identity);
                     self->metrics_.event(type, done ? Outcome::counted : Outcome::not_logged);
                     responder.send(std::move(answer));
                   });
  }

  const ServingOptions options_;
  Sites& sites_;
  log::EventLog& events_;
  log::EventLog& decisions_;
  const ingest::FindKey find_key_;
  const Seal seal_;
  std::mutex told_mutex_;
  std::map<std::string, std::uint64_t, std::less<>> told_;  ///< By site: of which inventory the log has the ads.
  Recent spent_;                                            ///< Identities of impressions and clicks that were taken.
  ingest::RateLimiter address_limits_;
  ServingMetrics metrics_;
  const std::shared_ptr<const Clock> clock_;
  DeliveryFeed feed_;
};

DecisionServer::DecisionServer(ServingOptions options, Sites& sites, const ServingLogs& logs, ingest::FindKey find_key)
    : impl_(std::make_shared<Impl>(std::move(options), sites, logs, std::move(find_key))) {}
DecisionServer::~DecisionServer() { impl_->stop(); }
void DecisionServer::add_routes(http::Router& router) { impl_->add_routes(router); }
void DecisionServer::start(const std::string& path) { impl_->start(path); }
bool DecisionServer::is_ready() const { return impl_->is_ready(); }
Result<void> DecisionServer::save() { return impl_->save(); }
void DecisionServer::stop() { impl_->stop(); }

}  // namespace marquee::serving
