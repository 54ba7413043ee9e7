from gateway.adapters.inbound.events import _event


def test_an_order_with_line_breaks_between_its_tokens_is_one_event() -> None:
    frame = _event(2, b'{\r\n  "description": "a\\nb",\n"amount":\r50.00\n\n}')
    assert frame == b'event: status\nid: 2\ndata: {  "description": "a\\nb","amount":50.00}\n\n'
