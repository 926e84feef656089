// /v1/users and /v1/erasures: what is known of a user, and its erasure.
#pragma once

#include <functional>
#include <string>

#include "marquee/catalog/catalog.h"
#include "marquee/http/message.h"
#include "marquee/privacy/eraser.h"

namespace marquee::api {

/// All that is known of a user, as JSON text (privacy::export_user).
using ExportUser = std::function<Result<std::string>(const std::string& site_id, const std::string& user_id)>;

/// Thread safe; blocks while the store answers. Without an eraser (null) nobody is erased here.
class PrivacyAnswers {
 public:
  PrivacyAnswers(catalog::Catalog& catalog, privacy::Eraser* eraser, ExportUser export_user)
      : catalog_(catalog), eraser_(eraser), export_user_(std::move(export_user)) {}

  /// Asks for an erasure: 202 and the job, whether anything is known of the user or not.
  [[nodiscard]] http::Response erase(const http::Request& request);
  [[nodiscard]] http::Response export_user(const http::Request& request);
  [[nodiscard]] http::Response list(const http::Request& request);
  [[nodiscard]] http::Response get(const http::Request& request);

 private:
  catalog::Catalog& catalog_;
  privacy::Eraser* const eraser_;
  const ExportUser export_user_;
};

}  // namespace marquee::api
