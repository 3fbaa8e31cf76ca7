"""Measures how long a host of the kit's own takes to be ready, and a call on it, beside the same things bare."""

import argparse
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import libvirt

from jobtck.conformance.calls import Call, GetJobStats
from jobtck.conformance.capabilities import SECOND_CLIENT, Options
from jobtck.conformance.design import find_design
from jobtck.fixtures.libvirt_api import start_event_loop
from jobtck.fixtures.libvirt_backend import libvirtd
from jobtck.fixtures.libvirt_calls import LibvirtBackend
from jobtck.fixtures.libvirt_target import LibvirtTarget
from jobtck.fixtures.own_hosts import QEMU_CONF, private_daemon
from jobtck.fixtures.private_daemon import PrivateDaemon
from jobtck.fixtures.virsh import VIRSH_CLIENTS

CALLS, ROUNDS = 100, 21


def seconds(work: Callable[[], object]) -> float:
    """The wall time of some work."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def bare_start() -> float:
    """The daemon alone, until it has looked at QEMU's capabilities, as a host has to."""
    with tempfile.TemporaryDirectory(prefix="jt-") as name:
        daemon = PrivateDaemon(Path(name), QEMU_CONF)

        def start() -> None:
            daemon.start()
            connection = libvirt.open(daemon.address.uri)
            connection.getDomainCapabilities(None, None, None, None, 0)
            connection.close()

        took = seconds(start)
        daemon.close()
    return took


def kit_start() -> float:
    """A host of the kit's, ready to start guests."""
    took = seconds(lambda: private_daemon.acquire(None))
    private_daemon.release()
    return took


def virsh_bare(target: LibvirtTarget, backend: LibvirtBackend) -> float:
    """A process of virsh, run by nobody but a shell."""
    words = ["virsh", "-q", "-c", target.uri, "domjobinfo", backend.jobs[0].guest.name, "--rawstats", "--anystats"]
    command = f"{shlex.join(words)} >/dev/null"
    return seconds(lambda: subprocess.run(["sh", "-c", command], check=True))


def each_call(backend: LibvirtBackend, call: Call, calls: int) -> float:
    """The seconds that one of many such calls takes."""
    return seconds(lambda: [backend.perform(call) for _ in range(calls)]) / calls


def main() -> None:
    """Prints two tables: starts, and calls."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--repeats", type=int, default=5)
    repeats = options.parse_args().repeats
    start_event_loop()
    private_daemon.acquire(None)  # orphans are adopted from now on, in both cases
    private_daemon.release()
    print(f"start, median of {repeats}        s")
    print(f"bare: libvirtd, capabilities  {median(bare_start() for _ in range(repeats)):6.2f}")
    print(f"the kit's host                {median(kit_start() for _ in range(repeats)):6.2f}")

    target = libvirtd.open(find_design("default-job"), Options())
    assert isinstance(target, LibvirtTarget)
    backend = target.fresh()
    assert isinstance(backend, LibvirtBackend)
    domain = backend.jobs[0].guest.domain
    other = LibvirtBackend(target.host, target.host.guests(1), target.schema, VIRSH_CLIENTS)
    here, elsewhere = GetJobStats(), GetJobStats(client=SECOND_CLIENT)
    backend.perform(elsewhere)
    rows: dict[str, Callable[[], float]] = {
        "bare: libvirt-python": lambda: seconds(lambda: [domain.jobStats() for _ in range(CALLS)]) / CALLS,
        "backend, client here": lambda: each_call(backend, here, CALLS),
        "backend, client elsewhere": lambda: each_call(backend, elsewhere, CALLS),
        "bare: virsh": lambda: virsh_bare(target, other),
        "virsh backend": lambda: each_call(other, here, 1),
    }
    found: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(ROUNDS):
        for name, measured in rows.items():
            found[name].append(measured())
    print(f"\n{'query without a job':30}    ms")
    for name, all_seconds in found.items():
        print(f"{name:30} {median(all_seconds) * 1000:5.2f}")
    other.close()
    backend.close()
    target.close()


if __name__ == "__main__":
    main()
