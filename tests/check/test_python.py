"""Python files and notebooks in the common form."""

import json

from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    Choice,
    ClassDef,
    Def,
    Dict,
    Do,
    Each,
    Function,
    If,
    Imported,
    Index,
    Items,
    Lambda,
    Literal,
    Loop,
    Module,
    Name,
    Op,
    Other,
    Raise,
    Return,
    Spread,
    Stmt,
    Text,
    Try,
    With,
    Yield,
)
from seawall.check.code.python import lower, lower_notebook


def _lower(source: str) -> Module:
    module = lower("app.py", source.encode())
    assert module is not None
    return module


def _value(source: str) -> object:
    statement = _lower(source).body[-1]
    assert isinstance(statement, Do)
    return statement.value


def _function(source: str) -> Function:
    statement = _lower(source).body[0]
    assert isinstance(statement, Def)
    return statement.function


def _name(id_: str) -> Name:
    return Name(1, 1, id_)


def _text(*parts: object) -> Text:
    return Text(1, 1, [Literal(1, 1, part) if isinstance(part, str) else part for part in parts])


def test_strings_that_are_put_together_are_texts_in_order() -> None:
    assert _value('f"a {b!r:>{w}} c"') == _text("a ", _name("b"), _name("w"), " c")
    assert _value('"a" + b + "c" + d') == _text("a", _name("b"), "c", _name("d"))
    assert _value('b + f"{c}"') == _text(_name("b"), _name("c"))
    assert _value('"a %s %d%%" % (b, c)') == _text("a ", _name("b"), " ", _name("c"), "%")
    assert _value('"a %s" % b') == _text("a ", _name("b"))
    assert _value('"a %(y)s %(x)s" % {"x": b, "y": c}') == _text("a ", _name("c"), " ", _name("b"))
    assert _value('"a {} {x}".format(b, x=c)') == _text("a ", _name("b"), " ", _name("c"))
    assert _value('"a {1} {0.name[k]:{w}}".format(b, c, w=d)') == _text(
        "a ", _name("c"), " ", _name("b"), _name("d")
    )


def test_values_without_a_place_in_their_template_come_last() -> None:
    assert _value('"a {} b".format(x, y, **z)') == _text("a ", _name("x"), " b", _name("y"), _name("z"))
    assert _value('"a { b".format(x)') == _text("a { b", _name("x"))
    assert _value('"a %s b" % (x, y)') == _text("a ", _name("x"), " b", _name("y"))


def test_a_text_without_values_is_a_literal() -> None:
    assert _value('f"a {{}}"') == Literal(1, 1, "a {}")
    assert _value('b"abc"') == Literal(1, 1, "abc")


def test_a_sum_without_a_string_stays_a_sum() -> None:
    assert _value("a + b + c") == Op(1, 1, "+", [_name("a"), _name("b"), _name("c")])
    assert _value("a | b | c") == Op(1, 1, "|", [_name("a"), _name("b"), _name("c")])
    assert _value("template.format(a)") == Call(1, 1, Attr(1, 1, _name("template"), "format"), [_name("a")])


def test_operators_keep_their_operands() -> None:
    assert _value("-1.5") == Literal(1, 1, -1.5)
    assert _value("not a") == Op(1, 1, "not", [_name("a")])
    assert _value("a is not b") == Op(1, 1, "is not", [_name("a"), _name("b")])
    assert _value("0 < a <= 9") == Choice(
        1, 1, [Op(1, 1, "<", [Literal(1, 1, 0), _name("a")]), Op(1, 1, "<=", [_name("a"), Literal(1, 1, 9)])]
    )
    assert _value("a if b else c") == Choice(1, 1, [_name("a"), _name("c")], _name("b"))
    assert _value("a or b") == Choice(1, 1, [_name("a"), _name("b")])
    assert _value("a[1:]") == Index(
        1, 1, _name("a"), Op(1, 1, "slice", [Literal(1, 1, 1), Literal(1, 1, None)])
    )
    assert _value("[*a, b]") == Items(1, 1, [Spread(1, 1, _name("a")), _name("b")])
    assert _value("{**a, 'k': b}") == Dict(1, 1, [(None, _name("a")), (Literal(1, 1, "k"), _name("b"))])
    assert _value("...") == Other(1, 1, [])


def test_calls_say_what_is_named_spread_and_awaited() -> None:
    assert _value("await f(a, *b, c=d, **e)") == Call(
        1,
        1,
        _name("f"),
        [_name("a"), Spread(1, 1, _name("b"))],
        [("c", _name("d")), (None, _name("e"))],
        awaited=True,
    )


def test_comprehensions_and_lambdas_keep_their_parts() -> None:
    assert _value("{k: v for k, v in a if v for x in v}") == Each(
        1,
        1,
        [_name("k"), _name("v")],
        [(Items(1, 1, [_name("k"), _name("v")]), _name("a")), (_name("x"), _name("v"))],
        [_name("v")],
    )
    value = _value("lambda a, *b: a")
    assert isinstance(value, Lambda)
    assert [(p.name, p.kind) for p in value.function.params] == [("a", "plain"), ("b", "rest")]
    assert value.function.body == [Return(1, 1, _name("a"))]


def test_a_walrus_is_assigned_before_its_statement() -> None:
    body = _lower("if (m := f(x)) and m.ok: pass").body
    assert body == [
        Assign(1, 1, [_name("m")], Call(1, 1, _name("f"), [_name("x")])),
        If(1, 1, Choice(1, 1, [_name("m"), Attr(1, 1, _name("m"), "ok")]), [], []),
    ]


def test_a_walrus_in_the_test_of_a_loop_is_assigned_in_each_round() -> None:
    (loop,) = _lower("while (m := f()): g(m)").body
    assert isinstance(loop, Loop) and loop.test == _name("m")
    assert loop.body[0] == Assign(1, 1, [_name("m")], Call(1, 1, _name("f")))


def test_a_walrus_in_a_comprehension_stays_inside() -> None:
    assert _value("[y for x in a if (y := f(x))]") == Each(
        1,
        1,
        [_name("y")],
        [(_name("x"), _name("a")), (_name("y"), Items(1, 1, [Call(1, 1, _name("f"), [_name("x")])]))],
        [_name("y")],
    )


def test_methods_have_no_self_among_their_parameters_and_call_it_self() -> None:
    (statement,) = _lower(
        "class A(B):\n"
        "    limit: int = 3\n"
        "    def m(this, a): return this.x(lambda b: this.y)\n"
        "    @classmethod\n"
        "    def c(cls, a): return cls\n"
        "    @staticmethod\n"
        "    def s(a): return a\n"
        "    if DEBUG:\n"
        "        def d(self): pass\n"
    ).body
    assert isinstance(statement, ClassDef)
    cls = statement.cls
    assert (cls.name, cls.bases, cls.line, cls.end) == ("A", [_name("B")], 1, 9)
    methods = [each.function for each in cls.body if isinstance(each, Def)]
    assert [(m.name, [p.name for p in m.params], m.owner) for m in methods] == [
        ("m", ["a"], "A"),
        ("c", ["a"], "A"),
        ("s", ["a"], "A"),
    ]
    returned = methods[0].body[0]
    assert isinstance(returned, Return) and isinstance(returned.value, Call)
    assert returned.value.callee == Attr(3, 3, Name(3, 3, "self"), "x")
    inner = returned.value.args[0]
    assert isinstance(inner, Lambda)
    assert inner.function.body == [Return(3, 3, Attr(3, 3, Name(3, 3, "self"), "y"))]
    conditional = cls.body[-1]
    assert isinstance(conditional, If) and isinstance(conditional.then[0], Def)
    assert conditional.then[0].function.params == [] and conditional.then[0].function.owner == "A"


def test_parameters_have_kinds_annotations_and_defaults() -> None:
    function = _function('async def f(a: "list[User]", /, b=1, *c, d: int = 2, **e): yield a')
    assert function.is_async and function.owner is None
    assert [(p.name, p.kind) for p in function.params] == [
        ("a", "plain"),
        ("b", "plain"),
        ("c", "rest"),
        ("d", "plain"),
        ("e", "keywords"),
    ]
    assert function.params[0].annotation == Index(1, 1, _name("list"), _name("User"))
    assert function.params[1].default == Literal(1, 1, 1)
    assert function.params[3].default == Literal(1, 1, 2)
    assert function.body == [Do(1, 1, Yield(1, 1, _name("a")))]


def test_a_decorated_function_begins_at_its_def() -> None:
    function = _function("@app.get('/')\n@limit(3)\ndef f():\n    pass\n")
    assert (function.line, function.end, len(function.decorators)) == (3, 4, 2)


def test_match_is_a_chain_of_ifs() -> None:
    (first,) = _lower(
        "match command:\n"
        "    case 'a' | 'b': x()\n"
        "    case {'k': v}: y(v)\n"
        "    case [p, *q] if p: z(q)\n"
        "    case other: w(other)\n"
    ).body
    subject = Name(1, 1, "command")
    assert isinstance(first, If)
    assert first.test == Choice(2, 2, [Op(2, 2, "==", [subject, Literal(2, 2, each)]) for each in ("a", "b")])
    (second,) = first.otherwise
    assert isinstance(second, If)
    assert second.then[0] == Assign(3, 3, [Name(3, 3, "v")], Index(3, 3, subject, Literal(3, 3, "k")))
    binding, third = second.otherwise
    assert binding == Assign(4, 4, [Items(4, 4, [Name(4, 4, "p"), Spread(4, 4, Name(4, 4, "q"))])], subject)
    assert isinstance(third, If)
    assert third.otherwise[0] == Assign(5, 5, [Name(5, 5, "other")], subject)


def test_the_subject_of_a_match_is_evaluated_once() -> None:
    opening, chain = _lower("match f(x):\n    case 1: pass\n    case 2: pass\n").body
    assert opening == Assign(1, 1, [Name(1, 1, "match@1")], Call(1, 1, _name("f"), [_name("x")]))
    assert isinstance(chain, If)


def test_statements_keep_their_blocks() -> None:
    body = _lower(
        "for a in b:\n    break\nelse:\n    c()\n"
        "try: d()\nexcept (E, F) as g: raise H from g\nexcept: pass\nelse: i()\nfinally: j()\n"
        "with k() as l, m: n()\n"
        "assert o, p\n"
        "del q\n"
        "if __name__ == '__main__': r()\n"
        "s += t\n"
        "u = v = w\n"
    ).body
    loop, after, attempt, block, claim, main, sum_, both = body
    assert (
        isinstance(loop, Loop)
        and loop.kind == "for"
        and isinstance(after, If)
        and isinstance(after.then[0], Do)
    )
    assert isinstance(attempt, Try)
    assert [(len(h.types), h.name) for h in attempt.handlers] == [(2, "g"), (0, None)]
    assert isinstance(attempt.handlers[0].body[0], Raise)
    assert len(attempt.otherwise) == 1 and len(attempt.final) == 1
    assert isinstance(block, With) and len(block.items) == 2 and block.items[1][1] is None
    assert isinstance(claim, If) and isinstance(claim.then[0], Raise)
    assert isinstance(main, If) and len(main.then) == 1
    assert isinstance(sum_, Assign) and sum_.augmented
    assert isinstance(both, Assign) and len(both.targets) == 2


def test_imports_are_found_wherever_they_stand() -> None:
    module = _lower(
        "import a.b\nimport c.d as e\nfrom ..f import g as h\nfrom . import i\nfrom j import *\n"
        "try: import fast\nexcept ImportError: import slow as fast\n"
        "def f():\n    from late import thing\n    from other import i\n"
    )
    assert module.imports == {
        "a": Imported("a"),
        "e": Imported("c.d"),
        "h": Imported("f", "g", 2),
        "i": Imported("", "i", 1),
        "fast": Imported("fast"),
        "thing": Imported("late", "thing"),
    }
    assert module.reexports == [("*", Imported("j"))]


def test_what_is_not_python_3_is_none() -> None:
    assert lower("a.py", b"print 'hello'\n") is None
    assert lower("a.py", b"def f(:\n") is None
    assert lower("a.py", b"a = 1\x00\n") is None
    assert lower("a.py", b"# coding: nowhere\na = 1\n") is None
    assert lower("a.py", "a = 'é'".encode("latin-1")) is None
    assert lower("a.py", b"a = 1\n" * 1_000_000) is None


def test_declared_encodings_and_marks_are_honoured() -> None:
    for source in ("# coding: latin-1\na = 'é'".encode("latin-1"), "﻿a = 'é'".encode()):
        module = lower("a.py", source)
        assert module is not None
        (statement,) = module.body
        assert isinstance(statement, Assign) and isinstance(statement.value, Literal)
        assert statement.value.value == "é"


def _depth(value: object) -> int:
    level, deepest = [value], 0
    while level:
        deepest += 1
        level = [
            child
            for each in level
            for child in (
                [getattr(each, name) for name in each.__struct_fields__]
                if hasattr(each, "__struct_fields__")
                else each
                if isinstance(each, list | tuple)
                else []
            )
        ]
    return deepest


def test_deep_nesting_never_raises_and_loses_no_name() -> None:
    chain = "x" + ".a(b)" * 700 + "\n"
    module = lower("a.py", chain.encode())
    assert module is not None and "Name" in repr(module.body[0])[-400_000:]
    assert _depth(module.body) < 600
    for source in (
        "(" * 5_000,
        "f(" * 150 + ")" * 150,
        "-" * 100_000 + "1",
        "a" + "[a" * 90 + "]" * 90,
        "not " * 50_000 + "x",
    ):
        found = lower("a.py", source.encode())
        assert found is None or isinstance(found, Module)


def test_long_sums_and_long_chains_are_not_deep() -> None:
    summed = _value(" + ".join(["a", "'b'"] * 400))
    assert isinstance(summed, Text) and len(summed.parts) == 800
    source = "if a == 0: f()\n" + "".join(f"elif a == {at}: f()\n" for at in range(1, 500)) + "else: g()\n"
    module = _lower(source)
    calls: list[Do] = []
    pending: list[Stmt] = list(module.body)
    while pending:
        statement = pending.pop()
        if isinstance(statement, If):
            pending += [*statement.then, *statement.otherwise]
        elif isinstance(statement, Do):
            calls.append(statement)
    assert len(calls) == 501
    assert _depth(module.body) < 250


def _notebook(*cells: dict[str, object], language: str = "python") -> dict[str, object]:
    return {
        "cells": list(cells),
        "metadata": {"kernelspec": {"language": language}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _cell(*lines: str, kind: str = "code") -> dict[str, object]:
    cell: dict[str, object] = {"cell_type": kind, "metadata": {}, "source": list(lines)}
    if kind == "code":
        cell["outputs"] = [{"output_type": "stream", "text": ["import os\n", "a = 1\n"]}]
    return cell


def test_a_notebook_has_the_lines_of_its_file() -> None:
    text = json.dumps(
        _notebook(
            _cell("# Title", kind="markdown"), _cell("import os\n", "a = f(\n", "  'é')\n"), _cell("b = a")
        ),
        indent=1,
    )
    module = lower_notebook("a.ipynb", text.encode())
    assert module is not None and module.imports == {"os": Imported("os")}
    lines = [(statement.line, statement.end) for statement in module.body]
    at = [number for number, line in enumerate(text.split("\n"), 1) if '"a = f(' in line or '"b = a"' in line]
    assert lines == [(at[0], at[0] + 1), (at[1], at[1])]


def test_a_cell_kept_as_one_string_is_read() -> None:
    cell = {"cell_type": "code", "source": "import os\nx = 1", "outputs": [], "metadata": {}}
    module = lower_notebook("a.ipynb", json.dumps(_notebook(cell)).encode())
    assert module is not None
    assert module.body == [Assign(1, 1, [_name("x")], Literal(1, 1, 1))]


def test_magics_say_nothing_and_the_rest_of_the_cell_counts() -> None:
    module = lower_notebook(
        "a.ipynb",
        json.dumps(
            _notebook(
                _cell(
                    "%pip install openai\n",
                    "!ls \\\n",
                    "  -l\n",
                    "if a:\n",
                    "    !rm x\n",
                    "files = !ls\n",
                    "help?\n",
                    "b = (1\n",
                    "  % c)",
                ),
                _cell("%%bash\n", "echo $HOME"),
                _cell("%%time\n", "d = 1"),
                _cell("broken ("),
            )
        ).encode(),
    )
    assert module is not None
    names = [s.targets[0].id for s in module.body if isinstance(s, Assign) and isinstance(s.targets[0], Name)]
    assert names == ["b", "d"]


def test_what_is_no_notebook_of_python_is_none() -> None:
    for text in (
        "",
        "{",
        "[]",
        '{"cells": []}',
        '{"cells": 3}',
        '{"cells": [3]}',
        "[" * 100_000,
        '{"cells": ' + "[" * 100_000,
        json.dumps(_notebook(_cell("x = 1"), language="R")),
        json.dumps(_notebook(_cell("x = 1", kind="markdown"))),
    ):
        assert lower_notebook("a.ipynb", text.encode()) is None


def test_syntax_that_is_newer_than_the_interpreter_is_read() -> None:
    module = _lower(
        "type Id = int\n"
        "def first[T: (int, str)](items: list[T]) -> T:\n"
        "    try:\n"
        '        return f"a {items["x"]} {\'\\n\'.join(lines)} {f"{deep}":>{width}}"\n'
        "    except KeyError, ValueError:\n"
        "        pass\n"
        "class Box[T](Base):\n"
        "    pass\n"
        'query = t"select {name}"\n'
        'wide = f"{\n    one\n}"\n'
        "last = 1\n"
    )
    alias, function, cls, query, wide, last = module.body
    assert isinstance(alias, Assign) and alias.targets == [_name("Id")]
    assert isinstance(function, Def) and isinstance(attempt := function.function.body[0], Try)
    assert isinstance(returned := attempt.body[0], Return) and isinstance(text := returned.value, Text)
    assert Index(4, 4, Name(4, 4, "items"), Literal(4, 4, "x")) in text.parts
    assert all(name in repr(text) for name in ("deep", "width", "lines"))
    assert len(attempt.handlers[0].types) == 2
    assert isinstance(cls, ClassDef) and cls.cls.line == 7
    assert isinstance(query, Assign) and isinstance(query.value, Text)
    assert isinstance(wide, Assign) and wide.value == Text(10, 12, [Name(11, 11, "one")])
    assert isinstance(last, Assign) and last.line == 13


def test_broken_files_full_of_quotes_are_none() -> None:
    for source in (
        "x = f'{",
        "f'{f'{f'{",
        "'" * 99_999,
        "f'{" * 20_000,
        "f'" + "{" * 50_000,
        "'''" + "\\" * 99_999,
        "(" + "'a'" * 40_000,
    ):
        assert lower("a.py", source.encode()) is None
