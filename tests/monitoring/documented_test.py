#!/usr/bin/env python3
"""What the rules and the dashboard speak of is in the documentation."""
import json
import re
import unittest


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def without_comments(yaml):
    return re.sub(r"(?m)^ *#.*$", "", yaml)


OPERATIONS = read("docs/operations.md")
PAGES = read("docs/metrics.md") + OPERATIONS
RECORDING = without_comments(read("monitoring/recording_rules.yml"))
ALERTING = without_comments(read("monitoring/alerting_rules.yml"))
DASHBOARD = json.loads(read("monitoring/grafana_dashboard.json"))

# The first cells of their tables.
METRICS = set(
    name
    for cell in re.findall(r"(?m)^\|([^|]*)\|", PAGES)
    for name in re.findall(r"`([\w:]*circuit_breaker_[\w:]+)`", cell))
RECORDED = set(re.findall(r"- record: (\S+)", RECORDING))
ALERTS = re.findall(r"- alert: (\S+)", ALERTING)


def named(text):
    """The metrics that a text names; a histogram's by the name of its family."""
    names = re.findall(r"(?<!name: )\b[\w:]*circuit_breaker_[\w:]+", text)
    return set(name[:-len("_bucket")] if name.endswith("_seconds_bucket") else name for name in names)


class DocumentedTest(unittest.TestCase):

    def test_metrics_of_the_rules(self):
        self.assertLessEqual(named(RECORDING) | named(ALERTING), METRICS)

    def test_metrics_of_the_dashboard(self):
        for panel in DASHBOARD["panels"]:
            for target in panel.get("targets", []):
                self.assertTrue(named(target["expr"]), panel["title"])
                self.assertLessEqual(named(target["expr"]), METRICS, panel["title"])

    def test_metrics_that_are_recorded_have_a_rule(self):
        self.assertEqual(set(name for name in METRICS if ":" in name), RECORDED)

    def test_each_alert_has_a_section_that_its_runbook_points_to(self):
        sections = re.findall(r"(?m)^### (\S+)$", OPERATIONS)
        runbooks = re.findall(r"runbook: (\S+)", ALERTING)
        self.assertTrue(ALERTS)
        self.assertEqual(runbooks, ["docs/operations.md#" + alert.lower() for alert in ALERTS])
        for alert in ALERTS:
            self.assertIn(alert, sections)


if __name__ == "__main__":
    unittest.main()
