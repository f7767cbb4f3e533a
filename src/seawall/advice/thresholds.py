"""Every threshold of the advice, once: its value, its unit, what it says, and where it is from.

A rule of thumb is a number that holds for most apps; what refines it is measured in the app itself. What is
chosen by us says why. `docs/advice.md` lists them all.
"""

from msgspec import Struct

RULE_OF_THUMB = "rule of thumb, November 2026"
CHOSEN = "chosen by us, November 2026"
MEASURED = "measured: docs/performance.md, November 2026"


class Rule(Struct, frozen=True):
    """One threshold. `text` says when it is reached, `refined_by` what is measured instead of believed."""

    name: str
    value: float
    unit: str
    text: str
    source: str
    refined_by: str


CACHE_USERS = Rule(
    "cache.users", 1_000, "users", "at about 1,000 users the same things are asked again and again",
    RULE_OF_THUMB, "the share of your own calls that repeat",
)  # fmt: skip
CACHE_PAGE_S = Rule(
    "cache.page_s", 2, "seconds", "a page takes 2 seconds or more, with its queries optimised",
    RULE_OF_THUMB, "the time of your own pages: `seawall facts set page_s`",
)  # fmt: skip
CACHE_DATABASE_PERCENT = Rule(
    "cache.database_cpu_percent", 80, "%",
    "the database is busy for 80 % of the time, with its queries optimised",
    RULE_OF_THUMB, "your database: `seawall facts set database_cpu_percent`",
)  # fmt: skip
CACHE_REPEATS_PERCENT = Rule(
    "cache.repeats_percent", 20, "%", "more than 20 % of the calls ask what was asked before",
    CHOSEN, "a replay of your own calls",
)  # fmt: skip
CACHE_IDLE_PERCENT = Rule(
    "cache.idle_percent", 1, "%", "a cache that answers fewer than 1 % of 1,000 calls is not needed",
    CHOSEN, "the hits of your own cache",
)  # fmt: skip
CACHE_MORE_PERCENT = Rule(
    "cache.more_percent", 5, "%",
    "a cleverer cache answers at least 5 % more of the calls than the simple one",
    CHOSEN, "a replay of your own calls",
)  # fmt: skip
PROMPT_CACHE_TOKENS = Rule(
    "prompt_cache.tokens", 1_024, "tokens", "the part that never changes has 1,024 tokens or more",
    "what OpenAI and Anthropic ask for, November 2026", "the size of your own instructions and tools",
)  # fmt: skip
PROMPT_CACHE_READ_PERCENT = Rule(
    "prompt_cache.read_percent", 20, "%",
    "20 % of the input or more is read from the provider's cache: it works",
    CHOSEN, "what your provider reports",
)  # fmt: skip
USER_MINUTE = Rule(
    "limits.per_user_minute", 100, "calls a minute", "nobody needs more than 100 calls a minute",
    RULE_OF_THUMB, "a replay of your own calls",
)  # fmt: skip
ADDRESS_SECOND = Rule(
    "limits.per_ip_second", 10, "calls a second", "no address needs more than 10 calls a second",
    RULE_OF_THUMB, "a replay of your own calls",
)  # fmt: skip
GLOBAL_SECOND = Rule(
    "limits.global_second", 10_000, "calls a second", "10,000 calls a second in all are an attack",
    RULE_OF_THUMB, "your own peaks",
)  # fmt: skip
FREE_USER_HOUR = Rule(
    "limits.free_user_hour", 10, "AI calls an hour",
    "a user who pays nothing needs no more than 10 AI calls an hour",
    RULE_OF_THUMB, "a replay of your own calls",
)  # fmt: skip
TOP_USER_PERCENT = Rule(
    "quotas.top_user_percent", 25, "%", "one user of ten or more costs 25 % of everything",
    CHOSEN, "how cost is spread over your own users",
)  # fmt: skip
TOP_USER_AMONG = Rule(
    "quotas.users", 10, "users", "with fewer than 10 users you can ask them",
    CHOSEN, "how many users your calls name",
)  # fmt: skip
WAIT_S = Rule(
    "waiting.seconds", 5, "seconds", "people wait 5 seconds or more for an answer",
    RULE_OF_THUMB, "how long your own users wait, and how many leave",
)  # fmt: skip
BROKEN_S = Rule(
    "waiting.broken_seconds", 10, "seconds", "after 10 seconds an app feels broken",
    RULE_OF_THUMB, "how long your own users wait, and how many leave",
)  # fmt: skip
WAITING_PERCENT = Rule(
    "waiting.percent", 10, "%", "10 % of the answers or more take that long",
    CHOSEN, "how long your own users wait",
)  # fmt: skip
SMALL_PERCENT = Rule(
    "cheaper.small_percent", 10, "%", "10 % of the calls or more are small: fewer than 200 tokens in and out",
    CHOSEN, "the sizes of your own calls",
)  # fmt: skip
CHEAPER_TIMES = Rule(
    "cheaper.times", 10, "times",
    "a small model does classification, extraction and short summaries up to 10 times cheaper",
    RULE_OF_THUMB, "the prices of your own models, and 50 of your own calls tried on both",
)  # fmt: skip
LONG_MESSAGES = Rule(
    "context.messages", 10, "messages", "conversations have 10 messages of the user or more",
    RULE_OF_THUMB, "the lengths of your own conversations",
)  # fmt: skip
HISTORY_PERCENT = Rule(
    "context.history_percent", 50, "%", "half of the input or more is history that was sent before",
    CHOSEN, "the share of history in your own calls",
)  # fmt: skip
OUTPUT_CAP_TOKENS = Rule(
    "caps.tokens", 4_096, "tokens",
    "a call that states no cap may write more than 4,096 tokens, about six pages",
    CHOSEN, "the longest answers of your own app",
)  # fmt: skip
FLAGGED_PERCENT = Rule(
    "guard.flagged_percent", 1, "%", "the guard flags 1 % of the calls or more, at least 10 of them",
    CHOSEN, "what the guard flagged in your own calls",
)  # fmt: skip
FLAGGED_CALLS = Rule(
    "guard.flagged_calls", 10, "calls", "the guard flags 10 calls or more",
    CHOSEN, "what the guard flagged in your own calls",
)  # fmt: skip
SERVER_USD_MONTH = Rule(
    "server.usd_month", 100, "dollars a month",
    "a server for 50 to 100 dollars a month serves thousands of users",
    RULE_OF_THUMB, "the load of your own machine",
)  # fmt: skip
SERVER_LOAD_PERCENT = Rule(
    "server.load_percent", 80, "%", "the processor is busy for 80 % of the time",
    RULE_OF_THUMB, "the load of your own machine",
)  # fmt: skip
KUBERNETES_SERVERS = Rule(
    "kubernetes.servers", 10, "servers", "there are 10 servers or more; with 1 to 3 it is only work",
    RULE_OF_THUMB, "how many servers you have: `seawall facts set servers`",
)  # fmt: skip
MICROSERVICES_TEAM = Rule(
    "microservices.team", 20, "people", "the team is too big to work on one program together; that is rare",
    CHOSEN, "how many people work on it: `seawall facts set team`",
)  # fmt: skip
MANY_CALLS = Rule(
    "traffic.calls", 100, "calls", "a share of fewer than 100 calls decides nothing",
    CHOSEN, "how many calls were recorded",
)  # fmt: skip
MANY_DAYS = Rule(
    "traffic.days", 30, "days", "money from fewer than 30 days is shown with its bounds",
    CHOSEN, "how long your app has been on record",
)  # fmt: skip
SMALL_APP_USERS = Rule(
    "small_app.users", 100, "users", "an app with fewer than 100 users needs no further machine or service",
    RULE_OF_THUMB, "how many users your calls name",
)  # fmt: skip
SMALL_APP_CALLS = Rule(
    "small_app.calls_a_day", 1_000, "calls a day",
    "an app with fewer than 1,000 calls a day needs no further machine or service",
    RULE_OF_THUMB, "how many calls a day were recorded",
)  # fmt: skip

CORE_CALLS = Rule(
    "machine.core_calls", 1_399, "calls a second", "one core serves 1,399 calls a second, with everything on",
    MEASURED, "the load of your own machine",
)  # fmt: skip
BUSY_PERCENT = Rule(
    "machine.busy_percent", 70, "%", "a core is full when the fullest minute takes 70 % of it",
    CHOSEN, "how steady your own traffic is within a minute",
)  # fmt: skip
SPARE_PERCENT = Rule(
    "machine.spare_percent", 50, "%", "what is less than half as full as it may be could be smaller",
    CHOSEN, "your own peaks",
)  # fmt: skip
THIN_CALLS = Rule(
    "traffic.thin_calls_a_day", 10_000, "calls a day",
    "fewer than 10,000 calls a day and 1,000 users: nothing has to be asked, for there is no such problem",
    CHOSEN, "how many calls a day were recorded",
)  # fmt: skip
MEMORY_FREE_PERCENT = Rule(
    "machine.memory_free_percent", 10, "%", "less than 10 % of the memory is free",
    CHOSEN, "the memory of your own machine",
)  # fmt: skip
SQLITE_CALLS = Rule(
    "database.sqlite_calls", 4_861, "calls a second",
    "SQLite books 4,861 calls a second for 16 callers at once", MEASURED, "your own peaks",
)  # fmt: skip
DATABASE_SPARE_PERCENT = Rule(
    "database.spare_percent", 40, "%", "a database that is busy for less than 40 % needs no copies",
    CHOSEN, "your database: `seawall facts set database_cpu_percent`",
)  # fmt: skip
JOBS_SECOND = Rule(
    "jobs.a_second", 292, "jobs a second", "more jobs come than the 292 a second that Seawall does",
    MEASURED, "the fullest hour of your own jobs",
)  # fmt: skip
BALANCED_MACHINES = Rule(
    "load_balancer.machines", 2, "machines", "there is more than one machine to send calls to",
    CHOSEN, "how many servers you have: `seawall facts set servers`",
)  # fmt: skip
FAILED_PERCENT = Rule(
    "provider.failed_percent", 1, "%", "1 % of the calls or more stay without an answer, after retries",
    CHOSEN, "how often your own provider fails",
)  # fmt: skip
DOWN_TRIES = Rule(
    "provider.down_tries", 5, "tries", "an hour in which 5 tries or more all failed is an outage",
    CHOSEN, "how often your own provider fails",
)  # fmt: skip
CI_TEAM = Rule(
    "ci.team", 2, "people", "a second person works on it, and one breaks what the other made",
    CHOSEN, "how many people work on it: `seawall facts set team`",
)  # fmt: skip
CI_DEPLOYS = Rule(
    "ci.deploys_a_week", 1, "deploys a week", "a new version goes up every week",
    CHOSEN, "how often you deploy: `seawall facts set deploys_a_week`",
)  # fmt: skip

WORTH_USD_MONTH = {"minutes": 1, "an hour": 5, "a day": 50, "days": 200, "weeks": 1_000, "months": 5_000}
"""What a thing must save a month to be worth its effort, in dollars; it pays itself back within a year."""

HOURS = {"minutes": 0.25, "an hour": 1.0, "a day": 8.0, "days": 24.0, "weeks": 120.0, "months": 480.0}
"""What each effort is in hours of work."""

RULES = (
    CACHE_USERS,
    CACHE_PAGE_S,
    CACHE_DATABASE_PERCENT,
    CACHE_REPEATS_PERCENT,
    CACHE_IDLE_PERCENT,
    CACHE_MORE_PERCENT,
    PROMPT_CACHE_TOKENS,
    PROMPT_CACHE_READ_PERCENT,
    USER_MINUTE,
    ADDRESS_SECOND,
    GLOBAL_SECOND,
    FREE_USER_HOUR,
    TOP_USER_PERCENT,
    TOP_USER_AMONG,
    WAIT_S,
    BROKEN_S,
    WAITING_PERCENT,
    SMALL_PERCENT,
    CHEAPER_TIMES,
    LONG_MESSAGES,
    HISTORY_PERCENT,
    OUTPUT_CAP_TOKENS,
    FLAGGED_PERCENT,
    FLAGGED_CALLS,
    SERVER_USD_MONTH,
    SERVER_LOAD_PERCENT,
    KUBERNETES_SERVERS,
    MICROSERVICES_TEAM,
    MANY_CALLS,
    MANY_DAYS,
    SMALL_APP_USERS,
    SMALL_APP_CALLS,
    CORE_CALLS,
    BUSY_PERCENT,
    SPARE_PERCENT,
    THIN_CALLS,
    MEMORY_FREE_PERCENT,
    SQLITE_CALLS,
    DATABASE_SPARE_PERCENT,
    JOBS_SECOND,
    BALANCED_MACHINES,
    FAILED_PERCENT,
    DOWN_TRIES,
    CI_TEAM,
    CI_DEPLOYS,
)
