"""By which libraries and addresses model calls and databases are known."""

_MODEL_NAMES = (
    "openai anthropic generativeai genai vertexai mistral groq litellm langchain llama_index llamaindex "
    "huggingface instructor pydantic_ai crewai autogen dspy xai_sdk cerebras smolagents semantic_kernel "
    "zhipuai dashscope @ai-sdk bedrock openrouter api.x.ai api.deepseek generativelanguage api.perplexity "
    "@mastra together-ai together.xyz api.cohere api.replicate fireworks.ai cohere-ai"
)
MODEL_WORDS = (
    *_MODEL_NAMES.split(),
    *("'ai'", '"ai"', "'replicate'", '"replicate"', "import replicate", "import cohere", "from cohere"),
    *("from agents", "from together", "import together", "from haystack"),
)
"""Files with one of these words are read for model calls."""

MODEL_IMPORT = (
    r"(?:openai|anthropic|google\.generativeai|google\.genai|vertexai|mistralai|groq|cohere|litellm"
    r"|langchain\w*"
    r"|llama_index|together|replicate|huggingface_hub|instructor|pydantic_ai|crewai|autogen|agents"
    r"|dspy|xai_sdk"
    r"|fireworks|cerebras|smolagents|semantic_kernel|haystack|zhipuai|dashscope|ai|llamaindex|groq-sdk"
    r"|cohere-ai"
    r"|together-ai|openai-edge)(?:[./]|$)"
    r"|(?:@anthropic-ai|@ai-sdk|@langchain|@mistralai|@openai|@openrouter|@mastra)/|@google/gen"
    r"|@google-cloud/vertexai|@huggingface/inference|@aws-sdk/client-bedrock"
)
"""Matches the full names of imports of paid models; Ollama and its like cost nothing."""

MODEL_ADDRESS = (
    r"api\.(?:openai|anthropic|groq|deepseek|perplexity|fireworks|cohere|x|mistral|together|cerebras)\."
    r"(?:com|ai|xyz)|generativelanguage\.googleapis\.com|openrouter\.ai/api|bedrock-runtime"
    r"|openai\.azure\.com"
    r"|api-inference\.huggingface\.co|api\.replicate\.com"
)

_PYTHON_DATABASES = (
    r"sqlite3|psycopg\w*|sqlalchemy|sqlmodel|pymongo|motor|asyncpg|aiosqlite|peewee|tortoise|flask_sqlalchemy"
    r"|django\.db|supabase|firebase_admin|pyodbc|beanie|pymysql|mysql|MySQLdb|libsql\w*"
)
_JAVASCRIPT_DATABASES = (
    r"pg|postgres|mongoose|mongodb|@prisma/client|drizzle-orm|knex|sequelize|typeorm|mysql2?"
    r"|better-sqlite3|sqlite3"
    r"|@supabase/[\w-]+|@libsql/[\w-]+|@neondatabase/[\w-]+|kysely|bun:sqlite|node:sqlite|@vercel/postgres"
    r"|@planetscale/database|firebase-admin|convex|@nestjs/(?:typeorm|mongoose)|@mikro-orm/[\w-]+"
)
_DATABASE_IMPORT = (
    rf"^\s*(?:from|import)\s+(?P<python>{_PYTHON_DATABASES})\b"
    rf"|(?:\bfrom|\bimport|\brequire\()\s*[\"'](?P<javascript>{_JAVASCRIPT_DATABASES})(?:/[\w./-]+)?[\"']"
)
_DATABASE_WORDS = (
    "sqlite3 psycopg sqlalchemy sqlmodel mongo motor asyncpg aiosqlite peewee tortoise django.db"
    " supabase firebase"
    " pyodbc beanie mysql MySQLdb libsql 'pg 'postgres \"pg \"postgres prisma drizzle knex sequelize"
    " typeorm sqlite"
    " neondatabase kysely planetscale convex mikro-orm"
)

HINTS: dict[str, tuple[tuple[str, ...], str]] = {
    "database": (tuple(_DATABASE_WORDS.split()), _DATABASE_IMPORT),
    "logger": (
        ("logging", "loguru", "log4js"),
        r"logging\.(?:getLogger|basicConfig|config)|\bLOGGING\s*=|from loguru import|[\"']log4js[\"']",
    ),
    "environment": (
        (
            "environ",
            "getenv",
            "process.env",
            "import.meta.env",
            "Deno.env",
            "BaseSettings",
            "env(",
            "config(",
        ),
        r"os\.environ|os\.getenv|process\.env\b|import\.meta\.env\.|Deno\.env\.get|\bBaseSettings\b|\benv\("
        r"|\bconfig\([\"']",
    ),
    "sigterm": (("SIGTERM",), r"[\"'`]SIGTERM[\"'`]|signal\.SIGTERM"),
}
"""What is searched for in all of the app's code: words without which a file is skipped, and the shape."""

_DATABASE_NAMES = (
    "psycopg* sqlalchemy sqlmodel pymongo motor beanie mongoose mongodb @prisma/client prisma drizzle-orm "
    "knex sequelize typeorm pg postgres mysql2 mysql mysqlclient pymysql better-sqlite3 sqlite3 aiosqlite "
    "asyncpg peewee tortoise-orm flask-sqlalchemy django @supabase/supabase-js @supabase/ssr supabase "
    "@libsql/client @neondatabase/serverless @planetscale/database firebase-admin kysely @nestjs/typeorm "
    "@mikro-orm/core convex"
)
DATABASE_PACKAGES = tuple(_DATABASE_NAMES.split())
NOT_SQL = ("pymongo", "motor", "beanie", "mongoose", "mongodb", "firebase-admin", "firebase_admin", "convex")

DECLARED = (
    r"\.tf$|\.ya?ml$|(?:^|/)[\w.-]*(?:template|stack|cdk|budget|alert|alarm|monitor|infra)[\w.-]*\.json$"
)
"""Where infrastructure is declared; not translations, locks and other data in JSON."""
