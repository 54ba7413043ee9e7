"""A setting of OpenTelemetry that its SDK cannot use is told at start, in one line."""

import re
from pathlib import Path

import pytest

from kernel.adapters.telemetry.strict import TelemetryRefused, begin_tracing
from kernel.wiring.telemetry import open_telemetry

NOBODY = "http://127.0.0.1:9"
SECRET = "hunter2"

REFUSED = {
    "OTEL_BSP_MAX_QUEUE_SIZE": ["10", "0", "-1", "many", "1" * 10],
    "OTEL_BSP_SCHEDULE_DELAY": ["soon", "0", "9" * 30],
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": ["-1", "x"],
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT": ["1.5"],
    "OTEL_TRACES_SAMPLER": ["sometimes"],
    "OTEL_EXPORTER_OTLP_COMPRESSION": ["zstd"],
    "OTEL_EXPORTER_OTLP_TIMEOUT": ["10s"],
    "OTEL_EXPORTER_OTLP_HEADERS": [f"authorization {SECRET}", f"a=b,Bearer {SECRET}"],
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE": ["/nowhere"],
    "OTEL_RESOURCE_ATTRIBUTES": ["team"],
}
TAKEN = {
    "OTEL_BSP_MAX_QUEUE_SIZE": "4096",
    "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
    "OTEL_TRACES_SAMPLER_ARG": "0.01",
    "OTEL_EXPORTER_OTLP_HEADERS": f"authorization={SECRET}",
    "OTEL_RESOURCE_ATTRIBUTES": "team=shop",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "",
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in REFUSED.items() for value in values]
)
def test_a_setting_that_the_sdk_cannot_use_is_named_in_one_line(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(TelemetryRefused, match=rf"^OpenTelemetry cannot use {name}: \S") as refused:
        begin_tracing("orders", NOBODY)
    assert "\n" not in str(refused.value)
    assert SECRET not in str(refused.value)
    assert capsys.readouterr() == ("", "")


def test_of_several_all_are_named_but_not_the_endpoint_which_is_a_setting_of_the_shop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "OTEL_EXPORTER_OTLP_ENDPOINT": NOBODY,
        "OTEL_TRACES_SAMPLER": "traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": "7",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(TelemetryRefused) as refused:
        begin_tracing("orders", NOBODY)
    named = re.findall(r"OTEL_\w+(?= or |: )", str(refused.value))
    assert named == ["OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"]


async def test_a_setting_that_the_sdk_can_use_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificate = tmp_path / "certificate.pem"
    certificate.touch()
    for name, value in {**TAKEN, "OTEL_EXPORTER_OTLP_CERTIFICATE": str(certificate)}.items():
        monkeypatch.setenv(name, value)
    async with open_telemetry("orders", NOBODY) as telemetry:
        assert telemetry.tracing is not None


async def test_the_sdk_is_not_asked_where_nothing_is_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "10")
    async with open_telemetry("orders", None) as telemetry:
        assert telemetry.tracing is None


@pytest.mark.parametrize("value", ["true", "TRUE", " True "])
async def test_a_disabled_sdk_traces_nothing(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", value)
    async with open_telemetry("orders", NOBODY) as telemetry:
        assert telemetry.tracing is None
