"""Demos under a real Prometheus and Alertmanager, with the rules of monitoring/.

All of it runs once, with time gone by TIME_SCALE, until every method has broken
and recovered. The tests then ask what Prometheus recorded, and the pager what it
was told. What breaks when is in examples/shop/fault_schedule.cc.

Argument: the demo. Runs in the root of the repository.
"""

import collections
import datetime
import functools
import http.server
import json
import math
import os
import pathlib
import re
import signal
import sys
import threading
import time
import unittest

from tests.monitoring import prometheus_stack as stack

# Every duration in monitoring/ is multiplied by this.
TIME_SCALE = 1 / 20
# Long enough for what breaks to set off alerts.
CYCLE_SECONDS = 45
NAME = "api-client"
INSTANCES = 3
BREAKING_METHODS = ["Chat", "PlaceOrder", "UploadReceipts", "WatchStock"]
# Breaks longest. Its breaker is set up as in the seed system, which knows no
# evidence: with the default options, a breaker opens after a few failures, which
# are no high rate yet where calls are many. The other methods have the defaults.
BROKEN_METHOD = "PlaceOrder"
CONFIG = {
    "breakers": [
        {
            # All three, or the demo's own options of the method go before it.
            "names": [
                {
                    "name": NAME,
                    "service": "autobreaker.shop.Shop",
                    "method": BROKEN_METHOD,
                }
            ],
            "options": {
                "trip": {"evidence": {"off": True}, "failureRateThreshold": 0.2},
                "open": {
                    "paceByCalls": {"off": True},
                    "duration": "4.5s",
                    "durationMax": "9s",
                },
                "halfOpen": {"successesToClose": 3},
            },
        }
    ]
}

# As operators of the seed system have them; the rules as Prometheus prints them.
SEED_QUERIES = [
    'circuit_breaker_state{name="api-client"}',
    'circuit_breaker_failure_rate{name="api-client"}',
    'rate(circuit_breaker_failures_total{name="api-client"}[1m])',
    'rate(circuit_breaker_requests_total{name="api-client"}[1m])',
]
SEED_ALERTS = {
    "CircuitBreakerOpen": ("circuit_breaker_state == 1", "1m"),
    "HighFailureRate": ("circuit_breaker_failure_rate > 0.1", "2m"),
}
# The same in terms of samples.
CONDITIONS = {
    "CircuitBreakerOpen": ("circuit_breaker_state", lambda state: state == 1),
    "HighFailureRate": ("circuit_breaker_failure_rate", lambda rate: rate > 0.1),
}

# What Grafana puts in for its own variables.
GRAFANA_RANGES = {"__range": "15m", "__rate_interval": "20s", "__interval": "5s"}

DEMO = sys.argv[1]


class Pager(http.server.ThreadingHTTPServer):
    """Keeps what Alertmanager tells it of."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _PagerHandler)
        self.url = f"http://127.0.0.1:{self.server_port}/"
        self.pages = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def take(self, notification):
        for alert in notification["alerts"]:
            self.pages.append(Page(alert, time.time()))

    def pages_by_alert(self):
        """In the order they came."""
        pages = collections.defaultdict(list)
        for page in list(self.pages):
            pages[page.alert, page.series].append(page)
        return pages


class _PagerHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.server.take(json.loads(self.rfile.read(length)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class Page:
    def __init__(self, alert, received_at):
        def unix(key):
            return datetime.datetime.fromisoformat(alert[key]).timestamp()

        self.alert = alert["labels"]["alertname"]
        self.series = series_of(alert["labels"])
        self.firing = alert["status"] == "firing"
        self.began = unix("startsAt")
        self.ended = None if self.firing else unix("endsAt")
        self.received_at = received_at


def series_of(labels):
    """The client and the method; what is about the fleet has no client."""
    return labels.get("instance"), labels.get("method")


def has_values(result):
    return any(
        not math.isnan(float(value))
        for series in result
        for _, value in series.get("values", [])
    )


def selectors_of(expression):
    """The metrics in an expression, each with its matchers."""
    no_ranges = re.sub(r"\[[^\]]*\]", "", expression)
    no_labels = re.sub(
        r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)",
        "",
        no_ranges,
    )
    # A name before a bracket is that of a function.
    found = re.findall(
        r"(?<![\w:.])[a-zA-Z_:][\w:]*(?![\w:])(?!\s*\()(?:\s*\{[^}]*\})?", no_labels
    )
    return set(found) - {"and", "or", "unless", "bool", "offset", "inf", "nan"}


def dashboard_queries():
    """The expressions of the dashboard's panels, and those of its variables."""
    text = pathlib.Path("monitoring/grafana_dashboard.json").read_text()
    dashboard = json.loads(text)
    expressions = []

    def collect(node):
        if isinstance(node, dict):
            if isinstance(node.get("expr"), str):
                expressions.append(node["expr"])
            node = list(node.values())
        if isinstance(node, list):
            for child in node:
                collect(child)

    collect(dashboard)
    variables = [
        variable["query"]["query"]
        for variable in dashboard["templating"]["list"]
        if variable["type"] == "query"
    ]
    return expressions, variables


def fill_in(expression):
    """An expression of Grafana with all of everything selected."""
    filled_in = re.sub(
        r"\$\{?(\w+)(?::\w+)?\}?",
        lambda match: GRAFANA_RANGES.get(match[1], ".*"),
        expression,
    )
    return stack.scale_durations(filled_in, TIME_SCALE)


class PrometheusTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = os.environ["TEST_TMPDIR"]
        cls.pager = Pager()
        alertmanager = stack.Alertmanager(directory, cls.pager.url)
        config = pathlib.Path(directory, "breakers.json")
        config.write_text(json.dumps(CONFIG))
        demos = [
            stack.Demo(
                directory,
                f"demo{seed}",
                DEMO,
                f"--name={NAME}",
                f"--seed={seed}",
                f"--cycle={CYCLE_SECONDS}s",
                f"--config={config}",
            )
            for seed in range(INSTANCES)
        ]
        cls.prometheus = stack.Prometheus(
            directory,
            TIME_SCALE,
            [demo.address() for demo in demos],
            alertmanager.address,
        )
        cls.start = time.time()
        # If it is never over, the tests say what is missing.
        stack.poll(cls.is_over, 3 * CYCLE_SECONDS)
        cls.end = time.time()

        cls.rule_groups = cls.prometheus.api("rules")["groups"]
        cls.rules = [rule for group in cls.rule_groups for rule in group["rules"]]
        cls.step = cls.rule_groups[0]["interval"]
        # How late a sample may come to an evaluation.
        cls.lateness = float(
            cls.only_value(
                f"max(max_over_time(scrape_duration_seconds[{cls.whole_run()}]))"
            )
        ) + cls.step * sum(cls.own_metric("rule_group_iterations_missed_total"))

    @classmethod
    def is_over(cls):
        """Every breaker has closed again, and the pager knows."""
        closed = cls.prometheus.query(
            'circuit_breaker_transitions_total{from="half_open",to="closed"} > 0'
        )
        return (
            len(closed) == INSTANCES * len(BREAKING_METHODS)
            and not cls.prometheus.query(
                f'ALERTS{{alertname=~"{"|".join(SEED_ALERTS)}",alertstate="firing"}}'
            )
            and not any(
                pages[-1].firing
                for (alert, _), pages in cls.pager.pages_by_alert().items()
                if alert in SEED_ALERTS
            )
        )

    @classmethod
    def whole_run(cls):
        return f"{int((cls.end - cls.start) * 1000)}ms"

    @classmethod
    def own_metric(cls, name):
        """The values of a metric of Prometheus about itself."""
        values = re.findall(
            rf"(?m)^prometheus_{name}(?:{{.*}})? (\S+)$",
            cls.prometheus.get("/metrics"),
        )
        return [float(value) for value in values]

    @classmethod
    def only_value(cls, expression):
        (series,) = cls.prometheus.query(expression, time=cls.end)
        return series["value"][1]

    def over_the_run(self, expression, start=None):
        return self.prometheus.query_range(
            expression, start or self.start, self.end, self.step
        )

    @classmethod
    @functools.cache
    def samples(cls, selector):
        """The recorded samples, by series: (time, value)."""
        return {
            series_of(series["metric"]): [
                (at, float(value)) for at, value in series["values"]
            ]
            for series in cls.prometheus.query(
                f"{selector}[{cls.whole_run()}]", time=cls.end
            )
        }

    def closings(self):
        """When breakers were first seen closed again, by series."""
        return {
            series: [
                at
                for (_, before), (at, state) in zip(samples, samples[1:])
                if before != 0 and state == 0
            ]
            for series, samples in self.samples("circuit_breaker_state").items()
        }

    def evaluations(self, alert):
        """From when it first fired: (time, whether it fired), by series."""
        selector = f'ALERTS{{alertname="{alert}",alertstate="firing"}}'
        evaluations = {}
        for series, samples in self.samples(selector).items():
            instance, method = series
            first = samples[0][0]
            (result,) = self.over_the_run(
                f'{selector[:-1]},instance="{instance}",method="{method}"}}', first
            )
            fired = {round(at, 3) for at, _ in result["values"]}
            count = int((self.end - first) / self.step) + 1
            times = [round(first + i * self.step, 3) for i in range(count)]
            evaluations[series] = [(at, at in fired) for at in times]
        return evaluations

    def condition_ended(self, alert, series, at, seconds=0):
        """Whether an evaluation can have found that the condition of an alert did
        not hold, or one in the `seconds` before it."""
        metric, holds = CONDITIONS[alert]
        samples = self.samples(metric)[series]
        ends = [time for time, _ in samples[1:]] + [math.inf]
        since = at - seconds - self.step - self.lateness
        return any(
            begin <= at and since < end and not holds(value)
            for (begin, value), end in zip(samples, ends)
        )

    def test_every_client_is_seen_to_break_and_recover(self):
        closings = self.closings()
        closed = {series for series, times in closings.items() if times}
        for method in BREAKING_METHODS:
            self.assertEqual(
                sum(series[1] == method for series in closed), INSTANCES, method
            )

    def test_the_default_options_open_on_evidence(self):
        for method in ["UploadReceipts", "WatchStock"]:
            trips = self.prometheus.query(
                "circuit_breaker_trips_total"
                f'{{method="{method}",reason="evidence"}} > 0',
                time=self.end,
            )
            self.assertEqual(len(trips), INSTANCES, method)

    def test_the_queries_of_the_seed_system_have_data(self):
        for query in SEED_QUERIES:
            with self.subTest(query):
                self.assertTrue(has_values(self.over_the_run(query)))

    def test_the_alerts_of_the_seed_system_are_unchanged(self):
        rules = {rule["name"]: rule for rule in self.rules}
        for alert, (expression, duration) in SEED_ALERTS.items():
            self.assertEqual(rules[alert]["query"], expression)
            self.assertAlmostEqual(
                rules[alert]["duration"],
                stack.milliseconds(duration) / 1000 * TIME_SCALE,
            )

    def test_the_alerts_of_the_seed_system_fire_for_each_client(self):
        for alert in SEED_ALERTS:
            fired = [s for s in self.evaluations(alert) if s[1] == BROKEN_METHOD]
            self.assertEqual(len(fired), INSTANCES, alert)

    def test_an_alert_ends_only_once_its_condition_has_ended(self):
        for alert in SEED_ALERTS:
            for series, evaluations in self.evaluations(alert).items():
                for (_, before), (at, fires) in zip(evaluations, evaluations[1:]):
                    if before and not fires:
                        self.assertTrue(
                            self.condition_ended(alert, series, at),
                            (alert, series, at),
                        )

    def test_an_alert_fires_while_its_condition_has_held_for_long_enough(self):
        for alert, (_, duration) in SEED_ALERTS.items():
            seconds = stack.milliseconds(duration) / 1000 * TIME_SCALE
            for series, evaluations in self.evaluations(alert).items():
                for at, fires in evaluations:
                    self.assertTrue(
                        fires or self.condition_ended(alert, series, at, seconds),
                        (alert, series, at),
                    )

    def test_high_failure_rate_holds_until_the_breaker_closes(self):
        closings = self.closings()
        for series, evaluations in self.evaluations("HighFailureRate").items():
            first = evaluations[0][0]
            closed_at = min((at for at in closings[series] if at > first), default=0)
            self.assertTrue(closed_at, series)
            gaps = [at for at, fires in evaluations if at < closed_at and not fires]
            self.assertEqual(gaps, [], series)

    def test_alerts_stop_within_two_evaluations_of_the_closing(self):
        closings = self.closings()
        for alert in SEED_ALERTS:
            for series, evaluations in self.evaluations(alert).items():
                for closed_at in closings[series]:
                    # The first two that can know.
                    after = [
                        fires
                        for at, fires in evaluations
                        if at >= closed_at + self.lateness
                    ][:2]
                    self.assertFalse(any(after[1:]), (alert, series, closed_at))

    def test_the_pager_hears_of_each_seed_alert_and_its_end(self):
        pages = self.pager.pages_by_alert()
        for alert in SEED_ALERTS:
            told = {s: p for (a, s), p in pages.items() if a == alert}
            self.assertEqual(told.keys(), self.evaluations(alert).keys(), alert)
            for series, its_pages in told.items():
                self.assertTrue(its_pages[0].firing, (alert, series))
                self.assertFalse(its_pages[-1].firing, (alert, series))

    def test_the_pager_hears_of_an_end_only_once_the_condition_has_ended(self):
        pages = self.pager.pages_by_alert()
        for alert in SEED_ALERTS:
            ends = [p for p in self.pager.pages if p.alert == alert and not p.firing]
            self.assertTrue(ends, alert)
            for page in ends:
                self.assertTrue(
                    self.condition_ended(alert, page.series, page.ended), vars(page)
                )
                self.assertGreaterEqual(page.received_at, page.ended, vars(page))

    def test_the_pager_hears_of_the_end_of_failures_after_the_closing(self):
        closings = self.closings()
        for page in self.pager.pages:
            if page.alert == "HighFailureRate" and not page.firing:
                self.assertTrue(
                    any(
                        page.began < closed_at <= page.ended
                        for closed_at in closings[page.series]
                    ),
                    vars(page),
                )

    def test_every_recording_rule_records(self):
        recording = [rule for rule in self.rules if rule["type"] == "recording"]
        self.assertTrue(recording)
        for rule in recording:
            for expression in rule["query"], rule["name"]:
                with self.subTest(expression):
                    self.assertTrue(has_values(self.over_the_run(expression)))

    def test_every_alert_looks_at_series_that_exist(self):
        alerts = [rule for rule in self.rules if rule["type"] == "alerting"]
        self.assertTrue(alerts)
        for rule in alerts:
            selectors = selectors_of(rule["query"])
            self.assertTrue(selectors, rule["query"])
            for selector in selectors:
                with self.subTest(selector, alert=rule["name"]):
                    self.assertTrue(has_values(self.over_the_run(selector)))

    def test_every_expression_of_the_dashboard_has_data(self):
        expressions, _ = dashboard_queries()
        self.assertTrue(expressions)
        for expression in expressions:
            with self.subTest(expression):
                result = self.over_the_run(fill_in(expression))
                self.assertTrue(has_values(result))

    def test_every_variable_of_the_dashboard_has_values(self):
        _, variables = dashboard_queries()
        self.assertTrue(variables)
        for variable in variables:
            with self.subTest(variable):
                selector, label = re.fullmatch(
                    r"label_values\((.+), *(\w+)\)", variable
                ).groups()
                result = self.over_the_run(fill_in(selector))
                self.assertTrue(any(label in s["metric"] for s in result))

    def test_the_fleet_is_seen_as_one(self):
        counts = self.over_the_run("method:circuit_breaker_clients:count")
        self.assertEqual(
            {series["metric"]["method"] for series in counts},
            {*BREAKING_METHODS, "GetPrice"},
        )
        for series in counts:
            self.assertEqual(series["values"][-1][1], str(INSTANCES), series["metric"])
        # All break by the same schedule.
        (share,) = self.over_the_run(
            "method:circuit_breaker_open_per_clients:ratio"
            f'{{method="{BROKEN_METHOD}"}}'
        )
        self.assertEqual(max(float(value) for _, value in share["values"]), 1)
        self.assertIn(
            ("CircuitBreakerFleetNotClosed", (None, BROKEN_METHOD)),
            self.pager.pages_by_alert(),
        )

    def test_prometheus_has_nothing_to_complain_of(self):
        for rule in self.rules:
            self.assertEqual((rule["health"], rule.get("lastError", "")), ("ok", ""))
        targets = self.prometheus.api("targets")["activeTargets"]
        self.assertEqual(len(targets), INSTANCES)
        for target in targets:
            self.assertEqual((target["health"], target["lastError"]), ("up", ""))
        self.assertEqual(
            self.only_value(f"min(min_over_time(up[{self.whole_run()}]))"), "1"
        )
        for name in [
            "rule_evaluation_failures_total",
            "target_scrapes_sample_duplicate_timestamp_total",
            "target_scrapes_sample_out_of_order_total",
            "target_scrapes_sample_out_of_bounds_total",
            "notifications_errors_total",
            "notifications_dropped_total",
        ]:
            values = self.own_metric(name)
            self.assertTrue(values, name)
            self.assertEqual(sum(values), 0, name)
        complaints = re.findall(
            r"(?m)^.* level=(?:warn|error) .*$", self.prometheus.log()
        )
        self.assertEqual(complaints, [])


if __name__ == "__main__":
    # So that the programs are ended then, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    outcome = unittest.main(argv=sys.argv[:1], exit=False).result
    if not outcome.wasSuccessful():
        for program in stack.programs:
            print(program.tail(), file=sys.stderr)
        sys.exit(1)
