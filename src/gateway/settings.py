from msgspec import field

from kernel.settings import Count, HttpUrl, Origins, Port, RootPath, Settings


class GatewaySettings(Settings, frozen=True, kw_only=True):
    port: Port = field(default=5003, name="gateway_port")
    orders_url: HttpUrl = "http://127.0.0.1:5001"
    payments_url: HttpUrl = "http://127.0.0.1:5002"
    shop_cors_origins: Origins | None = None
    shop_root_path: RootPath | None = None
    shop_streams_per_address: Count | None = None
