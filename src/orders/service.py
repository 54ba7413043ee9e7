from kernel.service import Service
from orders.messaging import MESSAGING
from orders.settings import OrdersSettings

SERVICE = Service(
    messaging=MESSAGING,
    settings=OrdersSettings,
    main="orders.main",
    schema="orders.adapters.outbound.tables:SCHEMA",
    audit="orders.adapters.outbound.audit:CHECKS",
)
