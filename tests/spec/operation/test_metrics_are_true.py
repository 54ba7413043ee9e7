"""The figures that an operator sees of a shop are true."""

from collections import Counter
from dataclasses import dataclass

import pytest
from prometheus_client.parser import text_string_to_metric_families

from orders.contract.messages import ORDER_PLACED
from payments.contract.messages import PAYMENT_CAPTURED
from tests.architecture.test_telemetry_md import DOCUMENTED, PROCESS, QUERIES, SCRAPED, asked_for
from tests.servers.process import eventually
from tests.servers.shop import SERVICES, Shop, ThreeServices
from tests.spec.scenario import Http, new_user
from tests.spec.store import Store


@dataclass(frozen=True)
class Figures:
    """The figures of one scrape: values by series, with and without labels."""

    types: dict[str, str]
    labels: dict[str, set[str]]
    values: Counter[str]

    @classmethod
    async def of(cls, http: Http, url: str) -> "Figures":
        answer = await http.get(f"{url}/metrics")
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain")
        types: dict[str, str] = {}
        labels: dict[str, set[str]] = {}
        values: Counter[str] = Counter()
        for family in text_string_to_metric_families(answer.body.decode()):
            types[f"{family.name}_total" if family.type == "counter" else family.name] = family.type
            for sample in family.samples:
                labels.setdefault(sample.name, set()).update(sample.labels)
                values[sample.name] += sample.value
                for label in sample.labels.items():
                    values["{}{{{}={}}}".format(sample.name, *label)] += sample.value
        return cls(types, labels, values)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_tells_all_its_figures_and_no_others(shop: Shop, http: Http, service: str) -> None:
    figures = await Figures.of(http, shop.urls[service])
    shown = {name: kind for name, kind in figures.types.items() if not PROCESS.fullmatch(name)}
    assert shown == {m.name: m.type for m in DOCUMENTED.values() if service in m.services}


async def test_orders_are_counted_as_they_are_accepted_decided_and_refused(
    shop: Shop, gateway: Store, http: Http
) -> None:
    before = (await Figures.of(http, shop.orders)).values
    user = await gateway.open_account(funds="2.00")
    await gateway.decided((await gateway.placed(user, "1.00"))["id"])
    assert (await gateway.order(user, "5.00")).status == 402
    assert (await gateway.order(new_user(), "5.00")).status == 422

    async def counted() -> bool:
        more = (await Figures.of(http, shop.orders)).values
        more.subtract(before)
        assert more["shop_order_status_changes_total{status=NEW}"] >= 1
        assert more["shop_order_status_changes_total{status=FINISHED}"] >= 1
        assert more["shop_order_decision_seconds_count"] >= 1
        assert more["shop_orders_refused_total{reason=insufficient_funds}"] >= 1
        assert more["shop_orders_refused_total{reason=account_not_found}"] >= 1
        assert more["shop_batch_items_sum{work=place_orders}"] >= 3
        assert more["shop_published_events_sum"] >= 1
        return True

    await eventually(counted)


async def test_requests_are_counted_by_template_method_and_status(
    shop: Shop, gateway: Store, http: Http
) -> None:
    user = await gateway.open_account()
    await gateway.balance(user)
    await http.get(f"{shop.gateway}/no/such/{user}")
    figures = await Figures.of(http, shop.gateway)
    series = "shop_http_request_seconds_count"
    assert figures.labels[series] == {"method", "route", "status"}
    assert figures.values[f"{series}{{route=/accounts/{{userId}}}}"] >= 1
    assert figures.values[f"{series}{{route=unmatched}}"] >= 1
    assert not any(user in name for name in figures.values)


async def test_statements_and_messages_are_counted_by_the_semantic_conventions(
    shop: Shop, gateway: Store, http: Http
) -> None:
    user = await gateway.open_account(funds="2.00")
    await gateway.decided((await gateway.placed(user, "1.00"))["id"])

    async def counted() -> bool:
        for url, sent, queue in (
            (shop.orders, ORDER_PLACED, "orders"),
            (shop.payments, PAYMENT_CAPTURED, "payments"),
        ):
            values = (await Figures.of(http, url)).values
            of_type, of_queue = (f"{{messaging_destination_name={name}}}" for name in (sent, queue))
            assert values[f"messaging_client_sent_messages_total{of_type}"] >= 1
            assert values[f"messaging_client_operation_duration_seconds_count{of_type}"] >= 1
            assert values[f"messaging_client_consumed_messages_total{of_queue}"] >= 1
            assert values[f"messaging_process_duration_seconds_count{of_queue}"] >= 1
            for operation in ("SELECT", "BEGIN", "COMMIT"):
                series = f"db_client_operation_duration_seconds_count{{db_operation_name={operation}}}"
                assert values[series] >= 1, series
        return True

    await eventually(counted)


async def test_dashboards_and_alerts_ask_for_what_the_shop_tells(shop: Shop, http: Http) -> None:
    figures = [await Figures.of(http, url) for url in shop.urls.values()]
    for query in QUERIES:
        names, labels = asked_for(str(query.values[0]))
        for name in names:
            shown = [found for of in figures if (found := of.labels.get(name)) is not None]
            # A figure with labels whose event never happened yet is known by its type alone.
            assert shown or any(name in of.types for of in figures), name
            assert all(labels <= of | SCRAPED for of in shown), name


async def test_events_that_wait_for_the_broker_are_seen(three_services: ThreeServices, http: Http) -> None:
    store = Store.at_the_gateway(http, three_services)
    user = await store.open_account(funds="1.00")

    async def is_seen() -> bool:
        values = (await Figures.of(http, three_services.orders)).values
        assert values["shop_bus_healthy"] == 0
        assert values["shop_outbox_events"] >= 1
        assert values["shop_outbox_oldest_seconds"] > 0
        return True

    async def is_gone() -> bool:
        values = (await Figures.of(http, three_services.orders)).values
        assert values["shop_bus_healthy"] == 1
        assert values["shop_outbox_events"] == values["shop_outbox_oldest_seconds"] == 0
        return True

    async with three_services.broker.away():
        order = await store.placed(user, "1.00")
        await eventually(is_seen)
    await store.decided(order["id"])
    await eventually(is_gone)
