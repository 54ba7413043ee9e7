from gateway.messaging import MESSAGING
from gateway.settings import GatewaySettings
from kernel.service import Service

SERVICE = Service(messaging=MESSAGING, settings=GatewaySettings, main="gateway.main")
