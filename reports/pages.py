"""Pages that need nothing beside themselves, and whose policy lets nothing else in."""

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from jobtck.reports.sequence_diagram import arrowheads
from jobtck.reports.sequence_diagram import style as picture_style
from jobtck.reports.texts import LINE_MAX, legible


def page(template: str, values: Mapping[str, object]) -> str:
    """The page of a template that is shipped; whatever text it shows is legible, cut and escaped."""
    shared = {"style": Markup(_style()), "script": Markup(_shipped("page.js")), "arrowheads": Markup(arrowheads())}  # noqa: S704
    policy = {"style_hash": _hash(_style()), "script_hash": _hash(_shipped("page.js"))}
    return _environment().get_template(template).render({**shared, **policy, **values})


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_shipped),
        autoescape=True,
        finalize=_legible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.tests["web"] = _is_web
    return environment


def _is_web(address: str) -> bool:
    """The address is one that a reader may be sent to, and no program."""
    return address.startswith(("https://", "http://"))


def _legible(value: object) -> object:
    return legible(value, LINE_MAX) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _shipped(name: str) -> str:
    return (files("jobtck.reports") / name).read_text(encoding="utf-8")


@cache
def _style() -> str:
    return picture_style() + _shipped("page.css")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
