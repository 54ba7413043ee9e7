from typing import Annotated

from msgspec import Meta, field

from kernel.checks import check_origins
from kernel.settings import Count, HttpUrl, Port, Secrets, Settings, SettingsError

WEB = ("https://", "http://")
Origins = Annotated[
    str,
    Meta(description="an origin like https://shop.example, several separated by commas, or *"),
    check_origins,
]
RootPath = Annotated[
    str,
    Meta(
        pattern=r"^(/(?!\.{1,2}(/|\Z))[A-Za-z0-9._~-]+)+\Z",
        description="a path like /shop, without a slash at its end",
    ),
]


class GatewaySettings(Settings, frozen=True, kw_only=True):
    is_edge = True
    jwt_needs = (*Settings.jwt_needs, "shop_session_key")

    port: Port = field(default=5003, name="gateway_port")
    orders_url: HttpUrl = "http://127.0.0.1:5001"
    payments_url: HttpUrl = "http://127.0.0.1:5002"
    shop_cors_origins: Origins | None = None
    shop_root_path: RootPath | None = None
    shop_streams_per_user: Count | None = None
    shop_streams_per_address: Count | None = None
    shop_session_key: Secrets | None = None
    shop_oidc_client_id: (
        Annotated[str, Meta(pattern=r"^[ -~]+\Z", description="the client id of the shop at the provider")]
        | None
    ) = None
    shop_oidc_client_secret: (
        Annotated[
            str, Meta(pattern=r"^[!-~]+\Z", description="the client secret of the shop at the provider")
        ]
        | None
    ) = None
    shop_oidc_scope: Annotated[
        str,
        Meta(
            pattern=r"^([!-~]+ )*openid( [!-~]+)*\Z",
            description="scopes, separated by spaces, with openid among them",
        ),
    ] = "openid"

    def __post_init__(self) -> None:
        """Raises SettingsError if the settings name a provider, but no address to reach it."""
        issuer = self.shop_jwt_issuer or ""
        if self.shop_oidc_client_id and self.shop_auth == "jwt" and not issuer.startswith(WEB):
            raise SettingsError(
                "SHOP_OIDC_CLIENT_ID: the provider is asked at SHOP_JWT_ISSUER, which has to be a URL"
            )

    @property
    def streams_per_user(self) -> int | None:
        return self.shop_streams_per_user or (20 if self.shop_auth == "jwt" else None)

    @property
    def streams_per_address(self) -> int | None:
        return self.shop_streams_per_address or (100 if self.shop_auth == "jwt" else None)
