from kernel.service import Service
from payments.messaging import MESSAGING
from payments.settings import PaymentsSettings

SERVICE = Service(
    messaging=MESSAGING,
    settings=PaymentsSettings,
    main="payments.main",
    schema="payments.adapters.outbound.tables:SCHEMA",
    audit="payments.adapters.outbound.audit:CHECKS",
)
