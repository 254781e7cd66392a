"""Takes the pictures in docs/images/: one cycle of the demo in Prometheus.

    BAZELW_GROUPS="build pictures" ./bazelw run //docs:take_pictures

Takes as long as the cycle. Look at the pictures before you commit them.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.parse

from tests.monitoring import prometheus_stack as stack

CYCLE_SECONDS = 100
# Samples often enough to see breakers half-open: three probes take 0.1 s.
TIME_SCALE = 1 / 100

# GetPrice never breaks.
PICTURES = {
    "state": (
        "max by (method) "
        '(max_over_time(circuit_breaker_state{method!="GetPrice"}[1s]))'
    ),
    "failure_rate": (
        'max by (method) (circuit_breaker_failure_rate{method!="GetPrice"})'
    ),
}


def take_picture(prometheus, expression, file, profile):
    """Of the time until now."""
    page = "http://{}/graph?{}".format(
        prometheus.address,
        urllib.parse.urlencode(
            {
                "g0.expr": expression,
                "g0.tab": 0,
                "g0.range_input": f"{CYCLE_SECONDS}s",
                "g0.step_input": 1,
            }
        ),
    )
    subprocess.run(
        [
            "chromium",
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--no-first-run",
            f"--user-data-dir={profile}",
            "--window-size=1000,860",
            # Of the page's own time: enough for its query and its drawing.
            "--virtual-time-budget=20000",
            f"--screenshot={file}",
            page,
        ],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=True,
    )


def main(demo_binary):
    images = pathlib.Path(os.environ["BUILD_WORKSPACE_DIRECTORY"], "docs/images")
    images.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        try:
            demo = stack.Demo(
                directory, "demo", demo_binary, f"--cycle={CYCLE_SECONDS}s"
            )
            prometheus = stack.Prometheus(directory, TIME_SCALE, [demo.address()])
            time.sleep(CYCLE_SECONDS)
            for name, expression in PICTURES.items():
                take_picture(prometheus, expression, images / f"{name}.png", directory)
        finally:
            stack.end_all()


main(sys.argv[1])
