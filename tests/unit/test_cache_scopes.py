"""With whom answers are shared, over every pair of callers: with those of the scope and with nobody else."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from seawall.core.answers import CacheRules
from seawall.core.policy import Principal
from seawall.pipeline.caching import scope_of

NAMES = st.one_of(
    st.sampled_from(["a", "b", "acme", 'a","b', '["a"', "a\\", "a\x00b", "null", "user", "key", "owner"]),
    st.text(max_size=6),
)
PRINCIPALS = st.builds(
    Principal,
    key_id=NAMES,
    key_name=st.just("any"),
    end_user=st.none() | NAMES,
    kind=st.sampled_from(["key", "token", "publishable"]),
    owner=st.just("") | NAMES,
)
SCOPES: Any = st.sampled_from(["auto", "owner", "key", "end_user"])


def group_of(who: Principal, scope: str) -> tuple[str | None, ...]:
    """Say in which group of callers the documentation puts one."""
    if scope == "end_user" or (scope == "auto" and who.is_browser):
        return "user", who.key_id, who.end_user
    if scope != "key" and who.owner:
        return "owner", who.owner
    return "key", who.key_id


@given(one=PRINCIPALS, other=PRINCIPALS, scope=SCOPES)
def test_two_callers_share_answers_exactly_where_the_scope_says_so(
    one: Principal, other: Principal, scope: Any
) -> None:
    rules = CacheRules(scope=scope)
    assert (scope_of(one, rules) == scope_of(other, rules)) is (
        group_of(one, scope) == group_of(other, scope)
    )


@given(one=PRINCIPALS.filter(lambda each: each.is_browser), other=PRINCIPALS)
def test_by_itself_a_user_of_a_browser_shares_with_nobody(one: Principal, other: Principal) -> None:
    rules = CacheRules()
    is_same = other.is_browser and (one.key_id, one.end_user) == (other.key_id, other.end_user)
    assert (scope_of(one, rules) == scope_of(other, rules)) is is_same
