from msgspec import field

from kernel.settings import DatabaseUrl, HttpUrl, Port, Settings


class OrdersSettings(Settings, frozen=True, kw_only=True):
    port: Port = field(default=5001, name="orders_port")
    database_url: DatabaseUrl | None = field(default=None, name="orders_database_url")
    migration_url: DatabaseUrl | None = field(default=None, name="orders_migration_url")
    payments_url: HttpUrl = "http://127.0.0.1:5002"
