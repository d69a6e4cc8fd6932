"""Free ports: free means both UDP and TCP, and neighbours stay together."""

import socket

import pytest

from cordboard.errors import LabError
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


def test_neighbours_skip_a_taken_port(taken_port):
    among = range(taken_port - 1, taken_port + 3)
    assert find_free_ports(2, among=among) == taken_port + 1


def test_no_free_port_is_an_error(taken_port):
    with pytest.raises(LabError, match=str(taken_port)):
        find_free_ports(among=[taken_port])


def test_the_preferred_port_is_given_only_if_it_is_free(taken_port):
    free = find_free_ports()
    assert prefer(free) == free
    assert prefer(taken_port) != taken_port
