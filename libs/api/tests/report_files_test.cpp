#include "report_files.h"

#include <gtest/gtest.h>

namespace marquee::api {
namespace {

ReportFormat format_of(const std::string& query, const std::string& accept) {
  http::Request request;
  request.query = query;
  if (!accept.empty()) request.headers.add("Accept", accept);
  const auto format = wanted_format(request);
  EXPECT_TRUE(format);
  return format ? *format : ReportFormat::json;
}

TEST(WantedFormat, is_what_the_parameter_says_whatever_is_accepted) {
  EXPECT_EQ(format_of("format=parquet", "text/csv"), ReportFormat::parquet);
  EXPECT_EQ(format_of("format=json", "text/csv"), ReportFormat::json);
}

TEST(WantedFormat, is_the_accepted_one_of_the_highest_weight) {
  EXPECT_EQ(format_of("", "text/csv"), ReportFormat::csv);
  EXPECT_EQ(format_of("", "text/csv;q=0.5, application/vnd.apache.parquet;q=0.9, */*;q=0.1"), ReportFormat::parquet);
  EXPECT_EQ(format_of("", "text/csv;q=0.5,application/json"), ReportFormat::json);
  EXPECT_EQ(format_of("", "text/csv;header=present;q=1, application/json;q=0.9"), ReportFormat::csv);
  EXPECT_EQ(format_of("", "text/html,*/*;q=0.8"), ReportFormat::json);
  EXPECT_EQ(format_of("", "text/csv;q=0"), ReportFormat::json);
}

TEST(WantedFormat, is_named_where_there_is_no_such) {
  http::Request request;
  request.query = "format=xlsx";
  const auto format = wanted_format(request);
  ASSERT_FALSE(format);
  EXPECT_EQ(format.error().message, "format: expected one of json, table, csv, parquet, png");
}

}  // namespace
}  // namespace marquee::api
