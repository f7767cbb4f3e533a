"""What a call leaves behind in memory: nothing that would have to wait for a collection of garbage."""

import gc

import pytest

from seawall.core.call import Call, Request
from tests.fixtures.gateways import RunningApp, marked
from tests.fixtures.mock_calls import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


def nothing_is_left_of(marker: str) -> bool:
    requests = [
        each.request if isinstance(each, Call) else each
        for each in gc.get_objects()
        if isinstance(each, Call | Request)
    ]
    return all(request is None or request.end_user != marker for request in requests)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_call_and_its_texts_are_gone_as_soon_as_it_has_ended(
    app: RunningApp, marker: str, stream: bool
) -> None:
    gc.collect()
    gc.disable()
    try:
        answer = await app.chat(marked(marker, "s3", stream=stream))
        await app.settled()
        assert answer.status_code == 200
        await until(lambda: nothing_is_left_of(marker))
    finally:
        gc.enable()
