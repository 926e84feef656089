#include "account_answers.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "session_answers.h"

namespace marquee::api {
namespace {

constexpr std::uint64_t kAuditPage = 100, kMostOfAudit = 1000;

Result<catalog::Role> role_in(const Json& body) {
  const auto text = text_of(body, "role", std::nullopt);
  if (!text) return text.error();
  const auto role = catalog::role_of(*text);
  if (!role) return Error::reject("role: expected one of viewer, analyst, manager, admin");
  return *role;
}

}  // namespace

Json AccountAnswers::account_json(const catalog::Account& account) const {
  return {{"name", account.name},
          {"role", catalog::name_of(account.role)},
          {"by", account.subject.empty() ? "password" : "oidc"},
          {"made", time_text(account.made_ms)},
          {"changed", time_text(account.changed_ms)},
          {"last_sign_in", account.seen_ms == 0 ? Json(nullptr) : Json(time_text(account.seen_ms))},
          {"sessions", book_.sessions(account.name).size()}};
}

http::Response AccountAnswers::not_changed(catalog::Edit edit, std::string_view name) const {
  switch (edit) {
    case catalog::Edit::in_use:
      return error_answer(409, fmt::format("{} is the last admin: make another one first", name));
    case catalog::Edit::exists:
      return error_answer(409, fmt::format("name: there is an account {} already", name), "name");
    default:
      return error_answer(404, fmt::format("there is no account \"{}\"", name.substr(0, 64)));
  }
}

http::Response AccountAnswers::list() const {
  Json all = Json::array();
  for (const auto& account : book_.all()) all.push_back(account_json(account));
  return json_answer(200, {{"accounts", std::move(all)}});
}

void AccountAnswers::add(http::Request request, http::Responder responder) {
  const auto body = read_object(request, {"name", "role", "password"});
  if (!body) return responder.send(error_answer(body.error()));
  const auto name = text_of(*body, "name", std::nullopt);
  auto password = text_of(*body, "password", std::nullopt);
  if (!name) return responder.send(error_answer(name.error()));
  if (!password) return responder.send(error_answer(password.error()));
  const auto role = role_in(*body);
  if (!role) return responder.send(error_answer(role.error()));
  if (const auto good = catalog::check_account_name(*name); !good) return responder.send(error_answer(good.error()));
  if (const auto good = access::check_password(*password, *name); !good)
    return responder.send(error_answer(good.error()));
  auto waiting = std::make_shared<http::Responder>(std::move(responder));
  const bool is_queued =
      queue_.submit([this, waiting, actor = request.actor, account = catalog::Account{.name = *name, .role = *role},
                     password = std::move(*password)]() mutable {
        auto hash = access::hash_password(password, cost_);
        if (!hash) return waiting->send(error_answer(hash.error()));
        account.password = std::move(*hash);
        const auto added = book_.add(account, actor);
        if (!added) return waiting->send(error_answer(added.error()));
        waiting->send(*added == catalog::Edit::done ? json_answer(201, account_json(account))
                                                    : not_changed(*added, account.name));
      });
  if (!is_queued) waiting->send(busy_answer());
}

http::Response AccountAnswers::set_role(const http::Request& request) {
  const auto body = read_object(request, {"role"});
  if (!body) return error_answer(body.error());
  const auto role = role_in(*body);
  if (!role) return error_answer(role.error());
  const auto name = request.path_parameter("name");
  const auto set = book_.set_role(name, *role, request.actor);
  if (!set) return error_answer(set.error());
  const auto account = book_.find(name);
  return *set == catalog::Edit::done && account ? json_answer(200, account_json(*account)) : not_changed(*set, name);
}

void AccountAnswers::set_password(http::Request request, http::Responder responder) {
  const auto body = read_object(request, {"password"});
  if (!body) return responder.send(error_answer(body.error()));
  auto password = text_of(*body, "password", std::nullopt);
  if (!password) return responder.send(error_answer(password.error()));
  const std::string name(request.path_parameter("name"));
  const auto account = book_.find(name);
  if (!account) return responder.send(not_changed(catalog::Edit::missing, name));
  if (!account->subject.empty())
    return responder.send(error_answer(409, fmt::format("{} signs in by OpenID Connect and has no password", name)));
  if (const auto good = access::check_password(*password, name); !good)
    return responder.send(error_answer(good.error()));
  auto waiting = std::make_shared<http::Responder>(std::move(responder));
  const bool is_queued = queue_.submit(
      [this, waiting, name, actor = request.actor, kept = request.session, password = std::move(*password)] {
        const auto hash = access::hash_password(password, cost_);
        if (!hash) return waiting->send(error_answer(hash.error()));
        const auto set = book_.set_password(name, *hash, actor == name ? kept : "", actor);
        if (!set) return waiting->send(error_answer(set.error()));
        waiting->send(*set == catalog::Edit::done ? no_content() : not_changed(*set, name));
      });
  if (!is_queued) waiting->send(busy_answer());
}

http::Response AccountAnswers::remove(const http::Request& request) {
  const auto name = request.path_parameter("name");
  const auto removed = book_.remove(name, request.actor);
  if (!removed) return error_answer(removed.error());
  return *removed == catalog::Edit::done ? no_content() : not_changed(*removed, name);
}

http::Response AccountAnswers::end_sessions(const http::Request& request) {
  const auto name = request.path_parameter("name");
  const auto ended = book_.end_sessions(name, request.actor);
  if (!ended) return error_answer(ended.error());
  if (!*ended) return not_changed(catalog::Edit::missing, name);
  return json_answer(200, {{"ended", **ended}});
}

http::Response AccountAnswers::audit(const http::Request& request) const {
  const auto before = time_parameter(request, "before");
  if (!before) return error_answer(before.error());
  const auto limit = whole_parameter(request, "limit", kAuditPage);
  if (!limit) return error_answer(limit.error());
  if (*limit == 0 || *limit > kMostOfAudit)
    return error_answer(400, fmt::format("limit: expected 1 to {}", kMostOfAudit), "limit");
  const auto changes = book_.audit(request.query_parameter("actor").value_or(""),
                                   before->value_or(std::numeric_limits<std::int64_t>::max()), *limit);
  if (!changes) return error_answer(changes.error());
  Json entries = Json::array();
  for (const auto& change : *changes)
    entries.push_back({{"time", time_text(change.time_ms)}, {"actor", change.actor}, {"what", change.what}});
  return json_answer(200, {{"entries", std::move(entries)}});
}

}  // namespace marquee::api
