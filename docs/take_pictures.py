"""Takes the pictures in docs/images/: one cycle of the demo in Prometheus.

    BAZELW_GROUPS="build pictures" ./bazelw run //docs:take_pictures

Takes as long as the cycle, and up to a minute more. Look at the pictures before
you commit them.
"""

import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.parse

from tests.monitoring import prometheus_stack as stack

CYCLE_SECONDS = 100
# Samples often enough to see the ramps, which take two seconds.
TIME_SCALE = 1 / 50

PICTURES = {
    # GetPrice never breaks.
    "state": 'max by (method) (circuit_breaker_state{method!="GetPrice"})',
    # What the breakers open on: at 1; on a ramp, the share that is held back.
    "evidence": "max by (method) (circuit_breaker_evidence)",
}


def take_picture(prometheus, expression, end, file, profile):
    """Of the cycle until `end`."""
    page = "http://{}/graph?{}".format(
        prometheus.address,
        urllib.parse.urlencode(
            {
                "g0.expr": expression,
                "g0.tab": 0,
                "g0.range_input": f"{CYCLE_SECONDS}s",
                "g0.end_input": time.strftime("%Y-%m-%d %H:%M", time.gmtime(end)),
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
    # Prometheus's page draws until a whole minute.
    end = 60 * math.ceil((time.time() + CYCLE_SECONDS) / 60)
    time.sleep(end - CYCLE_SECONDS - time.time())
    with tempfile.TemporaryDirectory() as directory:
        try:
            demo = stack.Demo(
                directory, "demo", demo_binary, f"--cycle={CYCLE_SECONDS}s"
            )
            prometheus = stack.Prometheus(directory, TIME_SCALE, [demo.address()])
            time.sleep(end - time.time())
            for name, expression in PICTURES.items():
                take_picture(
                    prometheus, expression, end, images / f"{name}.png", directory
                )
        finally:
            stack.end_all()


main(sys.argv[1])
