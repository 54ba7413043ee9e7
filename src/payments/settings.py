from typing import Literal

from msgspec import field

from kernel.settings import DatabaseUrl, LaneUrls, OwnerUrl, Port, Settings


class PaymentsSettings(Settings, frozen=True, kw_only=True):
    port: Port = field(default=5002, name="payments_port")
    shop_deposits: Literal["users", "operators"] = "users"
    database_url: DatabaseUrl | None = field(default=None, name="payments_database_url")
    migration_url: OwnerUrl | None = field(default=None, name="payments_migration_url")
    lane_urls: LaneUrls | None = field(default=None, name="payments_lane_urls")
