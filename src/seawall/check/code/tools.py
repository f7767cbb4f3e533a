"""The functions that a model may call: what they are given is what the model wrote."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from seawall.check.code.ir import Attr, Call, Class, Expr, Function
from seawall.check.code.site import Site
from seawall.check.code.values import MODEL, NONE, Closure, Taint, Value

if TYPE_CHECKING:
    from seawall.check.code.walker import Walker

_DECORATORS = frozenset(
    ["tool", "function_tool", "tool_plain", "kernel_function", "register_for_llm", "register_for_execution"]
)
_MAKERS = frozenset(
    [
        *("tool", "dynamicTool", "DynamicTool", "DynamicStructuredTool", "StructuredTool", "FunctionTool"),
        *("Tool", "from_function", "from_defaults", "fromDefaults", "betaZodTool", "betaTool"),
    ]
)
_BASES = frozenset(["BaseTool", "StructuredTool", "Tool", "ToolBase", "BaseToolkit"])
_METHODS = frozenset(["_run", "_arun", "_call", "run", "forward", "call", "execute"])
_CONTEXT = frozenset(["ctx", "context", "self", "cls", "config", "run_manager", "runtime", "tool_context"])
_OPTIONS = ("tools", "functions")
_DEPTH_MAX = 4


def is_tool(function: Function, cls: Class | None) -> bool:
    """Say whether a function is announced to a model: by a decorator, or as the method of a tool's class."""
    if any(_last(decorator) in _DECORATORS for decorator in function.decorators):
        return True
    return cls is not None and function.name in _METHODS and any(_last(base) in _BASES for base in cls.bases)


def given_by_model(function: Function, path: str) -> dict[str, Value]:
    """Return what a model calls a function with."""
    names = [param.name for param in function.params if param.name and param.name not in _CONTEXT]
    return dict.fromkeys(names, _written(path, function.line))


def walk_tools(site: Site, walker: "Walker") -> bool:
    """Walk through the functions that a call announces to a model; say whether the call makes such a tool."""
    for option in _OPTIONS:
        if option in site.options:
            _walk(site.options[option], site, walker)
    if site.last not in _MAKERS:
        return False
    for value in (*site.given, *site.named.values()):
        _walk(value, site, walker)
    return True


def _walk(value: Value, site: Site, walker: "Walker") -> None:
    for closure in _functions(value, _DEPTH_MAX):
        if id(closure.function) in walker.handlers:
            continue
        count = len(closure.function.params)
        context = sum(param.name in _CONTEXT for param in closure.function.params[:1])
        given = [*[NONE] * context, *[_written(*site.place)] * (count - context)]
        walker.invoke(closure, given, {}, site.place)


def _functions(value: Value, depth: int) -> Iterator[Closure]:
    if isinstance(value.ref, Closure):
        yield value.ref
        yield from value.also
    if depth:
        for part in (*(value.items or {}).values(), *(value.elements or ())):
            yield from _functions(part, depth - 1)


def _written(path: str, line: int) -> Value:
    return Value(taints=frozenset({Taint(MODEL, "the arguments of the model", path, line)}))


def _last(expr: Expr) -> str:
    expr = expr.callee if isinstance(expr, Call) else expr
    return expr.name if isinstance(expr, Attr) else getattr(expr, "id", "")
