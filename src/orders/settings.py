from typing import Annotated

from msgspec import Meta, field

from kernel.settings import DatabaseUrl, HttpUrl, LaneUrls, OwnerUrl, Port, Settings

PayWithin = Annotated[
    int, Meta(ge=1, le=31_536_000, description="whole seconds from 1 to 31536000, which is a year")
]


class OrdersSettings(Settings, frozen=True, kw_only=True):
    port: Port = field(default=5001, name="orders_port")
    database_url: DatabaseUrl | None = field(default=None, name="orders_database_url")
    migration_url: OwnerUrl | None = field(default=None, name="orders_migration_url")
    lane_urls: LaneUrls | None = field(default=None, name="orders_lane_urls")
    payments_url: HttpUrl = "http://127.0.0.1:5002"
    shop_pay_within: PayWithin | None = None
