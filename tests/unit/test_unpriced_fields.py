"""Fields of chat completions that change the price of a call are refused by name; those that do not pass."""

from typing import Any

import pytest

from seawall.core.call import Route
from seawall.core.errors import UnpricedField
from seawall.core.money import Price, Rate, Rates
from seawall.providers.fields import check_fields
from seawall.wire.chat.request import read_request

ROUTE = Route("mock", "m", Price(Rates(input=Rate(1), output=Rate(1)), source="test"))
PDF: dict[str, Any] = {
    "type": "file",
    "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"},
}
STORED = {"type": "file", "file": {"file_id": "file-1"}}
HI = {"role": "user", "content": "Hi"}


def check(**fields: Any) -> None:
    body = {"model": "m", "messages": [HI], **fields}
    check_fields(read_request(body, raw_bytes=0, messages_max=100), ROUTE)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"moderation": {"model": "omni-moderation-latest"}}, "moderation"),
        (
            {"messages": [HI, {"role": "user", "content": [PDF, STORED]}]},
            "messages[1].content[1].file.file_id",
        ),
        ({"service_tier": "priority"}, "service_tier"),
    ],
)
def test_what_changes_the_price_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(UnpricedField) as refused:
        check(**fields)
    assert refused.value.param == param


@pytest.mark.parametrize(
    "fields",
    [
        {"moderation": None},
        {"messages": [{"role": "user", "content": [PDF]}]},
        {
            "messages": [
                {"role": "user", "content": [{"type": "file", "file": {**PDF["file"], "file_id": None}}]}
            ]
        },
        {"service_tier": "on_demand"},
        {"service_tier": "flex"},
    ],
)
def test_what_does_not_passes(fields: dict[str, Any]) -> None:
    check(**fields)
