// /v1/sites: sites, write keys, slots, campaigns and ads.
#pragma once

#include "marquee/catalog/catalog.h"
#include "marquee/http/message.h"

namespace marquee::api {

/// Thread safe; blocks while SQLite writes.
class CatalogAnswers {
 public:
  explicit CatalogAnswers(catalog::Catalog& catalog) : catalog_(catalog) {}

  [[nodiscard]] http::Response add_site(const http::Request& request);
  [[nodiscard]] http::Response add_key(const http::Request& request);
  [[nodiscard]] http::Response items(const http::Request& request);
  [[nodiscard]] http::Response put_item(const http::Request& request);

 private:
  catalog::Catalog& catalog_;
};

}  // namespace marquee::api
