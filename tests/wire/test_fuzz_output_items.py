"""What a vendor says instead of output items: a stored answer is read, or refused by an error of ours."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.core.errors import UpstreamUnavailable
from seawall.wire.responses.objects import items_of

LEAVES = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=5)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "type", "content"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(ANYTHING)
def test_whatever_stands_for_the_output_only_our_own_error_comes_of_it(output: object) -> None:
    try:
        items = items_of(msgspec.json.encode({"output": output}))
    except UpstreamUnavailable:
        return
    assert len(items) == len(output or ())  # type: ignore[arg-type]  # it was a list, or nothing


@pytest.mark.parametrize("output", ["text", {}, 1, [1], [None], [[]], ["text"]])
def test_what_is_no_list_of_objects_is_the_providers_fault(output: object) -> None:
    with pytest.raises(UpstreamUnavailable):
        items_of(msgspec.json.encode({"output": output}))
