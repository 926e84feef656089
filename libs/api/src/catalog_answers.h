// /v1/sites: sites, write keys, slots, campaigns and ads; and how long what is kept.
#pragma once

#include <optional>
#include <utility>

#include "marquee/catalog/catalog.h"
#include "marquee/http/message.h"
#include "marquee/ingest/retention.h"

namespace marquee::api {

/// Thread safe; blocks while SQLite writes.
class CatalogAnswers {
 public:
  /// `retention`: the terms that the store's tables were given; none: they are not Marquee's to give.
  CatalogAnswers(catalog::Catalog& catalog, std::optional<ingest::Retention> retention)
      : catalog_(catalog), retention_(std::move(retention)) {}

  [[nodiscard]] http::Response add_site(const http::Request& request);
  [[nodiscard]] http::Response replace_site(const http::Request& request);
  [[nodiscard]] http::Response keys(const http::Request& request);
  [[nodiscard]] http::Response add_key(const http::Request& request);
  [[nodiscard]] http::Response remove_key(const http::Request& request);
  [[nodiscard]] http::Response retention() const;
  [[nodiscard]] http::Response items(const http::Request& request);
  [[nodiscard]] http::Response put_item(const http::Request& request);

 private:
  catalog::Catalog& catalog_;
  const std::optional<ingest::Retention> retention_;
};

}  // namespace marquee::api
