from kernel.service import Service
from points.messaging import MESSAGING
from points.settings import PointsSettings

SERVICE = Service(
    messaging=MESSAGING,
    settings=PointsSettings,
    main="points.main",
    schema="points.tables:SCHEMA",
    audit="points.audit:CHECKS",
    commands={"points": "points.console:points"},
)
