"""From the page's model to its HTML: one file that loads nothing and runs no script but its own."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mlperf_logging.reports._escape import crop, encode_json, show_lines

if TYPE_CHECKING:
    from jinja2 import Environment

    from mlperf_logging.reports.html.model import ReportModel

_LONGEST_TEXT = 4_000
_UNSAFE_IN_SCRIPT = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def render_page(model: ReportModel, edition: str = "") -> str:
    """The page as HTML.

    Scripts and styles stand in the page, and its policy names each by its hash: nothing else runs, nothing is loaded.

    Args:
        model: what is on the page.
        edition: of a page that is served, what its server calls it: the page loads again once there is another.
    """
    tables = [load_tables_script()] if model.holds_tables else []
    scripts = [*map(_guard_script, [*tables, *_load_chart_scripts(model)]), _read("page.js")]
    if edition:
        scripts.append(_read("live.js"))
    styles = [*([_read_tables_style()] if tables else []), _read("page.css")]
    template = _open_templates().get_template("page.html.j2")
    policy = _write_policy(scripts, styles, is_served=bool(edition))
    return template.render(model=model, scripts=scripts, styles=styles, policy=policy, edition=edition)


def encode_script_data(value: Any) -> str:
    """A value as JSON for a script element: without any character that could end it or begin a comment in it."""
    text = encode_json(value)
    for character, escape in _UNSAFE_IN_SCRIPT.items():
        text = text.replace(character, escape)
    return text


@cache
def load_tables_script() -> str:
    """DataTables, as itables brings it, with its constructor at ``window.DataTable``."""
    text = (files("itables") / "html" / "dt_bundle.js").read_text("utf-8")
    exported = re.search(r"export\{([^}]*)\}", text)
    name = re.search(r"([\w$]+) as default", exported[1]) if exported else None
    if exported is None or name is None:
        raise RuntimeError("the installed itables brings DataTables in another form; install itables 2.9")
    return f"{text[: exported.start()]}window.DataTable={name[1]};{text[exported.end() :]}"


def _guard_script(text: str) -> str:
    """A library's script as it may stand in a page: neither its end nor a comment of HTML begins in it."""
    return re.sub(r"<(?=!--|/?script)", r"\\x3C", text, flags=re.IGNORECASE)


def _load_chart_scripts(model: ReportModel) -> list[str]:
    """What draws charts, where there is one: it is 0.9 MB."""
    if not model.charts:
        return []
    from mlperf_logging.analysis.charts import bundle_libraries, read_drawing_script

    return [bundle_libraries(), read_drawing_script()]


def _read_tables_style() -> str:
    return (files("itables") / "html" / "dt_bundle.css").read_text("utf-8")


def _read(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text("utf-8")


@cache
def _open_templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    def finish(value: Any) -> Any:
        """What a template writes: without what cannot be seen, and never endless."""
        if isinstance(value, Markup) or not isinstance(value, str):
            return value
        return show_lines(crop(value, _LONGEST_TEXT))

    environment = Environment(
        loader=PackageLoader("mlperf_logging.reports.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=finish,
    )
    environment.filters["script_data"] = lambda value: Markup(encode_script_data(value))  # noqa: S704 - no "<" is left in it
    environment.filters["own"] = Markup  # scripts and styles of this package and its libraries
    return environment


def _write_policy(scripts: list[str], styles: list[str], *, is_served: bool) -> str:
    def name(texts: list[str]) -> str:
        return " ".join(
            f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in texts
        )

    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {name(scripts)}",
            f"style-src {name(styles)}",
            "img-src data:",
            *(["connect-src 'self'"] if is_served else []),
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
