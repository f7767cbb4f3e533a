"""Environment files: in the repository, beside it, and kept out of it."""

from seawall.check.files import walk
from seawall.check.findings import Finding
from seawall.check.secrets import scan_tree
from tests.check.conftest import Repo
from tests.check.secret_values import draw

KEY = f"sk-proj-{draw(60)}"


def rules(repo: Repo) -> list[tuple[str, str, int]]:
    """Return rule, path and line of each finding."""
    return [(one.rule, one.path, one.line) for one in scan_tree(walk(repo.root))]


def only(repo: Repo, rule: str) -> Finding:
    """Return the one finding of a rule."""
    (finding,) = (one for one in scan_tree(walk(repo.root)) if one.rule == rule)
    return finding


def test_a_tracked_env_file_with_a_key_is_two_findings(repo: Repo) -> None:
    repo.put(".env", f"# settings\nDEBUG=1\nOPENAI_API_KEY={KEY}\nDB_PASSWORD=x8Kd9!laQz\n")
    repo.commit()
    assert rules(repo) == [("hardcoded-secret", ".env", 3), ("env-committed", ".env", 3)]
    finding = only(repo, "env-committed")
    assert "`OPENAI_API_KEY`, `DB_PASSWORD`" in finding.message
    assert "git rm --cached .env" in finding.fix
    assert KEY not in str(finding)
    assert "x8Kd9" not in str(finding)


def test_words_in_a_tracked_env_file_count_and_requests_do_not(repo: Repo) -> None:
    repo.put(".env.production", "JWT_SECRET=thisisourjwtsecretvalue\n")
    repo.put("a/.env", "SECRET_KEY=changethis\nOPENAI_API_KEY=your-key\nDB_PASSWORD=postgres\n")
    repo.put("b/.env", "PORT=3000\nVITE_API_URL=http://localhost:8000\nNODE_ENV=production\n")
    repo.put(".env.example", f"SECRET_KEY={draw(40)}\n")
    repo.put(".gitignore", ".env\n")
    repo.commit()
    assert [found for found in rules(repo) if found[0] == "env-committed"] == [
        ("env-committed", ".env.production", 1)
    ]


def test_an_ignored_env_file_is_right(repo: Repo) -> None:
    repo.put(".gitignore", ".env\n")
    repo.put("app.py", "from dotenv import load_dotenv\nload_dotenv()\n")
    repo.commit()
    repo.put(".env", f"OPENAI_API_KEY={KEY}\n")
    assert rules(repo) == []


def test_a_key_for_the_browser_is_wrong_in_an_ignored_file_too(repo: Repo) -> None:
    repo.put(".gitignore", ".env*\n")
    repo.commit()
    repo.put(".env.local", f"NEXT_PUBLIC_OPENAI_API_KEY={KEY}\nNEXT_PUBLIC_SUPABASE_ANON_KEY={draw(40)}\n")
    assert rules(repo) == [("browser-key", ".env.local", 1)]


def test_an_env_file_that_the_next_add_would_take_is_named(repo: Repo) -> None:
    repo.put("app.py", "1\n")
    repo.commit()
    repo.put(".env", f"OPENAI_API_KEY={KEY}\n")
    assert rules(repo) == [("env-not-ignored", ".env", 1)]


def test_an_app_that_reads_an_env_file_needs_it_ignored(repo: Repo) -> None:
    repo.put("app.py", "from dotenv import load_dotenv\nload_dotenv()\n")
    repo.put(".gitignore", "*.pyc\n")
    repo.commit()
    assert rules(repo) == [("env-not-ignored", ".gitignore", 1)]
    repo.put(".gitignore", "*.pyc\n.env*\n!.env.example\n")
    assert rules(repo) == []


def test_rules_beside_the_app_are_enough(repo: Repo) -> None:
    repo.put("backend/app.py", "from dotenv import load_dotenv\nload_dotenv()\n")
    repo.put("web/src/run.js", "require('dotenv').config()\n")
    repo.put("backend/.gitignore", ".env*\n")
    repo.commit()
    assert rules(repo) == [("env-not-ignored", "web/src/run.js", 1)]
    repo.put("web/.gitignore", ".env\n")
    assert rules(repo) == []


def test_an_example_file_says_where_the_real_one_will_be(repo: Repo) -> None:
    repo.put("backend/.env.example", "OPENAI_API_KEY=\n")
    repo.commit()
    assert rules(repo) == [("env-not-ignored", "backend/.env.example", 1)]
    repo.put("backend/.gitignore", ".env\n")
    assert rules(repo) == []


def test_an_app_without_env_files_needs_nothing(repo: Repo) -> None:
    repo.put("app.py", "print(1)\n")
    repo.commit()
    assert rules(repo) == []


def test_the_fix_names_the_hosts_that_the_app_is_on(repo: Repo) -> None:
    repo.put("app.py", f'key = "{KEY}"\n')
    repo.put("vercel.json", "{}\n")
    repo.put("fly.toml", "app = 'x'\n")
    repo.commit()
    fix = only(repo, "hardcoded-secret").fix
    assert "vercel env add OPENAI_API_KEY" in fix
    assert "fly secrets set OPENAI_API_KEY" in fix
    assert "Netlify" not in fix


def test_all_hosts_are_named_where_none_is_known(repo: Repo) -> None:
    repo.put("app.py", f'key = "{KEY}"\n')
    repo.commit()
    fix = only(repo, "hardcoded-secret").fix
    for host in ("Vercel", "Netlify", "Railway", "Render", "Heroku", "Fly", "plain server"):
        assert host in fix
