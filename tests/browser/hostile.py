"""A submission in which everything that a page could show tries to run: names, values, keys, descriptions, a logo."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

from checkout import PROJECT

EXAMPLE = PROJECT / "examples" / "submission" / "Example_Lab"
RUN = "window.__pwned=1"
LONG = 1 << 20

MARKUP = (
    f"<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"<!--<script>{RUN}//-->",
    f"]]></style></title></textarea><img src=x onerror={RUN}>",
    f"<img src=x onerror={RUN}>",
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<math><mtext></form><form><mglyph><style></math><img src onerror={RUN}>",
    f"<a href=javascript:{RUN} id=main class=skip>click</a>",
    f"<details open ontoggle={RUN}>",
    f'" onmouseover="{RUN}" onfocus="{RUN}" autofocus x="',
    f"' onclick='{RUN}' x='",
    f"`${{{RUN}}}`",
    f"{{{{ {RUN} }}}}{{% raw %}}",
    f"javascript:{RUN}",
    f"data:text/html,<script>{RUN}</script>",
    f"&lt;img src=x onerror={RUN}&gt;",
    f"datum.x + ({RUN}) + '\\\\'",
    "\u202eneddih\u2066\u200b\ufeff",
    "\x00\x01\x1b[31m\r\n\u2028\u2029\x85",
    "__proto__",
    "constructor",
)
"""Texts that become something else wherever a page forgets to escape them."""

VALUES = (*MARKUP, "A" * LONG, "<b>" * (LONG // 3), "\u202e" * LONG)
NAMES = tuple([text for text in MARKUP if "/" not in text and "\x00" not in text and "\r" not in text])
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{RUN}" width="30" height="30"><script>{RUN}</script></svg>'
KEPT = ("submission_benchmark", "submission_division", "eval_accuracy", "samples_count", "global_batch_size")
"""Keys whose values stay, so that runs are scored and drawn."""


def write_submission(folder: Path) -> Path:
    """Write runs of two systems whose folders, logs and descriptions are hostile; returns the submission."""
    submission = folder / NAMES[0]
    texts = cycle(VALUES)
    for number, name in enumerate(NAMES[:3]):
        system = submission / "results" / name
        for place, benchmark in enumerate(("llama2_70b_lora", "flux1")):
            for run in range(3):
                log = EXAMPLE / "results" / "example_16x" / benchmark / f"result_{run}.txt"
                target = system / benchmark / f"result_{run if run else NAMES[number * 2 + place]}.txt"
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text("".join(spoil_log(log, texts)), "utf-8", "surrogatepass", newline="")
        description = json.loads((EXAMPLE / "systems" / "example_16x.json").read_text("utf-8"))
        spoiled: dict[str, Any] = {key: next(texts) for key in description} | {next(texts)[:200]: next(texts)}
        kept = {"division": "closed", "number_of_nodes": "2", "accelerators_per_node": "8"}
        path = submission / "systems" / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(spoiled | kept), "utf-8")
    (folder / f"x' onerror='{RUN}.svg").write_text(SVG, "utf-8")
    return submission


def spoil_log(log: Path, texts: Iterator[str]) -> Iterator[str]:
    """The lines of a log with other values, metadata and keys, and with noise between them."""
    for line in log.read_text("utf-8").splitlines(keepends=True):
        noise, marker, payload = line.partition(":::MLLOG ")
        if not marker:
            yield line
            continue
        event = json.loads(payload)
        if isinstance(event["value"], (str, int)) and event["key"] not in KEPT:
            event["value"] = next(texts)
        event["metadata"] |= {"file": next(texts), next(texts)[:300]: next(texts)[:300]}
        yield f"{noise}{marker}{json.dumps(event)}\n"
        yield f"{next(texts)[:2000]}\n"
        yield f"{marker}{json.dumps(event | {'key': next(texts)[:300], 'value': 0.5})}\n"
