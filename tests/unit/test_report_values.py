"""The report for programs, and as Markdown: whole values of a small app."""

import msgspec
from tests.fixtures.reports import advice_of, numbers_of, report_of

from seawall.advice.report import markdown, values
from seawall.advice.report import report as made
from seawall.advice.report.report import Part, Row
from seawall.advice.words import Verdict


def test_a_report_for_programs_has_these_fields() -> None:
    read = msgspec.json.decode(values.render(report_of()))
    advice = read.pop("advice")
    assert [each["thing"] for each in advice] == ["caching", "kafka"]
    assert read == {
        "at": "2026-11-27T18:30:00Z",
        "days": 30,
        "days_seen": 2.12,
        "stage": "mvp",
        "app": {
            "calls": 17,
            "cost_usd": "0.06",
            "cache_hits": 2,
            "saved_usd": "0.01",
            "refused": 1,
            "failed": 0,
            "left": 0,
            "users": 2,
            "returning_users": 1,
            "liked": 0,
            "disliked": 0,
        },
        "ranking": {"do_now": ["caching"], "skip": ["kafka"]},
        "cost_by_day": [
            {"day": "2026-11-25", "cost_usd": "0.04"},
            {"day": "2026-11-26", "cost_usd": "0.02"},
            {"day": "2026-11-27", "cost_usd": "0.00"},
        ],
        "users_by_day": [
            {"day": "2026-11-25", "users": 2},
            {"day": "2026-11-26", "users": 1},
            {"day": "2026-11-27", "users": 0},
        ],
        "waits": [
            {"wait": "to 1 s", "calls": 6},
            {"wait": "1-2 s", "calls": 0},
            {"wait": "2-5 s", "calls": 2},
            {"wait": "5-10 s", "calls": 2},
            {"wait": "10-30 s", "calls": 5},
            {"wait": "30 s on", "calls": 0},
        ],
        "cost_by_model": [{"model": "small", "cost_usd": "0.05"}, {"model": "big", "cost_usd": "0.01"}],
        "dearest_users": [
            {"user": "user 1", "calls": 12, "cost_usd": "0.05", "days": 2},
            {"user": "user 2", "calls": 3, "cost_usd": "0.01", "days": 1},
        ],
    }


def test_one_piece_of_advice_for_programs_has_these_fields() -> None:
    figure = {
        "text": "2 of 17 calls were repeats",
        "value": 2.0,
        "low": 0.5,
        "high": 5.0,
        "is_measured": True,
        "query": "SELECT count(*) FROM calls",
    }
    unknown = {"text": "page time", "value": None, "low": None, "high": None, "is_measured": False}
    assert values.advice_values(advice_of("caching", Verdict.DO_NOW, way=(250, 1000))) == {
        "thing": "caching",
        "title": "Caching",
        "verdict": "do_now",
        "verdict_text": "do it now",
        "summary": "About caching: do it now.",
        "steps": [
            {
                "question": "Do I have this problem right now?",
                "answer": "no",
                "why": "Nobody waits for it.",
                "figures": [figure],
            },
            {
                "question": "Is there a simpler solution?",
                "answer": "not measured",
                "why": "Nobody has said.",
                "figures": [{**unknown, "query": "seawall facts set page_s 1"}],
            },
        ],
        "simple": None,
        "do": ["Switch it on:", "[cache]", "enabled = true"],
        "effort": "minutes",
        "threshold": {
            "text": "there are 1,000 users a day",
            "now": 250,
            "due": 1000,
            "unit": "users",
            "way": 0.25,
            "source": "the guide",
        },
        "replays": [
            {
                "title": "The exact cache, replayed",
                "calls": 17,
                "days": 2.0,
                "figures": [figure],
                "assumptions": ["Nothing was changed meanwhile."],
                "error": "Within 5 %.",
            }
        ],
        "saves_usd_month": "0.03",
        "is_never_skip": False,
        "term": "A cache keeps answers.",
        "link": "cache.md",
    }


MARKDOWN = """\
# seawall advise: 30 days to 2026-11-27, stage mvp

- You are at mvp.

17 calls, $0.06 spent, 2 users (1 came back), $0.01 saved by the cache.

## Do now

### Caching: do it now

About caching: do it now.

1. Do I have this problem right now? **no**. Nobody waits for it.
   - 2 of 17 calls were repeats (`SELECT count(*) FROM calls`)
2. Is there a simpler solution? **not measured**. Nobody has said.
   - page time (`seawall facts set page_s 1`)

**The exact cache, replayed** (17 calls of 2 days)

- 2 of 17 calls were repeats
- Assumed: Nothing was changed meanwhile.
- Within 5 %.

**What to do** (minutes):

- [ ] Switch it on:

```
[cache]
enabled = true
```

A cache keeps answers. More: https://seawall.dev/docs/cache

## Skip

- **Kafka**: About kafka: not yet.

## Cost by model

| Model | Cost |
|---|---|
| `small` | $0.05 |
| `big` | $0.01 |

## Who costs most

| User | Calls | Cost |
|---|---|---|
| `user 1` | 12 | $0.05 |
| `user 2` | 3 | $0.01 |
"""


def test_a_report_in_markdown_reads_from_the_verdicts_to_the_costs() -> None:
    assert markdown.render(report_of()) == MARKDOWN


def test_what_callers_have_chosen_is_quoted_in_markdown() -> None:
    page = markdown.render(report_of(numbers_of(model="a|b`c"), shows_names=True))
    assert "| `` a\\|b`c `` | $0.05 |" in page
    assert "| `ada` | 12 | $0.05 |" in page


def test_what_is_beyond_a_handful_of_models_stands_together() -> None:
    numbers = numbers_of()
    sums = numbers.hours[0].models["small"]
    models = {f"model-{place:02}": sums for place in range(11)}
    many = msgspec.structs.replace(numbers, hours=[msgspec.structs.replace(numbers.hours[0], models=models)])
    rows = made.cost_by_model(many)
    assert [row.name for row in rows[:2]] == ["model-00", "model-01"]
    assert rows[-1] == Row("3 others", 3 * sums.cost)


def test_a_report_without_calls_says_that_none_is_on_record() -> None:
    empty = report_of(msgspec.structs.replace(numbers_of(), hours=()), parts=(Part("skip", "Skip", ()),))
    assert "No call is on record yet." in markdown.render(empty)
    assert msgspec.json.decode(values.render(empty))["cost_by_day"] == []
