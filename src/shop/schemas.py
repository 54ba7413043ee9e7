"""What each service needs of its database, for commands that work on several."""

from orders.adapters.outbound.tables import SCHEMA as ORDERS
from payments.adapters.outbound.tables import SCHEMA as PAYMENTS

SCHEMAS = {schema.service: schema for schema in (ORDERS, PAYMENTS)}
