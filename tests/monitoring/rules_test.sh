#!/usr/bin/env bash
# The configuration and the rules are valid, and do what their unit tests say.
set -euo pipefail
cd monitoring

promtool check config prometheus.yml
promtool test rules recording_rules_test.yml alerting_rules_test.yml
