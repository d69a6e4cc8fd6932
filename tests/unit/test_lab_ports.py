"""Free ports: free means both UDP and TCP, neighbours stay together, and nobody else is given the same."""

import socket
import subprocess
import sys

import pytest

from cordboard.errors import LabError
from cordboard.lab import ports
from cordboard.lab.ports import LOOPBACK, find_free_ports, is_free, prefer


@pytest.fixture(params=[socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["udp", "tcp"])
def taken_port(request):
    with socket.socket(socket.AF_INET, request.param) as taken:
        port = find_free_ports()
        taken.bind((LOOPBACK, port))
        if request.param == socket.SOCK_STREAM:
            taken.listen()
        yield port


def test_a_port_taken_by_either_protocol_is_not_free(taken_port):
    assert not is_free(taken_port)


def test_a_port_taken_on_one_address_is_free_on_another(taken_port):
    assert is_free(taken_port, "127.0.0.9")


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["udp", "tcp"])
def test_neighbours_skip_a_taken_port(kind, monkeypatch):
    with monkeypatch.context() as at_once:
        at_once.setattr(ports, "CLAIMED_S", 0.0)
        first = find_free_ports(4)
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind((LOOPBACK, first + 1))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        assert find_free_ports(2, among=range(first, first + 4)) == first + 2


def test_no_free_port_is_an_error(taken_port):
    with pytest.raises(LabError, match=str(taken_port)):
        find_free_ports(among=[taken_port])


def test_the_preferred_port_is_given_only_if_it_is_free(taken_port):
    free = find_free_ports()
    assert prefer(free) == free
    assert prefer(taken_port) != taken_port


def test_a_port_that_was_found_is_not_found_again():
    port = find_free_ports()
    with pytest.raises(LabError):
        find_free_ports(among=[port])


def test_a_claim_has_an_end(monkeypatch):
    monkeypatch.setattr(ports, "CLAIMED_S", 0.0)
    port = find_free_ports()
    assert find_free_ports(among=[port]) == port


def test_another_process_does_not_find_it_either_while_this_one_lives():
    port = find_free_ports()
    program = f"from cordboard.lab.ports import find_free_ports; print(find_free_ports(among=[{port}, {port + 7}]))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(found.stdout) == port + 7


def test_neighbours_of_which_one_is_claimed_are_not_claimed_either(monkeypatch):
    with monkeypatch.context() as at_once:
        at_once.setattr(ports, "CLAIMED_S", 0.0)
        first = find_free_ports(3)
    assert find_free_ports(among=[first + 2]) == first + 2
    with pytest.raises(LabError):
        find_free_ports(3, among=range(first, first + 3))
    assert find_free_ports(2, among=range(first, first + 2)) == first
