"""A virtual host of a private RabbitMQ, with a user of its own: no queue of others is touched."""

from yarl import URL

from tests.servers.rabbitmq import PrivateRabbitMQ

_ALL_OF_IT = ", ".join(['<<".*">>'] * 3)


class VirtualHost:
    """The host and its user have one name."""

    def __init__(self, node: PrivateRabbitMQ, name: str, password: str) -> None:
        self._node = node
        self._name = name
        self._user = f'<<"{name}">>'
        self._url = URL(node.url).with_path(f"/{name}").with_user(name)
        node.evaluate(f'rabbit_vhost:add({self._user}, <<"tests">>)')
        self._call("rabbit_auth_backend_internal:add_user", f'<<"{password}">>', '<<"tests">>')
        may = f'{self._user}, {_ALL_OF_IT}, <<"tests">>'
        self._call("rabbit_auth_backend_internal:set_permissions", may)

    def url(self, password: str) -> str:
        return str(self._url.with_password(password))

    def change_password(self, password: str) -> None:
        self._call("rabbit_auth_backend_internal:change_password", f'<<"{password}">>', '<<"tests">>')

    def close_connections(self) -> None:
        self._call("rabbit_networking:close_all_user_connections", '"by the tests"')

    def _call(self, function: str, *arguments: str) -> None:
        self._node.evaluate(f"{function}({', '.join((self._user, *arguments))})")
