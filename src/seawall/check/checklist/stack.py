"""What an app is made of and where it runs: the frameworks and hosts for which the advice differs.

Recognised by package names, files and imports; that is enough to word advice, and never enough to pass a row.
"""

import re

from seawall.check.checklist.manifests import Manifests, Readable, read_manifests

SOURCES_READ_MAX = 400

_PACKAGES: dict[str, tuple[str, ...]] = {
    "fastapi": ("fastapi",),
    "django": ("django", "djangorestframework", "django-ninja"),
    "flask": ("flask",),
    "streamlit": ("streamlit",),
    "gradio": ("gradio",),
    "chainlit": ("chainlit",),
    "litestar": ("litestar",),
    "sanic": ("sanic",),
    "quart": ("quart",),
    "tornado": ("tornado",),
    "starlette": ("starlette",),
    "nextjs": ("next",),
    "nuxt": ("nuxt",),
    "sveltekit": ("@sveltejs/kit",),
    "remix": ("@remix-run/react", "@remix-run/node", "@react-router/node"),
    "astro": ("astro",),
    "nestjs": ("@nestjs/core",),
    "express": ("express",),
    "fastify": ("fastify",),
    "koa": ("koa",),
    "hono": ("hono",),
    "react": ("react",),
    "vue": ("vue",),
    "svelte": ("svelte",),
    "vite": ("vite",),
    "electron": ("electron",),
    "expo": ("expo",),
    "langchain": ("langchain", "langchain-core", "@langchain/core"),
    "litellm": ("litellm",),
}
"""What is printed, and the packages by which it is known, the more telling first."""

_HOSTS: dict[str, str] = {
    "vercel": r"(?:^|/)vercel\.(?:json|ts)$|(?:^|/)\.vercelignore$",
    "netlify": r"(?:^|/)netlify\.toml$|(?:^|/)netlify/(?:edge-)?functions/",
    "railway": r"(?:^|/)railway\.(?:json|toml)$",
    "render": r"(?:^|/)render\.ya?ml$",
    "heroku": r"(?:^|/)(?:Procfile|app\.json)$",
    "fly": r"(?:^|/)fly(?:\.[\w-]+)?\.toml$",
    "cloudflare": r"(?:^|/)wrangler\.(?:toml|jsonc?)$",
    "supabase": r"(?:^|/)supabase/(?:config\.toml$|functions/|migrations/)",
    "firebase": r"(?:^|/)(?:firebase\.json|\.firebaserc)$",
    "aws-lambda": r"(?:^|/)(?:serverless\.ya?ml|samconfig\.toml|sst\.config\.[jt]s|zappa_settings\.json)$",
    "google-app-engine": r"^app\.ya?ml$",
    "kubernetes": r"(?:^|/)(?:Chart\.ya?ml|kustomization\.ya?ml)$|(?:^|/)(?:k8s|kubernetes|helm)/.*\.ya?ml$",
    "terraform": r"\.tf$",
    "docker": r"(?:^|/)(?:[\w.-]*Dockerfile[\w.-]*|(?:docker-)?compose[\w.-]*\.ya?ml|Containerfile)$",
}

_PYTHON_IMPORT = re.compile(
    r"^\s*(?:from|import)\s+(fastapi|flask|django|streamlit|gradio|chainlit|litestar|sanic|quart|tornado"
    r"|starlette|langchain\w*|litellm)\b",
    re.MULTILINE,
)
_SCRIPT = re.compile(r"\.(?:[cm]?[jt]sx?|vue|svelte|astro)$")


def stack(files: Readable, manifests: Manifests | None = None) -> list[str]:
    """Name the languages, frameworks and hosts of an app, in a fixed order: what it is written in first."""
    held = read_manifests(files) if manifests is None else manifests
    names = []
    if any(path.endswith((".py", ".ipynb")) for path in files.paths):
        names.append("python")
    if any(_SCRIPT.search(path) for path in files.paths):
        names.append("javascript")
    imported = _imported(files) if not any(each.language == "python" for each in held.dependencies) else set()
    names += [name for name, packages in _PACKAGES.items() if held.find(*packages) or name in imported]
    joined = "\n".join(files.paths)
    names += [name for name, shape in _HOSTS.items() if re.search(shape, joined, re.MULTILINE)]
    return names


def _imported(files: Readable) -> set[str]:
    """Look at the imports where no manifest names a Python package, as weekend projects often have none."""
    found: set[str] = set()
    sources = [path for path in files.paths if path.endswith(".py")][:SOURCES_READ_MAX]
    for path in sources:
        for name in _PYTHON_IMPORT.findall(files.text(path) or ""):
            found.add("langchain" if name.startswith("langchain") else name)
    return found
