#include "autobreaker/simulation/svg_chart.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace autobreaker::decisions {
namespace {

// In pixels.
constexpr double kWidth = 880;
constexpr double kHeight = 480;
constexpr double kLeft = 150;
constexpr double kRight = 690;
constexpr double kTop = 70;
constexpr double kBottom = 415;
constexpr double kLineHeight = 17;

constexpr char kInk[] = "#222222";
constexpr char kGrid[] = "#dddddd";

// Where a value lies on an axis, from 0 to 1.
double Place(const Axis& axis, double value) {
  const auto scale = [&](double v) {
    return axis.logarithmic ? std::log(v) : v;
  };
  value = std::clamp(value, axis.from, axis.to);
  return (scale(value) - scale(axis.from)) /
         (scale(axis.to) - scale(axis.from));
}
double X(const Chart& chart, double value) {
  return kLeft + (kRight - kLeft) * Place(chart.x, value);
}
double Y(const Chart& chart, double value) {
  return kBottom - (kBottom - kTop) * Place(chart.y, value);
}

std::string Text(double x, double y, absl::string_view anchor,
                 absl::string_view text, absl::string_view more = "") {
  return absl::StrFormat(
      "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" %s>%s</text>\n", x, y,
      anchor, more, text);
}

std::string Line(double x1, double y1, double x2, double y2,
                 absl::string_view color) {
  return absl::StrFormat(
      "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"%s\" fill=\"none\"/>\n", x1,
      y1, x2, y2, color);
}

std::string Axes(const Chart& chart) {
  std::string svg;
  for (const auto& [value, label] : chart.x.ticks) {
    const double x = X(chart, value);
    absl::StrAppend(&svg, Line(x, kTop, x, kBottom, kGrid),
                    Text(x, kBottom + 20, "middle", label));
  }
  for (const auto& [value, label] : chart.y.ticks) {
    const double y = Y(chart, value);
    absl::StrAppend(&svg, Line(kLeft, y, kRight, y, kGrid),
                    Text(kLeft - 8, y + 5, "end", label));
  }
  absl::StrAppend(
      &svg, Text((kLeft + kRight) / 2, kBottom + 48, "middle", chart.x.title),
      Text(10, 52, "start", chart.y.title));
  return svg;
}

std::string Dots(const Chart& chart, const Series& series, double size) {
  std::string svg;
  for (const auto& [x, y] : series.points) {
    absl::StrAppendFormat(
        &svg, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" fill=\"%s\"/>\n",
        X(chart, x), Y(chart, y), size, series.color);
  }
  return svg;
}

std::string LineOf(const Chart& chart, const Series& series) {
  std::string path;
  for (const auto& [x, y] : series.points) {
    absl::StrAppendFormat(&path, "%s%.1f %.1f", path.empty() ? "M" : "L",
                          X(chart, x), Y(chart, y));
  }
  return absl::StrFormat(
      "<path d=\"%s\" stroke=\"%s\" stroke-width=\"%.1f\" fill=\"none\"%s/>\n",
      path, series.color, series.width,
      series.dashed ? " stroke-dasharray=\"6 4\"" : "");
}

// Names at the ends of their lines, moved apart where they would overlap.
std::string Names(const Chart& chart) {
  std::vector<std::pair<double, const Series*>> names;
  for (const Series& series : chart.series) {
    names.push_back({Y(chart, series.points.back().second), &series});
  }
  std::sort(names.begin(), names.end());
  for (size_t i = 1; i < names.size(); ++i) {
    names[i].first = std::max(names[i].first, names[i - 1].first + kLineHeight);
  }
  double lowest = kBottom;
  for (size_t i = names.size(); i-- > 0; lowest -= kLineHeight) {
    names[i].first = std::min(names[i].first, lowest);
  }
  std::string svg;
  for (const auto& [y, series] : names) {
    const auto& [last_x, last_y] = series->points.back();
    absl::StrAppend(
        &svg,
        Line(X(chart, last_x) + 4, Y(chart, last_y), kRight + 22, y,
             series->color),
        Text(
            kRight + 26, y + 5, "start", series->name,
            absl::StrFormat("fill=\"%s\"%s", series->color,
                            series->width > 2 ? " font-weight=\"bold\"" : "")));
  }
  return svg;
}

std::string Legend(const Chart& chart) {
  std::string svg;
  double y = kTop + 12;
  for (const Series& series : chart.series) {
    absl::StrAppendFormat(
        &svg, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"6\" fill=\"%s\"/>\n",
        kRight + 20, y - 5, series.color);
    absl::StrAppend(&svg, Text(kRight + 32, y, "start", series.name));
    y += 1.4 * kLineHeight;
  }
  return svg;
}

}  // namespace

std::string Svg(const Chart& chart) {
  std::string svg = absl::StrFormat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" "
      "role=\"img\" font-family=\"sans-serif\" font-size=\"14\" fill=\"%s\">\n"
      "<title>%s</title>\n<rect width=\"%g\" height=\"%g\" "
      "fill=\"#ffffff\"/>\n",
      kWidth, kHeight, kInk, chart.title, kWidth, kHeight);
  absl::StrAppend(&svg,
                  Text(10, 26, "start", chart.title,
                       "font-size=\"17\" font-weight=\"bold\""),
                  Axes(chart));
  for (const Series& series : chart.series) {
    if (!chart.dots) absl::StrAppend(&svg, LineOf(chart, series));
    absl::StrAppend(&svg,
                    Dots(chart, series, chart.dots ? 6 : 1.5 * series.width));
  }
  absl::StrAppend(&svg, chart.dots ? Legend(chart) : Names(chart), "</svg>\n");
  return svg;
}

}  // namespace autobreaker::decisions
