"""Starting a Docker engine of one's own and clearing away what a killed one leaves.

On a real dockerd with places of its own and no network, beside whatever engine the machine has.
"""

import io
import os
import re
import shutil
import signal
import subprocess
import tarfile
import time
from contextlib import closing

import pytest
from docker.errors import DockerException

from cordboard.errors import LabError
from cordboard.lab import engine
from cordboard.lab.engine import WITHOUT_NETWORK, EnginePlaces, clear_leftovers, ensure_engine, start_engine
from cordboard.lab.packages import ensure_packages

needs_dockerd = pytest.mark.skipif(os.geteuid() != 0, reason="starting dockerd needs root")


@pytest.fixture
def places(tmp_path_factory):
    ensure_packages(["docker.io", "iptables"])
    root = tmp_path_factory.mktemp("engine")
    places = EnginePlaces(
        socket=root / "docker.sock",
        pid_file=root / "docker.pid",
        exec_root=root / "exec",
        data_root=root / "data",
        log_file=root / "dockerd.log",
    )
    yield places
    end(places, signal.SIGTERM)
    clear_leftovers(places)
    for mount_point in engine._mounts_below(root):
        subprocess.run(["umount", "--lazy", mount_point], check=True)
    shutil.rmtree(root)


def end(places, number):
    """End this test's dockerd, by its pid, and wait until it is gone."""
    try:
        pid = int(places.pid_file.read_text())
        os.kill(pid, number)
        os.waitpid(pid, 0)
    except (OSError, ValueError):
        pass


def run_something(client):
    """A container that runs on: `sleep`, with the libraries it needs and nothing else."""
    libraries = re.findall(r"(/\S+)", subprocess.run(["ldd", "/bin/sleep"], capture_output=True, text=True).stdout)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", dereference=True) as tar:
        for path in ["/bin/sleep", *libraries]:
            tar.add(path)
    client.api.import_image_from_data(archive.getvalue(), repository="sleep", tag="1")
    client.containers.run("sleep:1", ["/bin/sleep", "600"], detach=True, network_mode="host")


@needs_dockerd
def test_an_engine_starts_answers_and_is_not_started_twice(places):
    with closing(start_engine(places, WITHOUT_NETWORK)) as client:
        assert client.ping()
    pid = places.pid_file.read_text()
    with closing(start_engine(places, WITHOUT_NETWORK)) as client:
        assert client.ping()
    assert places.pid_file.read_text() == pid


@needs_dockerd
def test_an_engine_killed_hard_with_a_container_starts_again_at_once(places):
    with closing(start_engine(places, WITHOUT_NETWORK)) as client:
        run_something(client)
    end(places, signal.SIGKILL)
    assert places.pid_file.exists(), "a dockerd killed by -9 leaves its pid file"
    assert engine._left_containerds(places), "and its containers' shims"
    assert engine._mounts_below(places.exec_root), "and their mounts"
    began = time.monotonic()
    with closing(start_engine(places, WITHOUT_NETWORK)) as client:
        assert client.containers.list() == []
    assert time.monotonic() - began < 5.0


@needs_dockerd
def test_a_pid_file_that_names_another_program_is_stale(places):
    with subprocess.Popen(["sleep", "20"]) as other:
        places.pid_file.write_text(str(other.pid))
        with closing(start_engine(places, WITHOUT_NETWORK)) as client:
            assert client.ping()
        assert other.poll() is None, "the other program is left alone"
        other.kill()


@needs_dockerd
def test_an_engine_that_cannot_start_says_why(places):
    with pytest.raises(LabError, match="no-such-option"):
        start_engine(places, ["--no-such-option"])


def test_without_an_answer_at_docker_host_nothing_is_started(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    monkeypatch.setattr(engine, "start_engine", lambda *_: pytest.fail("started an engine"))
    with pytest.raises(LabError, match="DOCKER_HOST"):
        ensure_engine()


def test_the_engine_that_answers_is_used():
    try:
        client = ensure_engine()
    except (LabError, DockerException) as error:
        pytest.skip(str(error))
    with closing(client):
        assert client.ping()
