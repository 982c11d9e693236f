"""Memory: the limits of a container count, not what the machine has."""

from __future__ import annotations

import os

import pytest

from rfm_spark import session
from rfm_spark.core.memory import usable_memory

MACHINE = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
MB = 2**20
V2 = "0::/a.slice/b.service\n"
V1 = "7:cpu,cpuacct:/x\n5:memory:/docker/4711\n0::/\n"


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("", {}, MACHINE),
        ("0::/\n", {"memory.max": "max"}, MACHINE),
        ("0::/\n", {"memory.max": str(300 * MB)}, 300 * MB),
        (V2, {"a.slice/b.service/memory.max": str(200 * MB)}, 200 * MB),
        # The groups around it limit it as well.
        (V2, {"a.slice/b.service/memory.max": "max", "a.slice/memory.max": str(MB)}, MB),
        (V2, {"a.slice/b.service/memory.max": str(9 * MB), "a.slice/memory.max": str(MB)}, MB),
        # Of a container that sees the end of its place only.
        (V2, {"memory.max": str(100 * MB)}, 100 * MB),
        (V1, {"memory/docker/4711/memory.limit_in_bytes": str(50 * MB)}, 50 * MB),
        (V1, {"memory/memory.limit_in_bytes": str(60 * MB)}, 60 * MB),
        # So version 1 writes that there is no limit.
        (V1, {"memory/memory.limit_in_bytes": "9223372036854771712"}, MACHINE),
        (V1, {"cpu/memory.limit_in_bytes": "1"}, MACHINE),
    ],
)
def test_the_least_limit_counts(tmp_path, groups, files, expected):
    for name, text in {"proc/self/cgroup": groups}.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    for name, text in files.items():
        file = tmp_path / "sys/fs/cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
    assert usable_memory(tmp_path) == expected


def test_a_system_without_control_groups_has_what_the_machine_has(tmp_path):
    assert usable_memory(tmp_path) == MACHINE


@pytest.mark.parametrize(
    ("usable", "megabytes"), [(512 * MB, 512), (3000 * MB, 1500), (256 * 1024 * MB, 24_576)]
)
def test_the_driver_has_half_of_it(monkeypatch, usable, megabytes):
    monkeypatch.setattr(session, "usable_memory", lambda: usable)
    assert session._half_of_memory() == megabytes
