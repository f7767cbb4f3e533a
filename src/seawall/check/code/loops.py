"""Which loops have no bound of their own."""

from collections.abc import Callable, Iterator

from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    Choice,
    Expr,
    Function,
    If,
    Index,
    Jump,
    Literal,
    Loop,
    Name,
    Op,
    Raise,
    Return,
    Stmt,
)
from seawall.check.code.walking import calls_in, expressions, statements, walk

_PACED = frozenset(
    {
        *(
            "input",
            "raw_input",
            "receive",
            "receive_text",
            "receive_json",
            "receive_bytes",
            "recv",
            "iter_text",
        ),
        *(
            "question",
            "prompt",
            "readline",
            "readLine",
            "accept",
            "ask",
            "listen",
            "poll",
            "blpop",
            "brpop",
            "xread",
        ),
        *(
            "get_message",
            "receive_message",
            "getUpdates",
            "get_updates",
            "wait_for_message",
            "dequeue",
            "get_job",
        ),
        *(
            "BLPOP",
            "BRPOP",
            "xreadgroup",
            "pull",
            "consume",
            "readlines",
            "chat_input",
            "text_input",
            "nextMessage",
        ),
        *(
            "Prompt",
            "read",
            "reserve",
            "basic_get",
            "receiveMessage",
            "ReceiveMessageCommand",
            "get_nowait",
            "pop",
        ),
    }
)
"""Calls that wait for a person, a message or a job: a loop around them goes at the pace of somebody else."""

Own = Callable[[Call], Function | None]

_COMPARES = frozenset({"<", ">", "<=", ">="})
_TAKES = frozenset({"pop", "popleft", "shift", "popitem", "splice", "remove", "pop_front", "heappop"})
_PUTS = frozenset({"append", "push", "extend", "insert", "unshift", "add", "appendleft", "concat"})
_UNLIKE = frozenset({"!=", "!==", "is not"})
_SAME = frozenset({"==", "===", ">=", "!=", "!=="})


def _nobody(_: Call) -> Function | None:
    return None


def unbounded(loop: Loop, own: Own = _nobody) -> str | None:
    """Return how a loop runs on without a bound, None if it has one or waits for somebody in each round."""
    if loop.kind == "for":
        return "for ever" if loop.iterable is not None and _is_endless(loop.iterable) else None
    if is_bounded(loop) or is_paced(loop, own):
        return None
    if loop.test is None or (isinstance(loop.test, Literal) and loop.test.value):
        return "until something inside ends it"
    return "as long as its condition holds"


def is_bounded(loop: Loop) -> bool:
    """Say whether a loop ends after a number of rounds, a time or a size."""
    if loop.kind == "for":
        return loop.iterable is None or not _is_endless(loop.iterable)
    if loop.test is not None and _is_bound(loop.test, loop.body):
        return True
    for stmt in statements(loop.body):
        leaves = isinstance(stmt, If) and (_leaves(stmt.then) or _leaves(stmt.otherwise))
        if isinstance(stmt, If) and leaves and _is_bound(stmt.test, loop.body):
            return True
    return False


def is_fed(loop: Loop) -> bool:
    """Say whether a loop goes on as long as something gives it more: pages, rows, chunks."""
    tests = loop.test.options if isinstance(loop.test, Choice) else [loop.test]
    asked = {
        _name(test.operands[0] if isinstance(test, Op) and test.op in _UNLIKE else test)
        for test in tests
        if test
    }
    return any(
        isinstance(stmt, Assign)
        and isinstance(stmt.value, (Call, Attr, Index))
        and any(_name(target) and _name(target) in asked for target in stmt.targets)
        for stmt in statements(loop.body)
    )


def _runs_dry(test: Expr, body: list[Stmt]) -> bool | None:
    """Say whether a loop empties a list and puts nothing back; None where it takes nothing from a list."""
    if isinstance(test, Op) and test.op in {">", "!=", "!==", ">="} and len(test.operands) == 2:
        end = test.operands[1]
        if not isinstance(end, Literal) or end.value not in {0, 1}:
            return None
        test = test.operands[0]
    if isinstance(test, Call) and _last(test) == "len" and test.args:
        test = test.args[0]
    elif isinstance(test, Attr) and test.name in {"length", "size"}:
        test = test.base
    name = _name(test)
    on_it = {
        _last(call)
        for call in calls_in(body)
        if isinstance(call.callee, Attr) and _name(call.callee.base) == name
    }
    if not name or not on_it & _TAKES:
        return None
    return not on_it & _PUTS


def is_paced(loop: Loop, own: Own = _nobody) -> bool:
    """Say whether each round waits for a person, a message or a job; `own` finds the app's own functions."""
    return any(_waits(call, own) for call in _calls(loop))


def _waits(call: Call, own: Own, depth: int = 2) -> bool:
    """Say whether a call waits: what the app's own function does counts, not that it is called `ask`."""
    function = own(call)
    if function is None:
        return _is_paced(call)
    return depth > 0 and any(_waits(inner, own, depth - 1) for inner in calls_in(function.body))


def _calls(loop: Loop) -> Iterator[Call]:
    yield from calls_in(loop.body)
    if loop.test is not None:
        yield from (part for part in walk(loop.test) if isinstance(part, Call))


def _is_paced(call: Call) -> bool:
    name = call.callee.name if isinstance(call.callee, Attr) else getattr(call.callee, "id", "")
    if name == "get" and isinstance(call.callee, Attr):  # queue.get() waits, dict.get(key) does not.
        base = call.callee.base
        owner = base.name if isinstance(base, Attr) else getattr(base, "id", "")
        return not call.args and ("queue" in owner.lower() or owner in {"q", "jobs", "tasks", "inbox"})
    return name in _PACED and not (name in {"read", "pop"} and not _owner_waits(call))


def _owner_waits(call: Call) -> bool:
    base = call.callee.base if isinstance(call.callee, Attr) else None
    owner = base.name if isinstance(base, Attr) else getattr(base, "id", "")
    return any(word in owner.lower() for word in ("queue", "stdin", "reader", "socket", "inbox", "redis"))


def _is_endless(iterable: Expr) -> bool:
    if not isinstance(iterable, Call):
        return False
    callee = iterable.callee
    name = callee.name if isinstance(callee, Attr) else getattr(callee, "id", "")
    return name in {"count", "cycle", "repeat"} and (name != "repeat" or len(iterable.args) < 2)


def _is_bound(test: Expr, body: list[Stmt]) -> bool:
    """Say whether a condition compares with a number, a length or a clock, or counts something down."""
    dry = _runs_dry(test, body)
    if dry is not None:
        return dry
    if isinstance(test, (Name, Attr)):
        return _name(test) in set(_counted(body))
    for part in walk(test):
        if not isinstance(part, Op):
            continue
        if part.op in _COMPARES and not any(_is_confidence(side) for side in part.operands):
            return True
        if part.op in _SAME and any(_name(side) in set(_counted(body)) for side in part.operands):
            return True
        if part.op in {"-", "+", "%"} and part.operands and _name(part.operands[0]) in set(_counted(body)):
            return True
    return False


def _is_confidence(side: Expr) -> bool:
    """A score that a model gives is no bound: it may never be reached."""
    name = _name(side).lower()
    return any(word in name for word in ("score", "confidence", "quality", "rating", "grade"))


def _counted(body: list[Stmt]) -> Iterator[str]:
    for stmt in statements(body):
        if isinstance(stmt, Assign) and (stmt.augmented or _counts(stmt)):
            yield from (_name(target) for target in stmt.targets if _name(target))
        for expr in expressions(stmt):
            for part in walk(expr):
                if isinstance(part, Op) and part.op in {"++", "--"}:
                    yield _name(part.operands[0])


def _counts(stmt: Assign) -> bool:
    """Say whether this is `n = n + 1`."""
    value = stmt.value
    return (
        isinstance(value, Op)
        and value.op in {"+", "-"}
        and any(_name(side) in {_name(t) for t in stmt.targets} for side in value.operands if _name(side))
    )


def _last(call: Call) -> str:
    return call.callee.name if isinstance(call.callee, Attr) else getattr(call.callee, "id", "")


def _name(expr: Expr) -> str:
    if isinstance(expr, Name):
        return expr.id
    if isinstance(expr, Attr):
        return f"{_name(expr.base)}.{expr.name}"
    if isinstance(expr, Index):
        return f"{_name(expr.base)}[]"
    return ""


def _leaves(body: list[Stmt]) -> bool:
    return any(
        isinstance(s, (Return, Raise)) or (isinstance(s, Jump) and s.kind == "break")
        for s in statements(body)
    )
