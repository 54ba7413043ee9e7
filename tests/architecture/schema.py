import orders.adapters.outbound.tables
import payments.adapters.outbound.tables

SERVICES = {"orders": orders.adapters.outbound.tables, "payments": payments.adapters.outbound.tables}
