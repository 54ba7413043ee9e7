from kernel.adapters.http.documents.openapi import Api
from kernel.adapters.http.operators.routes import TAG, operators_routes
from kernel.application.consume import Consumer
from kernel.service import Host
from kernel.wiring.open_service import open_service
from payments.adapters.inbound.claims import list_claims, read_claims, run_checks
from payments.adapters.inbound.http import AccountsController, admit_orders, deposit_by_get, fast_paths
from payments.adapters.inbound.operators import OperatedAccountsController, explain_payment
from payments.adapters.outbound.tables import SCHEMA
from payments.application.admit_orders import AdmitOrders
from payments.contract.operations import WRITTEN_BY_GET
from payments.contract.problems import PROBLEMS
from payments.domain.events import PaymentRequest
from payments.messaging import MESSAGING
from payments.settings import PaymentsSettings
from payments.wiring import PaymentsProvider


def api(settings: PaymentsSettings) -> Api:
    legacy = [deposit_by_get] if settings.shop_legacy_routes == "on" else []
    operators = operators_routes(
        OperatedAccountsController, explain_payment, list_claims, read_claims, run_checks
    )
    return Api(
        "Payments",
        "Keeps accounts, takes deposits and pays orders.",
        {"Accounts": "Accounts, deposits and balances."} | TAG,
        routes=[AccountsController, admit_orders, *legacy, operators],
        ui_path="/swagger",
        problems=PROBLEMS,
    )


async def serve(settings: PaymentsSettings, host: Host) -> None:
    """Runs the service until its host stops. Raises ShopError or SettingsError if it cannot start."""
    async with open_service(settings, host, MESSAGING, SCHEMA) as service:
        container = service.assemble(PaymentsProvider(settings, service.telemetry))
        await service.run(
            container,
            api(settings),
            settings.port,
            Consumer[PaymentRequest],
            fast_paths=fast_paths(await container.get(AdmitOrders)),
            written_by_get=WRITTEN_BY_GET,
        )
