"""JavaScript and TypeScript in the one form of the rules."""

from typing import Any

import msgspec
import pytest

from seawall.check.code.ir import (
    Assign,
    Attr,
    Call,
    Choice,
    ClassDef,
    Def,
    Dict,
    Do,
    Expr,
    If,
    Imported,
    Index,
    Items,
    Lambda,
    Literal,
    Loop,
    Markup,
    Module,
    Name,
    Op,
    Return,
    Spread,
    Stmt,
    Text,
    Try,
    Yield,
)
from seawall.check.code.javascript import lower


def read(source: str, path: str = "app.ts") -> Module:
    module = lower(path, source.encode())
    assert module is not None
    return module


def value(source: str, path: str = "app.tsx") -> Expr:
    statement = read(f"x = {source}", path).body[-1]
    assert isinstance(statement, Assign) and statement.value is not None
    return statement.value


def said(thing: Any) -> Any:
    """Return an expression in short, without its lines."""
    match thing:
        case Literal(value=constant):
            return constant
        case Name(id=name):
            return f"<{name}>"
        case Attr(base=base, name=name):
            return f"{said(base)}.{name}"
        case list() | tuple():
            return [said(item) for item in thing]
        case msgspec.Struct():
            fields = [f for f in thing.__struct_fields__ if f not in ("line", "end")]
            return {type(thing).__name__: [said(getattr(thing, f)) for f in fields if getattr(thing, f)]}
    return thing


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1_000", 1000),
        ("0x1F", 31),
        ("1.5e3", 1500.0),
        ("10n", 10),
        ("-1", -1),
        ("true", True),
        ("null", None),
        ("undefined", None),
        ("void 0", None),
        (r"'a\n\x41\u{1F600}\''", "a\nA😀'"),
        ("`plain`", "plain"),
        ("'a' + 'b' + `c`", "abc"),
        ("this.client", "<self>.client"),
        ("a?.b!.c", "<a>.b.c"),
        ("(a as any).b", "<a>.b"),
        ("a satisfies B", "<a>"),
        ("import.meta.env.VITE_KEY", "<import>.meta.env.VITE_KEY"),
        ("await a", "<a>"),
    ],
)
def test_a_value_without_ornament_is_itself(source: str, expected: object) -> None:
    assert said(value(source)) == expected


def test_a_call_keeps_its_arguments_and_that_it_is_awaited() -> None:
    call = value("await client.chat.completions.create({ model, ...rest, 'max-x': 1 }, ...more)")
    assert isinstance(call, Call) and call.awaited
    assert said(call.callee) == "<client>.chat.completions.create"
    options, spread = call.args
    assert isinstance(options, Dict) and isinstance(spread, Spread)
    assert [(said(key), said(item)) for key, item in options.items] == [
        ("model", "<model>"),
        (None, "<rest>"),
        ("max-x", 1),
    ]


def test_an_optional_call_is_a_call() -> None:
    assert said(value("a?.[0]?.(1)")) == {"Call": [{"Index": ["<a>", 0]}, [1]]}


def test_new_and_tagged_templates_are_calls() -> None:
    made, tagged = value("new OpenAI()"), value("sql`select ${id}`")
    assert isinstance(made, Call) and made.is_new and made.args == []
    assert isinstance(tagged, Call) and tagged.is_tagged
    assert said(tagged.args) == [{"Text": [["select ", "<id>"]]}]


def test_a_template_and_a_sum_with_a_string_are_the_same_text() -> None:
    assert said(value("`Hi ${name}, ${2 + n}!`")) == {
        "Text": [["Hi ", "<name>", ", ", {"Op": ["+", [2, "<n>"]]}, "!"]]
    }
    assert said(value("'Hi ' + name + ', ' + (a + '!')")) == {"Text": [["Hi ", "<name>", ", ", "<a>", "!"]]}


def test_a_sum_without_a_string_is_an_operation() -> None:
    assert said(value("a + b + 1")) == {"Op": ["+", ["<a>", "<b>", 1]]}


def test_choices_are_flat() -> None:
    assert said(value("a || b || c ?? d")) == {"Choice": [["<a>", "<b>", "<c>", "<d>"]]}
    assert said(value("t ? a : b")) == {"Choice": [["<a>", "<b>"], "<t>"]}


def test_operators_are_those_of_python() -> None:
    assert said(value("a === b")) == {"Op": ["==", ["<a>", "<b>"]]}
    assert said(value("!a")) == {"Op": ["not", ["<a>"]]}
    assert said(value("'k' in o")) == {"Op": ["in", ["k", "<o>"]]}


def test_a_regular_expression_is_made() -> None:
    assert said(value("/a+b/gi")) == {"Call": ["<RegExp>", ["a+b"], True]}


def test_functions_have_the_name_of_their_place() -> None:
    module = read(
        """
        const a = async () => {}
        const b = useCallback(async (x) => x, [])
        const c = { d: () => 1, e() {}, async *f() {} }
        class G { h = async () => {}; i() {} }
        exports.j = function () {}
        self.k = () => {}
        export const POST = withAuth(rateLimit(async (req: Request) => {}))
        """
    )
    assert function_names(module) == ["a", "b", "d", "e", "f", "h", "i", "j", "k", "POST"]


def function_names(module: Module) -> list[str]:
    out: list[str] = []

    def look(thing: Any) -> None:
        if isinstance(thing, list | tuple):
            for item in thing:
                look(item)
        elif isinstance(thing, msgspec.Struct):
            if type(thing).__name__ == "Function":
                out.append(thing.name)  # type: ignore[attr-defined]  # checked by name one line above
            for field in thing.__struct_fields__:
                look(getattr(thing, field))

    look(module.body)
    return out


def test_an_arrow_functions_expression_is_what_it_returns() -> None:
    made = value("async ({ a, b: { c } = {} }, [d], e = 1, ...f) => a")
    assert isinstance(made, Lambda) and made.function.is_async
    first, second, third, fourth = made.function.params
    assert said(first.pattern) == {"Dict": [[["a", "<a>"], ["b", {"Dict": [[["c", "<c>"]]]}]]]}
    assert said(second.pattern) == {"Items": [["<d>"]]}
    assert (third.name, said(third.default)) == ("e", 1)
    assert (fourth.name, fourth.kind) == ("f", "rest")
    assert isinstance(made.function.body[-1], Return)


def test_a_default_in_a_pattern_is_added_to_its_name() -> None:
    body = read("const { model = 'gpt-4o', b } = await req.json()").body
    assert [said(s) for s in body if isinstance(s, Assign)] == [
        {"Assign": [[{"Dict": [[["model", "<model>"], ["b", "<b>"]]]}], {"Call": ["<req>.json", True]}]},
        {"Assign": [["<model>"], "gpt-4o", True]},
    ]


def test_a_decorated_parameter_has_its_decorator_as_default_and_its_type() -> None:
    module = read(
        """
        @Controller('chat')
        export class Chat extends Base<X> {
          private client: OpenAI = new OpenAI();
          constructor(private readonly service: ChatService) {}
          @Post() @UseGuards(Guard)
          async ask(@Body() dto: AskDto, @Req() req) {}
        }
        """
    )
    (definition,) = module.body
    assert isinstance(definition, ClassDef) and module.exports == {"Chat": "Chat"}
    cls = definition.cls
    assert said(cls.bases) == ["<Base>"] and said(cls.decorators) == [{"Call": ["<Controller>", ["chat"]]}]
    client, service, constructor, ask = cls.body
    assert isinstance(client, Assign) and said(client.annotation) == "<OpenAI>"
    assert isinstance(service, Assign) and said(service.annotation) == "<ChatService>"
    assert isinstance(constructor, Def) and constructor.function.name == "constructor"
    assert isinstance(ask, Def) and ask.function.owner == "Chat"
    assert said(ask.function.decorators) == [{"Call": ["<Post>"]}, {"Call": ["<UseGuards>", ["<Guard>"]]}]
    assert [(p.name, said(p.annotation), said(p.default)) for p in ask.function.params] == [
        ("dto", "<AskDto>", {"Call": ["<Body>"]}),
        ("req", None, {"Call": ["<Req>"]}),
    ]


def test_types_leave_nothing_behind() -> None:
    module = read(
        "type A = string; interface B { c: A }; declare const d: A; function e(x: A): B;\nlet f: A = g<A>(h)!;"
    )
    assert [said(s) for s in module.body] == [{"Assign": [["<f>"], {"Call": ["<g>", ["<h>"]]}]}]


def test_an_enum_is_a_dict() -> None:
    assert said(read("enum E { A = 'a', B }").body) == [
        {"Assign": [["<E>"], {"Dict": [[["A", "a"], ["B", 1]]]}]}
    ]


def test_jsx_keeps_tags_attributes_and_children() -> None:
    made = value("<><Card.Body {...rest} on={save} wide>Hi &amp; {name}{/* none */}</Card.Body></>", "a.jsx")
    assert isinstance(made, Markup) and made.tag == ""
    (card,) = made.children
    assert isinstance(card, Markup) and card.tag == "Card.Body"
    assert said(card.attributes) == [[None, "<rest>"], ["on", "<save>"], ["wide", True]]
    assert said(card.children) == ["Hi", "&", "<name>"]


def test_every_form_of_import_is_known() -> None:
    module = read(
        """
        import OpenAI, { toFile as file, type Uploadable } from "openai"
        import * as ai from 'ai'
        import type { Foo } from "foo"
        import fs = require("fs")
        import "./register"
        const express = require("express"), { a: b } = require('./b')
        async function f() { const { c } = await import("./c") }
        """
    )
    assert module.imports == {
        "OpenAI": Imported("openai", "default"),
        "file": Imported("openai", "toFile"),
        "ai": Imported("ai"),
        "fs": Imported("fs"),
        "express": Imported("express"),
        "b": Imported("./b", "a"),
        "c": Imported("./c", "c"),
    }
    assert said(module.body[0]) == {"Do": [{"Call": ["<import>", ["./register"]]}]}


def test_a_required_value_that_is_used_at_once_is_a_value() -> None:
    module = read("const router = require('express').Router(); require('dotenv').config()")
    assert module.imports == {} and len(module.body) == 2


def test_every_form_of_export_is_known() -> None:
    module = read(
        """
        export const a = 1, { b, c: [d] } = q()
        export function e() {}
        export class F {}
        const g = 1
        export { g as h, type T }
        export { i as j } from "./i"
        export * from './k'
        export * as l from "./l"
        export type { M } from "./m"
        export default app
        """
    )
    assert module.exports == {
        "a": "a", "b": "b", "d": "d", "e": "e", "F": "F", "h": "g", "default": "app",
    }  # fmt: skip
    assert module.reexports == [("j", Imported("./i", "i")), ("*", Imported("./k")), ("l", Imported("./l"))]


@pytest.mark.parametrize(
    "source", ["export default async () => {}", "export default { fetch() {} }", "module.exports = make()"]
)
def test_an_exported_value_is_kept_and_stands_in_the_body(source: str) -> None:
    module = read(source, "a.js")
    (statement,) = module.body
    assert isinstance(statement, Assign) and module.exported["default"] is statement.value


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("export default function () {}", "default"),
        ("export default async function chat() {}", "chat"),
        ("export default class extends A {}", "default"),
    ],
)
def test_a_default_declaration_is_exported_by_its_name(source: str, name: str) -> None:
    assert read(source).exports == {"default": name}


def test_commonjs_exports_are_known_each_and_as_a_whole() -> None:
    module = read(
        "module.exports = { a, b: c, d() {} }; exports.e = f; module.exports['g'] = () => {}; exports.h = void 0",
        "a.cjs",
    )
    assert module.exports == {"a": "a", "b": "c", "e": "f"}
    assert list(module.exported) == ["d", "default", "g"]


def test_directives_of_module_and_function_are_known() -> None:
    module = read("'use client'\n\"use strict\"\nasync function save() { 'use server'; go() }")
    assert module.directives == ["use client", "use strict"]
    (definition,) = module.body
    assert isinstance(definition, Def) and definition.function.directives == ["use server"]
    assert len(definition.function.body) == 1


def test_a_value_assigned_inside_another_is_not_lost() -> None:
    first, second = read("if ((user = await load(id)) === null) go()").body
    assert said(first) == {"Assign": [["<user>"], {"Call": ["<load>", ["<id>"], True]}]}
    assert isinstance(second, If) and said(second.test) == {"Op": ["==", ["<user>", None]]}


def test_what_a_loops_test_assigns_happens_in_its_body() -> None:
    (loop,) = read("while (!(chunk = await reader.read()).done) { use(chunk) }").body
    assert isinstance(loop, Loop) and loop.kind == "while" and len(loop.body) == 2


def test_a_counting_loop_is_a_while_that_counts() -> None:
    start, loop = read("for (let i = 0; i < 3; i++) { go() }").body
    assert said(start) == {"Assign": [["<i>"], 0]} or isinstance(start, Assign)
    assert isinstance(loop, Loop) and said(loop.test) == {"Op": ["<", ["<i>", 3]]}
    assert said(loop.body[-1]) == {"Assign": [["<i>"], 1, True]}


def test_endless_loops_have_no_test_and_for_of_has_its_target() -> None:
    endless, each = read("for (;;) { if (a) break }\nfor await (const [k, v] of pairs) {}").body
    assert isinstance(endless, Loop) and endless.test is None
    assert (
        isinstance(each, Loop)
        and said(each.target) == {"Items": [["<k>", "<v>"]]}
        and said(each.iterable) == "<pairs>"
    )


def test_a_switch_is_a_chain_whose_breaks_leave_no_loop() -> None:
    (loop,) = read(
        "while (true) { switch (a) { case 1: case 2: go(); break; case 3: if (b) { break } stop(); default: rest() } }"
    ).body
    assert isinstance(loop, Loop)
    (chain,) = loop.body
    assert (
        isinstance(chain, If)
        and isinstance(chain.test, Choice)
        and said(chain.then) == [{"Do": [{"Call": ["<go>"]}]}]
    )
    (second,) = chain.otherwise
    assert isinstance(second, If) and said(second.otherwise) == [{"Do": [{"Call": ["<rest>"]}]}]
    assert "Jump" not in str(loop)


def test_try_keeps_the_name_of_the_error_or_its_fields() -> None:
    first, second = read(
        "try { a() } catch (e) { b(e) } finally { c() }\ntry {} catch ({ message }) { d(message) }"
    ).body
    assert isinstance(first, Try) and first.handlers[0].name == "e" and len(first.final) == 1
    assert isinstance(second, Try) and said(second.handlers[0].body[0]) == {
        "Assign": [[{"Dict": [[["message", "<message>"]]]}], "<error>"]
    }


def test_a_generator_yields() -> None:
    (definition,) = read("async function* f() { yield* g(); }").body
    assert isinstance(definition, Def)
    (statement,) = definition.function.body
    assert isinstance(statement, Do) and isinstance(statement.value, Yield)


def test_minified_sequences_are_statements() -> None:
    assert len(read("a(),b=1,c=2,d()", "a.js").body) == 4


def test_lines_are_those_of_the_file() -> None:
    (statement,) = read("\n\nfoo(\n  1,\n)").body
    assert (statement.line, statement.end) == (3, 5)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("a.vue", "<template>\n<p/></template>\n<script setup lang='ts'>\nconst a: A = b\n</script>"),
        (
            "a.svelte",
            '<script context="module">\n</script>\n<script lang="ts">\nlet a: string = b</script>\n<p/>',
        ),
        ("a.astro", "---\nimport x from 'y'\n\nconst a: A = b\n---\n<p>{a}</p>"),
    ],
)
def test_scripts_of_components_are_read_with_their_lines(path: str, source: str) -> None:
    body = read(source, path).body
    assert [(s.line, said(s)) for s in body] == [(4, {"Assign": [["<a>"], "<b>"]})]


def test_a_vue_file_with_two_scripts_and_one_of_data_is_one_module() -> None:
    module = read(
        '<script>a()</script><script type="application/json">{"b": 1}</script><SCRIPT setup>c()</SCRIPT>',
        "a.vue",
    )
    assert said(module.body) == [{"Do": [{"Call": ["<a>"]}]}, {"Do": [{"Call": ["<c>"]}]}]


@pytest.mark.parametrize(
    ("path", "source", "name"),
    [
        ("a.vue", '\n<p v-html="marked(text)"></p>', "v-html"),
        ("a.svelte", "\n<p>{@html marked(text)}</p>", "@html"),
        ("a.astro", "\n<p set:html={marked(text)} />", "set:html"),
    ],
)
def test_raw_markup_of_components_is_kept(path: str, source: str, name: str) -> None:
    (statement,) = read(source, path).body
    assert isinstance(statement, Do) and isinstance(statement.value, Markup) and statement.line == 2
    assert said(statement.value.attributes) == [[name, {"Call": ["<marked>", ["<text>"]]}]]


def test_flow_types_in_a_js_file_are_read() -> None:
    (statement,) = read("const a = (b: string): number => b", "a.js").body
    assert isinstance(statement, Assign) and isinstance(statement.value, Lambda)


def test_a_syntax_error_spoils_only_what_it_touches() -> None:
    module = read(
        "const a = await load()\nconst = ;\nfunction f() { return g( }\nasync function h() { return k() }",
        "a.js",
    )
    assert "h" in function_names(module)
    assert said(module.body[0]) == {"Assign": [["<a>"], {"Call": ["<load>", True]}]}


@pytest.mark.parametrize(
    "source",
    [
        "x=" + "[" * 20_000,
        "x=" + "(" * 9_000 + "1" + ")" * 9_000,
        "x" + ".a()" * 9_000,
        "x=" + "() => {" * 3_000 + "}" * 3_000,
        "if (a) b();" + "else if (a) b();" * 3_000,
        "x=" + "a?b:" * 3_000 + "c",
        "x=" + "<a>" * 3_000 + "</a>" * 3_000,
        "const " + "{a:" * 3_000 + "b" + "}" * 3_000 + "=c",
        "x=" * 3_000 + "1",
        "switch(a){" + "case 1: b();" * 3_000 + "}",
        "{" * 20_000,
    ],
    ids=lambda source: source[:12],
)
def test_deep_nesting_is_bounded(source: str) -> None:
    module = read(source, "a.jsx")
    assert depth(module.body) < 600, "too deep"


def depth(thing: Any) -> int:
    deepest, waiting = 0, [(thing, 0)]
    while waiting:
        current, at = waiting.pop()
        deepest = max(deepest, at)
        if isinstance(current, list | tuple):
            waiting += [(item, at) for item in current]
        elif isinstance(current, msgspec.Struct):
            waiting += [(getattr(current, field), at + 1) for field in current.__struct_fields__]
    return deepest


def test_a_long_sum_is_one_text() -> None:
    made = value("a + " * 5_000 + "'b'")
    assert isinstance(made, Text) and len(made.parts) == 5_001


@pytest.mark.parametrize("path", ["a.d.ts", "a.css", "noextension", "a.py"])
def test_other_files_are_not_read(path: str) -> None:
    assert lower(path, b"x") is None


def test_binary_and_huge_files_are_not_read() -> None:
    assert lower("a.js", b"x\0y") is None
    assert lower("a.js", b"x;" * 1_500_000) is None


@pytest.mark.parametrize(
    "source", [b"", b"\xff\xfe x = '\xe9'", b"<script " * 5_000, b"`${", b"\xef\xbb\xbfx = 1"]
)
@pytest.mark.parametrize("path", ["a.js", "a.ts", "a.vue", "a.astro", "a.svelte"])
def test_broken_text_is_no_error(path: str, source: bytes) -> None:
    assert lower(path, source) is not None


def statements(body: list[Stmt]) -> list[str]:
    return [type(statement).__name__ for statement in body]


def test_indexing_keeps_its_key() -> None:
    made = value("process.env['OPENAI_API_KEY']")
    assert isinstance(made, Index) and said(made.key) == "OPENAI_API_KEY"


def test_list_holes_and_spreads_are_kept() -> None:
    made = value("[a, ...b]")
    assert isinstance(made, Items) and isinstance(made.items[1], Spread)


def test_each_statement_of_a_block_follows_the_other() -> None:
    assert statements(read("{ let a = 1; { b() } } lbl: c()").body) == ["Assign", "Do", "Do"]


def test_a_comparison_is_no_choice() -> None:
    assert isinstance(value("a < b"), Op)
