"""Texts that were made to keep the search busy, and such as break other readers, end in few findings."""

import pytest

from seawall.check.secrets import scan_text
from seawall.check.secrets.scan import SECRETS_MAX
from tests.check.secret_values import draw

SIZE = 120_000
PIECES = ["key", "key=", 'key="', "eyJ", "eyJabcdefghijk.", "://b:c@", '{"kty":', "sk-", "A", "T3BlbkFJ", "1Q~", "-us1", ":AA", "key" + " " * 60,
          'key=\\"', "key=a(a(a(", "key:\n", 'auth=("a', "jwt.sign(aaaa(", "secret: a.b[c] ", "$2a$10$", "VITE_OPENAI_API_KEY ", "\n", "\0", "İ"]  # fmt: skip


@pytest.mark.parametrize("path", ["a.py", "a.env", "a.html"])
@pytest.mark.parametrize("piece", PIECES)
def test_a_text_of_one_piece_ends(piece: str, path: str) -> None:
    text = (piece * (SIZE // len(piece) + 1))[:SIZE]
    assert len(list(scan_text(path, text))) <= 2


def test_a_data_set_of_keys_is_cut() -> None:
    lines = "".join(f'k{n} = "ghp_{draw(36, seed=n)}"\n' for n in range(SECRETS_MAX + 100))
    assert len(list(scan_text("keys.py", lines))) == SECRETS_MAX


def test_a_bundle_is_searched_for_tokens_and_not_for_names() -> None:
    names = "".join(f'password:"Abc{n}x!9",' for n in range(4000))
    token = f"ghp_{draw(36)}"
    findings = list(scan_text("web/bundle.js", f'var a={{{names}b:"{token}"}};'))
    assert [one.kind for one in findings] == ["github-token"]
    assert token not in findings[0].evidence
    assert len(findings[0].evidence) <= 160


def test_what_follows_a_letter_that_grows_in_small_is_still_at_its_place() -> None:
    value = draw(40)
    (finding,) = scan_text("a.py", f'# İstanbul İİİ\napi_key = "{value}"\n')
    assert finding.line == 2
    assert value not in finding.evidence


def test_every_secret_of_a_line_is_masked() -> None:
    one, two = draw(40), draw(40, seed=8)
    findings = list(scan_text("a.json", f'{{"api_key": "{one}", "api_secret": "{two}"}}\n'))
    assert len(findings) == 2
    assert all(value not in str(finding) for value in (one, two) for finding in findings)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a.ts", "use(import.meta.env.VITE_SECRET_{})\n"),
        ("a.ts", "const k{} = process.env.JWT_SECRET || 'dev';\n"),
        ("a.py", 'jwt.encode(claims, "word-{}")\n'),
        ("secret.yaml", "kind: Secret\n  password: WGsyOSF2YlFYazI5IXZiUQ== # {}\n"),
    ],
)
def test_the_findings_of_one_text_are_cut(path: str, line: str) -> None:
    text = "".join(line.format(n) for n in range(5 * SECRETS_MAX))
    assert len(list(scan_text(path, text))) <= SECRETS_MAX


def test_a_pipeline_of_secrets_is_cut_before_its_steps_are_read() -> None:
    text = "jobs:\n  ship:\n    env:\n" + "".join(
        f"      APP_SECRET: {draw(24, seed=n)}\n" for n in range(600)
    )
    assert len(list(scan_text(".github/workflows/a.yml", text))) == SECRETS_MAX
