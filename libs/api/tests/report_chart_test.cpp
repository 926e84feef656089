#include "report_chart.h"

#include <gtest/gtest.h>

namespace marquee::api {
namespace {

/// A report of metrics: ctr and reach by dimensions.
Json metrics(const std::vector<std::string>& by, const std::vector<std::pair<std::vector<std::string>, double>>& rows) {
  const auto values = [](double ctr) {
    return Json::array({{{"value", ctr}, {"low", ctr / 2}, {"high", ctr * 2}}, {{"value", 7}}});
  };
  Json report = {{"site", "campus"},
                 {"from", "2026-11-01T00:00:00.000Z"},
                 {"to", nullptr},
                 {"by", by},
                 {"sample", nullptr},
                 {"metrics", {"ctr", "reach"}},
                 {"total", {{"values", values(0.5)}, {"previous", nullptr}}},
                 {"rows", Json::array()}};
  for (const auto& [keys, ctr] : rows)
    report["rows"].push_back({{"keys", keys}, {"values", values(ctr)}, {"previous", nullptr}});
  return report;
}

struct Drawn {
  ReportTable table;
  ReportChart chart;
  chart::Picture picture;
};
Drawn drawn(std::string_view kind, const Json& report) {
  auto table = report_table(kind, report);
  const auto chart = chart_of(kind, report, table);
  EXPECT_TRUE(chart);
  auto picture = picture_of(*chart, table);
  return {std::move(table), *chart, std::move(picture)};
}

TEST(ReportChart, makes_lines_of_what_has_a_time_whichever_dimension_it_is) {
  const auto one = drawn("metrics", metrics({"device", "hour"}, {{{"phone", "2026-11-01T02:00:00Z"}, 0.2},
                                                                 {{"phone", "2026-11-01T00:00:00Z"}, 0.1},
                                                                 {{"phone", "2026-11-01T04:00:00Z"}, 0.3},
                                                                 {{"phone", "2026-11-01T05:00:00Z"}, 0.3},
                                                                 {{"desktop", "2026-11-01T00:00:00Z"}, 5}}));
  const auto& lines = std::get<chart::Lines>(one.picture);
  ASSERT_EQ(lines.series.size(), 2U);
  EXPECT_EQ(lines.series[0].name, "desktop") << "the larger one first";
  EXPECT_EQ(lines.unit, chart::Unit::share);
  // In order, and broken where hours are missing.
  std::vector<std::optional<double>> values;
  for (const auto& point : lines.series[1].points) values.push_back(point.value);
  EXPECT_EQ(values, (std::vector<std::optional<double>>{0.1, {}, 0.2, {}, 0.3, 0.3}));
  EXPECT_EQ(
      chart_json(one.chart, one.table).dump(),
      R"({"kind":"lines","labels":["device"],"x":"hour","value":"ctr","low":"ctr_low","high":"ctr_high","is_grid":false,"rows":5})");
}

TEST(ReportChart, makes_bars_of_other_dimensions_and_figures_of_none) {
  const auto bars =
      std::get<chart::Bars>(drawn("metrics", metrics({"device", "position"}, {{{"", "2"}, 0.25}})).picture);
  ASSERT_EQ(bars.bars.size(), 1U);
  EXPECT_EQ(bars.bars[0].label, "– · 2");
  EXPECT_EQ(bars.bars[0].value, 0.25);
  EXPECT_EQ(bars.bars[0].low, 0.125);
  const auto figures = std::get<chart::Figures>(drawn("metrics", metrics({}, {})).picture);
  ASSERT_EQ(figures.figures.size(), 4U);
  EXPECT_EQ(figures.figures[0].name + " " + figures.figures[0].value, "ctr 50 %");
  EXPECT_EQ(figures.figures[3].name + " " + figures.figures[3].value, "reach 7");
}

Json heatmap(const std::string& mode) {
  const auto cell = [](const char* slot, int x, int y, int clicks) {
    return Json{{"slot", slot},
                {"x", x},
                {"y", y},
                {"impressions", 4},
                {"viewable_impressions", 2},
                {"hovers", 1},
                {"clicks", clicks},
                {"ctr", clicks / 4.0},
                {"viewability", 0.5}};
  };
  return {{"site", "campus"},
          {"from", nullptr},
          {"to", nullptr},
          {"mode", mode},
          {"cells", Json::array({cell("top", 10, 3, 1), cell("side", 2, 0, 2)})}};
}

TEST(ReportChart, makes_a_whole_grid_of_a_page_and_only_what_there_is_of_positions) {
  const auto grid = std::get<chart::Cells>(drawn("heatmap", heatmap("page")).picture);
  EXPECT_EQ(grid.columns.size(), 100U);
  EXPECT_EQ(grid.rows.size(), 100U);
  EXPECT_EQ(grid.values[3][10], 1);
  EXPECT_EQ(grid.values[0][2], 2);
  EXPECT_EQ(grid.values[0][0], std::nullopt);
  const auto positions = std::get<chart::Cells>(drawn("heatmap", heatmap("positions")).picture);
  EXPECT_EQ(positions.columns, (std::vector<std::string>{"2", "10"}));
  EXPECT_EQ(positions.rows, (std::vector<std::string>{"side", "top"}));
  EXPECT_EQ(positions.values[1][1], 0.25);
  EXPECT_EQ(positions.values[1][0], std::nullopt);
}

TEST(ReportChart, makes_nothing_of_no_rows) {
  const Json report = {
      {"site", "campus"}, {"from", nullptr}, {"to", nullptr}, {"mode", "positions"}, {"cells", Json::array()}};
  EXPECT_FALSE(chart_of("heatmap", report, report_table("heatmap", report)));
}

TEST(ReportChart, says_what_it_is_of) {
  const auto report = metrics({"day"}, {{{"2026-11-01"}, 0.2}});
  const auto one = drawn("metrics", report);
  const auto caption = caption_of(one.chart, one.table, report, "My report");
  EXPECT_EQ(caption.title, "My report");
  EXPECT_EQ(caption.subtitle, "campus · since 2026-11-01 UTC · ctr");
  EXPECT_EQ(caption.x_name, "day (UTC)");
  EXPECT_EQ(caption.y_name, "ctr (%)");
}

}  // namespace
}  // namespace marquee::api
