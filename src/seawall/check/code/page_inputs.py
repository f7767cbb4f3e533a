"""What the function that draws a page gets from its address."""

import re

from seawall.check.code.ir import Dict, Function, Literal, Module, Name
from seawall.check.code.values import INPUT, Taint, Value

_PAGES = re.compile(r"(^|/)(app|pages)/(.*/)?[^/]+\.[jt]sx$")
_FROM_ADDRESS = frozenset({"searchParams", "params"})


def page_inputs(module: Module, function: Function) -> dict[str, Value]:
    """Return what a page of Next.js is given by whoever opens it, by name; nothing for any other function."""
    is_page = _PAGES.search(module.path) and module.exports.get("default") == function.name
    given: dict[str, Value] = {}
    for param in function.params[:1] if is_page else ():
        for key, to in param.pattern.items if isinstance(param.pattern, Dict) else ():
            if isinstance(key, Literal) and key.value in _FROM_ADDRESS and isinstance(to, Name):
                taint = Taint(INPUT, to.id, module.path, function.line, frozenset({"nosql", "type"}))
                given[to.id] = Value(taints=frozenset({taint}), origin=to.id)
    return given
