"""A network that ends at this machine, so that no program under measurement can ask anything of anybody."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import sys

NEW_NETWORK = 0x40000000
"""CLONE_NEWNET, of linux/sched.h."""
GET_FLAGS, SET_FLAGS, UP = 0x8913, 0x8914, 1
"""SIOCGIFFLAGS and SIOCSIFFLAGS of linux/sockios.h, IFF_UP of linux/if.h."""
SIGN = "WATCHFLOOR_BENCH_ALONE"
"""In the environment of what already runs in such a network."""


def leave_the_network() -> bool:
    """From here on this process and all that it starts have a loopback and nothing else.

    Needs root: without it nothing changes, that is said on stderr, and False is returned.
    """
    if os.environ.get(SIGN) == "1":
        return True
    if os.getuid() != 0 or ctypes.CDLL(None, use_errno=True).unshare(NEW_NETWORK):
        print("bench: not root, so the network stays reachable; all addresses are this machine's", file=sys.stderr)
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        (flags,) = struct.unpack_from("h", fcntl.ioctl(asking, GET_FLAGS, struct.pack("16sh22x", b"lo", 0)), 16)
        fcntl.ioctl(asking, SET_FLAGS, struct.pack("16sh22x", b"lo", flags | UP))
    os.environ[SIGN] = "1"
    return True
