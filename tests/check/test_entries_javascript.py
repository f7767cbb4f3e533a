"""Where requests enter an app in JavaScript or TypeScript, and what runs before."""

from textwrap import dedent

import pytest

from seawall.check.code.entries import Entry
from seawall.check.code.entries_javascript import JavaScriptEntries
from seawall.check.code.ir import Attr, Call, Expr, Items, Lambda, Literal, Name
from seawall.check.code.project import Project


def found(files: dict[str, str]) -> list[Entry]:
    data = {path: dedent(source).encode() for path, source in files.items()}
    project = Project(sorted(data), data.get)
    kinds = JavaScriptEntries(project)
    return [entry for module in project.modules() for entry in kinds.of(module)]


def one(files: dict[str, str] | str) -> Entry:
    entries = found({"server.js": files} if isinstance(files, str) else files)
    assert len(entries) == 1, [(entry.path, entry.line, entry.route) for entry in entries]
    return entries[0]


def short(expr: Expr) -> str:
    match expr:
        case Name():
            return expr.id
        case Attr():
            return f"{short(expr.base)}.{expr.name}"
        case Call():
            inner = ", ".join(short(arg) for arg in expr.args if isinstance(arg, Name | Attr | Call))
            return f"{short(expr.callee)}({inner})"
        case Lambda():
            return f"<{expr.function.name}>"
        case Literal():
            return repr(expr.value)
        case Items():
            return str([short(item) for item in expr.items])
    return type(expr).__name__


def before(entry: Entry) -> list[str]:
    return [short(expr) for _, expr in entry.applied]


def told(entry: Entry) -> tuple[str, str | None, str | None]:
    return entry.kind, entry.method, entry.route


# Express and its kin


def test_a_route_has_its_method_path_line_and_request() -> None:
    entry = one("const app = require('express')()\n\napp.post('/chat', async (req, res) => {})")
    assert (told(entry), entry.line, entry.requests, entry.applied) == (
        ("http", "POST", "/chat"),
        3,
        ["req"],
        [],
    )


def test_what_is_used_after_a_route_does_not_run_before_it() -> None:
    first, second = found(
        {
            "server.js": """
            import express from 'express'
            const app = express()
            app.use(helmet())
            app.post('/open', async (req, res) => {})
            app.use(requireLogin)
            app.post('/closed', async (req, res) => {})
            """
        }
    )
    assert (before(first), before(second)) == (["helmet()"], ["helmet()", "requireLogin"])


def test_middleware_of_a_route_comes_in_lists_spreads_and_wrappers() -> None:
    entry = one(
        """
        const router = express.Router()
        router.post('/x', [first, second], ...more, wrap(limit(5), async (req, res) => {}))
        """
    )
    assert before(entry) == ["first", "second", "more", "wrap(limit())"]


def test_middleware_with_a_path_runs_for_that_path_only() -> None:
    entries = found(
        {
            "server.js": """
            const app = express()
            app.use('/api', checkKey)
            app.all('/admin/*', isAdmin)
            app.use(['/v1', '/v2'], limit)
            app.all('/admin/*', (req, res, next) => next())
            app.get('/api/a', (req, res) => {})
            app.get('/admin/b', (req, res) => {})
            app.get('/apis', (req, res) => {})
            app.get('/v2/c', (req, res) => {})
            """
        }
    )
    assert [(entry.route, before(entry)) for entry in entries] == [
        ("/api/a", ["checkKey"]),
        ("/admin/b", ["<>"]),
        ("/apis", []),
        ("/v2/c", ["limit"]),
    ]


@pytest.mark.parametrize(
    ("router", "mount"),
    [
        ("export default router", "import chat from './routes/chat.js'"),
        ("module.exports = router", "const chat = require('./routes/chat')"),
        ("module.exports = { router }", "const { router: chat } = require('./routes/chat')"),
        ("export { router as chatRouter }", "import { chatRouter as chat } from './routes/chat'"),
        ("exports.chat = router", "const routes = require('./routes/chat')\nconst chat = routes.chat"),
    ],
)
def test_a_router_of_another_file_is_as_guarded_as_its_mount(router: str, mount: str) -> None:
    entry = one(
        {
            "routes/chat.js": f"const router = Router()\nrouter.use(own)\nrouter.post('/ask', handler)\n{router}\nfunction handler(req, res) {{}}",
            "server.js": f"{mount}\nconst app = express()\napp.use(cors())\napp.use('/api', auth, chat)\napp.use(late)",
        }
    )
    assert (told(entry), entry.path, before(entry)) == (
        ("http", "POST", "/api/ask"),
        "routes/chat.js",
        ["cors()", "auth", "own"],
    )


def test_a_router_mounted_through_an_index_is_followed() -> None:
    entry = one(
        {
            "src/routes/index.ts": "import chat from './chat'\nconst r = Router()\nr.use('/chat', chat)\nexport default r",
            "src/routes/chat.ts": "const r = Router()\nr.post('/', (req, res) => {})\nexport default r",
            "src/app.ts": "import routes from './routes'\nconst app = express()\napp.use('/v1', guard, routes)",
        }
    )
    assert (entry.route, before(entry)) == ("/v1/chat", ["guard"])


def test_of_two_mounts_the_open_one_counts() -> None:
    entry = one(
        """
        const r = Router(); r.post('/x', (req, res) => {})
        const app = express()
        app.use('/closed', auth, r)
        app.use('/open', r)
        """
    )
    assert (entry.route, before(entry)) == ("/open/x", [])


def test_a_router_given_to_a_function_is_followed() -> None:
    entries = found(
        {
            "routes.js": "module.exports = (app) => { app.post('/a', (req, res) => {}) }",
            "security.js": "export function secure(server) { server.use(checkToken) }",
            "server.js": """
            import { secure } from './security'
            const app = express()
            secure(app)
            require('./routes')(app)
            """,
        }
    )
    assert [(entry.route, before(entry)) for entry in entries] == [("/a", ["checkToken"])]


def test_a_class_that_builds_its_app_is_read() -> None:
    entry = one(
        {
            "chat.ts": "export class Chat { router = Router(); constructor() { this.router.post('/ask', this.ask) }\n ask = async (req, res) => {} }",
            "app.ts": """
            import { Chat } from './chat'
            class App {
              constructor() { this.app = express(); this.app.use(auth); this.app.use('/chat', new Chat().router) }
            }
            """,
        }
    )
    assert (entry.route, entry.handler.name, entry.handler.owner, before(entry)) == (
        "/chat/ask",
        "ask",
        "Chat",
        ["auth"],
    )


def test_a_router_made_by_a_function_is_followed() -> None:
    entry = one(
        {
            "chat.js": "export function makeChat(db) { const r = Router(); r.post('/x', (req, res) => {}); return r }",
            "app.js": "import { makeChat } from './chat'\nconst app = express()\napp.use('/c', auth, makeChat(db))",
        }
    )
    assert (entry.route, before(entry)) == ("/c/x", ["auth"])


def test_a_controller_of_another_file_is_the_handler() -> None:
    entry = one(
        {
            "ctl.ts": "export const ask = asyncHandler(async (req, res) => {})",
            "app.ts": "import * as ctl from './ctl'\nconst app = express()\napp.route('/ask').all(auth).post(limit, ctl.ask)",
        }
    )
    assert (entry.path, entry.route, entry.handler.name) == ("ctl.ts", "/ask", "ask")
    assert "limit" in before(entry) and "asyncHandler()" in before(entry)


@pytest.mark.parametrize(
    "source",
    [
        "axios.post('/api/x', (data) => data)",
        "$.get('/api/x', function (data) {})",
        "app.get('env')",
        "cache.get('key', () => load())",
        "http.get('/api', handler)",
    ],
)
def test_a_client_is_no_server(source: str) -> None:
    assert found({"express-client.js": source}) == []


def test_koa_mounts_routes_with_the_prefix_of_the_router() -> None:
    entry = one(
        """
        const Koa = require('koa'), Router = require('@koa/router')
        const app = new Koa(), router = new Router({ prefix: '/api' })
        router.post('ask', '/ask', async (ctx) => {})
        app.use(jwt({ secret }))
        app.use(router.routes()).use(router.allowedMethods())
        """
    )
    assert (entry.route, entry.requests, before(entry)[:1]) == ("/api/ask", ["ctx"], ["jwt()"])


def test_hono_chains_and_sub_apps_are_followed() -> None:
    entries = found(
        {
            "chat.ts": "export const chat = new Hono().use('*', limiter).post('/', zValidator('json', s), async (c) => {})",
            "index.ts": """
            import { Hono } from 'hono'
            import { chat } from './chat'
            const app = new Hono().basePath('/api')
            app.use('/chat/*', bearerAuth({ token }))
            app.route('/chat', chat)
            app.get('/health', (c) => c.text('ok'))
            export default app
            """,
        }
    )
    assert [(entry.route, before(entry)) for entry in entries] == [
        ("/api/chat", ["bearerAuth()", "limiter", "zValidator(s)"]),
        ("/api/health", []),
    ]


def test_fastify_hooks_hold_for_their_plugin_in_any_order() -> None:
    entries = found(
        {
            "plugin.ts": "export default async function (f: FastifyInstance) { f.post('/in', async (request) => {})\n f.addHook('onRequest', verify) }",
            "app.ts": """
            import Fastify from 'fastify'
            import plugin from './plugin'
            const app = Fastify()
            app.register(import('@fastify/rate-limit'), { max: 5 })
            app.register(plugin, { prefix: '/p' })
            app.post('/out', { preHandler: [app.authenticate] }, async (req) => {})
            app.route({ method: 'POST', url: '/r', config: { rateLimit: { max: 1 } }, handler: async (req) => {} })
            app.addHook('onSend', log)
            """,
        }
    )
    assert {entry.route: before(entry) for entry in entries} == {
        "/p/in": ["'@fastify/rate-limit'", "verify"],
        "/out": ["'@fastify/rate-limit'", "app.authenticate"],
        "/r": ["'@fastify/rate-limit'", "'rateLimit'"],
    }


def test_elysia_gives_parts_of_the_request_by_name() -> None:
    entry = one("new Elysia().use(auth).post('/x', ({ body, set, user }) => {}, { beforeHandle: check })")
    assert (entry.inputs, "check" in before(entry), "auth" in before(entry)) == (["body"], True, True)


# Files


def test_a_next_route_is_found_by_its_file() -> None:
    entries = found(
        {
            "src/app/(shop)/api/[id]/route.ts": "export async function GET(req: NextRequest, { params }) {}\nexport const POST = withAuth(limit, async (req) => {})",
        }
    )
    assert [(told(entry), entry.inputs, entry.requests, before(entry)) for entry in entries] == [
        (("http", "GET", "/api/[id]"), ["params"], ["req"], []),
        (("http", "POST", "/api/[id]"), [], ["req"], ["withAuth(limit)"]),
    ]


def test_one_handler_under_two_methods_is_one_entry() -> None:
    assert (
        one(
            {
                "app/api/x/route.js": "const handler = async (req) => {}\nexport { handler as GET, handler as POST }"
            }
        ).route
        == "/api/x"
    )


ROUTE = {"app/api/chat/route.ts": "export async function POST(req) {}"}


@pytest.mark.parametrize(
    ("middleware", "runs"),
    [
        ("export function middleware(req) { return check(req) }", True),
        (
            "export function middleware(req) { check(req) }\nexport const config = { matcher: '/dashboard/:path*' }",
            False,
        ),
        (
            "export function middleware(req) { check(req) }\nexport const config = { matcher: ['/api/:path*'] }",
            True,
        ),
        (
            "export function middleware(req) { check(req) }\nexport const config = { matcher: ['/((?!api|_next/static|favicon.ico).*)'] }",
            False,
        ),
        (
            "export function middleware(req) { check(req) }\nexport const config = { matcher: ['/((?!_next|.*\\\\..*).*)', '/(api|trpc)(.*)'] }",
            True,
        ),
        ("export { default } from 'next-auth/middleware'", True),
        (
            "export { auth as middleware } from '@/auth'\nexport const config = { matcher: ['/app/(.*)'] }",
            False,
        ),
        ("export default clerkMiddleware()", False),
        (
            "const isOpen = createRouteMatcher(['/sign-in(.*)'])\nexport default clerkMiddleware(async (auth, req) => { if (!isOpen(req)) await auth.protect() })",
            True,
        ),
        (
            "const isOpen = createRouteMatcher(['/api/(.*)'])\nexport default clerkMiddleware(async (auth, req) => { if (!isOpen(req)) await auth.protect() })",
            False,
        ),
        (
            "const isClosed = createRouteMatcher(['/dashboard(.*)'])\nexport default clerkMiddleware((auth, req) => { if (isClosed(req)) auth().protect() })",
            False,
        ),
        ("export default authMiddleware({ publicRoutes: ['/', '/api/chat'] })", False),
        ("export default authMiddleware({ publicRoutes: ['/'] })", True),
        (
            "export async function middleware(req) { const path = req.nextUrl.pathname\n if (path.startsWith('/api')) return NextResponse.next()\n return guard(req) }",
            False,
        ),
        (
            "export async function middleware(req) { if (!req.nextUrl.pathname.startsWith('/api')) return NextResponse.next()\n return guard(req) }",
            True,
        ),
        (
            "const closed = ['/dashboard', '/settings']\nexport async function middleware(req) { const isClosed = closed.some(p => req.nextUrl.pathname.startsWith(p))\n if (isClosed && !session) return NextResponse.redirect(login)\n return NextResponse.next() }",
            False,
        ),
        ("export async function middleware(req) { return await updateSession(req) }", True),
    ],
)
def test_next_middleware_counts_where_it_acts(middleware: str, runs: bool) -> None:
    entry = one({**ROUTE, "middleware.ts": middleware})
    assert bool(entry.applied) is runs


def test_middleware_stands_beside_the_app_of_its_package() -> None:
    files = {
        "apps/web/src/app/api/x/route.ts": "export function GET(req) {}",
        "apps/web/src/middleware.ts": "export function middleware(req) { check(req) }",
    }
    assert one(files).applied[0][0] == "apps/web/src/middleware.ts"
    assert (
        one(
            {
                "apps/other/app/api/x/route.ts": "export function GET(req) {}",
                "middleware.ts": files["apps/web/src/middleware.ts"],
            }
        ).applied
        == []
    )


def test_pages_api_and_what_a_page_loads_on_the_server_are_entries() -> None:
    entries = found(
        {
            "pages/api/ask.js": "export default async function handler(req, res) {}",
            "pages/item.jsx": "export async function getServerSideProps({ params, query, req }) {}\nexport default function Page() {}",
            "app/search/page.tsx": "export default async function Page({ searchParams }) {}",
        }
    )
    assert {entry.route: (entry.inputs, entry.requests) for entry in entries} == {
        "/api/ask": ([], ["req"]),
        "/item": (["params", "query"], ["req"]),
        "/search": (["searchParams"], []),
    }


def test_server_actions_of_a_file_and_inside_a_component_are_entries() -> None:
    entries = found(
        {
            "actions.ts": "'use server'\nexport async function ask(prompt: string, { model }) {}\nasync function inner() {}\nexport const more = async (x) => {}",
            "form.tsx": "export default function Form() { async function save(data) { 'use server'; go(data) }\n return <form action={save} /> }",
        }
    )
    assert [(entry.kind, entry.handler.name, entry.inputs) for entry in entries] == [
        ("action", "ask", ["prompt", "model"]),
        ("action", "more", ["x"]),
        ("action", "save", ["data"]),
    ]


@pytest.mark.parametrize(
    ("path", "source", "expected"),
    [
        ("src/routes/api/x/+server.ts", "export const POST = async ({ request, locals, url }) => {}", ("http", "POST", "/api/x")),
        ("src/routes/(app)/x/+page.server.ts", "export const actions = { ask: async ({ request }) => {} }", ("action", "POST", "/x?/ask")),
        ("src/routes/x/+page.server.js", "export async function load({ params }) {}", ("http", "GET", "/x")),
        ("server/api/ask.post.ts", "export default defineEventHandler(async (event) => {})", ("http", "POST", "/api/ask")),
        ("server/routes/x.ts", "export default eventHandler({ onRequest: [a], handler: (event) => {} })", ("http", None, "/x")),
        ("src/pages/api/x.ts", "export const POST: APIRoute = async ({ request }) => {}", ("http", "POST", "/api/x")),
        ("app/routes/chat.tsx", "export async function action({ request, params }) {}\nexport default () => <p/>", ("http", "POST", "/chat")),
        ("api/ask.ts", "export default async function (req, res) {}", ("http", None, "/api/ask")),
        ("netlify/functions/ask.mts", "export default async (req, context) => {}", ("function", None, "/.netlify/functions/ask")),
        ("functions/api/x.ts", "export const onRequestPost = async ({ request, env }) => {}", ("http", "POST", "/api/x")),
        ("src/worker.ts", "export default { async fetch(request, env, ctx) {} } satisfies ExportedHandler", ("http", None, None)),
        ("supabase/functions/x/index.ts", "Deno.serve(async (req) => {})", ("http", None, None)),
        ("supabase/functions/y/index.ts", "import { serve } from 'https://deno.land/std@0.168.0/http/server.ts'\nserve(async (req) => {})", ("http", None, None)),
        ("bun.ts", "Bun.serve({ port: 3000, fetch(req) {} })", ("http", None, None)),
        ("node.js", "const http = require('http')\nhttp.createServer(async (req, res) => {})", ("http", None, None)),
        ("lambda/a.js", "exports.handler = async (event) => {}", ("function", None, None)),
        ("lambda/b.ts", "export const handler = middy(async (event) => {}).use(auth())", ("function", None, None)),
        ("functions/index.js", "const functions = require('firebase-functions')\nexports.ask = functions.https.onRequest(async (req, res) => {})", ("function", None, None)),
        ("functions/src/index.ts", "import { onCall } from 'firebase-functions/v2/https'\nexport const ask = onCall({ cors: true }, async (request) => {})", ("function", None, None)),
        ("azure.ts", "app.http('ask', { methods: ['POST'], authLevel: 'anonymous', handler: async (request, context) => {} })", ("function", None, None)),
        ("convex/ai.ts", "import { action } from './_generated/server'\nexport const ask = action({ args: {}, handler: async (ctx, { prompt }) => {} })", ("function", None, None)),
        ("trpc.ts", "export const r = router({ ask: publicProcedure.input(z.string()).mutation(async ({ input, ctx }) => {}) })", ("http", "POST", None)),
        ("start.ts", "export const ask = createServerFn({ method: 'POST' }).handler(async ({ data }) => {})", ("action", "POST", None)),
    ],
)  # fmt: skip
def test_frameworks_take_handlers_by_place_export_or_call(
    path: str, source: str, expected: tuple[str, str | None, str | None]
) -> None:
    entry = one({path: source})
    assert told(entry) == expected and entry.inputs + entry.requests


def test_hooks_of_svelte_and_middleware_of_nitro_run_before() -> None:
    svelte = one(
        {
            "src/hooks.server.ts": "export const handle = async ({ event, resolve }) => { if (event.url.pathname.startsWith('/admin')) check(event)\n return resolve(event) }",
            "src/routes/admin/+server.ts": "export function POST({ request }) {}",
        }
    )
    nitro = one(
        {
            "server/middleware/auth.ts": "export default defineEventHandler((event) => { check(event) })",
            "server/api/x.ts": "export default defineEventHandler((event) => {})",
        }
    )
    assert before(svelte) == ["handle"] and nitro.applied[0][0] == "server/middleware/auth.ts"


def test_a_procedure_is_guarded_by_what_its_chain_uses() -> None:
    entry = one(
        {
            "trpc.ts": "const t = initTRPC.create()\nexport const open = t.procedure\nexport const protectedProcedure = t.procedure.use(isAuthed)",
            "router.ts": "import { protectedProcedure } from './trpc'\nexport const r = protectedProcedure.input(s).mutation(({ input }) => {})",
        }
    )
    assert "isAuthed" in before(entry) and entry.inputs == ["input"]


def test_an_azure_function_may_ask_for_a_key() -> None:
    assert before(one("app.http('a', { authLevel: 'function', handler: async (request) => {} })")) == [
        "'function_api_key'"
    ]


def test_a_lambda_of_a_queue_is_no_entry() -> None:
    assert found({"a.js": "exports.handler = async (event) => { for (const r of event.Records) {} }"}) == []


# Classes


NEST = """
import { Controller, Post, Body, UseGuards } from '@nestjs/common'
@Controller('chat')
@UseGuards(JwtGuard)
export class Chat {
  @Post('ask')
  @Throttle({ default: { limit: 3 } })
  ask(@Body() dto: AskDto, @Param('id', ParseIntPipe) id: number, @Req() req) {}

  @Public()
  @Post('open')
  open(@Body('text') text: string) {}
}
"""


def test_a_controller_has_the_guards_of_class_method_and_app() -> None:
    ask, opened = found(
        {
            "chat.controller.ts": NEST,
            "app.module.ts": "import { Module } from '@nestjs/common'\n@Module({ providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }, { provide: APP_GUARD, useClass: AuthGuard }] })\nexport class AppModule {}",
        }
    )
    assert (told(ask), ask.inputs, ask.requests) == (("http", "POST", "/chat/ask"), ["dto"], ["req"])
    assert before(ask) == ["ThrottlerGuard", "AuthGuard", "UseGuards(JwtGuard)", "Throttle()"]
    assert before(opened) == ["ThrottlerGuard", "UseGuards(JwtGuard)"]


def test_middleware_of_a_module_runs_for_the_routes_it_names() -> None:
    ask, _ = found(
        {
            "chat.controller.ts": NEST,
            "app.module.ts": "export class AppModule { configure(consumer) { consumer.apply(Auth).exclude('health').forRoutes('chat/ask') } }",
        }
    )
    assert before(ask)[0] == "Auth"


# Messages


def test_messages_of_a_socket_come_after_what_its_connection_checks() -> None:
    entries = found(
        {
            "ws.js": """
            const io = new Server(server)
            io.use(checkToken)
            io.on('connection', (socket) => {
              if (!socket.handshake.auth.token) return socket.disconnect()
              socket.on('ask', async ({ text }, cb) => {})
              socket.on('disconnect', () => {})
            })
            """
        }
    )
    assert [(told(entry), entry.inputs, before(entry)) for entry in entries] == [
        (("websocket", None, "ask"), ["text"], ["checkToken", "<>"])
    ]


@pytest.mark.parametrize(
    "source",
    [
        "const { Client } = require('discord.js')\nconst client = new Client({})\nclient.on('messageCreate', async (message) => {})",
        "import { Telegraf } from 'telegraf'\nconst bot = new Telegraf(t)\nbot.on('text', (ctx) => {})",
        "import bolt from '@slack/bolt'\nconst app = new bolt.App({})\napp.message('hi', async ({ message, say }) => {})",
    ],
)
def test_bots_are_chats(source: str) -> None:
    assert one(source).kind == "chat"


def test_resolvers_of_graphql_have_their_arguments_chosen() -> None:
    entry = one(
        "import { ApolloServer } from '@apollo/server'\nconst resolvers = { Mutation: { ask: async (_, { prompt }, ctx) => {} } }"
    )
    assert (entry.route, entry.inputs) == ("Mutation.ask", ["prompt"])


def test_a_client_component_has_no_entries() -> None:
    assert found({"app/api/x/route.ts": "'use client'\nexport function GET(req) {}"}) == []


def test_files_that_import_each_other_in_a_circle_come_to_an_end() -> None:
    entries = found(
        {
            "a.js": "import b from './b'\nconst r = Router()\nr.use('/b', b)\nr.get('/a', (req, res) => {})\nexport default r",
            "b.js": "import a from './a'\nconst r = Router()\nr.use('/a', a)\nr.get('/b', (req, res) => {})\nexport default r",
        }
    )
    assert len(entries) == 2
