#include "session_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace marquee::api {
namespace {

constexpr std::string_view kSignInActor = "sign-in";  ///< Of what nobody did who is known.
constexpr std::int64_t kMostRefusals = 10'000;        ///< Kept in the audit log.
constexpr std::string_view kWrong = "the name or the password is wrong";

http::Response too_many_answer(Millis wait) {
  const auto seconds = std::max<std::int64_t>(1, (wait.count() + 999) / 1000);
  auto answer = error_answer(429, fmt::format("too many attempts: try again in {} s", seconds));
  answer.headers.add("Retry-After", std::to_string(seconds));
  return answer;
}

http::Response cross_site_answer() {
  return error_answer(403, "signing in and out is taken only from the console's own pages (Sec-Fetch-Site, Origin)");
}

/// Names are lower-case; people's keyboards begin with a capital.
std::string account_name_of(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

}  // namespace

http::Response busy_answer() {
  auto answer = error_answer(503, "many are signing in right now: try again in a second");
  answer.headers.add("Retry-After", "1");
  return answer;
}

http::Response SessionAnswers::get(const http::Request& request) const {
  const auto asker = gate_.asker_of(request);
  Json body = {{"is_signed_in", asker.has_value()}, {"has_accounts", !book_.is_empty()}};
  if (!options_.oidc.issuer.empty()) body["provider"] = options_.oidc.name;
  if (!asker) return json_answer(200, body);
  body["name"] = asker->name;
  body["role"] = catalog::name_of(asker->role);
  body["is_token"] = asker->session.empty();
  const auto account = asker->session.empty() ? std::nullopt : book_.find(asker->name);
  body["has_password"] = account && !account->password.empty();
  return json_answer(200, body);
}

std::optional<http::Response> SessionAnswers::refuse_attempt(const std::string& name, const std::string& address) {
  const auto now = options_.clock->now();
  if (const auto wait = by_address_.begin(address, now)) return too_many_answer(*wait);
  if (const auto wait = by_name_.begin(name, now)) {
    by_address_.take_back(address);
    return too_many_answer(*wait);
  }
  return std::nullopt;
}

void SessionAnswers::sign_in(http::Request request, http::Responder responder) {
  if (is_cross_site(request)) return responder.send(cross_site_answer());
  const auto body = read_object(request, {"name", "password"});
  if (!body) return responder.send(error_answer(body.error()));
  auto name = text_of(*body, "name", std::nullopt);
  auto password = text_of(*body, "password", std::nullopt);
  for (const auto* text : {&name, &password})
    if (!*text) return responder.send(error_answer(text->error()));
  // What no account can have is wrong as any other, but needs no work.
  auto known = account_name_of(std::move(*name));
  if (password->size() > 1024 || !catalog::check_account_name(known)) known.clear();
  if (auto refused = refuse_attempt(known, request.remote_address)) return responder.send(std::move(*refused));
  auto waiting = std::make_shared<http::Responder>(std::move(responder));
  const bool is_queued =
      queue_.submit([this, waiting, credentials = Credentials{known, std::move(*password)},
                     request = std::move(request)] { waiting->send(checked(credentials, request)); });
  if (is_queued) return;
  by_address_.take_back(request.remote_address);
  by_name_.take_back(known);
  waiting->send(busy_answer());
}

http::Response SessionAnswers::checked(const Credentials& credentials, const http::Request& request) {
  const auto account = book_.find(credentials.name);
  const bool is_right =
      access::verify_password(credentials.password, account ? account->password : std::string(), options_.cost);
  if (!account || !is_right) {
    // An unknown name is not written down: it may be a password in the wrong field.
    std::ignore = book_.note(
        kSignInActor,
        fmt::format("sign-in {} refused, from {}", account ? fmt::format("as {}", account->name) : "by an unknown name",
                    request.remote_address),
        kMostRefusals);
    return error_answer(401, kWrong);
  }
  by_address_.take_back(request.remote_address);
  by_name_.take_back(credentials.name);
  if (access::has_other_cost(account->password, options_.cost)) {
    const auto renewed = access::hash_password(credentials.password, options_.cost);
    if (renewed && book_.renew_password(account->name, account->password, *renewed)) {
      auto now = *account;
      now.password = *renewed;
      return begun(now, request);
    }
  }
  return begun(*account, request);
}

http::Response SessionAnswers::begun(const catalog::Account& account, const http::Request& request) {
  const auto secret = sessions_.begin(account.name, account.password,
                                      fmt::format("signed in by password, from {}", request.remote_address));
  if (!secret) return error_answer(secret.error());
  // Whoever was signed in here before is no more.
  if (const auto before = gate_.asker_of(request); before && !before->session.empty())
    std::ignore = sessions_.end(before->session, before->name);
  auto answer = json_answer(200, {{"is_signed_in", true},
                                  {"has_accounts", true},
                                  {"name", account.name},
                                  {"role", catalog::name_of(account.role)},
                                  {"is_token", false},
                                  {"has_password", !account.password.empty()}});
  answer.headers.add("Set-Cookie",
                     set_cookie(request, *secret, options_.sessions.lifetime.count() / 1000, options_.is_secure));
  return answer;
}

http::Response SessionAnswers::sign_out(const http::Request& request) {
  if (is_cross_site(request)) return cross_site_answer();
  http::Response answer;
  answer.status = 204;
  answer.headers.add("Cache-Control", "no-store");
  const auto asker = gate_.asker_of(request);
  if (asker && !asker->session.empty())
    if (const auto ended = sessions_.end(asker->session, asker->name); !ended) return error_answer(ended.error());
  if (!cookie_of(request).empty()) answer.headers.add("Set-Cookie", set_cookie(request, "", 0, options_.is_secure));
  return answer;
}

void SessionAnswers::change_password(http::Request request, http::Responder responder) {
  if (request.session.empty())
    return responder.send(error_answer(400,
                                       "an admin token has no password: sign in by name, or PUT "
                                       "/v1/accounts/{name}/password"));
  const auto body = read_object(request, {"current", "password"});
  if (!body) return responder.send(error_answer(body.error()));
  auto current = text_of(*body, "current", std::nullopt);
  auto next = text_of(*body, "password", std::nullopt);
  for (const auto* text : {&current, &next})
    if (!*text) return responder.send(error_answer(text->error()));
  if (const auto good = access::check_password(*next, request.actor); !good)
    return responder.send(error_answer(good.error()));
  const auto name = request.actor;
  const auto address = request.remote_address;
  if (auto refused = refuse_attempt(name, address)) return responder.send(std::move(*refused));
  auto waiting = std::make_shared<http::Responder>(std::move(responder));
  const bool is_queued =
      queue_.submit([this, waiting, current = std::move(*current), next = std::move(*next),
                     request = std::move(request)] { waiting->send(changed(current, next, request)); });
  if (is_queued) return;
  by_address_.take_back(address);
  by_name_.take_back(name);
  waiting->send(busy_answer());
}

http::Response SessionAnswers::changed(const std::string& current, const std::string& next,
                                       const http::Request& request) {
  const auto account = book_.find(request.actor);
  if (!account || !access::verify_password(current, account->password, options_.cost)) {
    std::ignore = book_.note(request.actor, "change of password refused: the current one was wrong", kMostRefusals);
    return error_answer(400, "current: this is not your password", "current");
  }
  by_address_.take_back(request.remote_address);
  by_name_.take_back(request.actor);
  const auto hash = access::hash_password(next, options_.cost);
  if (!hash) return error_answer(hash.error());
  const auto set = book_.set_password(request.actor, *hash, request.session, request.actor);
  if (!set) return error_answer(set.error());
  http::Response answer;
  answer.status = 204;
  return answer;
}

}  // namespace marquee::api
