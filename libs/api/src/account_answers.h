// /v1/accounts...: who may sign in; /v1/audit: who did what.
#pragma once

#include <memory>
#include <string>

#include "answers.h"
#include "marquee/access/password.h"
#include "marquee/catalog/accounts.h"
#include "marquee/http/server.h"

namespace marquee::api {

/// Thread safe; blocks while the catalog answers. Passwords are hashed on the queue's thread, which answers.
class AccountAnswers {
 public:
  AccountAnswers(catalog::Catalog& catalog, access::PasswordQueue& queue, access::PasswordCost cost)
      : book_(catalog), queue_(queue), cost_(cost) {}

  [[nodiscard]] http::Response list() const;
  void add(http::Request request, http::Responder responder);
  [[nodiscard]] http::Response set_role(const http::Request& request);
  void set_password(http::Request request, http::Responder responder);
  [[nodiscard]] http::Response remove(const http::Request& request);
  [[nodiscard]] http::Response end_sessions(const http::Request& request);
  [[nodiscard]] http::Response audit(const http::Request& request) const;

 private:
  [[nodiscard]] Json account_json(const catalog::Account& account) const;
  [[nodiscard]] http::Response not_changed(catalog::Edit edit, std::string_view name) const;

  catalog::AccountBook book_;
  access::PasswordQueue& queue_;
  const access::PasswordCost cost_;
};

}  // namespace marquee::api
