"""What people write, and what only looks like it: secrets by name, guessable secrets, and keys sent to browsers."""

import pytest

from seawall.check.findings import Finding
from seawall.check.secrets import scan_text
from tests.check.secret_values import HEX, draw, uuid

K = draw(40)
H = draw(32, HEX)
FAKE_OPENAI = f"sk-{draw(48)}"

FOUND = {
    "django settings": ("app/settings.py", f'SECRET_KEY = "{draw(50, "abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)")}"\n', "hardcoded-secret"),
    "django template key": ("app/settings.py", f'SECRET_KEY = "django-insecure-{draw(50)}"\n', "weak-default-secret"),
    "flask word": ("app.py", 'app.secret_key = "supersecretkey"\n', "weak-default-secret"),
    "flask config": ("app.py", "app.config['SECRET_KEY'] = 'dev'\n", "weak-default-secret"),
    "flask config random": ("app.py", f"app.config['SECRET_KEY'] = '{H}'\n", "hardcoded-secret"),
    "getenv default": ("auth.py", 'import os\nSECRET = os.getenv("JWT_SECRET", "secret")\n', "weak-default-secret"),
    "environ get default": ("auth.py", "JWT_SECRET_KEY = os.environ.get('JWT_SECRET_KEY', 'change-me')\n", "weak-default-secret"),
    "environ or": ("config.py", "SECRET_KEY = os.environ.get('SECRET_KEY') or 'you-will-never-guess'\n", "weak-default-secret"),
    "decouple default": ("settings.py", "SECRET_KEY = config('SECRET_KEY', default='insecure')\n", "weak-default-secret"),
    "pydantic default": ("config.py", 'class Settings(BaseSettings):\n    secret_key: str = "changeme"\n', "weak-default-secret"),
    "node fallback": ("src/auth.ts", "const secret = process.env.JWT_SECRET || 'dev-secret';\n", "weak-default-secret"),
    "node nullish": ("src/auth.ts", 'export const SESSION_SECRET = process.env.SESSION_SECRET ?? "keyboard cat";\n', "weak-default-secret"),
    "express session": ("server.js", "app.use(session({ secret: 'keyboard cat', resave: false }));\n", "weak-default-secret"),
    "jwt call python": ("auth.py", 'token = jwt.encode(payload, "secret", algorithm="HS256")\n', "weak-default-secret"),
    "jwt call node": ("auth.js", "const token = jwt.sign({ id: user.id }, 'mysecret', { expiresIn: '1h' });\n", "weak-default-secret"),
    "compose default": ("docker-compose.yml", "services:\n  api:\n    environment:\n      - JWT_SECRET=${JWT_SECRET:-secret}\n", "weak-default-secret"),
    "admin password": ("admin.py", 'ADMIN_PASSWORD = "admin123"\n', "weak-default-secret"),
    "admin password default": ("admin.py", 'password = os.getenv("ADMIN_PASSWORD", "admin")\n', "weak-default-secret"),
    "password constant": ("db.py", 'DB_PASSWORD = "Tr0ub4dor&3"\n', "hardcoded-secret"),
    "password keyword": ("db.py", 'conn = psycopg2.connect(host="db.prod.internal.net", user="app", password="s3cr3t-Prod!")\n', "hardcoded-secret"),
    "password in dsn": ("db.py", 'conn = psycopg2.connect("host=10.0.0.5 dbname=shop user=app password=Sh0pP4ss")\n', "hardcoded-secret"),
    "ado connection string": ("appsettings.json", '{"Default": "Server=tcp:x.database.windows.net;Database=app;User Id=sa;Password=Kj38!dkLq;"}\n', "hardcoded-secret"),
    "password compared": ("login.py", 'if request.form["password"] == "hunter2":\n    login()\n', "hardcoded-secret"),
    "address": ("db.py", f'URL = "postgresql://app:{draw(12)}@db.example-host.net:5432/app"\n', "hardcoded-secret"),
    "atlas address": ("db.js", 'mongoose.connect("mongodb+srv://admin:pass123@cluster0.ab1cd.mongodb.net/app");\n', "hardcoded-secret"),
    "redis address": ("worker.py", f'REDIS = "redis://:{draw(24)}@redis-1234.c1.us-east-1-2.ec2.redislabs.com:1234/0"\n', "hardcoded-secret"),
    "gmail app password": ("mail.py", 'server.login("me@gmail.com", "qzvk wjxp mtrh bnds")\n', "hardcoded-secret"),
    "requests auth": ("call.py", 'r = requests.get(url, auth=("admin", "Xk29!vbQ"))\n', "hardcoded-secret"),
    "positional client": ("chat.py", f'co = cohere.Client("{K}")\n', "hardcoded-secret"),
    "query string": ("src/weather.js", f"fetch(`https://api.openweathermap.org/data/2.5/weather?q=${{city}}&appid={H}`)\n", "hardcoded-secret"),
    "twilio": ("sms.py", f'client = Client("AC{draw(32, HEX, 9)}", auth_token="{H}")\n', "hardcoded-secret"),
    "aws pair": ("s3.py", f'boto3.client("s3", aws_access_key_id="AKIA{draw(16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")}")\n', "hardcoded-secret"),
    "aws secret": ("s3.py", f'    aws_secret_access_key="{K}",\n', "hardcoded-secret"),
    "dockerfile": ("Dockerfile", f"FROM python:3.12\nENV OPENAI_API_KEY {FAKE_OPENAI}\n", "hardcoded-secret"),
    "dockerfile arg": ("Dockerfile", f"ARG GROQ_API_KEY=gsk_{draw(52)}\n", "hardcoded-secret"),
    "compose list": ("docker-compose.yml", f"    environment:\n      - MISTRAL_API_KEY={draw(32)}\n", "hardcoded-secret"),
    "k8s env": ("k8s/deploy.yaml", f"        env:\n        - name: COHERE_API_KEY\n          value: {K}\n", "hardcoded-secret"),
    "workflow": (".github/workflows/ci.yml", f"env:\n  OPENAI_API_KEY: {FAKE_OPENAI}\n", "hardcoded-secret"),
    "tfvars": ("infra/prod.tfvars", f'db_password = "{draw(20)}"\n', "hardcoded-secret"),
    "npmrc": (".npmrc", f"//registry.example.com/:_authToken=npm_{draw(36)}\n", "hardcoded-secret"),
    "pypirc": (".pypirc", f"[pypi]\nusername = __token__\npassword = pypi-Ag{draw(120)}\n", "hardcoded-secret"),
    "netrc": (".netrc", "machine api.heroku.com login me@x.io password opensesame\n", "hardcoded-secret"),
    "git credentials": (".git-credentials", f"https://me:{draw(20)}@github.com\n", "hardcoded-secret"),
    "htpasswd": (".htpasswd", "admin:$apr1$" + f"{draw(8)}${draw(22)}\n", "hardcoded-secret"),
    "notebook": ("chat.ipynb", '{"cells": [{"source": ["import os\\n", "os.environ[\\"OPENAI_API_KEY\\"] = \\"' + FAKE_OPENAI + '\\"\\n"]}]}\n', "hardcoded-secret"),
    "private key": ("deploy/id_rsa", "-----BEGIN OPENSSH PRIV" + "ATE KEY-----\n" + "\n".join(draw(70, seed=n) for n in range(5)) + "\n-----END OPENSSH PRIV" + "ATE KEY-----\n", "hardcoded-secret"),
    "service account": ("gcp.json", '{"type": "service_account", "private_key": "-----BEGIN PRIV' + "ATE KEY-----\\n" + "\\n".join(draw(64, seed=n) for n in range(5)) + '\\n-----END PRIV' + 'ATE KEY-----\\n"}\n', "hardcoded-secret"),
    "comment": ("app.py", f'# openai.api_key = "{FAKE_OPENAI}"\n', "hardcoded-secret"),
    "flag": ("deploy.sh", f"flyctl deploy --access-token {K}\n", "hardcoded-secret"),
    "vite use": ("src/api.ts", "const key = import.meta.env.VITE_OPENAI_API_KEY;\n", "browser-key"),
    "next use": ("components/chat.tsx", "const client = new OpenAI({ apiKey: process.env.NEXT_PUBLIC_OPENAI_API_KEY, dangerouslyAllowBrowser: true });\n", "browser-key"),
    "cra secret": ("src/pay.js", "stripe(process.env.REACT_APP_STRIPE_SECRET_KEY)\n", "browser-key"),
    "service role": ("src/lib/supabase.ts", "createClient(url, import.meta.env.VITE_SUPABASE_SERVICE_ROLE_KEY)\n", "browser-key"),
    "expo": ("app/index.tsx", "const k = process.env.EXPO_PUBLIC_ANTHROPIC_API_KEY\n", "browser-key"),
    "vite define": ("vite.config.ts", "export default defineConfig(({ mode }) => {\n  const env = loadEnv(mode, '.', '');\n  return { define: { 'process.env.GEMINI_API_KEY': JSON.stringify(env.GEMINI_API_KEY) } };\n});\n", "browser-key"),
    "env of a bundler": (".env.local", f"VITE_OPENAI_API_KEY={FAKE_OPENAI}\n", "browser-key"),
    "public file": ("public/app.js", f"const KEY = '{FAKE_OPENAI}';\n", "browser-key"),
    "page": ("index.html", f"<script>const apiKey = '{FAKE_OPENAI}'</script>\n", "browser-key"),
    "workflow that deploys": (".github/workflows/deploy.yml", f"jobs:\n  ship:\n    steps:\n      - run: fly deploy\n        env:\n          APP_SECRET: {K}\n", "hardcoded-secret"),
    "token in a test step": (".github/workflows/ci.yml", f"jobs:\n  test:\n    steps:\n      - run: pytest\n        env:\n          OPENAI_API_KEY: {FAKE_OPENAI}\n", "hardcoded-secret"),
    "placeholder that compose uses": ("docker-compose.yml", "    environment:\n      JWT_SECRET: your-secret-key-here\n", "weak-default-secret"),
    "word in a script": ("start.sh", "export SECRET_KEY=changeme\nuvicorn app:app\n", "weak-default-secret"),
    "key in a bundle": ("dist/app.js", f"const a='{FAKE_OPENAI}'\n", "hardcoded-secret"),
    "key in a minified line": ("web/app.js", f"{'a();' * 700}var k='{FAKE_OPENAI}'\n", "hardcoded-secret"),
    "private key in a long line": ("src/gcp.ts", 'const c = {"note": "' + "a b " * 600 + '", "private_key": "-----BEGIN PRIV' + "ATE KEY-----\\n" + "\\n".join(draw(64, seed=n) for n in range(5)) + '\\n-----END PRIV' + 'ATE KEY-----\\n"}\n', "hardcoded-secret"),
    "settings folder called files": ("config_files/app.js", f"module.exports = {{ mistralApiKey: '{K[:32]}' }}\n", "hardcoded-secret"),
    "password in one row of settings": ("users.json", '[{"user": "ann", "password": "Xk29!vbQ"}]\n', "hardcoded-secret"),
}  # fmt: skip

CLEAN = {
    "environment": ("app.py", 'client = OpenAI(api_key=os.environ["OPENAI_API_KEY"])\n'),
    "getenv": ("app.py", 'api_key = os.getenv("OPENAI_API_KEY")\nsecret = os.getenv("JWT_SECRET")\n'),
    "process env": ("app.ts", "const apiKey = process.env.OPENAI_API_KEY!;\nconst secret = process.env.JWT_SECRET as string;\n"),
    "settings object": ("app.py", "client = OpenAI(api_key=settings.openai_api_key)\ntoken = config.token\npassword = request.form['password']\n"),
    "types": ("schema.ts", "interface Login { email: string; password: string; token?: string }\nconst schema = z.object({ password: z.string().min(8) });\n"),
    "model": ("models.py", "class User(Base):\n    password = Column(String(128), nullable=False)\n    api_key: str | None = None\n    token: str\n"),
    "labels": ("form.tsx", '<input type="password" name="password" placeholder="Password" autoComplete="current-password" />\n'),
    "messages": ("errors.ts", "export const WRONG_PASSWORD = 'wrong-password';\nconst errors = { password: 'Password is required', token: 'Invalid token' };\n"),
    "translations": ("locales/de.json", '{"password": "Passwort", "apiKey": "API-Schlüssel", "forgotPassword": "Passwort vergessen?"}\n'),
    "names of settings": ("keys.py", 'API_KEY_HEADER = "X-API-Key"\nTOKEN_URL = "/auth/token"\nSECRET_NAME = "prod/db/password"\nCACHE_KEY = "user:profile:v2"\n'),
    "storage keys": ("store.ts", "const TOKEN_KEY = 'access_token';\nlocalStorage.setItem('token', data.token);\nconst queryKey = 'conversation-messages';\n"),
    "ids": ("ids.py", f'SESSION = "{uuid()}"\ncommit = "{draw(40, HEX)}"\nsha256 = "{draw(64, HEX)}"\netag = "{H}"\n'),
    "lock file": ("package-lock.json", f'{{"node_modules/x": {{"integrity": "sha512-{draw(86)}==", "token": "{K}"}}}}\n'),
    "tokens of a model": ("chat.py", 'resp = client.chat(max_tokens=1000, stop_token="<|endoftext|>")\ntokenizer = AutoTokenizer.from_pretrained("gpt2")\n'),
    "env example": (".env.example", "OPENAI_API_KEY=sk-...\nDATABASE_URL=postgresql://user:password@localhost:5432/app\nJWT_SECRET=change-me\nSTRIPE_KEY=\n"),
    "readme": ("README.md", "Set `OPENAI_API_KEY=sk-your-key-here` and run `export SECRET_KEY=$(openssl rand -hex 32)`.\n\n```\nclient = OpenAI(api_key=\"YOUR_API_KEY\")\n```\n"),
    "workflow": (".github/workflows/ci.yml", "env:\n  OPENAI_API_KEY: ${{ secrets.OPENAI_API_KEY }}\n  POSTGRES_PASSWORD: postgres\n  GITHUB_TOKEN: ${{ github.token }}\n"),
    "compose": ("docker-compose.yml", "    environment:\n      POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?set it}\n      OPENAI_API_KEY: ${OPENAI_API_KEY}\n      - DB_PASS=${DB_PASS}\n"),
    "local database": ("docker-compose.yml", "    environment:\n      POSTGRES_USER: postgres\n      POSTGRES_PASSWORD: postgres\n"),
    "local address": ("settings.py", 'DATABASE_URL = os.getenv("DATABASE_URL", "postgresql://postgres:postgres@localhost:5432/app")\n'),
    "terraform": ("main.tf", 'resource "x" "y" {\n  password = var.db_password\n  secret_id = aws_secretsmanager_secret.db.id\n  token = data.vault.token\n}\n'),
    "k8s reference": ("k8s/deploy.yaml", "        - name: OPENAI_API_KEY\n          valueFrom:\n            secretKeyRef:\n              name: openai\n              key: api-key\n"),
    "firebase": ("src/firebase.ts", "const firebaseConfig = {\n  apiKey: import.meta.env.VITE_FIREBASE_API_KEY,\n  authDomain: 'x.firebaseapp.com',\n};\n"),
    "public variables": ("src/env.ts", "const a = import.meta.env.VITE_SUPABASE_ANON_KEY;\nconst b = process.env.NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY;\nconst c = process.env.NEXT_PUBLIC_POSTHOG_KEY;\nconst d = process.env.NEXT_PUBLIC_GOOGLE_MAPS_API_KEY;\nconst e = process.env.REACT_APP_SENTRY_DSN;\nconst f = import.meta.env.VITE_STRIPE_PUBLISHABLE_KEY;\nconst g = import.meta.env.VITE_API_URL;\n"),
    "stripe publishable": ("src/pay.ts", f"loadStripe('pk_live_{draw(24)}');\nloadStripe('pk_test_{draw(24)}');\n"),
    "public key": ("keys/id.pub", f"ssh-rsa AAAAB3NzaC1yc2E{draw(200)} me@host\n"),
    "public pem": ("keys/jwt.pem", "-----BEGIN PUBLIC KEY-----\n" + draw(64) + "\n-----END PUBLIC KEY-----\n"),
    "pem example": ("README.md", "GITHUB_PRIVATE_KEY=\"-----BEGIN RSA PRIV" + "ATE KEY-----\\n...\\n-----END RSA PRIV" + "ATE KEY-----\"\n"),
    "generated": ("auth.py", "app.secret_key = os.urandom(32)\nSECRET = secrets.token_hex(32)\npassword = generate_password()\n"),
    "hashes": ("seed.py", "user.password = hash_password(data.password)\nverify_password(plain, user.password_hash)\n"),
    "stand-ins for local servers": ("app.py", 'client = OpenAI(base_url="http://localhost:11434/v1", api_key="ollama")\nlm = OpenAI(api_key="not-needed")\n'),
    "test placeholders": ("tests/test_auth.py", 'client.post("/login", json={"username": "ann", "password": "secret123"})\nSECRET = "test-secret"\nheaders = {"Authorization": "Bearer test-token"}\n'),
    "regular expressions": ("redact.py", 'PATTERNS = [r"sk-[A-Za-z0-9]{48}", r"ghp_[A-Za-z0-9]{36}", r"AKIA[0-9A-Z]{16}", r"password\\s*=\\s*\\S+"]\n'),
    "documentation example": ("aws.md", "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n"),
    "masked": ("log.txt", "using key sk-proj-****************abcd and token ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"),
    "sealed": ("k8s/sealed.yaml", f"kind: SealedSecret\nspec:\n  encryptedData:\n    password: AgB{draw(200)}\n"),
    "colours and versions": ("theme.ts", "export const tokens = { primary: '#1f2937', radius: '0.5rem' };\nconst key = 'v1.2.3';\n"),
    "prompt": ("prompt.py", 'SYSTEM = """You must never reveal the password. The secret: be kind. token = one word."""\n'),
    "cookie names": ("auth.ts", "const SESSION_COOKIE = 'session_token';\ncookies().get('access_token');\nconst csrfToken = headers.get('x-csrf-token');\n"),
    "enum": ("enums.ts", "enum Grant { Password = 'password', RefreshToken = 'refresh_token', ApiKey = 'api_key' }\n"),
    "test step": (".github/workflows/ci.yml", "jobs:\n  test:\n    steps:\n      - name: Run tests\n        env:\n          DJANGO_SECRET_KEY: some-words\n        run: python manage.py test\n"),
    "test value of a pipeline": (".gitlab-ci.yml", "variables:\n  SECRET_KEY: test-key-not-for-prod\ndeploy:\n  script: fly deploy\n"),
    "pipeline's database": (".github/workflows/ci.yml", "jobs:\n  deploy:\n    services:\n      db:\n        image: postgres:16\n        env:\n          POSTGRES_PASSWORD: hunter7x\n"),
    "saved page": ("static/match_files/main.js", f"var a={{apiKey:'{K}',password:'Abc123!x'}}\n"),
    "saved script": ("static/x/api.js.download", f"getAppToken:function(){{return this.get('{K}')}},password=n.b,googleKey='AIza{draw(35)}'\n"),
    "minified line": ("web/app.js", f"{'a();' * 700}x={{apiKey:'{K}',password:'Abc123!x',secret:'word'}};jwt.sign(a,'word')\n"),
    "generated client": ("prisma/generate/runtime/library.js", "const url = 'dotenv://:key_1234@dotenvx.com/vault';\nconst secretKey = 'changeme';\n"),
    "built file": ("web/dist/assets/index-Ab12Cd34.js", f"const o={{apiKey:'{K}'}};\n"),
    "function as value": ("src/auth.yaml.js", "module.exports = { secretKey:function(){return load()}, jwtSecret: async () => read() }\n"),
    "heredoc that asks": ("install.sh", "cat > .env <<EOF\nSECRET_KEY=your-secret-key-here\nENCRYPTION_KEY=your-32-char-encryption-key\nEOF\n"),
    "heredoc of a shell of windows": ("install.ps1", '$env = @"\nSECRET_KEY=your-secret-key\n"@\n'),
    "user and password alike": ("docker-compose.yml", "    environment:\n      - POSTGRES_USER=temporal\n      - POSTGRES_PWD=temporal\n"),
    "conversation in a report": ("issues/bug.md", f'```\n{{"sessionId": "conv_{draw(24)}"}}\n```\n'),
    "key that pretends": ("run.py", 'os.environ.setdefault("VISION_API_KEY", "TEST_KEY")\n'),
    "makefile": ("Makefile", "run:\n\tdocker run -v `pwd`:/src -e TOKEN=$(TOKEN) app\n"),
}  # fmt: skip


@pytest.mark.parametrize("case", FOUND)
def test_it_is_found_once_and_masked(case: str) -> None:
    path, text, rule = FOUND[case]
    findings = [one for one in scan_text(path, text) if one.severity != "note"]
    assert [one.rule for one in findings] == [rule], findings
    for finding in findings:
        for word in (K, H, FAKE_OPENAI, "Tr0ub4dor", "hunter2", "Sh0pP4ss", "qzvk wjxp", "opensesame"):
            assert word not in f"{finding.message} {finding.evidence} {finding.fix}"


@pytest.mark.parametrize("case", CLEAN)
def test_it_is_no_finding(case: str) -> None:
    path, text = CLEAN[case]
    assert [one for one in scan_text(path, text) if one.severity != "note"] == []


def only(path: str, text: str) -> Finding:
    """Return the one finding of a text."""
    (finding,) = scan_text(path, text)
    return finding


def test_a_random_value_that_only_tests_use_is_a_warning() -> None:
    step = f"      - run: pytest\n        env:\n          ENCRYPTION_KEY: {K}\n"
    assert only(".github/workflows/ci.yml", f"jobs:\n  test:\n    steps:\n{step}").severity == "warning"
    said = f"env:\n  # Test-only key.\n  ENCRYPTION_KEY: {K}\njobs:\n  ship:\n    steps:\n      - run: fly deploy\n"
    assert only(".github/workflows/ci.yml", said).severity == "warning"
    assert only(".github/workflows/ci.yml", said.replace("Test-only key", "The key")).severity == "error"


def test_a_word_that_a_pipeline_deploys_is_a_warning() -> None:
    text = (
        "jobs:\n  ship:\n    steps:\n      - run: fly deploy\n        env:\n          SECRET_KEY: changeme\n"
    )
    assert only(".github/workflows/deploy.yml", text).severity == "warning"


def test_a_word_in_a_text_that_a_script_writes_is_a_warning() -> None:
    assert only("install.sh", "cat > .env <<'EOF'\nSECRET_KEY=changeme\nEOF\n").severity == "warning"
    assert only("start.sh", "cat > x <<EOF\na\nEOF\nexport SECRET_KEY=changeme\n").severity == "error"


def test_the_same_value_in_many_lines_is_one_finding_that_names_them() -> None:
    line = 'curl -d password="Xk29!vbQ"\n'
    finding = only("run.sh", f"# start\n{line}{line}")
    assert finding.line == 2
    assert finding.message.endswith(" It also stands in line 3.")
    many = only("run.sh", line * 9)
    assert many.message.endswith(" It also stands in lines 2, 3, 4, 5 and 4 more.")


def test_the_gravest_place_of_a_value_is_the_one_that_is_named() -> None:
    text = f"/**\n * apiKey = '{K}'\n */\nconst apiKey = '{K}';\n"
    finding = only("src/a.js", text)
    assert (finding.line, finding.severity) == (4, "error")


def test_a_value_that_is_ignored_in_one_line_is_still_told_of_the_others() -> None:
    mine = f'a_api_key = "{K}"  # seawall: ignore[hardcoded-secret] revoked\n'
    found = list(scan_text("a.py", f'{mine}b_api_key = "{K}"\nc_api_key = "{K}"\n'))
    assert [one.line for one in found] == [1, 2]


def test_rows_of_data_are_one_warning_for_each_kind() -> None:
    rows = "".join(
        f"{n},to login use the password 'Xk{n}!vbQ' and for mail the password 'Mk{n}!vbQ'\n"
        for n in range(120)
    )
    finding = only("data/tickets.csv", rows)
    assert (finding.line, finding.severity) == (1, "warning")
    assert " More like it are in lines 2, 3, 4, 5" in finding.message


def test_a_token_in_rows_of_data_stays_an_error() -> None:
    rows = "".join(f"{n},nothing\n" for n in range(120))
    assert only("data/tickets.csv", f"{rows}121,{FAKE_OPENAI}\n").severity == "error"
