"""Which ports processes listen on, and what each says to who has no token.

Of gRPC a call of every service that Ray has is tried: a server tells of one that it has not that it
is unimplemented, token or none.
"""

import http.client
import ipaddress
import socket
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass

import grpc
import psutil

_ANSWERS_S = 20.0
_UNAUTHORIZED = 401
_CALLS = (
    "/ray.rpc.NodeInfoGcsService/GetAllNodeInfo",
    "/ray.rpc.JobInfoGcsService/GetAllJobInfo",
    "/ray.rpc.InternalKVGcsService/InternalKVGet",
    "/ray.rpc.NodeManagerService/GetNodeStats",
    "/ray.rpc.ObjectManagerService/Pull",
    "/ray.rpc.CoreWorkerService/GetCoreWorkerStats",
    "/ray.rpc.ReporterService/GetTraceback",
    "/ray.rpc.LogService/ListLogs",
    "/ray.rpc.RayletDriver/ClusterInfo",
)


@dataclass(frozen=True)
class Port:
    """Where a process listens.

    Args:
        command: how the process was called, or calls itself.
        host: an address of this machine that reaches the port.
        number: of the port.
        is_loopback: whether only this machine reaches it.
    """

    command: str
    host: str
    number: int
    is_loopback: bool


def listening(pids: Iterable[int]) -> list[Port]:
    """Return the TCP and UDP ports of processes; those that have ended meanwhile have none."""
    found = []
    for pid in pids:
        try:
            process = psutil.Process(pid)
            command = " ".join(process.cmdline())
            sockets = process.net_connections("inet")
        except psutil.Error:
            continue
        found += [
            _port(command, *one.laddr)
            for one in sockets
            if one.status == psutil.CONN_LISTEN or (one.type == socket.SOCK_DGRAM and not one.raddr)
        ]
    return found


def refuses_strangers(port: Port) -> bool:
    """Say whether a port answers a client without a token by nothing but that it wants one."""
    try:
        address = f"http://{port.host}:{port.number}/"
        urllib.request.urlopen(address, timeout=_ANSWERS_S).close()  # http, as it says
    except urllib.error.HTTPError as refusal:
        return refusal.code == _UNAUTHORIZED
    except OSError as error:
        raise AssertionError(f"{port} does not answer: {error}") from error
    except http.client.BadStatusLine:  # HTTP/2, which gRPC speaks
        said = calls(port)
        return bool(said) and said == {grpc.StatusCode.UNAUTHENTICATED}
    return False


def calls(port: Port, token: str | None = None) -> set[grpc.StatusCode]:
    """Return how the gRPC services of a port end a call with an empty message."""
    sent = [] if token is None else [("authorization", f"Bearer {token}")]
    codes = set()
    with grpc.insecure_channel(f"{port.host}:{port.number}") as channel:
        for name in _CALLS:
            try:
                channel.unary_unary(name)(b"", timeout=_ANSWERS_S, metadata=sent)
                codes.add(grpc.StatusCode.OK)
            except grpc.RpcError as error:
                codes.add(error.code())
    return codes - {grpc.StatusCode.UNIMPLEMENTED}


def _port(command: str, host: str, number: int) -> Port:
    address = ipaddress.ip_address(host)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    reached = "127.0.0.1" if address.is_unspecified else str(address)
    return Port(command, reached, number, address.is_loopback)
