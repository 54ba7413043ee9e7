from typing import Annotated

from dishka import FromDishka
from dishka.integrations.litestar import inject
from litestar import get
from litestar.params import PathParameter
from sqlalchemy.ext.asyncio import AsyncEngine

from kernel.adapters.http.conventions.answers import JsonAnswer
from kernel.adapters.http.parsing.values import user_id_of
from kernel.wiring.lanes import Lanes
from points.contract import Points
from points.postgres import points_of

UserIdInPath = Annotated[str, PathParameter(name="userId", description="Whose points.")]


@get("/points/{userId:str}", tags=["Points"], summary="The points of a user", operation_id="getPoints")
@inject
async def get_points(user_id: UserIdInPath, lanes: FromDishka[Lanes]) -> JsonAnswer[Points]:
    user, engine = user_id_of(user_id), await lanes.first.get(AsyncEngine)
    return JsonAnswer(Points(user, await points_of(engine, user)))
