"""Says where a secret belongs on the host of an app, and how the code reads it there."""

from collections.abc import Iterable
from typing import NamedTuple

_PLACES = {
    "Vercel": "vercel env add {name}, or its Environment Variables",
    "Netlify": "netlify env:set {name} VALUE, or its variables",
    "Railway": "railway variables --set {name}=VALUE",
    "Render": "the service's Environment tab; in render.yaml sync: false",
    "Heroku": "heroku config:set {name}=VALUE",
    "Fly": "fly secrets set {name}=VALUE",
    "Cloudflare": "wrangler secret put {name}",
    "a plain server": "a file of mode 600 that the service reads (EnvironmentFile=)",
}
_SIGNS = {
    "Vercel": ("vercel.json", ".vercel/project.json", "now.json"),
    "Netlify": ("netlify.toml", "_redirects"),
    "Railway": ("railway.json", "railway.toml", "nixpacks.toml"),
    "Render": ("render.yaml", "render.yml"),
    "Heroku": ("Procfile", "app.json"),
    "Fly": ("fly.toml",),
    "Cloudflare": ("wrangler.toml", "wrangler.jsonc", "wrangler.json"),
}


class Stack(NamedTuple):
    """The hosts whose files are in a repository."""

    hosts: tuple[str, ...] = ()


NO_HOSTS = Stack()
"""Nothing is known: all hosts are named."""


def stack_of(paths: Iterable[str]) -> Stack:
    """Return the hosts that the files at `paths` belong to."""
    names = {path.rpartition("/")[2] for path in paths} | set(paths)
    found = [host for host, signs in _SIGNS.items() if any(sign in names for sign in signs)]
    if any(name.endswith(".service") or name in ("nginx.conf", "Caddyfile") for name in names):
        found.append("a plain server")
    return Stack(tuple(found))


def move_out(name: str, path: str) -> str:
    """Return how to take a secret out of the file at `path` and into the variable `name`."""
    ending = path.rpartition(".")[2]
    if ending in ("js", "jsx", "ts", "tsx", "mjs", "cjs", "mts", "vue", "svelte"):
        read = f"read `process.env.{name}` on the server"
    elif ending in ("py", "ipynb"):
        read = f'read `os.environ["{name}"]`'
    else:
        read = f"refer to the variable `{name}`"
    return f"Put the value into a `.env` file that git ignores and {read}."


def where_deployed(name: str, stack: Stack) -> str:
    """Return where the variable belongs on the hosts of an app, as a sentence and a block of lines."""
    hosts = stack.hosts or tuple(host for host in _PLACES if host != "Cloudflare")
    width = max(map(len, hosts))
    lines = "\n".join(f"    {host:{width}}  {_PLACES[host].format(name=name)}" for host in hosts)
    return f"Where it is deployed, the value goes here:\n\n{lines}"
