"""Everything there is advice on: one function for each thing, in the order in which they are shown."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from seawall.advice.numbers import Numbers
from seawall.advice.replays import Replays
from seawall.advice.things.background_jobs import background_jobs
from seawall.advice.things.bigger_server import bigger_server
from seawall.advice.things.caching import caching
from seawall.advice.things.cheaper_model import cheaper_model
from seawall.advice.things.ci_cd import ci_cd
from seawall.advice.things.general import general
from seawall.advice.things.guard_blocking import guard_blocking
from seawall.advice.things.kafka import kafka
from seawall.advice.things.kubernetes import kubernetes
from seawall.advice.things.load_balancer import load_balancer
from seawall.advice.things.microservices import microservices
from seawall.advice.things.normalised_cache import normalised_cache
from seawall.advice.things.output_caps import output_caps
from seawall.advice.things.postgres import postgres
from seawall.advice.things.prompt_caching import prompt_caching
from seawall.advice.things.queue import queue
from seawall.advice.things.quotas import quotas
from seawall.advice.things.rate_limits import rate_limits
from seawall.advice.things.read_replicas import read_replicas
from seawall.advice.things.second_provider import second_provider
from seawall.advice.things.semantic_cache import semantic_cache
from seawall.advice.things.shorter_context import shorter_context
from seawall.advice.things.spending_limit import spending_limit
from seawall.advice.things.streaming import streaming
from seawall.advice.things.valkey import valkey
from seawall.advice.things.workers import workers
from seawall.advice.words import Advice

Thing = Callable[[Numbers, Replays], Advice]

THINGS: Mapping[str, Thing] = MappingProxyType(
    {
        "spending-limit": spending_limit,
        "rate-limits": rate_limits,
        "output-caps": output_caps,
        "quotas": quotas,
        "caching": caching,
        "normalised-cache": normalised_cache,
        "semantic-cache": semantic_cache,
        "prompt-caching": prompt_caching,
        "cheaper-model": cheaper_model,
        "shorter-context": shorter_context,
        "streaming": streaming,
        "guard-blocking": guard_blocking,
        "background-jobs": background_jobs,
        "queue": queue,
        "second-provider": second_provider,
        "workers": workers,
        "bigger-server": bigger_server,
        "postgres": postgres,
        "valkey": valkey,
        "read-replicas": read_replicas,
        "load-balancer": load_balancer,
        "ci-cd": ci_cd,
        "microservices": microservices,
        "kubernetes": kubernetes,
        "kafka": kafka,
    }
)

ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "budget": "spending-limit",
        "budgets": "spending-limit",
        "rate-limit": "rate-limits",
        "rate-limiting": "rate-limits",
        "limits": "rate-limits",
        "output-cap": "output-caps",
        "max-tokens": "output-caps",
        "quota": "quotas",
        "tier": "quotas",
        "tiers": "quotas",
        "quotas-and-tiers": "quotas",
        "cache": "caching",
        "exact-cache": "caching",
        "normalized-cache": "normalised-cache",
        "normalised-caching": "normalised-cache",
        "normalized-caching": "normalised-cache",
        "semantic-caching": "semantic-cache",
        "prompt-cache": "prompt-caching",
        "provider-cache": "prompt-caching",
        "small-model": "cheaper-model",
        "cheap-model": "cheaper-model",
        "context": "shorter-context",
        "short-context": "shorter-context",
        "summarised-context": "shorter-context",
        "summaries": "shorter-context",
        "stream": "streaming",
        "guard": "guard-blocking",
        "blocking": "guard-blocking",
        "jobs": "background-jobs",
        "message-queue": "queue",
        "broker": "queue",
        "rabbitmq": "queue",
        "fallback": "second-provider",
        "processes": "workers",
        "more-processes": "workers",
        "larger-server": "bigger-server",
        "redis": "valkey",
        "replicas": "read-replicas",
        "second-machine": "load-balancer",
        "second-server": "load-balancer",
        "more-machines": "load-balancer",
        "ci": "ci-cd",
        "ci/cd": "ci-cd",
        "cicd": "ci-cd",
        "k8s": "kubernetes",
    }
)


def advise(name: str, numbers: Numbers, replays: Replays) -> Advice:
    """Advise on one thing by its name or another word for it; an unknown one gets the general questions."""
    known = thing_named(name)
    return THINGS[known](numbers, replays) if known else general(" ".join(name.split())[:60] or "it", numbers)


def thing_named(name: str) -> str | None:
    """Return the thing that a name means; `None` where there is none."""
    plain = "-".join(name.casefold().replace("_", " ").replace("-", " ").split())
    plain = ALIASES.get(plain, plain)
    return plain if plain in THINGS else None
