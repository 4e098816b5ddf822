"""Paths and hosts leave a log; everything else stays."""

from __future__ import annotations

from typing import Any

import pytest

from mlperf_logging.conversion.anonymizing import Anonymizer
from mlperf_logging.events import Event


def make_event(key: str, value: Any, **metadata: Any) -> Event:
    """An event of the newest dialect."""
    return Event(key, value, metadata, 5, 3, 1, b"", "POINT_IN_TIME", "", None, "mllog")


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("loaded /lustre/ann/data/part_1.bin twice", "loaded /path-1 twice"),
        ("gs://bucket/run", "/path-1"),
        ("C:\\Users\\ann\\x.py", "/path-1"),
        ("\\\\server\\share\\x", "/path-1"),
        ("~/data/x", "/path-1"),
        ("10.1.2.3", "host-1"),
        ("at 10.1.2.3:29500", "at host-1:29500"),
        ("fe80::1", "host-1"),
        ("dgx-01.cluster.local", "host-1"),
        ("node7.lab.example.com is up", "host-1 is up"),
    ],
)
def test_paths_and_hosts_are_hidden(text: str, hidden: str) -> None:
    """Wherever they stand in a text."""
    assert Anonymizer().hide_text(text) == hidden


@pytest.mark.parametrize(
    "text",
    [
        "images/sec",
        "1/2",
        "N/A",
        "TensorFlow 1.13.1",
        "(56, 56, 64)",
        "12:30:45",
        "value >= 0.759",
        "torch.optim.adamw",
        "backbone.layer1.0.conv1.weight",
        "a and/or b",
        "adamw",
        "",
    ],
)
def test_other_text_stays(text: str) -> None:
    """Units, versions, times and names of parameters are no paths and no hosts."""
    assert Anonymizer().hide_text(text) == text


def test_equal_texts_stay_equal() -> None:
    """What stands for a path is the same everywhere; different paths stay different."""
    anonymizer = Anonymizer()
    events = [
        anonymizer.hide_event(make_event("a", ["/data/x/1", {"b": "/data/x/2"}], c="/data/x/1")),
        anonymizer.hide_event(make_event("/data/x/2", "/data/x/2")),
    ]

    assert [(each.value, each.metadata) for each in events] == [
        (["/path-1", {"b": "/path-2"}], {"c": "/path-1"}),
        ("/path-2", {}),
    ]


def test_a_call_site_keeps_the_name_of_its_file() -> None:
    """Rules and people need it; the folders above it are nobody's business."""
    anonymizer = Anonymizer()

    assert anonymizer.hide_event(make_event("seed", 1, file="/home/x/ann/train.py", lineno=3)).metadata == {
        "file": "train.py",
        "lineno": 3,
    }
    assert anonymizer.hide_event(make_event("seed", 1, file="C:\\ann\\train.py")).metadata == {
        "file": "train.py"
    }


def test_fields_that_name_hosts_are_hidden_whole() -> None:
    """Short names of hosts cannot be told from other words, but for the fields they stand in and if they are named."""
    anonymizer = Anonymizer(["secret", "secretlab"])

    assert anonymizer.hide_event(
        make_event("hostname", "dgx7", node="dgx7", user="ann", nodes=8)
    ).metadata == {"node": "host-1", "user": "host-2", "nodes": 8}
    assert anonymizer.hide_text("at secretlab in secret") == "at host-3 in host-4"
