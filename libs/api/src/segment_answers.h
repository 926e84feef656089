// /v1/segments...: named sets of users.
#pragma once

#include "answers.h"
#include "marquee/catalog/catalog.h"
#include "segment_keeper.h"

namespace marquee::api {

/// Thread safe; blocks while the catalog or the store answers.
class SegmentAnswers {
 public:
  SegmentAnswers(catalog::Catalog& catalog, SegmentKeeper& keeper) : catalog_(catalog), keeper_(keeper) {}

  [[nodiscard]] http::Response list(const http::Request& request);
  /// Answers when its users are found and kept.
  [[nodiscard]] http::Response add(const http::Request& request);
  [[nodiscard]] http::Response get(const http::Request& request);
  [[nodiscard]] http::Response replace(const http::Request& request);
  [[nodiscard]] http::Response remove(const http::Request& request);
  [[nodiscard]] http::Response refresh(const http::Request& request);

 private:
  /// Site, title and definition of the body.
  [[nodiscard]] Result<catalog::Segment> described(const http::Request& request) const;

  catalog::Catalog& catalog_;
  SegmentKeeper& keeper_;
};

}  // namespace marquee::api
