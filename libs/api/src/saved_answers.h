// /v1/saved-reports...: reports that are kept in the catalog, and their answers.
#pragma once

#include <string>

#include "answers.h"
#include "marquee/catalog/catalog.h"
#include "report_answers.h"
#include "sql_answers.h"

namespace marquee::api {

/// Thread safe; blocks while the catalog or the store answers.
class SavedAnswers {
 public:
  SavedAnswers(catalog::Catalog& catalog, ReportAnswers& reports, SqlAnswers& sql)
      : catalog_(catalog), reports_(reports), sql_(sql) {}

  [[nodiscard]] http::Response list(const http::Request& request);
  /// A report that cannot be answered is refused, with what it says itself.
  [[nodiscard]] http::Response add(const http::Request& request);
  [[nodiscard]] http::Response get(const http::Request& request);
  [[nodiscard]] http::Response replace(const http::Request& request);
  [[nodiscard]] http::Response remove(const http::Request& request);
  /// What the report says now, in the format that is asked for. 422 of a query: it is asked by who may (POST /v1/sql).
  [[nodiscard]] http::Response answer(const http::Request& request);

 private:
  /// What the body describes, after it has been asked once.
  [[nodiscard]] Result<catalog::SavedReport> described(const http::Request& request);
  /// The site of a report's parameters, once the report has been asked, or of a query's, once the store has read it.
  [[nodiscard]] Result<std::string> checked_site(std::string_view kind, const Json& parameters);

  catalog::Catalog& catalog_;
  ReportAnswers& reports_;
  SqlAnswers& sql_;
};

}  // namespace marquee::api
