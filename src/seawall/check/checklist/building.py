"""Judges of how the app is built and kept: tests, CI, packages, migrations, backups, papers."""

import re
from pathlib import PurePosixPath

from seawall.check.checklist.libraries import DECLARED
from seawall.check.checklist.manifests import missing_in_lock
from seawall.check.checklist.survey import (
    Judgement,
    Spot,
    Survey,
    failed,
    passed,
    waiting,
    warned,
)

ASSERTIONS_MIN = 3
_NAMES_SHOWN = 3
_TEST_FILES_READ_MAX = 300

_ASSERTION = re.compile(
    r"^\s*assert\b|\bself\.assert\w+\(|\bpytest\.raises\(|\bexpect\(|\bassert(?:\.\w+)*\(|\bt\.(?:is"
    r"|deepEqual|true|equal|throws)\("
    r"|\.should(?:\.|\()|\bcy\.(?:contains|get|url)\(|\.expect\(\d",
)
_TRIVIAL = re.compile(
    r"assert\s+(?:True|1\s*==\s*1|not False)\b|assert(?:True)?\(\s*(?:True|true)\s*\)"
    r"|expect\(\s*(?:true|1|2|1\s*\+\s*[12]|'[^']*'|\"[^\"]*\")\s*\)"
    r"|learn react|Hello World|assertEqual\(\s*1\s*(?:\+\s*1)?\s*,",
)
_OWN_IMPORT_JS = re.compile(r"(?:from\s+|import\(|require\(|import\s+)['\"](?:\.{1,2}/|[@~#]/|src/|\$lib)")
_FROM_OUTSIDE = re.compile(
    r"page\.goto\(|cy\.visit\(|request\(\s*app|supertest|https?://(?:localhost|127\.0\.0\.1)|BASE_URL"
    r"|TestClient\(|test_client\(|self\.client\.|AppTest\.from_file"
)
_PYTHON_IMPORT = re.compile(r"^\s*(?:from|import)\s+(\.*[\w.]*)", re.MULTILINE)

_WORKFLOWS = (
    r"(?:^|/)\.ci/|(?:^|/)\.(?:github|gitea|forgejo)/workflows/[^/]+\.ya?ml$|(?:^|/)(?:\.gitlab-ci"
    r"|azure-pipelines"
    r"|bitbucket-pipelines|\.travis"
    r"|\.drone|buildspec|cloudbuild|\.woodpecker|\.cirrus)\.ya?ml$|(?:^|/)\.circleci/config\.yml$|(?:^"
    r"|/)Jenkinsfile$|(?:^|/)\.buildkite/.*\.ya?ml$"
    r"|(?:^|/)\.woodpecker/.*\.ya?ml$"
)
_RUNS_TESTS = (
    r"^(?!\s*-?\s*(?:name|id|key|path|uses|image|if|needs)\s*:)[^#\n]*(?:\bpytest\b|\btox\b|\bnox\b"
    r"|\bunittest\b|manage\.py\s+test"
    r"|\b(?:npm|pnpm|yarn|bun|turbo|nx|deno)\s+(?:[\w:@./-]+\s+)*?(?:test[:\w-]*|t\b|coverage\b)"
    r"|\bnpx\s+(?:vitest|jest|playwright|mocha|cypress)"
    r"|\b(?:vitest|jest|mocha|ava)\s+(?:run|--)|\bnode\s+(?:--\S+\s+)*--test|\b(?:make|just|task|poe"
    r"|hatch|invoke)\s+(?:run\s+)?(?:\w+:)?(?:test|check|ci|verify)"
    r"|\bhatch\s+test|scripts?/\w*(?:test|check|ci)\w*|\.ci/\w+|\bbin/(?:test|ci)|coverage\s+run)"
)
_DUMPS = (
    r"\b(?:pg_dump(?:all)?|mysqldump|mariadb-dump|mongodump|pgbackrest|wal-g|barman|restic\s+backup"
    r"|litestream|supabase\s+db\s+dump"
    r"|seawall\s+backup|heroku\s+pg:backups|VACUUM\s+INTO)\b|sqlite3\s.*\.backup|\.backup\("
)
_DECLARED_BACKUPS = (
    r"backup_retention_period\s*=\s*[1-9]|BackupRetentionPeriod:\s*[1-9]|point_in_time_recovery"
    r"|backup_configuration|PointInTimeRecovery"
    r"|backup_retention_days\s*=\s*[1-9]|postgres-backup|db-backup|kind:\s*ScheduledBackup"
    r"|barmanObjectStore|continuous_backup|automated_backup_policy"
)
_CRON = (
    r"^\s*-?\s*(?:schedule|cron|schedules)\s*:|kind:\s*CronJob|^\s*(?:[\d*/,-]+\s+){4}[\d*/,-]+\s+\S"
    r"|OnCalendar=|\"crons\"|type:\s*cron"
)
_MIGRATIONS = (
    r"(?:^|/)(?:schema|sql)/(?:.*/)?\d{2,}[\w.-]*\.sql$|(?:^|/)alembic\.ini$|(?:^|/)(?:migrations?"
    r"|alembic/versions|db/migrate|drizzle"
    r"|migrate)/(?:.*/)?(?!__init__)[\w.-]*\d[\w.-]*(?:/migration)?\.(?:py|sql|[jt]s)$"
    r"|(?:^|/)(?:prisma|supabase)/migrations/|(?:^|/)(?:flyway|liquibase|atlas|dbmate)[\w.-]*\.\w+$"
    r"|(?:^|/)changelog\.(?:xml|ya?ml)$"
)
_LICENCES = r"(?i)(?:^|/)(?:LICEN[CS]E|COPYING|UNLICENSE)(?:[.-][\w.-]+)?$"
_ENV_EXAMPLE = (
    r"(?:^|/)(?:\.env[\w.-]*\.?(?:example|sample|template|dist|defaults?)|(?:example|sample"
    r"|template)[\w.-]*\.env|env\.(?:example|sample|template)|\.dev\.vars\.example)$"
)
_COMMAND = r"```|`[^`\n]+ [^`\n]+`|^\s{4,}\S|\b(?:npm|pnpm|yarn|pip|uv|docker|python|bun|make) \w"


def tests(survey: Survey) -> Judgement:
    """Judge whether tests call the app's own code and assert something about it."""
    own = {PurePosixPath(path).stem for path in survey.sources} | {
        part for path in survey.sources for part in PurePosixPath(path).parts[:-1]
    }
    total, trivial, first = 0, 0, None
    for path in survey.tests[:_TEST_FILES_READ_MAX]:
        text = survey.text(path)
        lines = [
            (number, line) for number, line in enumerate(text.splitlines(), 1) if _ASSERTION.search(line)
        ]
        real = [number for number, line in lines if not _TRIVIAL.search(line)]
        trivial += len(lines) - len(real)
        if real and _calls_own_code(path, text, own):
            total += len(real)
            first = first or Spot(path, real[0])
        elif real:
            trivial += len(real)
        if total >= ASSERTIONS_MIN:
            return passed("Tests call the app's own code and assert what it does.", first)
    if total:
        return warned(
            f"There {'is one assertion' if total == 1 else f'are {total} assertions'} in all.", first
        )
    if trivial or survey.tests:
        where = Spot(survey.tests[0], 1)
        return warned("The tests that are there assert nothing about the app's own code.", where)
    return failed("No test was found.")


def ci(survey: Survey) -> Judgement:
    """Judge whether a machine runs the tests."""
    workflows = survey.like(_WORKFLOWS)
    if not workflows:
        return failed("No workflow was found.")
    spot = survey.search(workflows, _RUNS_TESTS)
    if spot is None:
        return warned("There is a workflow, and it runs no tests.", Spot(workflows[0], 1))
    empty = survey.search(survey.like(r"(?:^|/)package\.json$"), r"\"test\":\s*\"echo.*no test")
    if empty is not None and not survey.tests:
        return warned("The workflow runs the tests, and the test script is still the template's.", empty)
    return passed("A workflow runs the tests.", spot)


def setup(survey: Survey) -> Judgement:
    """Judge whether a second person can start the app."""
    readme = next((path for path in survey.like(r"(?:^|/)README(?:\.\w+)?$") if "/" not in path), None)
    said = readme is not None and bool(re.search(_COMMAND, survey.text(readme), re.MULTILINE))
    reads = survey.hint("environment")
    example = next(iter(survey.like(_ENV_EXAMPLE)), None)
    if said and readme is not None and (reads is None or example is not None):
        return passed("The README tells how to start it.", Spot(readme, 1))
    if reads is not None and example is None and not said:
        return failed(
            "No README says how to start it, and no example file names the variables it reads.", reads
        )
    if reads is not None and example is None:
        return warned("No example file names the variables that the code reads.", reads)
    return (
        warned("No README says how to start it.")
        if readme is None
        else warned("The README holds no command.", Spot(readme, 1))
    )


def dependency_pins(survey: Survey) -> Judgement:
    """Judge whether every machine installs the same versions."""
    manifests = survey.manifests
    held = {
        each.name for each in manifests.dependencies if each.pin == "exact" and each.path.endswith(".txt")
    }
    for path in _direct_manifests(survey):
        stated = [each for each in manifests.dependencies if each.path == path]
        lock = manifests.lock_of(path)
        if lock is not None:
            missing = missing_in_lock(manifests, survey.evidence.files, path) or []
            if missing:
                shown = ", ".join(missing[:_NAMES_SHOWN])
                return warned(f"{lock} does not hold {shown}: it is older than {path}.", Spot(path, 0))
            continue
        loose = [each for each in stated if each.pin != "exact" and not each.is_dev and each.name not in held]
        if not loose:
            continue
        return failed(f"No lock file, and {loose[0].name} may be any newer version.", loose[0])
    locks = sorted(manifests.locks, key=lambda lock: (lock.count("/"), lock))
    return passed(
        f"{locks[0]} holds the versions." if locks else "All versions are stated exactly.",
        Spot(locks[0], 1) if locks else manifests.dependencies[0],
    )


def dependency_updates(survey: Survey) -> Judgement:
    """Judge whether somebody is told of updates."""
    bots = survey.like(
        r"(?:^|/)\.github/dependabot\.ya?ml$|(?:^|/)(?:\.github/"
        r"|\.gitlab/)?(?:\.?renovate(?:rc)?)(?:\.json5?)?$|(?:^|/)\.pyup\.ya?ml$"
    )
    if bots:
        return passed("A bot proposes updates.", Spot(bots[0], 1))
    spot = survey.search(
        survey.like(_WORKFLOWS),
        r"\b(?:pip-audit|npm audit|pnpm audit|yarn npm audit|osv-scanner|safety (?:check|scan)|trivy"
        r"|snyk|uv lock --upgrade|renovate)\b",
    )
    if spot is not None:
        return passed(f"A workflow looks for known holes ({spot.what}).", spot)
    return failed("No update bot or audit was found.")


def migrations(survey: Survey) -> Judgement:
    """Judge whether the database changes by numbered steps."""
    steps = survey.like(_MIGRATIONS)
    if steps:
        return passed("Migrations are in the repository.", Spot(steps[0], 1))
    spot = survey.search(
        survey.touched,
        r"\.create_all\(|\bsynchronize:\s*true|\.sync\(\s*(?:\{\s*(?:force|alter))|CREATE TABLE",
    ) or survey.search(survey.like(r"(?:^|/)package\.json$"), r"prisma db push|drizzle-kit push")
    if spot is not None:
        return failed(
            f"Tables are made by the app itself ({spot.what}); a change would find the old ones.", spot
        )
    return failed("No migrations were found.")


def backups(survey: Survey) -> Judgement:
    """Judge whether data is saved without anybody thinking of it."""
    if survey.settings.gateway.get("backup"):
        return passed(
            "seawall.toml states backups.", Spot(survey.settings.path, survey.settings.line_of("backup"))
        )
    litestream = survey.like(r"(?:^|/)litestream\.ya?ml$")
    if litestream:
        return passed("Litestream copies the database as it changes.", Spot(litestream[0], 1))
    declared = survey.search(survey.like(DECLARED), _DECLARED_BACKUPS)
    if declared is not None:
        return passed(f"Backups are declared ({declared.what}).", declared)
    places = survey.like(
        r"\.ya?ml$|\.sh$|(?:^|/)(?:crontab[\w.-]*|[\w.-]*\.cron|Makefile|justfile|[\w.-]+\.(?:service"
        r"|timer)|Procfile|package\.json)$|scripts?/|\.py$|\.[jt]s$"
    )
    dump = survey.search(
        [path for path in places if "backup" in path.lower() or not path.endswith((".py", ".ts", ".js"))],
        _DUMPS,
    )
    if dump is None:
        return waiting("No scheduled backup was found; the host's own cannot be seen from here.")
    if _is_scheduled(survey, dump.path):
        return passed(f"A backup is scheduled ({dump.what}).", dump)
    return warned(f"A script makes a backup ({dump.what}), and nothing here schedules it.", dump)


def licence(survey: Survey) -> Judgement:
    """Judge whether the terms are stated."""
    files = survey.like(_LICENCES)
    if files:
        return passed("A licence file is there.", Spot(files[0], 1))
    spot = survey.search(
        [
            path
            for path in survey.like(r"(?:^|/)(?:package\.json|pyproject\.toml|setup\.cfg)$")
            if path.count("/") <= 1
        ],
        r"^\s*\"?licen[cs]e\"?\s*[:=]\s*\S+",
    )
    if spot is not None:
        return passed("The manifest states the licence.", spot)
    return failed("No licence file, and no manifest that states one.")


def incident_contact(survey: Survey) -> Judgement:
    """Judge whether people know where to report a problem."""
    paths = survey.like(r"(?:^|/)(?:SECURITY(?:\.\w+)?|security\.txt)$")
    if paths:
        return passed("A security contact is stated.", Spot(paths[0], 1))
    if survey.settings.gateway.get("support_contact"):
        return passed(
            "Seawall names a contact in every error.",
            Spot(survey.settings.path, survey.settings.line_of("support_contact")),
        )
    pages = survey.own(
        r"(?:^|/)(?:contact|support)(?:/(?:page|index|\+page))?\.(?:[jt]sx?|vue|svelte|astro|html|md)$"
    )
    if pages:
        return passed("There is a contact page.", Spot(pages[0], 1))
    spot = survey.search(survey.own(r"\.(?:html|[jt]sx|vue|svelte|astro)$")[:200], r"mailto:")
    if spot is not None:
        return passed("A mail address stands on a page.", spot)
    return waiting("No contact was found.")


def privacy_notice(survey: Survey) -> Judgement:
    """Judge whether users can read what happens to their texts."""
    paths = survey.like(
        r"(?:^|/)(?:privacy|datenschutz)[\w.-]*(?:/(?:page|index|\+page))?\.(?:[jt]sx?|vue|svelte"
        r"|astro|html?|mdx?|txt)$"
    )
    if paths:
        return passed("A privacy page is there.", Spot(paths[0], 1))
    return waiting("No privacy page was found.")


def _is_scheduled(survey: Survey, path: str) -> bool:
    """Say whether a file runs by the clock, or one that does names it."""
    name = path.rpartition("/")[2]
    clocks = survey.like(r"\.ya?ml$|\.json$|\.toml$|crontab|\.cron$|\.timer$|(?:^|/)Procfile$")
    return any(
        re.search(_CRON, survey.text(each), re.MULTILINE) and (each == path or name in survey.text(each))
        for each in {path, *clocks}
    )


def _calls_own_code(path: str, text: str, own: set[str]) -> bool:
    if _FROM_OUTSIDE.search(text):
        return True
    if not path.endswith(".py"):
        return bool(_OWN_IMPORT_JS.search(text)) or bool(re.search(r"from\s+['\"][@\w/-]+/src", text))
    return any(
        name.startswith(".") or any(part in own for part in name.split("."))
        for name in _PYTHON_IMPORT.findall(text)
    )


def _direct_manifests(survey: Survey) -> list[str]:
    """Return the manifests that state what runs; one that another was compiled from (`.in`) does not."""
    stated = dict.fromkeys(each.path for each in survey.manifests.dependencies)
    compiled = {path.removesuffix(".txt") for path in stated if path.endswith(".txt")}
    return [path for path in stated if not (path.endswith(".in") and path.removesuffix(".in") in compiled)]
