"""The site's own `form` (`QConnect.form`), by the rules of app files."""

from __future__ import annotations

from typing import Any

from ..errors import BadRequest
from .checks import CHECKS, suggest


def checked(form: dict[str, Any]) -> dict[str, Any]:
    """The form with its amounts in one form; raises BadRequest for what an app file could not hold."""
    if not form:  # YAML and JSON Schema take a second to load
        return {}
    from .app_file import schema

    return {str(key): _checked(str(key), rule, schema()) for key, rule in form.items()}


def _checked(key: str, rule: Any, schema: dict[str, Any]) -> Any:
    from jsonschema import Draft202012Validator

    known = schema["properties"]["form"]["properties"]
    if key not in known:
        raise BadRequest(f"{key!r} is not among what users may choose. {suggest(key, known)}")
    if not Draft202012Validator({**known[key], "$defs": schema["$defs"]}).is_valid(rule):
        raise BadRequest(f"{key!r} cannot be {rule!r}. It must be {known[key]['description']}.")
    if not isinstance(rule, dict):
        return rule
    return {bound: CHECKS[key](limit) if bound in ("min", "max") else limit for bound, limit in rule.items()}
