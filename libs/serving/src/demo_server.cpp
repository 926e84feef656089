#include "marquee/serving/demo_server.h"

#include <chrono>
#include <utility>

#include "demo_profile.h"
#include "demo_visit.h"
#include "marquee/base/json_text.h"
#include "marquee/ingest/rate_limiter.h"
#include "marquee/profile/permission.h"
#include "marquee/serving/interest_targeting.h"

namespace marquee::serving {
namespace {

constexpr std::size_t kMostDemoBody = 64 * 1024;

http::Response private_answer(std::string json) {
  auto response = http::Response::json(200, std::move(json));
  response.headers.add("Cache-Control", "no-store");
  return response;
}

}  // namespace

class DemoServer::Impl : public std::enable_shared_from_this<DemoServer::Impl> {
 public:
  explicit Impl(DemoOptions options)
      : options_(std::move(options)),
        visits_(options_.token_key),
        explanations_(visits_.write_key()),
        clock_(options_.clock ? options_.clock : std::make_shared<SystemClock>()) {}

  void add_routes(http::Router& router) {
    const auto add = [&](const char* method, const char* path, auto handle) {
      // On a worker: the titles of segments come from a database.
      router.add_blocking(method, path, [self = shared_from_this(), handle](const http::Request& request) {
        auto refused = self->refuse(request);
        return refused ? std::move(*refused) : ((*self).*handle)(request);
      });
    };
    add("POST", "/v1/demo/visits", &Impl::begin_visit);
    add("POST", "/v1/demo/profile", &Impl::tell_profile);
    add("GET", "/v1/demo/decisions/{id}", &Impl::explain);
  }

  Explanations& explanations() { return explanations_; }

 private:
  std::optional<http::Response> refuse(const http::Request& request) {
    const auto now = std::chrono::steady_clock::now();
    const double rate = options_.requests_per_second;
    if (const auto wait = limits_.wait_seconds(request.remote_address, rate, now); wait > 0) {
      auto response = ingest::error_answer(429, "too many requests from this address");
      response.headers.add("Retry-After", std::to_string(wait));
      return response;
    }
    limits_.charge(request.remote_address, rate, 1, now);
    if (request.body.size() > kMostDemoBody) return ingest::error_answer(413, "the body is larger than 65536 bytes");
    return std::nullopt;
  }

  http::Response begin_visit(const http::Request&) const {
    std::string json;
    JsonObject object(json);
    object.text("site", options_.site_id).text("key", explanations_.write_key()).text("visit", visits_.begin()).end();
    return private_answer(std::move(json));
  }

  http::Response tell_profile(const http::Request& request) const {
    const auto asked = read_demo_asked(request.body);
    if (!asked) return ingest::error_answer(400, asked.error().message);
    if (!visits_.is_student(asked->user_id))
      return ingest::error_answer(403, "user_id: this is no student of a visit that was begun here");
    const auto user_key = event::hash_user(options_.hash_key, asked->user_id);
    const auto permission = profile::Permission::grant(options_.site_id, user_key, asked->consent, asked->age);
    std::string json;
    JsonObject object(json);
    object.raw("personal", permission ? "true" : "false");
    if (permission) add_known(*asked, *permission, object);
    object.end();
    return private_answer(std::move(json));
  }

  void add_known(const DemoAsked& asked, const profile::Permission& permission, JsonObject& object) const {
    const auto now = static_cast<profile::Seconds>(clock_->now().time_since_epoch().count() / 1'000);
    const auto profile = options_.profiles != nullptr ? options_.profiles->read(permission) : std::nullopt;
    object.raw("profile", profile ? write_demo_profile(*profile, asked, now) : "null");
    object.raw("segments", write_segments(permission));
    if (!profile || options_.clusters == nullptr) return;
    const auto clusters = options_.clusters->get();
    const auto cluster = clusters ? clusters->clusters.of(*profile, now) : std::nullopt;
    if (cluster && !clusters->names[*cluster].empty())
      object.text("cluster", std::string(kClusterPrefix) + clusters->names[*cluster]);
  }

  std::string write_segments(const profile::Permission& permission) const {
    std::string out = "[";
    const auto view = options_.segments != nullptr ? options_.segments->view() : nullptr;
    const auto site = view ? view->find(options_.site_id) : profile::SegmentView::const_iterator();
    if (view && site != view->end()) {
      site->second->for_each_of(permission, [&](std::string_view id) {
        if (out.size() > 1) out += ',';
        JsonObject object(out);
        object.text("id", id).text("title", options_.title_of ? options_.title_of(id) : std::string(id)).end();
      });
    }
    return out += ']';
  }

  http::Response explain(const http::Request& request) const {
    auto json = explanations_.find(request.path_parameter("id"));
    if (!json) return ingest::error_answer(404, "of this decision nothing is kept: only of the demo's latest is");
    return private_answer(std::move(*json));
  }

  const DemoOptions options_;
  const DemoVisits visits_;
  Explanations explanations_;
  const std::shared_ptr<const Clock> clock_;
  ingest::RateLimiter limits_;
};

DemoServer::DemoServer(DemoOptions options) : impl_(std::make_shared<Impl>(std::move(options))) {}
DemoServer::~DemoServer() = default;
void DemoServer::add_routes(http::Router& router) { impl_->add_routes(router); }
Explanations& DemoServer::explanations() { return impl_->explanations(); }

ingest::FindKey DemoServer::with_write_key(ingest::FindKey find_key,
                                           std::function<std::optional<ingest::WriteKey>()> site) const {
  return [key = impl_->explanations().write_key(), find_key = std::move(find_key),
          site = std::move(site)](std::string_view asked) { return asked == key ? site() : find_key(asked); };
}

}  // namespace marquee::serving
