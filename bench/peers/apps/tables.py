"""The tables that the peers share (accounts, orders, payments), and the body of `POST /orders`."""

import os
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID, uuid4

from pydantic import BaseModel, Field
from sqlalchemy import URL, BigInteger, Identity, Numeric, make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


def database_url(driver: str) -> URL:
    return make_url(os.environ["DATABASE_URL"]).set(drivername=f"postgresql+{driver}")


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {Decimal: Numeric(14, 2)}


class Account(Base):
    __tablename__ = "accounts"

    user_id: Mapped[str] = mapped_column(primary_key=True)
    balance: Mapped[Decimal]


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[str]
    amount: Mapped[Decimal]
    status: Mapped[str] = mapped_column(default="NEW")


class Payment(Base):
    """The decision about an order. Peers that recognize repeats by the order's id add a unique index."""

    __tablename__ = "payments"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    order_id: Mapped[UUID]
    user_id: Mapped[str]
    amount: Mapped[Decimal]
    captured: Mapped[bool]


class NewOrder(BaseModel):
    userId: str
    amount: Decimal = Field(gt=0)


class PlacedOrder(BaseModel):
    id: UUID
    status: str = "NEW"
