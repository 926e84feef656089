// /v1/session: signing in and out, and who is signed in.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "answers.h"
#include "gate.h"
#include "marquee/access/attempts.h"
#include "marquee/access/password.h"
#include "marquee/access/sessions.h"
#include "marquee/api/sign_in_options.h"
#include "marquee/catalog/accounts.h"
#include "marquee/http/server.h"

namespace marquee::api {

/// Thread safe. Passwords are looked at on the queue's thread, which answers.
class SessionAnswers {
 public:
  SessionAnswers(const SignInOptions& options, catalog::Catalog& catalog, access::Sessions& sessions, const Gate& gate,
                 access::PasswordQueue& queue)
      : options_(options),
        book_(catalog),
        sessions_(sessions),
        gate_(gate),
        queue_(queue),
        by_address_(options.of_address),
        by_name_(options.of_name) {}

  [[nodiscard]] http::Response get(const http::Request& request) const;
  void sign_in(http::Request request, http::Responder responder);
  [[nodiscard]] http::Response sign_out(const http::Request& request);
  /// One's own password.
  void change_password(http::Request request, http::Responder responder);

 private:
  struct Credentials {
    std::string name, password;
  };
  [[nodiscard]] std::optional<http::Response> refuse_attempt(const std::string& name, const std::string& address);
  [[nodiscard]] http::Response checked(const Credentials& credentials, const http::Request& request);
  [[nodiscard]] http::Response changed(const std::string& current, const std::string& next,
                                       const http::Request& request);
  [[nodiscard]] http::Response begun(const catalog::Account& account, const http::Request& request);

  const SignInOptions& options_;
  catalog::AccountBook book_;
  access::Sessions& sessions_;
  const Gate& gate_;
  access::PasswordQueue& queue_;
  access::AttemptLimit by_address_, by_name_;
};

/// 503 of what can do no more right now.
[[nodiscard]] http::Response busy_answer();

}  // namespace marquee::api
