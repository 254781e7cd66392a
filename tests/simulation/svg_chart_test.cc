// What is on a chart, and where.

#include "autobreaker/simulation/svg_chart.h"

#include <cmath>
#include <cstddef>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace autobreaker::decisions {
namespace {

Chart MakeChart() {
  Chart chart;
  chart.title = "title";
  chart.x = {"x", false, 0, 100, {{0, "zero"}, {100, "hundred"}}};
  chart.y = {"y", true, 1, 100, {{10, "ten"}}};
  chart.series = {{"one", "#111111", 2, false, {{0, 1}, {100, 100}}}};
  return chart;
}

// The y of a text.
double YOf(const std::string& svg, const char* text) {
  const size_t line = svg.rfind("<text", svg.find(text));
  const size_t y = svg.find("y=\"", line) + 3;
  return std::stod(svg.substr(y));
}

TEST(SvgChart, HasTitlesTicksAndNames) {
  const std::string svg = Svg(MakeChart());
  for (const char* text :
       {">title<", ">x<", ">y<", ">hundred<", ">ten<", ">one<"}) {
    EXPECT_TRUE(absl::StrContains(svg, text)) << text;
  }
}

TEST(SvgChart, LinesGoFromEndToEndOfTheAxes) {
  EXPECT_TRUE(absl::StrContains(Svg(MakeChart()),
                                "M150.0 415.0L690.0 70.0\" stroke=\"#111111"));
}

TEST(SvgChart, TheMiddleOfALogarithmicAxisIsItsGeometricMean) {
  EXPECT_NEAR(YOf(Svg(MakeChart()), ">ten<"), (70 + 415) / 2.0 + 5, 1);
}

TEST(SvgChart, WhatIsBeyondAnAxisIsDrawnAtItsEnd) {
  Chart chart = MakeChart();
  chart.series[0].points = {{-5, 0}, {200, 1000}};
  EXPECT_TRUE(absl::StrContains(Svg(chart),
                                "M150.0 415.0L690.0 70.0\" stroke=\"#111111"));
}

TEST(SvgChart, NamesOfLinesThatEndTogetherDoNotOverlap) {
  Chart chart = MakeChart();
  for (const double end : {1, 100}) {
    for (const char* name : {"a", "b"}) {
      chart.series.push_back({absl::StrCat(name, " at ", end),
                              "#222222",
                              2,
                              false,
                              {{0, 1}, {100, end}}});
    }
  }
  const std::string svg = Svg(chart);
  EXPECT_GE(std::abs(YOf(svg, ">a at 1<") - YOf(svg, ">b at 1<")), 17);
  EXPECT_GE(std::abs(YOf(svg, ">a at 100<") - YOf(svg, ">b at 100<")), 17);
  for (const char* name : {">a at 1<", ">b at 1<"}) {
    EXPECT_LE(YOf(svg, name), 415 + 5) << name;  // not on the axis below
  }
}

}  // namespace
}  // namespace autobreaker::decisions
