#!/usr/bin/env python3
"""The Grafana dashboard is well formed, as far as can be told without Grafana."""
import itertools
import json
import re
import unittest

with open("monitoring/grafana_dashboard.json", encoding="utf-8") as file:
    DASHBOARD = json.load(file)
PANELS = DASHBOARD["panels"]
GRAPHS = [panel for panel in PANELS if panel["type"] != "row"]
VARIABLES = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
FILTER = 'name=~"$name", service=~"$service", method=~"$method"'
# Those of the registry itself, which have no labels.
UNLABELED = re.compile(r"circuit_breaker_(breakers|breakers_overflow_total|collect_duration_seconds)\b")


def expressions():
    for panel in GRAPHS:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def overlap(a, b):
    return (a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"]
            and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"])


class DashboardTest(unittest.TestCase):

    def test_ids_are_unique(self):
        ids = [panel["id"] for panel in PANELS]
        self.assertEqual(len(ids), len(set(ids)))

    def test_has_a_uid_of_its_own(self):
        self.assertRegex(DASHBOARD["uid"], r"^[\w-]{1,40}$")

    def test_panels_do_not_overlap(self):
        for a, b in itertools.combinations(PANELS, 2):
            self.assertFalse(overlap(a["gridPos"], b["gridPos"]), f"{a['title']} and {b['title']}")

    def test_panels_fit_the_grid(self):
        for panel in PANELS:
            position = panel["gridPos"]
            self.assertLessEqual(position["x"] + position["w"], 24, panel["title"])

    def test_every_panel_says_what_it_shows(self):
        for panel in GRAPHS:
            self.assertRegex(panel["description"], r"^[^\n]+\.$", panel["title"])
            self.assertTrue(panel["fieldConfig"]["defaults"]["unit"], panel["title"])
            self.assertTrue(panel["targets"], panel["title"])

    def test_every_target_has_an_expression_and_a_legend(self):
        for panel in GRAPHS:
            for target in panel["targets"]:
                self.assertTrue(target["expr"].strip(), panel["title"])
                self.assertTrue(target["legendFormat"].strip(), panel["title"])

    def test_targets_of_a_panel_are_told_apart(self):
        for panel in GRAPHS:
            ids = [target["refId"] for target in panel["targets"]]
            self.assertEqual(len(ids), len(set(ids)), panel["title"])

    def test_every_metric_of_a_breaker_is_filtered(self):
        for title, expression in expressions():
            if UNLABELED.search(expression):
                continue
            metrics = re.findall(r"circuit_breaker_\w", expression)
            self.assertTrue(metrics, title)
            self.assertEqual(expression.count(FILTER), len(metrics), title)

    def test_every_variable_in_use_is_declared_and_the_other_way_round(self):
        used = set(re.findall(r"\$\{?(\w+)", json.dumps(PANELS)))
        self.assertEqual(used - {"__rate_interval"}, set(VARIABLES))

    def test_every_panel_reads_the_chosen_data_source(self):
        for holder in GRAPHS + [target for panel in GRAPHS for target in panel["targets"]]:
            self.assertEqual(holder["datasource"], {"type": "prometheus", "uid": "${datasource}"})

    def test_all_of_a_variable_is_everything(self):
        for name in ("name", "service", "method"):
            variable = VARIABLES[name]
            self.assertTrue(variable["multi"] and variable["includeAll"], name)
            self.assertEqual(variable["allValue"], ".*", name)

    def test_rates_follow_the_zoom(self):
        for title, expression in expressions():
            for window in re.findall(r"\[(.*?)\]", expression):
                self.assertEqual(window, "$__rate_interval", title)

    def test_is_written_as_json_dumps_writes_it(self):
        with open("monitoring/grafana_dashboard.json", encoding="utf-8") as file:
            self.assertEqual(file.read(), json.dumps(DASHBOARD, indent=2) + "\n")


if __name__ == "__main__":
    unittest.main()
