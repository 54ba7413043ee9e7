from msgspec import field

from kernel.settings import Count, DatabaseUrl, HttpUrl, Port, Settings


class PointsSettings(Settings, frozen=True, kw_only=True):
    port: Port = field(default=5004, name="points_port")
    database_url: DatabaseUrl | None = field(default=None, name="points_database_url")
    migration_url: DatabaseUrl | None = field(default=None, name="points_migration_url")
    points_url: HttpUrl | None = None
    points_per_payment: Count = 1
