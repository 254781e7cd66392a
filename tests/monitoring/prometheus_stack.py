"""Demos and a real Prometheus that scrapes them, as children of this process.

All listen on ports of the loopback interface that the system picks. Prometheus
runs on a copy of monitoring/, in which only addresses and durations differ; the
working directory is the root of the repository.
"""

import atexit
import json
import pathlib
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

# The addresses in monitoring/prometheus.yml.
DEMO_ADDRESS = "127.0.0.1:8080"
ALERTMANAGER_ADDRESS = "127.0.0.1:9093"

_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def poll(condition, seconds):
    """What `condition()` returns once that is true, or in the end, after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result or time.monotonic() >= deadline:
            return result
        time.sleep(0.2)


def milliseconds(duration):
    """Of a duration as Prometheus writes it, such as 1m30s."""
    return sum(
        int(number) * _UNITS[unit]
        for number, unit in re.findall(r"(\d+)(ms|s|m|h|d)", duration)
    )


def scale_durations(text, scale):
    """Multiplies every duration in configuration, rules or an expression."""
    return re.sub(
        r"\b(?:\d+(?:ms|s|m|h|d))+\b",
        lambda match: f"{max(1, round(milliseconds(match[0]) * scale))}ms",
        text,
    )


# All that were started.
programs = []


@atexit.register
def end_all():
    for program in programs:
        program.process.terminate()
    for program in programs:
        try:
            program.process.wait(10)
        except subprocess.TimeoutExpired:
            program.process.kill()
            program.process.wait()


class Program:
    """A child that writes to a file, and ends when this process does, even if
    that is killed."""

    def __init__(self, directory, name, command):
        self.name = name
        self._log = pathlib.Path(directory, f"{name}.log")
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        programs.append(self)

    def log(self):
        return self._log.read_text(errors="replace")

    def wait_for_log(self, pattern):
        """The first group of the first match."""
        match = poll(
            lambda: re.search(pattern, self.log())
            or self.process.poll() is not None,
            30,
        )
        if not isinstance(match, re.Match):
            raise RuntimeError(f"{self.name} never wrote {pattern}\n{self.tail()}")
        return match[1]

    def tail(self):
        lines = self.log().splitlines()[-20:]
        return "\n".join([f"--- {self.name}, the end of its log:", *lines])


class Demo(Program):
    def __init__(self, directory, name, binary, *flags):
        super().__init__(
            directory,
            name,
            [
                binary,
                "--metrics_address=127.0.0.1:0",
                "--admin_address=127.0.0.1:0",
                *flags,
            ],
        )

    def address(self):
        """Where its metrics are."""
        return self.wait_for_log(r"(?m)^metrics: http://(\S+)/metrics$")


class Service(Program):
    """A program of the Prometheus project."""

    def wait_until_ready(self):
        self.address = self.wait_for_log(r'msg="Listening on" address=(\S+)')

        def ready():
            try:
                return self.get("/-/ready") is not None
            except urllib.error.HTTPError:
                return False

        if not poll(ready, 30):
            raise RuntimeError(f"{self.name} does not get ready\n{self.tail()}")

    def get(self, path, **parameters):
        """The text at `path`."""
        query = urllib.parse.urlencode(parameters)
        url = f"http://{self.address}{path}?{query}"
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.read().decode()


class Alertmanager(Service):
    """Notifies `pager`, a URL, at once and of each alert by itself."""

    def __init__(self, directory, pager):
        configuration = {
            "route": {
                "receiver": "pager",
                "group_by": ["..."],
                "group_wait": "0s",
                "group_interval": "200ms",
            },
            "receivers": [
                {
                    "name": "pager",
                    "webhook_configs": [{"url": pager, "send_resolved": True}],
                }
            ],
        }
        # YAML is a superset of JSON.
        file = pathlib.Path(directory, "alertmanager.yml")
        file.write_text(json.dumps(configuration))
        super().__init__(
            directory,
            "alertmanager",
            [
                "/usr/bin/prometheus-alertmanager",
                f"--config.file={file}",
                f"--storage.path={directory}/alertmanager",
                "--web.listen-address=127.0.0.1:0",
                "--cluster.listen-address=",
            ],
        )
        self.wait_until_ready()


class Prometheus(Service):
    """Scrapes `demos`, addresses, with all durations multiplied by `scale`."""

    def __init__(self, directory, scale, demos, alertmanager=None):
        copy = pathlib.Path(directory, "monitoring")
        copy.mkdir()
        for file in pathlib.Path("monitoring").glob("*.yml"):
            text = scale_durations(file.read_text(), scale)
            if file.name == "prometheus.yml":
                for old, new in [
                    (DEMO_ADDRESS, "', '".join(demos)),
                    # Port 9, where nobody listens.
                    (ALERTMANAGER_ADDRESS, alertmanager or "127.0.0.1:9"),
                ]:
                    if text.count(f"['{old}']") != 1:
                        raise RuntimeError(f"{file} does not name {old} once")
                    text = text.replace(old, new)
            (copy / file.name).write_text(text)
        super().__init__(
            directory,
            "prometheus",
            [
                "/usr/bin/prometheus",
                f"--config.file={copy}/prometheus.yml",
                f"--storage.tsdb.path={directory}/prometheus",
                "--web.listen-address=127.0.0.1:0",
            ],
        )
        self.wait_until_ready()

    def api(self, path, **parameters):
        """The data of an answer of the API."""
        try:
            answer = json.loads(self.get(f"/api/v1/{path}", **parameters))
        except urllib.error.HTTPError as error:
            raise RuntimeError(
                f"{path} {parameters}: {error.read().decode(errors='replace')}"
            ) from None
        return answer["data"]

    def query(self, expression, **parameters):
        """The series that an expression has now, or at `time`."""
        return self.api("query", query=expression, **parameters)["result"]

    def query_range(self, expression, start, end, step):
        """The series that an expression has at each step."""
        return self.api(
            "query_range", query=expression, start=start, end=end, step=step
        )["result"]
