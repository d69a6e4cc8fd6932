"""The checks `ports` and `listeners`, with real sockets, a real health server, and another program on a port."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from cordboard.bootstrap.checks import listeners, ports
from cordboard.bootstrap.checks.port_holders import Program, holder
from cordboard.bootstrap.checks.result import Level
from cordboard.bootstrap.health import bind_health, health_app, health_server
from cordboard.service.metrics import Metrics
from tests.doubles.doctor_site import Site, only
from tests.doubles.running_desk import running_desk

PARTS = {"agi": 4573, "http": 8780, "desk": 8700}

SERVE = """
import http.server, socket, sys
class Alive(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"alive": true}')
    def log_message(self, *_):
        pass
web = http.server.HTTPServer(("127.0.0.1", int(sys.argv[-2])), Alive)
agi = socket.create_server(("127.0.0.1", int(sys.argv[-1])))
print("up", flush=True)
web.serve_forever()
"""


@contextmanager
def listening(port: int) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", port)):
        yield


@asynccontextmanager
async def service(site: Site) -> AsyncIterator[None]:
    """What a worker has: its AGI port and a health server that answers."""
    server = health_server(health_app(lambda: {"ami": False}, Metrics()))
    with socket.create_server(("127.0.0.1", site.agi_port)):
        serving = asyncio.create_task(server.serve(sockets=[bind_health("127.0.0.1", site.http_port)]))
        await server.is_up.wait()
        yield
        server.should_exit = True
        await serving


SUPERVISE = """
import signal, subprocess, sys
program = subprocess.Popen([sys.executable, sys.argv[0], "worker", *sys.argv[2:]])
signal.signal(signal.SIGTERM, lambda *_: program.terminate())
program.wait()
"""


@contextmanager
def other_service(folder: Path, site: Site) -> Iterator[int]:
    """A process that looks like the supervisor of another configuration, with a worker. Its pid."""
    script = folder / "cordboard"
    script.write_text(f"import sys\nexec({SUPERVISE!r} if sys.argv[1] == 'run' else {SERVE!r})\n")
    ports_taken = [str(site.http_port), str(site.agi_port)]
    words = [sys.executable, str(script), "run", "--config", str(folder), *ports_taken]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        program.stdout.readline()
        yield program.pid
        program.terminate()


@contextmanager
def other_cordboard(folder: Path, site: Site) -> Iterator[int]:
    """A process that looks like the worker of another configuration. The pid."""
    script = folder / "cordboard"
    script.write_text(SERVE)
    words = [sys.executable, str(script), "--config", str(folder), str(site.http_port), str(site.agi_port)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        program.stdout.readline()
        yield program.pid
        program.terminate()


async def test_free_ports_are_told_and_left_free(tmp_path: Path) -> None:
    site = Site(tmp_path)
    assert only(await ports.look(site.premises()), Level.OK).seen.startswith(f"free: agi 127.0.0.1:{site.agi_port}")
    with listening(site.agi_port):
        pass


async def test_the_desk_has_a_port_once_there_are_agents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "ANSWER_S", 0.1)
    site = Site(tmp_path)
    with listening(site.desk_port):
        only(await ports.look(site.premises()), Level.OK)
        site.add_agents(alice="PJSIP/1001")
        result = only(await ports.look(site.premises()), Level.FAULT)
    assert "wanted for desk" in result.seen


async def test_a_stranger_on_a_port_is_named(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with listening(site.agi_port):
        result = only(await ports.look(site.premises()), Level.FAULT)
    assert f"127.0.0.1:{site.agi_port}, wanted for agi, is held by python" in result.seen
    assert f"(pid {os.getpid()})" in result.seen
    assert "listen: {agi: {port: ...}}" in result.fix


async def test_our_running_service_is_known_by_its_answer(tmp_path: Path) -> None:
    site = Site(tmp_path)
    async with service(site):
        assert only(await ports.look(site.premises()), Level.OK).seen.startswith("our service runs on agi")


async def test_our_running_desk_is_known_by_its_health_answer(tmp_path: Path) -> None:
    async with running_desk() as desk:
        site = Site(tmp_path, desk_port=int(desk.url.rpartition(":")[2]))
        site.add_agents(alice="PJSIP/1001")
        assert only(await ports.look(site.premises()), Level.OK).seen.startswith("free, or our service's: agi")


async def test_another_cordboard_is_not_taken_for_ours(tmp_path: Path) -> None:
    site = Site(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    with other_cordboard(other, site) as pid:
        results = await ports.look(site.premises())
    assert [result.level for result in results] == [Level.FAULT, Level.FAULT]
    assert f"held by the Cordboard of {other}" in results[0].seen
    assert f"kill {pid}" in results[0].fix


async def test_to_end_another_cordboard_its_supervisor_is_named(tmp_path: Path) -> None:
    site = Site(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    with other_service(other, site) as pid:
        results = await ports.look(site.premises())
    assert [f"kill {pid})" in result.fix for result in results] == [True, True]
    assert f"held by the Cordboard of {other}" in results[0].seen


async def test_an_address_of_no_machine_here_is_a_fault(tmp_path: Path) -> None:
    site = Site(tmp_path, settings="listen: {agi: {host: 192.0.2.1, port: 4573}}\n")
    result = only(await ports.look(site.premises()), Level.FAULT)
    assert "192.0.2.1:4573" in result.seen and "host: 127.0.0.1" in result.fix


async def test_two_parts_on_one_port_are_a_fault_before_anything_is_tried(tmp_path: Path) -> None:
    settings = "workers: 3\nlisten: {agi: {port: 4573}, http: {port: 4575}}\n"
    result = only(await ports.look(Site(tmp_path, settings=settings).premises()), Level.FAULT)
    assert result.seen == "port 4575 is wanted by agi and http"


def test_a_port_that_nobody_has_has_no_holder(tmp_path: Path) -> None:
    assert holder(Site(tmp_path).agi_port) is None


def test_only_words_of_ours_name_a_configuration() -> None:
    assert Program(1, ("python", "-m", "cordboard", "worker", "--config", "/etc/x")).configuration == Path("/etc/x")
    assert Program(1, ("nginx", "-c", "/etc/nginx.conf")).configuration is None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "localhost"])
async def test_loopback_is_left_in_peace(tmp_path: Path, host: str) -> None:
    listen = ", ".join(f"{part}: {{host: '{host}', port: {port}}}" for part, port in PARTS.items())
    only(await listeners.look(Site(tmp_path, settings=f"listen: {{{listen}}}\n").premises()), Level.OK)


@pytest.mark.parametrize(
    ("settings", "level", "words"),
    [
        ("listen: {agi: {host: 0.0.0.0, port: 4573}}", Level.WARNING, "agi listens on 0.0.0.0"),
        ("listen: {http: {host: '::', port: 8780}}", Level.WARNING, "can read the metrics"),
        ("listen: {desk: {host: 0.0.0.0}}", Level.FAULT, "without https"),
        ("listen: {desk: {host: 0.0.0.0, https: true}}", Level.NOTE, "beside its https proxy"),
        ("listen: {desk: {host: no-such-host.invalid}}", Level.FAULT, "cannot be resolved"),
    ],
)
async def test_a_listener_that_leaves_the_machine_is_told(
    tmp_path: Path, settings: str, level: Level, words: str
) -> None:
    result = only(await listeners.look(Site(tmp_path, settings=settings + "\n").premises()), level)
    assert words in result.seen and result.fix


async def test_a_manager_on_another_machine_is_told(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.write("cordboard.yaml", "asterisk: {ami: {host: 192.0.2.7}}\n")
    assert "192.0.2.7" in only(await listeners.look(site.premises()), Level.WARNING).seen
