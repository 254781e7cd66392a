// A chart as an SVG image: lines, each with its name at its end, or dots with a
// legend. Texts must not contain characters that XML reserves.
#ifndef AUTOBREAKER_SIMULATION_SVG_CHART_H_
#define AUTOBREAKER_SIMULATION_SVG_CHART_H_

#include <string>
#include <utility>
#include <vector>

namespace autobreaker::decisions {

struct Axis {
  std::string title;
  bool logarithmic = false;
  double from = 0;
  double to = 1;  // what is beyond either end is drawn there
  std::vector<std::pair<double, std::string>> ticks;
};

struct Series {
  std::string name;
  std::string color;
  double width = 2;  // of the line, in pixels
  bool dashed = false;
  std::vector<std::pair<double, double>> points;
};

struct Chart {
  std::string title;
  Axis x;
  Axis y;
  bool dots = false;           // in place of lines
  std::vector<Series> series;  // the last is drawn on top
};

std::string Svg(const Chart& chart);

}  // namespace autobreaker::decisions

#endif  // AUTOBREAKER_SIMULATION_SVG_CHART_H_
