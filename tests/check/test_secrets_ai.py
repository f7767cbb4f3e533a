"""The keys of AI providers, in the five ways in which people write them down."""

from collections.abc import Callable

import pytest

from seawall.check.findings import Finding
from seawall.check.secrets import scan_text
from tests.check.secret_values import HEX, draw, uuid

KEYS: dict[str, tuple[str, str, str, Callable[[int], str]]] = {
    "openai-legacy": (
        "OPENAI_API_KEY",
        "OpenAI",
        "bearer",
        lambda s: f"sk-{draw(20, seed=s)}T3Blbk" + f"FJ{draw(20, seed=s + 1)}",
    ),
    "openai-project": (
        "OPENAI_API_KEY",
        "OpenAI",
        "bearer",
        lambda s: f"sk-proj-{draw(74, seed=s)}T3Blbk" + f"FJ{draw(74, seed=s + 1)}",
    ),
    "openai-service": ("OPENAI_API_KEY", "OpenAI", "bearer", lambda s: f"sk-svcacct-{draw(60, seed=s)}"),
    "openai-admin": ("OPENAI_ADMIN_KEY", "OpenAI", "bearer", lambda s: f"sk-admin-{draw(80, seed=s)}"),
    "openai-short": ("OPENAI_KEY", "OpenAI", "bearer", lambda s: f"sk-{draw(48, seed=s)}"),
    "anthropic": (
        "ANTHROPIC_API_KEY",
        "Anthropic",
        "x-api-key",
        lambda s: f"sk-ant-api03-{draw(93, seed=s)}AA",
    ),
    "anthropic-admin": (
        "ANTHROPIC_ADMIN_KEY",
        "Anthropic",
        "x-api-key",
        lambda s: f"sk-ant-admin01-{draw(93, seed=s)}AA",
    ),
    "google": ("GEMINI_API_KEY", "genai", "x-goog-api-key", lambda s: f"AIza{draw(35, seed=s)}"),
    "azure-32": ("AZURE_OPENAI_API_KEY", "AzureOpenAI", "api-key", lambda s: draw(32, HEX, s)),
    "azure-84": ("AZURE_OPENAI_KEY", "AzureOpenAI", "api-key", lambda s: draw(84, seed=s)),
    "mistral": ("MISTRAL_API_KEY", "Mistral", "bearer", lambda s: draw(32, seed=s)),
    "groq": ("GROQ_API_KEY", "Groq", "bearer", lambda s: f"gsk_{draw(52, seed=s)}"),
    "deepseek": ("DEEPSEEK_API_KEY", "DeepSeek", "bearer", lambda s: f"sk-{draw(32, HEX, s)}"),
    "xai": ("XAI_API_KEY", "XAI", "bearer", lambda s: f"xai-{draw(80, seed=s)}"),
    "openrouter": ("OPENROUTER_API_KEY", "OpenRouter", "bearer", lambda s: f"sk-or-v1-{draw(64, HEX, s)}"),
    "together": ("TOGETHER_API_KEY", "Together", "bearer", lambda s: draw(64, HEX, s)),
    "fireworks": ("FIREWORKS_API_KEY", "Fireworks", "bearer", lambda s: f"fw_{draw(24, seed=s)}"),
    "huggingface": ("HF_TOKEN", "InferenceClient", "bearer", lambda s: f"hf_{draw(34, seed=s)}"),
    "replicate": ("REPLICATE_API_TOKEN", "Replicate", "bearer", lambda s: f"r8_{draw(37, seed=s)}"),
    "cohere": ("COHERE_API_KEY", "cohere.Client", "bearer", lambda s: draw(40, seed=s)),
    "elevenlabs": ("ELEVENLABS_API_KEY", "ElevenLabs", "xi-api-key", lambda s: f"sk_{draw(48, HEX, s)}"),
    "elevenlabs-legacy": ("ELEVEN_API_KEY", "ElevenLabs", "xi-api-key", lambda s: draw(32, HEX, s)),
    "pinecone": (
        "PINECONE_API_KEY",
        "Pinecone",
        "api-key",
        lambda s: f"pcsk_{draw(5, seed=s)}_{draw(63, seed=s)}",
    ),
    "pinecone-legacy": ("PINECONE_API_KEY", "Pinecone", "api-key", uuid),
    "langsmith": (
        "LANGSMITH_API_KEY",
        "Client",
        "x-api-key",
        lambda s: f"lsv2_pt_{draw(32, HEX, s)}_{draw(10, HEX, s)}",
    ),
    "perplexity": ("PERPLEXITY_API_KEY", "OpenAI", "bearer", lambda s: f"pplx-{draw(48, seed=s)}"),
    "voyage": ("VOYAGE_API_KEY", "voyageai.Client", "bearer", lambda s: f"pa-{draw(43, seed=s)}"),
    "cerebras": ("CEREBRAS_API_KEY", "Cerebras", "bearer", lambda s: f"csk-{draw(48, seed=s)}"),
    "nvidia": ("NVIDIA_API_KEY", "ChatNVIDIA", "bearer", lambda s: f"nvapi-{draw(64, seed=s)}"),
    "deepgram": ("DEEPGRAM_API_KEY", "DeepgramClient", "token", lambda s: draw(40, HEX, s)),
    "assemblyai": ("ASSEMBLYAI_API_KEY", "Transcriber", "authorization", lambda s: draw(32, HEX, s)),
    "stability": ("STABILITY_API_KEY", "StabilityInference", "bearer", lambda s: f"sk-{draw(48, seed=s)}"),
    "weaviate": ("WEAVIATE_API_KEY", "AuthApiKey", "bearer", lambda s: draw(40, seed=s)),
    "qdrant": ("QDRANT_API_KEY", "QdrantClient", "api-key", lambda s: draw(54, seed=s)),
    "tavily": ("TAVILY_API_KEY", "TavilyClient", "bearer", lambda s: f"tvly-{draw(32, seed=s)}"),
    "serper": ("SERPER_API_KEY", "GoogleSerperAPIWrapper", "X-API-KEY", lambda s: draw(40, HEX, s)),
    "exa": ("EXA_API_KEY", "Exa", "x-api-key", uuid),
    "jina": ("JINA_API_KEY", "JinaEmbeddings", "bearer", lambda s: f"jina_{draw(50, seed=s)}"),
    "langfuse": ("LANGFUSE_SECRET_KEY", "Langfuse", "bearer", lambda s: f"sk-lf-{uuid(s)}"),
    "helicone": (
        "HELICONE_API_KEY",
        "Helicone",
        "Helicone-Auth",
        lambda s: (
            "sk-helicone-"
            + "-".join(draw(7, "abcdefghijklmnopqrstuvwxyz0123456789", s + n) for n in range(4))
        ),
    ),
    "vercel-gateway": ("AI_GATEWAY_API_KEY", "createGateway", "bearer", lambda s: f"vck_{draw(56, seed=s)}"),
    "runpod": (
        "RUNPOD_API_KEY",
        "runpod.Client",
        "bearer",
        lambda s: f"rpa_{draw(40, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789', s)}",
    ),
    "anyscale": ("ANYSCALE_API_KEY", "OpenAI", "bearer", lambda s: f"esecret_{draw(32, seed=s)}"),
    "ai21": ("AI21_API_KEY", "AI21Client", "bearer", lambda s: draw(32, seed=s)),
    "moonshot": ("MOONSHOT_API_KEY", "OpenAI", "bearer", lambda s: f"sk-{draw(48, seed=s)}"),
    "zhipu": ("ZHIPUAI_API_KEY", "ZhipuAI", "bearer", lambda s: f"{draw(32, HEX, s)}.{draw(16, seed=s)}"),
    "dashscope": ("DASHSCOPE_API_KEY", "Generation", "bearer", lambda s: f"sk-{draw(32, HEX, s)}"),
    "clarifai": ("CLARIFAI_PAT", "Model", "Key", lambda s: draw(32, HEX, s)),
    "baseten": ("BASETEN_API_KEY", "Baseten", "Api-Key", lambda s: f"{draw(8, seed=s)}.{draw(32, seed=s)}"),
    "modal": ("MODAL_TOKEN_SECRET", "modal.Client", "bearer", lambda s: f"as-{draw(22, seed=s)}"),
    "writer": ("WRITER_API_KEY", "Writer", "bearer", lambda s: draw(32, seed=s)),
    "portkey": ("PORTKEY_API_KEY", "Portkey", "x-portkey-api-key", lambda s: draw(28, seed=s)),
}
HEADERS = {
    "bearer": "Authorization: Bearer {}",
    "token": "Authorization: Token {}",
    "Key": "Authorization: Key {}",
    "Api-Key": "Authorization: Api-Key {}",
    "authorization": "Authorization: {}",
    "Helicone-Auth": "Helicone-Auth: Bearer {}",
}


def camel(name: str) -> str:
    """Return a variable's name as JavaScript writes it."""
    first, *rest = name.lower().split("_")
    return first + "".join(word.title() for word in rest)


def shapes(variable: str, client: str, header: str, value: str) -> dict[str, tuple[str, str]]:
    """Return the path and text of a small file for each shape."""
    name, _, form = HEADERS.get(header, f"{header}: {{}}").partition(": ")
    sent = form.format(value)
    return {
        "assignment": ("app/main.py", f'import os\n\n{variable} = "{value}"\nprint("started")\n'),
        "assignment-js": (
            "src/index.ts",
            f"const {camel(variable)}: string = '{value}';\nexport default 1;\n",
        ),
        "dict": (
            "app/settings.py",
            f'SETTINGS = {{\n    "debug": False,\n    "{variable.lower()}": "{value}",\n}}\n',
        ),
        "json": ("config/app.json", f'{{"port": 8000, "{camel(variable)}": "{value}"}}\n'),
        "yaml": ("config/app.yaml", f"llm:\n  {variable.lower()}: {value}\n"),
        "keyword": ("app/client.py", f'client = {client}(\n    api_key="{value}",\n    timeout=30,\n)\n'),
        "option": (
            "src/client.js",
            f"const client = new {client.rpartition('.')[2]}({{ apiKey: '{value}', timeout: 30 }});\n",
        ),
        "header": ("app/call.py", f'headers = {{"{name}": "{sent}", "Content-Type": "application/json"}}\n'),
        "header-js": (
            "src/call.js",
            f"await fetch(url, {{ method: 'POST', headers: {{ '{name}': '{sent}' }} }});\n",
        ),
        "curl": ("run.sh", f'curl https://api.host.io/v1/chat -H "{name}: {sent}" -d @body.json\n'),
        "env": ("deploy/prod.settings.env", f"PORT=8000\n{variable}={value}\n"),
    }


def found(path: str, text: str) -> list[Finding]:
    """Return what is wrong with a file, but for notes."""
    return [one for one in scan_text(path, text) if one.severity != "note"]


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("shape", shapes("A_B", "c", "bearer", ""))
def test_a_key_of_an_ai_provider_is_found_in_each_shape(kind: str, shape: str) -> None:
    variable, client, header, make = KEYS[kind]
    for seed in (1, 2, 3):
        value = make(seed)
        path, text = shapes(variable, client, header, value)[shape]
        findings = found(path, text)
        assert [one.rule for one in findings] == ["hardcoded-secret"], (text, findings)
        assert findings[0].line == 1 + text[: text.index(value)].count("\n")
        assert value not in str(findings[0])


PLACEHOLDERS = [
    "your-api-key-here", "YOUR_API_KEY", "sk-...", "<KEY>", "<your-openai-key>", "xxxx", "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "${OPENAI_API_KEY}",
    "{{ openai_key }}", "$OPENAI_API_KEY", "EXAMPLE", "sk-your-key", "changeme", "none", "null", "placeholder", "dummy-key", "not-needed", "EMPTY",
    "sk-1234567890abcdef1234567890abcdef", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "sk-test", "test-key", "fake-key-for-tests", "insert_key_here",
    "REPLACE_ME", "sk-ant-your-key-here", "sk-proj-your-project-key-goes-here-please", "hf_your_token_here", "gsk_your_groq_api_key", "ollama", "lm-studio",
    "sk-abcdefghijklmnopqrstuvwxyz123456", "***************", "sk-proj-abc...xyz", "%OPENAI_KEY%", "@secrets/openai", "todo", "my-secret-key", "anything",
    "sk_test_your_key", "", "sk-or-v1-...", "AIzaSyXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", "os.environ['OPENAI_API_KEY']", "process.env.OPENAI_API_KEY",
]  # fmt: skip


@pytest.mark.parametrize("value", PLACEHOLDERS)
def test_a_placeholder_is_no_key(value: str) -> None:
    for variable, client, header, _ in KEYS.values():
        for path, text in shapes(variable, client, header, value).values():
            assert found(path, text) == [], text
