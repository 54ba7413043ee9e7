"""`shop token`: what it is asked for has to be one thing."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from shop.cli import cli


@pytest.mark.parametrize("roles", [("--operator", "--viewer"), ("--viewer", "--operator")])
def test_a_token_for_two_roles_is_refused(
    roles: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shop.cli.configure_logs", lambda *_: None)
    result = CliRunner().invoke(cli, ["token", "--user", "ada", *roles], env={"SHOP_DATA_DIR": str(tmp_path)})
    assert result.exit_code == 2
    assert "Say --operator or --viewer, not both." in result.output
    assert not list(tmp_path.iterdir())
